/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "core/err.h"
#include "core/limits.h"
#include "core/stop.h"

/*
 * Jobs live in a ring of depth slots; job number n has slot n % depth from submit
 * to the end of its sink, so the ring is queue, reorder buffer and bound in one.
 *
 *	sunk <= taken <= submitted <= sunk + depth
 *
 * Workers take number `taken` next; the sink waits for slot `sunk` to be done.
 * A failed job keeps its slot, with its error, and the sink comes to it in order:
 * so the first error by order of jobs wins, whatever finished first.  One mutex
 * guards all; it is held for a few instructions a job, and jobs are large.
 */
enum slot_state { SLOT_EMPTY, SLOT_QUEUED, SLOT_TAKEN, SLOT_DONE, SLOT_FAILED };

struct slot {
	enum slot_state state;
	void *job;
	struct err err;
};

struct pipeline {
	struct pipeline_opts o;
	pthread_mutex_t lock;
	pthread_cond_t work; /* a job was queued, or the end came */
	pthread_cond_t done; /* a slot is done, or the end came */
	pthread_cond_t space; /* a slot is free, or the pipeline stopped */
	struct slot *slots;
	uint64_t submitted, taken, sunk;
	bool ending; /* no more jobs will come */
	bool stopped; /* err is set, or given up: run nothing more */
	struct err err;
	pthread_t *threads;
	unsigned n_threads; /* workers that were started */
	pthread_t sinker;
	bool has_sinker;
};

/* How long a wait lasts before it looks whether a signal came. */
static struct timespec
soon(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 100 * 1000 * 1000;
	if (t.tv_nsec >= 1000 * 1000 * 1000) {
		t.tv_nsec -= 1000 * 1000 * 1000;
		t.tv_sec++;
	}
	return t;
}

/* Under the lock.  The first to call it decides what the pipeline's error is. */
static void
stop_with(struct pipeline *p, const struct err *e)
{
	if (!p->stopped) {
		p->stopped = true;
		p->err = *e;
		/* A failure that says nothing must not pass for success. */
		if (e->kind == ERR_NONE)
			(void)err_set(&p->err, ERR_SYS, "failed without a reason");
	}
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_cond_broadcast(&p->done);
	(void)pthread_cond_broadcast(&p->space);
}

/* Under the lock. */
static bool
is_stopped(struct pipeline *p)
{
	struct err e;

	if (!p->stopped && stop_signal() != 0) {
		err_clear(&e);
		(void)stop_check(&e);
		stop_with(p, &e);
	}
	return p->stopped;
}

static void
wait_for(struct pipeline *p, pthread_cond_t *cond)
{
	struct timespec until = soon();

	(void)pthread_cond_timedwait(cond, &p->lock, &until);
}

/* ---- workers ---- */

/* The next job's slot, or NULL when there is nothing left to do. */
static struct slot *
take(struct pipeline *p)
{
	struct slot *s = NULL;

	(void)pthread_mutex_lock(&p->lock);
	while (!is_stopped(p) && p->taken == p->submitted && !p->ending)
		wait_for(p, &p->work);
	if (!p->stopped && p->taken < p->submitted) {
		s = &p->slots[p->taken++ % p->o.depth];
		s->state = SLOT_TAKEN;
		err_clear(&s->err);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return s;
}

static void
put_back(struct pipeline *p, struct slot *s, bool failed)
{
	(void)pthread_mutex_lock(&p->lock);
	s->state = failed ? SLOT_FAILED : SLOT_DONE;
	(void)pthread_cond_signal(&p->done);
	(void)pthread_mutex_unlock(&p->lock);
}

static void *
worker_main(void *arg)
{
	struct pipeline *p = arg;
	void *worker = NULL;
	struct err e = {0};
	struct slot *s;

	if (p->o.worker_new != NULL && (worker = p->o.worker_new(p->o.ctx, &e)) == NULL) {
		(void)pthread_mutex_lock(&p->lock);
		stop_with(p, &e);
		(void)pthread_mutex_unlock(&p->lock);
		return NULL;
	}
	while ((s = take(p)) != NULL)
		put_back(p, s, p->o.work(p->o.ctx, worker, s->job, &s->err) != 0);
	if (p->o.worker_free != NULL)
		p->o.worker_free(worker);
	return NULL;
}

/* ---- the sink ---- */

/* Wait for the next job in order; false at the end. */
static bool
next_in_order(struct pipeline *p, struct slot **out)
{
	struct slot *s;
	bool got = false;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		s = &p->slots[p->sunk % p->o.depth];
		if (is_stopped(p) || (p->ending && p->sunk == p->submitted))
			break;
		if (p->sunk < p->submitted && s->state == SLOT_FAILED) {
			stop_with(p, &s->err);
			break;
		}
		if (p->sunk < p->submitted && s->state == SLOT_DONE) {
			got = true;
			break;
		}
		wait_for(p, &p->done);
	}
	(void)pthread_mutex_unlock(&p->lock);
	*out = s;
	return got;
}

static void *
sink_main(void *arg)
{
	struct pipeline *p = arg;
	struct slot *s;
	struct err e;
	int rc;

	while (next_in_order(p, &s)) {
		err_clear(&e);
		rc = p->o.sink == NULL ? 0 : p->o.sink(p->o.ctx, s->job, &e);
		if (p->o.job_free != NULL)
			p->o.job_free(s->job);
		(void)pthread_mutex_lock(&p->lock);
		s->job = NULL;
		s->state = SLOT_EMPTY;
		p->sunk++;
		if (rc != 0)
			stop_with(p, &e);
		(void)pthread_cond_signal(&p->space);
		(void)pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* ---- the submitter's side ---- */

static int
start_threads(struct pipeline *p, struct err *e)
{
	int rc = pthread_create(&p->sinker, NULL, sink_main, p);

	p->has_sinker = rc == 0;
	while (rc == 0 && p->n_threads < p->o.workers) {
		rc = pthread_create(&p->threads[p->n_threads], NULL, worker_main, p);
		p->n_threads += rc == 0;
	}
	/* A container's limit of processes: slower is better than not at all. */
	if (rc == 0 || p->n_threads > 0)
		return 0;
	errno = rc;
	return err_sys(e, "cannot start a thread (a limit on processes, or memory?)");
}

static void
init_sync(struct pipeline *p)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->work, &attr);
	(void)pthread_cond_init(&p->done, &attr);
	(void)pthread_cond_init(&p->space, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static void
join_and_free(struct pipeline *p)
{
	unsigned i;

	for (i = 0; i < p->n_threads; i++)
		(void)pthread_join(p->threads[i], NULL);
	if (p->has_sinker)
		(void)pthread_join(p->sinker, NULL);
	for (i = 0; i < p->o.depth; i++)
		if (p->slots[i].job != NULL && p->o.job_free != NULL)
			p->o.job_free(p->slots[i].job);
	(void)pthread_cond_destroy(&p->work);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_cond_destroy(&p->space);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p->slots);
	free(p);
}

static unsigned
default_depth(unsigned workers)
{
	struct limits l;

	limits_here(&l);
	return limits_depth(&l, workers);
}

int
pipeline_new(struct pipeline **out, const struct pipeline_opts *opts, struct err *e)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	sigset_t all, old;
	int rc;

	if (p == NULL)
		return err_nomem(e);
	p->o = *opts;
	if (p->o.workers == 0)
		p->o.workers = 1;
	if (p->o.depth == 0)
		p->o.depth = default_depth(p->o.workers);
	p->slots = calloc(p->o.depth, sizeof(*p->slots));
	p->threads = calloc(p->o.workers, sizeof(*p->threads));
	if (p->slots == NULL || p->threads == NULL) {
		free(p->slots);
		free(p->threads);
		free(p);
		return err_nomem(e);
	}
	init_sync(p);
	/* Signals are for the submitter's thread: there they interrupt what waits. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = start_threads(p, e);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		pipeline_abort(p);
		return -1;
	}
	*out = p;
	return 0;
}

int
pipeline_submit(struct pipeline *p, void *job, struct err *e)
{
	struct slot *s;
	bool stopped;

	(void)pthread_mutex_lock(&p->lock);
	while (!is_stopped(p) && p->submitted - p->sunk == p->o.depth)
		wait_for(p, &p->space);
	stopped = p->stopped;
	if (!stopped) {
		s = &p->slots[p->submitted++ % p->o.depth];
		s->job = job;
		s->state = SLOT_QUEUED;
		(void)pthread_cond_signal(&p->work);
	} else if (e != NULL)
		*e = p->err;
	(void)pthread_mutex_unlock(&p->lock);
	if (!stopped)
		return 0;
	if (p->o.job_free != NULL)
		p->o.job_free(job);
	return -1;
}

int
pipeline_finish(struct pipeline *p, struct err *e)
{
	bool failed;

	(void)pthread_mutex_lock(&p->lock);
	p->ending = true;
	(void)pthread_cond_broadcast(&p->work);
	(void)pthread_cond_broadcast(&p->done);
	while (!is_stopped(p) && p->sunk < p->submitted)
		wait_for(p, &p->space);
	failed = p->stopped;
	if (failed && e != NULL)
		*e = p->err;
	(void)pthread_mutex_unlock(&p->lock);
	join_and_free(p);
	return failed ? -1 : 0;
}

void
pipeline_abort(struct pipeline *p)
{
	struct err e = {0};

	if (p == NULL)
		return;
	(void)err_set(&e, ERR_STOPPED, "given up");
	(void)pthread_mutex_lock(&p->lock);
	stop_with(p, &e);
	(void)pthread_mutex_unlock(&p->lock);
	join_and_free(p);
}
