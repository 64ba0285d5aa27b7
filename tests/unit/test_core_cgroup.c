/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/cgroup.h"
#include "tests/unit/scratch.h"

/* Trees of groups are made in a scratch directory, and mounts that never were lead there. */

static char root[SCRATCH_MAX];
static struct cgroup got;

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

/* The %s in mounts are the scratch directory. */
static void
look(const char *self, const char *mounts)
{
	char text[4 * SCRATCH_MAX + 1024];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(text, sizeof(text), mounts, root, root, root, root);
#pragma GCC diagnostic pop
	cgroup_limits(self, text, &got);
}

#define V2 "30 23 0:26 / %s rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void
a_quota_of_version_2_is_in_thousandths(void **state)
{
	static const struct {
		const char *text;
		uint64_t milli;
	} cases[] = {{"200000 100000\n", 2000}, {"20000 100000\n", 200}, {"1 3\n", 334},
	    {"1 1000000\n", 1}, {"max 100000\n", 0}, {"", 0}, {"200000", 0}, {"200000 0\n", 0},
	    {"0 100000\n", 0}, {"-1 100000\n", 0}, {"100000 -1\n", 0}, {"1 99999999999999999\n", 0},
	    {"18446744073709551615 1\n", UINT64_C(1099511627776000)}, {"\n", 0}, {" ", 0},
	    {"two 100000\n", 0}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scratch_puts(root, "cpu.max", cases[i].text);
		look("0::/\n", V2);
		assert_int_equal(got.cpu_milli, cases[i].milli);
		assert_int_equal(got.memory, 0);
	}
}

static void
memory_of_version_2_is_the_lesser_of_max_and_high(void **state)
{
	(void)state;
	scratch_puts(root, "memory.max", "max\n");
	look("0::/\n", V2);
	assert_int_equal(got.memory, 0);
	scratch_puts(root, "memory.max", "268435456\n");
	look("0::/\n", V2);
	assert_int_equal(got.memory, 268435456);
	scratch_puts(root, "memory.high", "134217728\n");
	look("0::/\n", V2);
	assert_int_equal(got.memory, 134217728);
	scratch_puts(root, "memory.high", "max\n");
	look("0::/\n", V2);
	assert_int_equal(got.memory, 268435456);
	scratch_puts(root, "memory.max", "a lot\n");
	look("0::/\n", V2);
	assert_int_equal(got.memory, 0);
	assert_int_equal(got.cpu_milli, 0);
}

static void
the_least_of_all_groups_above_counts(void **state)
{
	(void)state;
	make_dir("pods");
	make_dir("pods/one");
	scratch_puts(root, "pods/cpu.max", "300000 100000\n");
	scratch_puts(root, "pods/memory.max", "1000000\n");
	scratch_puts(root, "pods/one/cpu.max", "800000 100000\n");
	scratch_puts(root, "pods/one/memory.max", "9000000\n");
	look("0::/pods/one\n", V2);
	assert_int_equal(got.cpu_milli, 3000);
	assert_int_equal(got.memory, 1000000);
	scratch_puts(root, "pods/one/cpu.max", "max 100000\n");
	look("0::/pods/one\n", V2);
	assert_int_equal(got.cpu_milli, 3000);
	scratch_puts(root, "pods/one/cpu.max", "100000 100000\n");
	look("0::/pods/one", V2); /* and no newline */
	assert_int_equal(got.cpu_milli, 1000);
	look("0::/pods/on\n", V2); /* not there, but what is above it is */
	assert_int_equal(got.cpu_milli, 3000);
}

/* The host's path, and in here nothing of it but the mount point, which is the own group. */
static void
a_group_that_cannot_be_seen_is_the_mount_point(void **state)
{
	static const char *const selves[] = {
	    "0::/kubepods/pod1/xyz\n", "0::/../../kubepods/x\n", "0::/..\n", "0::/\n"};

	(void)state;
	scratch_puts(root, "cpu.max", "200000 100000\n");
	scratch_puts(root, "memory.max", "5000000\n");
	for (size_t i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
		look(selves[i], V2);
		assert_int_equal(got.cpu_milli, 2000);
		assert_int_equal(got.memory, 5000000);
	}
}

/* Without a namespace of its own a container sees its part of the tree under its full path. */
static void
a_mount_of_a_part_is_taken_off_the_path(void **state)
{
	static const char mounts[] = "9 1 0:5 /kubepods/pod1 %s rw - cgroup cgroup rw,memory\n";

	(void)state;
	make_dir("inner");
	scratch_puts(root, "memory.limit_in_bytes", "7000000\n");
	scratch_puts(root, "inner/memory.limit_in_bytes", "6000000\n");
	look("4:memory:/kubepods/pod1/inner\n", mounts);
	assert_int_equal(got.memory, 6000000);
	look("4:memory:/kubepods/pod1\n", mounts);
	assert_int_equal(got.memory, 7000000);
	/* Another group, whose name begins alike: only the mount point is certain. */
	look("4:memory:/kubepods/pod1/../inner\n", mounts);
	assert_int_equal(got.memory, 7000000);
	look("4:memory:/kubepods/pod12/inner\n", mounts);
	assert_int_equal(got.memory, 7000000);
}

static void
version_1_is_found_by_its_controllers(void **state)
{
	static const char mounts[] = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
				     "32 31 0:29 / %s/cpu,cpuacct rw,relatime shared:9 master:2 - "
				     "cgroup cgroup rw,cpu,cpuacct\n"
				     "33 31 0:30 / %s/memory rw - cgroup cgroup rw,memory\n"
				     "40 31 0:37 / %s/systemd rw - cgroup cgroup rw,name=systemd\n"
				     "41 31 0:38 / %s/unified rw - cgroup2 cgroup2 rw\n";
	static const char self[] =
	    "9:name=systemd:/\n4:cpuset:/x\n3:cpuacct,cpu:/job\n2:memory:/job\n0::/\n";

	(void)state;
	make_dir("cpu,cpuacct");
	make_dir("cpu,cpuacct/job");
	make_dir("memory");
	make_dir("memory/job");
	make_dir("unified");
	scratch_puts(root, "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
	scratch_puts(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
	scratch_puts(root, "memory/job/memory.limit_in_bytes", "9223372036854771712\n");
	look(self, mounts);
	assert_int_equal(got.cpu_milli, 0);
	assert_int_equal(got.memory, 0);
	scratch_puts(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
	scratch_puts(root, "memory/memory.limit_in_bytes", "100000000\n");
	look(self, mounts);
	assert_int_equal(got.cpu_milli, 2500);
	assert_int_equal(got.memory, 100000000);
	look("4:cpuset:/job\n3:cpu2:/job\n2:xcpu,memor:/job\n", mounts);
	assert_int_equal(got.cpu_milli, 0);
	assert_int_equal(got.memory, 0);
	/* What both versions say counts. */
	scratch_puts(root, "unified/memory.max", "50000000\n");
	look(self, mounts);
	assert_int_equal(got.memory, 50000000);
}

static void
a_mount_point_with_a_space_is_found(void **state)
{
	(void)state;
	make_dir("a b");
	scratch_puts(root, "a b/cpu.max", "100000 100000\n");
	look("0::/\n", "30 23 0:26 / %s/a\\040b rw - cgroup2 cgroup2 rw\n");
	assert_int_equal(got.cpu_milli, 1000);
}

static void
nonsense_is_no_limit(void **state)
{
	static const char *const selves[] = {"", "\n\n:\nx\n0:\n::\n:::", "no colon\n1:cpu\n",
	    "0::relative\n", "0:memory:/\n"},
				 *const mounts[] = {"", "\n", "-", " - ", "- cgroup2",
				     "30 23 0:26 / /nonexistent rw - cgroup2 cgroup2 rw\n",
				     "30 23 0:26 / %s rw - ext4 cgroup2 rw\n", "30 23 0:26 / %s rw",
				     "1 2 3 / %s rw cgroup2 cgroup2 rw\n"};

	(void)state;
	scratch_puts(root, "cpu.max", "200000 100000\n");
	for (size_t i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
		look(selves[i], V2);
		assert_int_equal(got.cpu_milli, 0);
	}
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		look("0::/\n3:cpu,memory:/\n", mounts[i]);
		assert_int_equal(got.cpu_milli, 0);
	}
	look("0::/\n", V2); /* that it would have been found */
	assert_int_equal(got.cpu_milli, 2000);
}

static void
the_own_process_has_an_answer(void **state)
{
	(void)state;
	got.memory = 1;
	cgroup_here(&got);
	assert_true(got.memory != 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_quota_of_version_2_is_in_thousandths, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		memory_of_version_2_is_the_lesser_of_max_and_high, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_least_of_all_groups_above_counts, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_group_that_cannot_be_seen_is_the_mount_point, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_mount_of_a_part_is_taken_off_the_path, setup, teardown),
	    cmocka_unit_test_setup_teardown(version_1_is_found_by_its_controllers, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_mount_point_with_a_space_is_found, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonsense_is_no_limit, setup, teardown),
	    cmocka_unit_test(the_own_process_has_an_answer),
	};

	return cmocka_run_group_tests_name("core_cgroup", tests, NULL, NULL);
}
