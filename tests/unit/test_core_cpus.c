/* SPDX-License-Identifier: BSD-2-Clause */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/cpus.h"
#include "tests/unit/scratch.h"

static char root[SCRATCH_MAX];

static int
setup(void **state)
{
	(void)state;
	scratch_new(root);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(root);
	return 0;
}

static void
make_dir(const char *name)
{
	char path[SCRATCH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
affinity_bounds_what_is_usable(void **state)
{
	cpu_set_t before, one;
	size_t cpu;

	(void)state;
	assert_true(cpus_usable() >= 1);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (cpu = 0; !CPU_ISSET(cpu, &before); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_usable(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void
a_quota_of_version_2_is_rounded_up(void **state)
{
	static const struct {
		const char *text;
		unsigned cpus;
	} cases[] = {{"200000 100000\n", 2}, {"150000 100000\n", 2}, {"50000 100000\n", 1},
	    {"100000 100000\n", 1}, {"max 100000\n", 0}, {"", 0}, {"200000", 0}, {"200000 0\n", 0},
	    {"0 100000\n", 0}, {"-1 100000\n", 0}, {"18446744073709551615 1\n", 65536}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scratch_puts(root, "cpu.max", cases[i].text);
		assert_int_equal(cpus_quota(root, "0::/\n"), cases[i].cpus);
	}
}

static void
the_least_quota_of_all_groups_above_counts(void **state)
{
	(void)state;
	make_dir("pods");
	make_dir("pods/one");
	scratch_puts(root, "pods/cpu.max", "300000 100000\n");
	scratch_puts(root, "pods/one/cpu.max", "800000 100000\n");
	assert_int_equal(cpus_quota(root, "0::/pods/one\n"), 3);
	scratch_puts(root, "pods/one/cpu.max", "max 100000\n");
	assert_int_equal(cpus_quota(root, "0::/pods/one\n"), 3);
	scratch_puts(root, "pods/one/cpu.max", "100000 100000\n");
	assert_int_equal(cpus_quota(root, "0::/pods/one"), 1);
	/* The host's path, unseen in here: the container's own group is the root. */
	scratch_puts(root, "cpu.max", "200000 100000\n");
	assert_int_equal(cpus_quota(root, "0::/kubepods/xyz\n"), 2);
}

static void
a_quota_of_version_1_is_found_by_its_controller(void **state)
{
	static const char self[] = "9:name=systemd:/\n4:cpuset:/x\n3:cpuacct,cpu:/job\n0::/\n";

	(void)state;
	make_dir("cpu");
	make_dir("cpu/job");
	scratch_puts(root, "cpu/job/cpu.cfs_period_us", "100000\n");
	scratch_puts(root, "cpu/job/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(cpus_quota(root, self), 0);
	scratch_puts(root, "cpu/job/cpu.cfs_quota_us", "250000\n");
	assert_int_equal(cpus_quota(root, self), 3);
	assert_int_equal(cpus_quota(root, "4:cpuset:/job\n3:cpu2:/job\n2:xcpu:/job\n"), 0);
}

static void
nonsense_means_no_quota(void **state)
{
	(void)state;
	scratch_puts(root, "cpu.max", "200000 100000\n");
	assert_int_equal(cpus_quota(root, ""), 0);
	assert_int_equal(cpus_quota(root, "\n\n:\nx\n0:\n::"), 2);
	assert_int_equal(cpus_quota(root, "no colon\n1:cpu\n"), 0);
	assert_int_equal(cpus_quota("/nonexistent", "0::/\n1:cpu:/\n"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(affinity_bounds_what_is_usable),
	    cmocka_unit_test_setup_teardown(a_quota_of_version_2_is_rounded_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_least_quota_of_all_groups_above_counts, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_quota_of_version_1_is_found_by_its_controller, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonsense_means_no_quota, setup, teardown),
	};

	return cmocka_run_group_tests_name("core_cpus", tests, NULL, NULL);
}
