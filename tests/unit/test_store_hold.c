/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "store/priv.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], names[8192];
static struct repo *repo;
static struct buf reason;
static struct err e;

#define BACKUP "s-1.manifest.gz s-1.seal s-1.tar.gz "
#define HELD ".lock s-1.hold " BACKUP
#define FREE ".lock " BACKUP

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1}, NULL);
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_done(&reason);
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static void
expect(const char *want)
{
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, want);
}

static const char *
reason_of(const char *name)
{
	buf_clear(&reason);
	assert_int_equal(repo_hold_reason(repo, name, &reason, &e), 0);
	return buf_str(&reason);
}

static bool
is_listed_on_hold(void)
{
	struct repo_list l;
	bool held;

	assert_int_equal(repo_list(repo, NULL, &l, &e), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.n_unsealed, 0);
	held = l.backups[0].on_hold;
	repo_list_done(&l);
	return held;
}

static void
a_backup_is_held_with_a_reason_and_released(void **state)
{
	struct buf file = {0};

	(void)state;
	assert_false(is_listed_on_hold());
	assert_int_equal(repo_hold(repo, "s-1", "before the upgrade", &e), 0);
	expect(HELD);
	assert_true(is_listed_on_hold());
	assert_string_equal(reason_of("s-1"), "before the upgrade");
	scratch_get(dir, "s-1.hold", &file);
	assert_string_equal(buf_str(&file), "before the upgrade\n");
	buf_done(&file);
	assert_int_equal(repo_release(repo, "s-1", &e), 0);
	expect(FREE);
	assert_false(is_listed_on_hold());
	assert_int_equal(repo_hold_reason(repo, "s-1", &reason, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
a_reason_may_be_missing_and_may_change(void **state)
{
	(void)state;
	assert_int_equal(repo_hold(repo, "s-1", "", &e), 0);
	assert_string_equal(reason_of("s-1"), "");
	assert_int_equal(repo_hold(repo, "s-1", "\xd0\xb1 first", &e), 0);
	assert_string_equal(reason_of("s-1"), "\xd0\xb1 first");
	assert_int_equal(repo_hold(repo, "s-1", "", &e), 0);
	assert_string_equal(reason_of("s-1"), "");
	expect(HELD);
}

static void
a_reason_is_one_short_line(void **state)
{
	static const char *const wrong[] = {"two\nlines", "\ttab", "\x1b[2J", "\x7f", "end\n"};
	char text[REPO_REASON_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		err_clear(&e);
		assert_int_equal(repo_hold(repo, "s-1", wrong[i], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	memset(text, 'x', sizeof(text));
	text[REPO_REASON_MAX + 1] = '\0';
	assert_int_equal(repo_hold(repo, "s-1", text, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	expect(FREE);
	text[REPO_REASON_MAX] = '\0';
	assert_int_equal(repo_hold(repo, "s-1", text, &e), 0);
	assert_string_equal(reason_of("s-1"), text);
}

static void
only_a_backup_can_be_held(void **state)
{
	static const char *const wrong[] = {"old-1", "none", "", "../s-1", "s-", "s-1.seal"};

	(void)state;
	scratch_puts(dir, "old-1.tar.gz", "");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		err_clear(&e);
		assert_int_equal(repo_hold(repo, wrong[i], "", &e), -1);
		assert_int_equal(e.kind, ERR_NOTFOUND);
		err_clear(&e);
		assert_int_equal(repo_release(repo, wrong[i], &e), -1);
		assert_int_equal(e.kind, ERR_NOTFOUND);
	}
	expect(".lock old-1.tar.gz " BACKUP);
}

static void
a_marker_made_by_hand_holds(void **state)
{
	char text[3000];

	(void)state;
	scratch_puts(dir, "s-1.hold", "first\nsecond\n");
	assert_true(is_listed_on_hold());
	assert_string_equal(reason_of("s-1"), "first");
	scratch_puts(dir, "s-1.hold", "no newline");
	assert_string_equal(reason_of("s-1"), "no newline");
	memset(text, 'x', sizeof(text));
	scratch_put(dir, "s-1.hold", text, sizeof(text));
	assert_int_equal(strlen(reason_of("s-1")), REPO_REASON_MAX);
	assert_int_equal(repo_release(repo, "s-1", &e), 0);
	expect(FREE);
}

static void
a_marker_that_is_no_file_holds_and_is_not_touched(void **state)
{
	(void)state;
	scratch_puts(dir, "victim", "untouched");
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			assert_int_equal(symlinkat("victim", repo_fd(repo), "s-1.hold"), 0);
		else if (kind == 1)
			assert_int_equal(mkdirat(repo_fd(repo), "s-1.hold", 0700), 0);
		else
			assert_int_equal(mkfifoat(repo_fd(repo), "s-1.hold", 0600), 0);
		assert_true(is_listed_on_hold());
		assert_int_equal(repo_hold(repo, "s-1", "x", &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(repo_release(repo, "s-1", &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(repo_hold_reason(repo, "s-1", &reason, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		expect(HELD "victim ");
		assert_int_equal(
		    unlinkat(repo_fd(repo), "s-1.hold", kind == 1 ? AT_REMOVEDIR : 0), 0);
	}
	scratch_get(dir, "victim", &reason);
	assert_string_equal(buf_str(&reason), "untouched");
}

static void
the_marker_of_a_backup_that_is_gone_is_released(void **state)
{
	(void)state;
	scratch_puts(dir, "gone-1.hold", "");
	assert_int_equal(repo_release(repo, "gone-1", &e), 0);
	expect(FREE);
}

static void
a_hold_that_was_cut_short_is_cleaned_up(void **state)
{
	(void)state;
	scratch_puts(dir, ".s-1.hold.new", "half");
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(FREE);
	scratch_puts(dir, ".s-1.hold.new", "half");
	assert_int_equal(repo_hold(repo, "s-1", "whole", &e), 0);
	assert_string_equal(reason_of("s-1"), "whole");
	expect(HELD);
	/* What is no file is not ours. */
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), ".s-1.hold.new"), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	assert_int_equal(repo_hold(repo, "s-1", "newer", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_string_equal(reason_of("s-1"), "whole");
}

/* What root holds, the backup job can read, as somebody else. */
static void
a_marker_has_owner_and_access_of_the_seal(void **state)
{
	struct stat st;
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(fchmodat(repo_fd(repo), "s-1.seal", 0640, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(repo_fd(repo), "s-1.seal", 1234, 4321, 0), 0);
	assert_int_equal(repo_hold(repo, "s-1", "x", &e), 0);
	(void)umask(old);
	assert_int_equal(fstatat(repo_fd(repo), "s-1.hold", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1234);
		assert_int_equal(st.st_gid, 4321);
	}
}

static void
a_name_on_hold_is_not_given_to_a_new_backup(void **state)
{
	char name[SEAL_NAME_MAX + 1];

	(void)state;
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	scratch_puts(dir, "s-19700101_000000.hold", "");
	scratch_puts(dir, ".s-19700101_000000-2.seal.gone", "");
	assert_int_equal(repo_free_name(repo, "s", 0, name, &e), 0);
	assert_string_equal(name, "s-19700101_000000-3");
}

static void
holding_needs_the_lock(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_hold(other, "s-1", "", &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	err_clear(&e);
	assert_int_equal(repo_release(other, "s-1", &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_backup_is_held_with_a_reason_and_released),
	    T(a_reason_may_be_missing_and_may_change),
	    T(a_reason_is_one_short_line),
	    T(only_a_backup_can_be_held),
	    T(a_marker_made_by_hand_holds),
	    T(a_marker_that_is_no_file_holds_and_is_not_touched),
	    T(the_marker_of_a_backup_that_is_gone_is_released),
	    T(a_hold_that_was_cut_short_is_cleaned_up),
	    T(a_marker_has_owner_and_access_of_the_seal),
	    T(a_name_on_hold_is_not_given_to_a_new_backup),
	    T(holding_needs_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
