/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/ctimes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pack/statkey.h"
#include "tests/unit/unit.h"

#define TMPFS 0x01021994
#define OVERLAY 0x794c7630
#define FUSE 0x65735546
#define CIFS 0xff534d42

static void
file_systems_that_keep_ctime_have_a_margin(void **state)
{
	(void)state;
	assert_int_equal(ctimes_margin_of(0xef53), STATKEY_MARGIN); /* ext4 */
	assert_int_equal(ctimes_margin_of(0x58465342), STATKEY_MARGIN); /* XFS */
	assert_int_equal(ctimes_margin_of(0x9123683e), STATKEY_MARGIN); /* btrfs */
	assert_int_equal(ctimes_margin_of(0x6969), CTIMES_MARGIN_NFS);
}

static void
of_all_others_no_ctime_counts(void **state)
{
	(void)state;
	assert_int_equal(ctimes_margin_of(TMPFS), -1);
	assert_int_equal(ctimes_margin_of(OVERLAY), -1);
	assert_int_equal(ctimes_margin_of(FUSE), -1);
	assert_int_equal(ctimes_margin_of(CIFS), -1);
	assert_int_equal(ctimes_margin_of(0), -1);
}

static void
a_file_system_is_asked_once(void **state)
{
	struct ctimes c = {0};
	struct statfs fs;

	(void)state;
	assert_int_equal(statfs("/", &fs), 0);
	int64_t margin = ctimes_margin_of((uint32_t)fs.f_type);
	assert_int_equal(ctimes_margin(&c, 7, AT_FDCWD, "/"), margin);
	/* From now on the device says it, whatever stands there. */
	assert_int_equal(ctimes_margin(&c, 7, AT_FDCWD, "/proc"), margin);
	assert_int_equal(ctimes_margin(&c, 8, AT_FDCWD, "/proc"), -1);
	assert_int_equal(ctimes_margin(&c, 7, AT_FDCWD, "/proc"), margin);
	assert_int_equal(ctimes_margin(&c, 9, AT_FDCWD, "/no/such/path"), -1);
}

static void
any_number_of_file_systems_is_told_apart(void **state)
{
	struct ctimes c = {0};

	(void)state;
	int64_t root = ctimes_margin(&c, 1000, AT_FDCWD, "/");
	for (int round = 0; round < 3; round++) {
		for (uint64_t dev = 0; dev < 20; dev++)
			assert_int_equal(ctimes_margin(&c, dev, AT_FDCWD, "/proc"), -1);
		assert_int_equal(ctimes_margin(&c, 1000, AT_FDCWD, "/"), root);
		assert_int_equal(ctimes_margin(&c, 1001, AT_FDCWD, "/"), root);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_systems_that_keep_ctime_have_a_margin),
	    cmocka_unit_test(of_all_others_no_ctime_counts),
	    cmocka_unit_test(a_file_system_is_asked_once),
	    cmocka_unit_test(any_number_of_file_systems_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
