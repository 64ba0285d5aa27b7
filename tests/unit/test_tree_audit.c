/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "pack/source.h"
#include "seal/section.h"
#include "store/repo.h"
#include "tests/unit/made.h"
#include "tests/unit/packed.h"
#include "tests/unit/scratch.h"
#include "tree/audit.h"
#include "tree/exclude.h"

#define LARGE 3000000u

/* A tree with all that there is, backed up; then the test changes it, and has it audited. */
static char dir[SCRATCH_MAX], store[SCRATCH_MAX];
static struct packed backup;
static struct repo *repo;
static struct exclude *exclude;
static struct audit_opts opts;
static struct audit_totals totals;
static struct buf said; /* a line each: "kind path what,what" */
static uint8_t large[LARGE];
static struct err e;

static char *
at(const char *name)
{
	static char path[2][SCRATCH_MAX + 256];
	static int turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static int
told(void *ctx, const struct audit_finding *f, struct err *why)
{
	(void)ctx;
	(void)why;
	buf_printf(&said, "%s ", audit_kind_name(f->kind));
	path_escape_mtree(&said, f->path, f->path_len);
	for (unsigned bit = 1, n = 0; audit_what_name(bit) != NULL; bit <<= 1)
		if ((f->what & bit) != 0)
			buf_printf(&said, "%s%s", n++ == 0 ? " " : ",", audit_what_name(bit));
	if (f->reason != NULL)
		buf_printf(&said, " %s", f->reason);
	buf_putc(&said, '\n');
	assert_true((f->before != NULL) == (f->kind != AUDIT_ADDED) || f->reason != NULL);
	assert_true((f->now != NULL) == (f->kind != AUDIT_REMOVED) || f->reason != NULL);
	return 0;
}

/* Facts of directories that tests put things into are not what they look at. */
static void
touch(const char *name)
{
	const struct timespec t[2] = {{1000000000, 5}, {1000000000, 5}};

	assert_int_equal(utimensat(AT_FDCWD, at(name), t, AT_SYMLINK_NOFOLLOW), 0);
}

static void
make_tree(void)
{
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(mkdir(at("d/empty"), 0700), 0);
	scratch_puts(dir, "a", "alpha");
	scratch_puts(dir, "d/b", "beta");
	scratch_puts(dir, "d/none", "");
	assert_int_equal(link(at("a"), at("d/a2")), 0);
	assert_int_equal(link(at("a"), at("z-a3")), 0);
	assert_int_equal(symlink("a", at("l")), 0);
	assert_int_equal(mkfifo(at("p"), 0600), 0);
	scratch_puts(dir, "odd\n\xff name", "x");
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (uint8_t)(i * 7 >> 3);
	scratch_put(dir, "large", large, LARGE);
	assert_int_equal(link(at("large"), at("z-large")), 0);
}

static void
back_up(void)
{
	char name[SEAL_NAME_MAX + 16];

	packed_done(&backup);
	assert_int_equal(packed_make(&backup, dir, &(struct walk_opts){0}, 1, &e), 0);
	(void)snprintf(name, sizeof(name), "%s.manifest.gz", backup.seal.name);
	scratch_put(store, name, backup.manifest.data, backup.manifest.len);
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	scratch_new(store);
	make_tree();
	touch("");
	touch("d");
	back_up();
	opts = (struct audit_opts){.jobs = 2, .found = told};
	return repo_open(&repo, store, &e) != 0 || exclude_new(&exclude, &e) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	stop_request(0);
	source_pread = pread;
	exclude_free(exclude);
	packed_done(&backup);
	backup = (struct packed){0};
	repo_close(repo);
	buf_done(&said);
	scratch_remove(dir);
	scratch_remove(store);
	return 0;
}

static int
run(void)
{
	int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	assert_true(root >= 0);
	buf_clear(&said);
	rc = audit_tree(&opts, root, repo, &backup.seal, &totals, &e);
	(void)close(root);
	return rc;
}

/* The times of the directories that were written to are set back. */
static void
expect(const char *lines)
{
	touch("");
	touch("d");
	if (run() != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&said), lines);
	assert_int_equal(audit_clean(&totals), lines[0] == '\0');
}

/* Overwrite without a trace in the times. */
static void
rot(const char *name, off_t offset)
{
	struct stat st;
	int fd = open(at(name), O_WRONLY | O_CLOEXEC);

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "!", 1, offset), 1);
	assert_int_equal(futimens(fd, (struct timespec[2]){st.st_atim, st.st_mtim}), 0);
	(void)close(fd);
}

/* ---- tests ---- */

static void
an_untouched_tree_is_unchanged(void **state)
{
	(void)state;
	for (unsigned jobs = 0; jobs < 4; jobs++) {
		opts.jobs = jobs;
		expect("");
		assert_int_equal(totals.unchanged, 13);
		assert_int_equal(totals.bytes, 5 + 4 + 1 + LARGE);
		assert_int_equal(totals.unknown, 0);
	}
}

static void
a_changed_byte_is_found_under_every_name(void **state)
{
	(void)state;
	rot("large", 2999999);
	rot("d/b", 0);
	expect("changed ./d/b content\nchanged ./large content\nchanged ./z-large content\n");
	assert_int_equal(totals.kinds[AUDIT_CHANGED], 3);
	assert_int_equal(totals.unchanged, 10);
}

static void
a_file_of_another_size_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(truncate(at("large"), LARGE - 1), 0);
	expect("changed ./large content,mtime\nchanged ./z-large content,mtime\n");
	assert_int_equal(totals.bytes, 10);
}

static void
facts_are_told_apart_from_content(void **state)
{
	(void)state;
	assert_int_equal(chmod(at("d/b"), 04711), 0);
	touch("d/none");
	assert_int_equal(chmod(at("d/empty"), 0750), 0);
	assert_int_equal(chmod(at("p"), 0640), 0);
	expect("facts ./d/b mode\nfacts ./d/empty mode\nfacts ./d/none mtime\nfacts ./p mode\n");
	assert_int_equal(totals.kinds[AUDIT_FACTS], 4);
}

static void
an_owner_is_a_fact(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(lchown(at("l"), 12, 13), 0);
	assert_int_equal(chown(at("a"), 12, 0), 0);
	expect("facts ./a owner\nfacts ./d/a2 owner\nfacts ./l owner\nfacts ./z-a3 owner\n");
}

static void
attributes_are_facts_of_every_name(void **state)
{
	(void)state;
	if (setxattr(at("a"), "user.note", "x", 1, 0) != 0)
		skip();
	assert_int_equal(setxattr(at("d"), "user.note", "x", 1, 0), 0);
	expect("facts ./a xattrs\nfacts ./d xattrs\nfacts ./d/a2 xattrs\nfacts ./z-a3 xattrs\n");
}

static void
what_came_and_went_is_told(void **state)
{
	(void)state;
	scratch_puts(dir, "d/new", "n");
	assert_int_equal(unlink(at("p")), 0);
	assert_int_equal(rmdir(at("d/empty")), 0);
	assert_int_equal(symlink("x", at("zz")), 0);
	expect("removed ./d/empty\nadded ./d/new\nremoved ./p\nadded ./zz\n");
}

static void
another_type_is_a_change(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("l")), 0);
	scratch_puts(dir, "l", "a file");
	assert_int_equal(rmdir(at("d/empty")), 0);
	assert_int_equal(symlink("b", at("d/empty")), 0);
	assert_int_equal(unlink(at("d/a2")), 0);
	assert_int_equal(mkdir(at("d/a2"), 0755), 0);
	scratch_puts(dir, "d/a2/inside", "i");
	expect("changed ./d/a2 type\nadded ./d/a2/inside\nchanged ./d/empty type\n"
	       "changed ./l type\n");
}

static void
a_symlink_that_leads_elsewhere_is_a_fact(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("l")), 0);
	assert_int_equal(symlink("b", at("l")), 0);
	expect("facts ./l mtime,link\n");
}

/* ---- several names ---- */

static void
copy_file(const char *from, const char *to)
{
	char command[3 * SCRATCH_MAX];

	(void)snprintf(
	    command, sizeof(command), "cp -p --remove-destination '%s' '%s'", at(from), at(to));
	assert_int_equal(system(command), 0);
}

static void
a_link_that_became_a_copy_is_told(void **state)
{
	(void)state;
	copy_file("a", "d/a2");
	copy_file("large", "z-large");
	expect("facts ./d/a2 link\nfacts ./z-large link\n");
	rot("d/a2", 0);
	expect("changed ./d/a2 content,link\nfacts ./z-large link\n");
}

static void
links_that_left_together_are_both_told(void **state)
{
	(void)state;
	copy_file("a", "d/a2");
	assert_int_equal(unlink(at("z-a3")), 0);
	assert_int_equal(link(at("d/a2"), at("z-a3")), 0);
	expect("facts ./d/a2 link\nfacts ./z-a3 link\n");
}

static void
links_whose_target_is_gone_are_told(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("a")), 0);
	expect("removed ./a\nfacts ./d/a2 link\nfacts ./z-a3 link\n");
}

static void
files_that_became_one_are_told(void **state)
{
	(void)state;
	scratch_puts(dir, "d/c", "beta");
	copy_file("d/b", "d/c");
	touch("");
	touch("d");
	back_up();
	assert_int_equal(unlink(at("d/c")), 0);
	assert_int_equal(link(at("d/b"), at("d/c")), 0);
	expect("facts ./d/c link\n");
}

static void
links_to_what_is_excluded_are_read(void **state)
{
	(void)state;
	opts.exclude = exclude;
	assert_int_equal(exclude_add(exclude, "/a", &e), 0);
	expect("");
	assert_int_equal(totals.unknown, 1);
	assert_int_equal(totals.bytes, 10 + LARGE);
	rot("a", 0);
	expect("changed ./d/a2 content\nchanged ./z-a3 content\n");
}

/* ---- what cannot be told ---- */

static void
what_is_excluded_is_neither_added_nor_removed(void **state)
{
	(void)state;
	opts.exclude = exclude;
	assert_int_equal(exclude_add(exclude, "d", &e), 0);
	assert_int_equal(exclude_add(exclude, "new", &e), 0);
	scratch_puts(dir, "new", "n");
	expect("");
	assert_int_equal(totals.unknown, 5);
	assert_int_equal(unlink(at("d/b")), 0);
	expect("");
}

static void
what_the_backup_could_not_take_is_not_added(void **state)
{
	struct entry root = made_dir("");
	struct made m;

	(void)state;
	scratch_remove(store);
	scratch_new(store);
	made_begin(&m, store, "s-20260101_000000");
	made_both(&m, &root, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	section_put_note(&m.section, SECTION_UNREADABLE, "d", 1, "no right");
	section_put_note(&m.section, SECTION_VANISHED, "a", 1, NULL);
	section_put_note(&m.section, SECTION_SKIPPED, "p", 1, "a socket");
	m.seal.unreadable = 1;
	made_end(&m, NULL);
	repo_close(repo);
	assert_int_equal(repo_open(&repo, store, &e), 0);
	struct repo_backup b;
	assert_int_equal(repo_read_seal(repo, "s-20260101_000000", NULL, &b, &e), 0);
	seal_done(&backup.seal);
	backup.seal = b.seal;
	b.seal = (struct seal){0};
	repo_backup_done(&b);
	assert_int_equal(run(), 0);
	assert_null(strstr(buf_str(&said), "./d"));
	assert_null(strstr(buf_str(&said), "added ./a"));
	assert_null(strstr(buf_str(&said), "added ./p"));
	assert_non_null(strstr(buf_str(&said), "added ./l"));
	assert_int_equal(totals.unknown, 7);
}

static void
sockets_are_nobodys(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), old;

	(void)state;
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "sock");
	old = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(unlink("p"), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(link("sock", "p"), 0);
	assert_int_equal(fchdir(old), 0);
	(void)close(old);
	(void)close(fd);
	expect("changed ./p type\n");
}

static ssize_t
broken_pread(int fd, void *data, size_t len, off_t offset)
{
	if (offset > 0) {
		errno = EIO;
		return -1;
	}
	return pread(fd, data, len, offset);
}

static void
a_file_that_cannot_be_read_is_a_finding_under_every_name(void **state)
{
	(void)state;
	source_pread = broken_pread;
	expect("unreadable ./large Input/output error\nunreadable ./z-large Input/output error\n");
	assert_int_equal(totals.kinds[AUDIT_UNREADABLE], 2);
}

/* Somebody writes whenever the large file is read. */
static ssize_t
busy_pread(int fd, void *data, size_t len, off_t offset)
{
	int w = open(at("large"), O_WRONLY | O_CLOEXEC);

	if (len > 100000) {
		assert_int_equal(pwrite(w, "#", 1, 1), 1);
		(void)futimens(w, NULL);
	}
	(void)close(w);
	return pread(fd, data, len, offset);
}

static void
a_file_that_does_not_keep_still_is_told_with_a_word(void **state)
{
	(void)state;
	/* The time of its other name may be seen before or after the writing. */
	assert_int_equal(unlink(at("z-large")), 0);
	touch("");
	back_up();
	opts.jobs = 1; /* at() is for one thread */
	source_pread = busy_pread;
	expect("changed ./large content,mtime,changing\n");
}

/* ---- damage, and the end ---- */

static void
damage_of_the_manifest_is_told_and_the_rest_compared(void **state)
{
	char name[SEAL_NAME_MAX + 16];

	(void)state;
	/* The section of the first member: it stands behind the head. */
	for (size_t i = 0; i < backup.n_members; i++)
		if (backup.members[i].path != NULL && backup.members[i].path[0] == '\0')
			backup.manifest.data[backup.members[i].section_offset + 20] ^= 1;
	(void)snprintf(name, sizeof(name), "%s.manifest.gz", backup.seal.name);
	scratch_put(store, name, backup.manifest.data, backup.manifest.len);
	rot("large", 5);
	assert_int_equal(run(), 0);
	assert_int_equal(totals.damaged, 2); /* once more for z-a3, whose target was in it */
	assert_false(audit_clean(&totals));
	assert_non_null(strstr(buf_str(&said), "changed ./large content\n"));
	assert_null(strstr(buf_str(&said), "added"));
	assert_null(strstr(buf_str(&said), "removed"));
	assert_true(totals.unknown > 0);
}

static void
a_manifest_that_is_gone_is_an_error(void **state)
{
	char name[sizeof(store) + SEAL_NAME_MAX + 16];

	(void)state;
	(void)snprintf(name, sizeof(name), "%s/%s.manifest.gz", store, backup.seal.name);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(run(), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
a_tree_that_is_being_restored_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at(".tarseal-restore"), 0700), 0);
	assert_int_equal(run(), -1);
	assert_non_null(strstr(e.msg, "a restore is going on"));
}

static void
a_tree_that_holds_the_repository_is_refused(void **state)
{
	(void)state;
	repo_close(repo);
	assert_int_equal(repo_open(&repo, at("d"), &e), 0);
	scratch_put(at("d"), "x", "", 0);
	char name[SEAL_NAME_MAX + 16];
	(void)snprintf(name, sizeof(name), "%s.manifest.gz", backup.seal.name);
	scratch_put(at("d"), name, backup.manifest.data, backup.manifest.len);
	assert_int_equal(run(), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
a_stop_ends_it(void **state)
{
	(void)state;
	stop_request(15);
	assert_int_equal(run(), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
}

static int
had_enough(void *ctx, const struct audit_finding *f, struct err *why)
{
	(void)ctx;
	(void)f;
	return err_set(why, ERR_SYS, "enough");
}

static void
who_is_told_may_end_it(void **state)
{
	(void)state;
	opts.found = had_enough;
	rot("d/b", 0);
	assert_int_equal(run(), -1);
	assert_string_equal(e.msg, "enough");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(an_untouched_tree_is_unchanged),
	    T(a_changed_byte_is_found_under_every_name),
	    T(a_file_of_another_size_is_not_read),
	    T(facts_are_told_apart_from_content),
	    T(an_owner_is_a_fact),
	    T(attributes_are_facts_of_every_name),
	    T(what_came_and_went_is_told),
	    T(another_type_is_a_change),
	    T(a_symlink_that_leads_elsewhere_is_a_fact),
	    T(a_link_that_became_a_copy_is_told),
	    T(links_that_left_together_are_both_told),
	    T(links_whose_target_is_gone_are_told),
	    T(files_that_became_one_are_told),
	    T(links_to_what_is_excluded_are_read),
	    T(what_is_excluded_is_neither_added_nor_removed),
	    T(what_the_backup_could_not_take_is_not_added),
	    T(sockets_are_nobodys),
	    T(a_file_that_cannot_be_read_is_a_finding_under_every_name),
	    T(a_file_that_does_not_keep_still_is_told_with_a_word),
	    T(damage_of_the_manifest_is_told_and_the_rest_compared),
	    T(a_manifest_that_is_gone_is_an_error),
	    T(a_tree_that_is_being_restored_is_refused),
	    T(a_tree_that_holds_the_repository_is_refused),
	    T(a_stop_ends_it),
	    T(who_is_told_may_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
