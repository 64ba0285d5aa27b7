/* SPDX-License-Identifier: BSD-2-Clause */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/log.h"
#include "tests/unit/child.h"

#define MIB (UINT64_C(1) << 20)

static void
affinity_bounds_what_is_usable(void **state)
{
	cpu_set_t before, one;
	struct limits l;
	size_t cpu;

	(void)state;
	limits_here(&l);
	assert_true(l.cpus >= 1);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (cpu = 0; !CPU_ISSET(cpu, &before); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	limits_here(&l);
	assert_int_equal(l.cpus, 1);
	assert_int_equal(limits_workers_here(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static int
look_at_ulimits(void *ctx)
{
	struct rlimit as = {.rlim_cur = 1000 * MIB, .rlim_max = RLIM_INFINITY},
		      data = {.rlim_cur = 60 * MIB, .rlim_max = RLIM_INFINITY};
	struct limits l;

	(void)ctx;
	limits_here(&l);
	uint64_t before = l.memory;
	if (setrlimit(RLIMIT_DATA, &data) != 0)
		return 1;
	limits_here(&l);
	if (l.memory != (before != 0 && before < 60 * MIB ? before : 60 * MIB))
		return 2;
	if (setrlimit(RLIMIT_AS, &as) != 0)
		return 3;
	limits_here(&l);
	if (l.memory > 60 * MIB)
		return 4;
	as.rlim_cur = 50 * MIB;
	if (setrlimit(RLIMIT_AS, &as) != 0)
		return 5;
	limits_here(&l);
	return l.memory > 50 * MIB ? 6 : 0;
}

static void
ulimits_are_memory_limits(void **state)
{
	struct child c;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* they need address space without end */
#endif
	child_run(&c, look_at_ulimits, NULL);
	assert_int_equal(c.status, 0);
}

static void
a_quota_is_rounded_up_to_workers(void **state)
{
	static const struct {
		uint64_t milli;
		unsigned workers;
	} cases[] = {{0, 8}, {1, 1}, {200, 1}, {1000, 1}, {1001, 2}, {1500, 2}, {7000, 7},
	    {7999, 8}, {8000, 8}, {64000, 8}, {UINT64_C(1099511627776000), 8}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct limits l = {.cpus = 8, .cpu_milli = cases[i].milli};
		assert_int_equal(limits_cpus(&l), cases[i].workers);
		assert_int_equal(limits_workers(&l), cases[i].workers);
	}
	struct limits many = {.cpus = 1000};
	assert_int_equal(limits_workers(&many), LIMITS_WORKERS_MAX);
	many.memory = UINT64_MAX;
	assert_int_equal(limits_workers(&many), LIMITS_WORKERS_MAX);
}

/* What one worker more, and one job more, is known to take: see core/limits.c. */
static uint64_t
taken(unsigned workers, unsigned depth)
{
	return (16 + 6 * workers + 3 * depth) * MIB;
}

static void
workers_and_jobs_stay_well_inside_a_memory_limit(void **state)
{
	(void)state;
	for (uint64_t mib = 48; mib <= 4096; mib++) {
		struct limits l = {.cpus = 64, .memory = mib * MIB};
		unsigned workers = limits_workers(&l), depth = limits_depth(&l, workers);
		assert_true(workers >= 1 && workers <= 64);
		assert_true(depth > workers && depth <= 2 * workers + 2);
		/* Half of what is above the base stays free. */
		assert_true(taken(workers, depth) <= (16 + (mib - 16) / 2) * MIB);
	}
}

static void
a_memory_limit_lets_as_much_as_it_can(void **state)
{
	static const struct {
		uint64_t mib;
		unsigned workers, depth;
	} cases[] = {{0, 64, 130}, {1, 1, 2}, {16, 1, 2}, {40, 1, 2}, {48, 1, 3}, {64, 2, 4},
	    {128, 5, 8}, {256, 12, 16}, {65536, 64, 130}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct limits l = {.cpus = 64, .memory = cases[i].mib * MIB};
		assert_int_equal(limits_workers(&l), cases[i].workers);
		assert_int_equal(limits_depth(&l, cases[i].workers), cases[i].depth);
	}
}

/* --jobs is obeyed: each worker has a job, and one waits. */
static void
jobs_that_were_asked_for_have_one_job_each(void **state)
{
	struct limits l = {.cpus = 2, .memory = 64 * MIB};

	(void)state;
	assert_int_equal(limits_depth(&l, 8), 9);
	assert_int_equal(limits_depth(&l, 256), 257);
	l.memory = 100 * MIB;
	assert_int_equal(limits_depth(&l, 4), 6);
	l.memory = 0;
	assert_int_equal(limits_depth(&l, 8), 18);
}

static int
tell_of_what_does_not_fit(void *ctx)
{
	struct rlimit data = {.rlim_cur = 60 * MIB, .rlim_max = RLIM_INFINITY};

	(void)ctx;
	if (setrlimit(RLIMIT_DATA, &data) != 0)
		return 1;
	log_init("verify", LOG_NORMAL);
	limits_tell(2);
	limits_tell(5);
	return 0;
}

static void
what_may_not_fit_is_warned_of(void **state)
{
	struct limits l = {.cpus = 64};
	struct child c;

	(void)state;
	assert_int_equal(limits_need(&l, 2), 46 * MIB);
	for (uint64_t mib = 28; mib <= 4096; mib++) {
		l.memory = mib * MIB;
		assert_true(limits_need(&l, limits_workers(&l)) <= l.memory);
	}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	child_run(&c, tell_of_what_does_not_fit, NULL);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err,
	    "verify: warning: with 5 workers this may take 64M of memory, and the limit is 60M: "
	    "the "
	    "kernel may end it\n");
#else
	(void)c;
	(void)tell_of_what_does_not_fit;
#endif
}

static void
the_operator_is_told_why(void **state)
{
	static const struct {
		struct limits l;
		unsigned workers;
		const char *text;
	} cases[] = {
	    {{.cpus = 2}, 2,
		"2 workers, for 2 processors; up to 6 members in memory at a time, without a "
		"memory limit"},
	    {{.cpus = 1}, 1,
		"1 worker, for 1 processor; up to 4 members in memory at a time, without a memory "
		"limit"},
	    {{.cpus = 8, .cpu_milli = 200, .memory = 256 * MIB}, 1,
		"1 worker, for a CPU quota of 200m; up to 4 members in memory at a time, for a "
		"memory limit of 256M"},
	    {{.cpus = 8, .cpu_milli = 2000, .memory = 64 * MIB}, 2,
		"2 workers, for a CPU quota of 2; up to 4 members in memory at a time, for a "
		"memory limit of 64M"},
	    {{.cpus = 8, .cpu_milli = 9000, .memory = 64 * MIB}, 2,
		"2 workers, because of the memory limit; up to 4 members in memory at a time, for "
		"a memory limit of 64M"},
	    {{.cpus = 8, .memory = 64 * MIB}, 6,
		"6 workers, as --jobs says; up to 7 members in memory at a time, for a memory "
		"limit of 64M"},
	};
	struct buf text = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&text);
		limits_describe(&cases[i].l, cases[i].workers, &text);
		assert_string_equal(buf_str(&text), cases[i].text);
	}
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(affinity_bounds_what_is_usable),
	    cmocka_unit_test(ulimits_are_memory_limits),
	    cmocka_unit_test(a_quota_is_rounded_up_to_workers),
	    cmocka_unit_test(workers_and_jobs_stay_well_inside_a_memory_limit),
	    cmocka_unit_test(a_memory_limit_lets_as_much_as_it_can),
	    cmocka_unit_test(jobs_that_were_asked_for_have_one_job_each),
	    cmocka_unit_test(what_may_not_fit_is_warned_of),
	    cmocka_unit_test(the_operator_is_told_why),
	};

	return cmocka_run_group_tests_name("core_limits", tests, NULL, NULL);
}
