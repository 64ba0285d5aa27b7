/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "store/priv.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], names[8192];
static struct repo *repo;
static struct err e;

#define OTHERS                                                                                     \
	"old-1.tar.gz s-1.manifest.gz s-1.seal s-1.tar.gz s-10.manifest.gz s-10.seal s-10.tar.gz "
#define OURS "s-2.manifest.gz s-2.seal s-2.tar.gz "

/* Neighbours whose names begin alike, and one archive from before. */
static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1}, NULL);
	stub_backup(dir, "s-2", &(struct stub){.sequence = 2}, NULL);
	stub_backup(dir, "s-10", &(struct stub){.sequence = 10}, NULL);
	scratch_puts(dir, "old-1.tar.gz", "from before");
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
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

static void
put(const char *file, const char *text)
{
	(void)unlinkat(repo_fd(repo), file, 0);
	scratch_puts(dir, file, text);
}

static void
move(const char *from, const char *to)
{
	assert_int_equal(renameat(repo_fd(repo), from, repo_fd(repo), to), 0);
}

static void
only_the_named_backup_goes(void **state)
{
	(void)state;
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	expect(".lock " OTHERS);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
what_has_no_seal_is_not_found(void **state)
{
	static const char *const wrong[] = {
	    "old-1", "none", "", "s-", "../x", "s-2.seal", "-", "."};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		err_clear(&e);
		assert_int_equal(repo_prune(repo, wrong[i], &e), -1);
		assert_int_equal(e.kind, ERR_NOTFOUND);
	}
	expect(".lock " OTHERS OURS);
}

static void
one_on_hold_stays_whatever_the_marker_is(void **state)
{
	(void)state;
	assert_int_equal(repo_hold(repo, "s-2", "", &e), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	expect(".lock " OTHERS "s-2.hold " OURS);
	assert_int_equal(repo_release(repo, "s-2", &e), 0);
	assert_int_equal(mkdirat(repo_fd(repo), "s-2.hold", 0700), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.hold", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("nowhere", repo_fd(repo), "s-2.hold"), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.hold", 0), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	expect(".lock " OTHERS);
}

static void
a_bad_seal_removes_nothing(void **state)
{
	struct buf other = {0};

	(void)state;
	put("s-2.seal", "not a seal");
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	/* The sound seal of another one. */
	scratch_get(dir, "s-1.seal", &other);
	put("s-2.seal", buf_str(&other));
	buf_done(&other);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.seal", 0), 0);
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), "s-2.seal"), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	expect(".lock " OTHERS OURS);
}

static void
a_part_that_is_not_as_sealed_is_left_alone(void **state)
{
	(void)state;
	put("s-2.tar.gz", "something else");
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	expect(".lock " OTHERS "s-2.tar.gz ");
	stub_backup(dir, "s-3", &(struct stub){.sequence = 3}, NULL);
	assert_int_equal(unlinkat(repo_fd(repo), "s-3.manifest.gz", 0), 0);
	assert_int_equal(symlinkat("s-1.manifest.gz", repo_fd(repo), "s-3.manifest.gz"), 0);
	assert_int_equal(repo_prune(repo, "s-3", &e), 0);
	expect(".lock " OTHERS "s-2.tar.gz s-3.manifest.gz ");
	stub_backup(dir, "s-4", &(struct stub){.sequence = 4}, NULL);
	assert_int_equal(unlinkat(repo_fd(repo), "s-4.tar.gz", 0), 0);
	assert_int_equal(mkdirat(repo_fd(repo), "s-4.tar.gz", 0700), 0);
	assert_int_equal(repo_prune(repo, "s-4", &e), 0);
	expect(".lock " OTHERS "s-2.tar.gz s-3.manifest.gz s-4.tar.gz ");
}

static void
a_part_that_is_missing_is_no_hindrance(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.tar.gz", 0), 0);
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.manifest.gz", 0), 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	expect(".lock " OTHERS);
}

static void
pruning_needs_the_lock(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_prune(other, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
	expect(".lock " OTHERS OURS);
}

static void
what_earlier_runs_left_is_cleared_first(void **state)
{
	struct buf seal = {0};

	(void)state;
	scratch_get(dir, "s-2.seal", &seal);
	/* A link that stood in for a rename; a seal that was to take the place. */
	assert_int_equal(linkat(repo_fd(repo), "s-2.seal", repo_fd(repo), ".s-2.seal.gone", 0), 0);
	put(".s-2.seal.new", buf_str(&seal));
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	expect(".lock " OTHERS);
	buf_done(&seal);
	/* And what is no file of ours is not. */
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), ".s-1.seal.gone"), 0);
	assert_int_equal(repo_prune(repo, "s-1", &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	expect(".lock .s-1.seal.gone " OTHERS);
}

/* ---- after a crash ---- */

static void
a_removal_that_was_cut_short_is_finished(void **state)
{
	static const char *const parts[] = {"s-2.tar.gz", "s-2.manifest.gz"};

	(void)state;
	move("s-2.seal", ".s-2.seal.gone");
	for (size_t gone = 0; gone < 4; gone++) {
		if (gone > 0)
			stub_backup(dir, "s-2", &(struct stub){.sequence = 2}, NULL);
		if (gone > 0)
			move("s-2.seal", ".s-2.seal.gone");
		for (size_t part = 0; part < 2; part++)
			if (gone & (1u << part))
				assert_int_equal(unlinkat(repo_fd(repo), parts[part], 0), 0);
		assert_int_equal(repo_recover(repo, &e), 0);
		expect(".lock " OTHERS);
	}
}

static void
what_is_not_as_sealed_survives_recovery_too(void **state)
{
	(void)state;
	move("s-2.seal", ".s-2.seal.gone");
	put("s-2.tar.gz", "something else");
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.manifest.gz", 0), 0);
	assert_int_equal(symlinkat("s-1.manifest.gz", repo_fd(repo), "s-2.manifest.gz"), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS "s-2.manifest.gz s-2.tar.gz ");
}

static void
a_seal_that_stands_keeps_its_backup(void **state)
{
	struct buf seal = {0};

	(void)state;
	/* By link(2), cut short between its two halves. */
	assert_int_equal(linkat(repo_fd(repo), "s-2.seal", repo_fd(repo), ".s-2.seal.gone", 0), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS OURS);
	/* The name was used again. */
	scratch_get(dir, "s-2.seal", &seal);
	put(".s-2.seal.gone", buf_str(&seal));
	buf_done(&seal);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS OURS);
	/* Whatever it is that stands there. */
	move("s-2.seal", ".s-2.seal.gone");
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), "s-2.seal"), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS OURS);
}

static void
a_new_backup_of_the_name_is_finished_first(void **state)
{
	struct buf seal = {0};

	(void)state;
	move("s-2.seal", ".s-2.seal.gone");
	stub_seal("s-2", &(struct stub){.sequence = 11}, &seal, NULL);
	put(".s-2.seal.new", buf_str(&seal));
	buf_done(&seal);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS OURS);
}

static void
a_seal_that_tells_nothing_removes_nothing(void **state)
{
	struct buf other = {0};

	(void)state;
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.seal", 0), 0);
	put(".s-2.seal.gone", "not a seal");
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock .s-2.seal.gone " OTHERS "s-2.manifest.gz s-2.tar.gz ");
	scratch_get(dir, "s-1.seal", &other);
	put(".s-2.seal.gone", buf_str(&other));
	buf_done(&other);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock .s-2.seal.gone " OTHERS "s-2.manifest.gz s-2.tar.gz ");
	assert_int_equal(unlinkat(repo_fd(repo), ".s-2.seal.gone", 0), 0);
	assert_int_equal(symlinkat("s-2.tar.gz", repo_fd(repo), ".s-2.seal.gone"), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock .s-2.seal.gone " OTHERS "s-2.manifest.gz s-2.tar.gz ");
}

static void
a_hold_that_came_in_time_undoes_a_removal(void **state)
{
	(void)state;
	move("s-2.seal", ".s-2.seal.gone");
	scratch_puts(dir, "s-2.hold", "");
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS "s-2.hold " OURS);
	/* The archive is what counts. */
	move("s-2.seal", ".s-2.seal.gone");
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.tar.gz", 0), 0);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS "s-2.hold ");
}

static void
an_archive_that_is_being_removed_is_nobodys_to_adopt(void **state)
{
	struct repo_list l;

	(void)state;
	move("s-2.seal", ".s-2.seal.gone");
	assert_int_equal(repo_list(repo, NULL, &l, &e), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.n_unsealed, 1);
	assert_string_equal(l.unsealed[0], "old-1");
	repo_list_done(&l);
}

static void
one_that_is_being_made_is_nobodys_to_adopt_either(void **state)
{
	struct repo_list l;

	(void)state;
	move("s-2.seal", ".s-2.seal.new");
	assert_int_equal(repo_list(repo, NULL, &l, &e), 0);
	assert_int_equal(l.n_unsealed, 1);
	assert_string_equal(l.unsealed[0], "old-1");
	repo_list_done(&l);
}

static bool
set_immutable(const char *file, bool on)
{
	int fd = openat(repo_fd(repo), file, O_RDONLY), flags = 0;
	bool done;

	assert_true(fd >= 0);
	done = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
	assert_int_equal(close(fd), 0);
	return done;
}

static void
an_archive_that_cannot_be_removed_stays_a_backup(void **state)
{
	(void)state;
	if (!set_immutable("s-2.tar.gz", true))
		skip(); /* not root, or a file system without */
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	expect(".lock " OTHERS OURS);
	move("s-2.seal", ".s-2.seal.gone");
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS OURS);
	assert_true(set_immutable("s-2.tar.gz", false));
	/* When the archive is gone, there is nothing to come back to. */
	assert_true(set_immutable("s-2.manifest.gz", true));
	assert_int_equal(repo_prune(repo, "s-2", &e), -1);
	expect(".lock .s-2.seal.gone " OTHERS "s-2.manifest.gz ");
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock .s-2.seal.gone " OTHERS "s-2.manifest.gz ");
	assert_true(set_immutable("s-2.manifest.gz", false));
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " OTHERS);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(only_the_named_backup_goes),
	    T(what_has_no_seal_is_not_found),
	    T(one_on_hold_stays_whatever_the_marker_is),
	    T(a_bad_seal_removes_nothing),
	    T(a_part_that_is_not_as_sealed_is_left_alone),
	    T(a_part_that_is_missing_is_no_hindrance),
	    T(pruning_needs_the_lock),
	    T(what_earlier_runs_left_is_cleared_first),
	    T(a_removal_that_was_cut_short_is_finished),
	    T(what_is_not_as_sealed_survives_recovery_too),
	    T(a_seal_that_stands_keeps_its_backup),
	    T(a_new_backup_of_the_name_is_finished_first),
	    T(a_seal_that_tells_nothing_removes_nothing),
	    T(a_hold_that_came_in_time_undoes_a_removal),
	    T(an_archive_that_is_being_removed_is_nobodys_to_adopt),
	    T(one_that_is_being_made_is_nobodys_to_adopt_either),
	    T(an_archive_that_cannot_be_removed_stays_a_backup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
