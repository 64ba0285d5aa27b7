/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "core/pipeline.h"
#include "core/stop.h"
#include "tests/unit/child.h"

struct job {
	struct run *run;
	unsigned number;
	unsigned result;
};

struct run {
	unsigned seen; /* by the sink */
	unsigned fail_at; /* job whose work fails; 0: none */
	unsigned sink_fail_at;
	unsigned pause_us;
	unsigned long inner_sum;
	atomic_uint made, freed, workers, working, most;
};

static struct job *
job_new(struct run *r, unsigned number)
{
	struct job *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	j->run = r;
	j->number = number;
	(void)atomic_fetch_add(&r->made, 1);
	return j;
}

static void
job_free(void *arg)
{
	struct job *j = arg;

	(void)atomic_fetch_add(&j->run->freed, 1);
	free(j);
}

static void *
worker_new(void *ctx, struct err *e)
{
	struct run *r = ctx;

	(void)e;
	(void)atomic_fetch_add(&r->workers, 1);
	return malloc(1);
}

static void *
worker_refuses(void *ctx, struct err *e)
{
	(void)ctx;
	(void)err_set(e, ERR_SYS, "no worker today");
	return NULL;
}

static int
work(void *ctx, void *worker, void *arg, struct err *e)
{
	struct run *r = ctx;
	struct job *j = arg;

	assert_non_null(worker);
	/* Later jobs are done first as often as not. */
	if (r->pause_us > 0)
		(void)usleep(r->pause_us * (7 - j->number % 7));
	j->result = j->number * 3;
	if (r->fail_at != 0 && j->number >= r->fail_at)
		return err_set(e, ERR_CORRUPT, "job %u", j->number);
	return 0;
}

static int
sink(void *ctx, void *arg, struct err *e)
{
	struct run *r = ctx;
	struct job *j = arg;

	assert_int_equal(j->number, r->seen + 1);
	assert_int_equal(j->result, j->number * 3);
	r->seen++;
	if (r->sink_fail_at != 0 && j->number == r->sink_fail_at)
		return err_set(e, ERR_SYS, "sink at %u", j->number);
	return 0;
}

static struct pipeline_opts
opts_for(struct run *r, unsigned workers)
{
	return (struct pipeline_opts){
	    .workers = workers,
	    .ctx = r,
	    .worker_new = worker_new,
	    .worker_free = free,
	    .work = work,
	    .sink = sink,
	    .job_free = job_free,
	};
}

/* Submits jobs 1..n until one is refused; what finish says. */
static int
run_jobs(const struct pipeline_opts *o, unsigned n, struct err *e)
{
	struct run *r = o->ctx;
	struct pipeline *p;
	unsigned i;

	assert_int_equal(pipeline_new(&p, o, e), 0);
	for (i = 1; i <= n; i++)
		if (pipeline_submit(p, job_new(r, i), e) != 0)
			break;
	return pipeline_finish(p, e);
}

static void
results_come_in_the_order_of_submission(void **state)
{
	unsigned workers;

	(void)state;
	for (workers = 1; workers <= 5; workers += 2) {
		struct run r = {.pause_us = 50};
		struct pipeline_opts o = opts_for(&r, workers);
		struct err e = {0};

		assert_int_equal(run_jobs(&o, 300, &e), 0);
		assert_int_equal(r.seen, 300);
		assert_int_equal(r.freed, 300);
		assert_int_equal(r.workers, workers);
	}
}

static void
the_first_error_by_order_wins_and_every_job_is_freed(void **state)
{
	struct run r = {.fail_at = 40, .pause_us = 50};
	struct pipeline_opts o = opts_for(&r, 4);
	struct err e = {0};

	(void)state;
	assert_int_equal(run_jobs(&o, 1000, &e), -1);
	assert_string_equal(e.msg, "job 40");
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(r.seen, 39);
	assert_int_equal(r.made, r.freed);
	assert_true(r.made < 60);
}

static void
an_error_of_the_sink_stops_the_pipeline(void **state)
{
	struct run r = {.sink_fail_at = 7};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	assert_int_equal(run_jobs(&o, 1000, &e), -1);
	assert_string_equal(e.msg, "sink at 7");
	assert_int_equal(r.seen, 7);
	assert_int_equal(r.made, r.freed);
}

static void
an_error_at_the_last_job_is_not_lost(void **state)
{
	struct run r = {.sink_fail_at = 5};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	assert_int_equal(run_jobs(&o, 5, &e), -1);
	assert_int_equal(r.freed, 5);
}

static void
a_worker_that_cannot_start_is_an_error(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 3);
	struct err e = {0};

	(void)state;
	o.worker_new = worker_refuses;
	assert_int_equal(run_jobs(&o, 100, &e), -1);
	assert_string_equal(e.msg, "no worker today");
	assert_int_equal(r.seen, 0);
	assert_int_equal(r.made, r.freed);
}

static int
count_work(void *ctx, void *worker, void *arg, struct err *e)
{
	struct run *r = ctx;
	unsigned now = atomic_fetch_add(&r->working, 1) + 1;

	if (now > atomic_load(&r->most))
		atomic_store(&r->most, now);
	return work(ctx, worker, arg, e);
}

static int
uncount_sink(void *ctx, void *arg, struct err *e)
{
	struct run *r = ctx;

	(void)atomic_fetch_sub(&r->working, 1);
	return sink(ctx, arg, e);
}

static void
no_more_jobs_than_depth_are_under_way(void **state)
{
	struct run r = {.pause_us = 20};
	struct pipeline_opts o = opts_for(&r, 3);
	struct err e = {0};

	(void)state;
	o.depth = 4;
	o.work = count_work;
	o.sink = uncount_sink;
	assert_int_equal(run_jobs(&o, 200, &e), 0);
	assert_in_range(r.most, 1, 4);
}

static void
abort_frees_what_is_queued(void **state)
{
	struct run r = {.pause_us = 200};
	struct pipeline_opts o = opts_for(&r, 2);
	struct pipeline *p;
	struct err e = {0};
	unsigned i;

	(void)state;
	assert_int_equal(pipeline_new(&p, &o, &e), 0);
	for (i = 1; i <= 5; i++)
		assert_int_equal(pipeline_submit(p, job_new(&r, i), &e), 0);
	pipeline_abort(p);
	pipeline_abort(NULL);
	assert_int_equal(r.freed, 5);
}

static int
nesting_sink(void *ctx, void *arg, struct err *e)
{
	struct run *r = ctx, inner = {0};
	struct pipeline_opts o = opts_for(&inner, 2);

	if (sink(ctx, arg, e) != 0 || run_jobs(&o, 10, e) != 0)
		return -1;
	r->inner_sum += inner.seen;
	return 0;
}

static void
a_sink_may_run_a_pipeline_of_its_own(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	o.sink = nesting_sink;
	assert_int_equal(run_jobs(&o, 20, &e), 0);
	assert_int_equal(r.inner_sum, 200);
}

static int
fail_unlike_order(void *ctx, void *worker, void *arg, struct err *e)
{
	struct run *r = ctx;
	struct job *j = arg;

	(void)worker;
	if (j->number < 3 || j->number > 4)
		return 0;
	/* Number 4 fails first, by far. */
	while (j->number == 3 && atomic_load(&r->working) == 0)
		(void)usleep(1000);
	if (j->number == 3)
		(void)usleep(20000);
	(void)err_set(e, ERR_CORRUPT, "job %u", j->number);
	(void)atomic_fetch_add(&r->working, 1);
	return -1;
}

static int
count_sink(void *ctx, void *arg, struct err *e)
{
	struct run *r = ctx;

	(void)arg;
	(void)e;
	r->seen++;
	return 0;
}

static void
an_earlier_job_that_fails_later_has_the_say(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	o.work = fail_unlike_order;
	o.sink = count_sink;
	assert_int_equal(run_jobs(&o, 100, &e), -1);
	assert_string_equal(e.msg, "job 3");
	assert_int_equal(r.seen, 2);
	assert_int_equal(r.made, r.freed);
}

static int
fail_silently(void *ctx, void *worker, void *arg, struct err *e)
{
	(void)ctx;
	(void)worker;
	(void)arg;
	(void)e;
	return -1;
}

static void
a_failure_without_a_reason_is_still_one(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	o.work = fail_silently;
	assert_int_equal(run_jobs(&o, 10, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(r.made, r.freed);
}

static int
complain_and_go_on(void *ctx, void *worker, void *arg, struct err *e)
{
	struct job *j = arg;

	(void)ctx;
	(void)worker;
	if (j->number == 20)
		return err_where(e, "job 20");
	(void)err_set(e, ERR_CORRUPT, "something that was healed");
	return 0;
}

static void
an_error_that_was_healed_does_not_stick(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};

	(void)state;
	o.work = complain_and_go_on;
	o.sink = count_sink;
	assert_int_equal(run_jobs(&o, 19, &e), 0);
	assert_int_equal(run_jobs(&o, 30, &e), -1);
	assert_string_equal(e.msg, "job 20: failed without a reason");
}

static void
only_work_is_needed(void **state)
{
	struct run r = {0};
	struct job jobs[20];
	struct pipeline_opts o = {.workers = 0, .ctx = &r, .work = complain_and_go_on};
	struct pipeline *p;
	struct err e = {0};
	unsigned i;

	(void)state;
	assert_int_equal(pipeline_new(&p, &o, &e), 0);
	assert_int_equal(pipeline_finish(p, &e), 0);
	assert_int_equal(pipeline_new(&p, &o, &e), 0);
	for (i = 0; i < 20; i++) {
		jobs[i].number = i;
		assert_int_equal(pipeline_submit(p, &jobs[i], &e), 0);
	}
	assert_int_equal(pipeline_finish(p, &e), 0);
}

static int
look_at_signals(void *ctx, void *worker, void *arg, struct err *e)
{
	struct job *j = arg;
	sigset_t set;

	(void)ctx;
	(void)worker;
	if (pthread_sigmask(SIG_SETMASK, NULL, &set) != 0 || sigismember(&set, SIGTERM) != 1)
		return err_set(e, ERR_SYS, "SIGTERM may arrive in a worker");
	j->result = 1;
	return 0;
}

static void
signals_stay_with_the_submitter(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct err e = {0};
	sigset_t set;

	(void)state;
	o.work = look_at_signals;
	o.sink = count_sink;
	assert_int_equal(run_jobs(&o, 10, &e), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	assert_int_equal(sigismember(&set, SIGTERM), 0);
}

/* Runs as a user of his own, who may have so many threads in all; what new said. */
static int
run_with_few_threads(void *ctx)
{
	struct rlimit limit = {*(rlim_t *)ctx, *(rlim_t *)ctx};
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 8);
	struct pipeline *p;
	struct err e = {0};
	unsigned i;

	if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setuid(54321) != 0)
		return 77;
	if (pipeline_new(&p, &o, &e) != 0)
		return e.sys == EAGAIN ? 10 : 99;
	for (i = 1; i <= 50; i++)
		if (pipeline_submit(p, job_new(&r, i), &e) != 0)
			return 99;
	if (pipeline_finish(p, &e) != 0 || r.seen != 50 || r.freed != 50)
		return 99;
	return r.workers < 8 ? 20 : 30;
}

static void
as_many_workers_as_can_be_started_must_do(void **state)
{
	static struct child child;
	rlim_t none = 1, few = 4;

	(void)state;
	if (getuid() != 0)
		skip();
	child_run(&child, run_with_few_threads, &few);
	if (child.status == 77 || child.status == 30)
		skip(); /* a sandbox that does not count */
	assert_int_equal(child.status, 20);
	child_run(&child, run_with_few_threads, &none);
	assert_int_equal(child.status, 10);
}

/* Holds the first job until told, so that the submitter fills the queue and waits. */
static int
blocked_sink(void *ctx, void *arg, struct err *e)
{
	struct run *r = ctx;

	(void)arg;
	(void)e;
	while (atomic_load(&r->most) == 0)
		(void)usleep(1000);
	return 0;
}

static void *
stop_later(void *arg)
{
	(void)arg;
	(void)usleep(20000);
	stop_request(SIGTERM);
	return NULL;
}

static long
milliseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
a_stop_request_wakes_a_blocked_submitter(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 1);
	struct pipeline *p;
	struct err e = {0};
	pthread_t t;
	unsigned i = 1;
	long start = milliseconds();

	(void)state;
	o.sink = blocked_sink;
	assert_int_equal(pipeline_new(&p, &o, &e), 0);
	assert_int_equal(pthread_create(&t, NULL, stop_later, NULL), 0);
	while (pipeline_submit(p, job_new(&r, i), &e) == 0)
		i++;
	/* 20 ms until the request, 100 ms until it is seen, and a slow machine. */
	assert_in_range(milliseconds() - start, 19, 2000);
	assert_in_range(i, 4, 5);
	assert_int_equal(e.kind, ERR_STOPPED);
	atomic_store(&r.most, 1);
	assert_int_equal(pipeline_finish(p, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	assert_int_equal(r.made, r.freed);
	assert_int_equal(pthread_join(t, NULL), 0);
	stop_request(0);
}

static void
a_stop_request_reaches_a_submitter_that_never_waits(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 2);
	struct pipeline *p;
	struct err e = {0};

	(void)state;
	o.depth = 100;
	assert_int_equal(pipeline_new(&p, &o, &e), 0);
	assert_int_equal(pipeline_submit(p, job_new(&r, 1), &e), 0);
	stop_request(SIGINT);
	assert_int_equal(pipeline_submit(p, job_new(&r, 2), &e), -1);
	assert_string_equal(e.msg, "stopped by SIGINT");
	assert_int_equal(pipeline_finish(p, &e), -1);
	assert_int_equal(r.freed, 2);
	stop_request(0);
}

/* Whichever thread sees it first: the answer may not be a matter of luck. */
static void
a_stop_request_counts_even_when_nothing_is_left(void **state)
{
	struct run r = {0};
	struct pipeline_opts o = opts_for(&r, 1);
	struct err e = {0};

	(void)state;
	stop_request(SIGINT);
	assert_int_equal(run_jobs(&o, 0, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	assert_int_equal(run_jobs(&o, 1, &e), -1);
	stop_request(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(results_come_in_the_order_of_submission),
	    cmocka_unit_test(the_first_error_by_order_wins_and_every_job_is_freed),
	    cmocka_unit_test(an_error_of_the_sink_stops_the_pipeline),
	    cmocka_unit_test(an_error_at_the_last_job_is_not_lost),
	    cmocka_unit_test(a_worker_that_cannot_start_is_an_error),
	    cmocka_unit_test(no_more_jobs_than_depth_are_under_way),
	    cmocka_unit_test(abort_frees_what_is_queued),
	    cmocka_unit_test(a_sink_may_run_a_pipeline_of_its_own),
	    cmocka_unit_test(an_earlier_job_that_fails_later_has_the_say),
	    cmocka_unit_test(a_failure_without_a_reason_is_still_one),
	    cmocka_unit_test(an_error_that_was_healed_does_not_stick),
	    cmocka_unit_test(only_work_is_needed),
	    cmocka_unit_test(as_many_workers_as_can_be_started_must_do),
	    cmocka_unit_test(signals_stay_with_the_submitter),
	    cmocka_unit_test(a_stop_request_wakes_a_blocked_submitter),
	    cmocka_unit_test(a_stop_request_reaches_a_submitter_that_never_waits),
	    cmocka_unit_test(a_stop_request_counts_even_when_nothing_is_left),
	};

	return cmocka_run_group_tests_name("core_pipeline", tests, NULL, NULL);
}
