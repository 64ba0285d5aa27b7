/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "restore/opts.h"
#include "restore/run.h"
#include "seal/section.h"
#include "tests/unit/child.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define NAME "s-20260101_000000"

static char dir[SCRATCH_MAX], target[SCRATCH_MAX + 16];
static struct child child;

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	(void)snprintf(target, sizeof(target), "%s/target", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

struct job {
	const char *path; /* NULL: all */
	bool dry_run, json;
};

static int
restore_child(void *ctx)
{
	const struct job *j = ctx;
	const char *path = j->path;
	struct restore_opts o = {.repo = dir,
	    .backup = NAME,
	    .target = target,
	    .untrusted = true,
	    .jobs = 2,
	    .dry_run = j->dry_run,
	    .common = {.json = j->json},
	    .paths = {.items = &path, .n = path != NULL ? 1 : 0}};
	struct err e = {0};
	enum cli_status status;

	log_init("restore", LOG_NORMAL);
	status = restore_run(&o, &e);
	if (e.kind != ERR_NONE) {
		(void)fprintf(stderr, "error: %s\n", e.msg);
		status = cli_status_of(&e);
	}
	(void)fflush(stdout);
	return (int)status;
}

static void
restored(int want, struct job j)
{
	child_run(&child, restore_child, &j);
	if (child.status != want)
		fail_msg("status %d:\n%s%s", child.status, child.out, child.err);
}

static struct entry
special(enum entry_type type, const char *path, const char *link)
{
	struct entry en = made_file(path, 0);

	en.type = type;
	en.mode = type == ENTRY_SYMLINK ? 0777 : 0640;
	en.uid = geteuid();
	en.gid = getegid();
	en.link = link;
	en.link_len = link != NULL ? strlen(link) : 0;
	return en;
}

/* "", d, d/empty, d/fifo, d/full, d/link, d/name (of d/empty): one member. */
static void
make(void)
{
	struct entry root = made_dir(""), d = made_dir("d"),
		     empty = special(ENTRY_FILE, "d/empty", NULL),
		     fifo = special(ENTRY_FIFO, "d/fifo", NULL), full = made_file("d/full", 4),
		     link = special(ENTRY_SYMLINK, "d/link", "somewhere"),
		     name = special(ENTRY_HARDLINK, "d/name", "d/empty");
	struct made m;

	made_begin(&m, dir, NAME);
	made_both(&m, &root, NULL);
	made_both(&m, &d, NULL);
	made_both(&m, &empty, NULL);
	made_both(&m, &fifo, NULL);
	made_both(&m, &full, "full");
	made_both(&m, &link, NULL);
	made_both(&m, &name, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_end(&m, NULL);
}

static void
damage(const char *suffix, size_t offset)
{
	char name[128];
	struct buf b = {0};

	(void)snprintf(name, sizeof(name), "%s%s", NAME, suffix);
	scratch_get(dir, name, &b);
	b.data[offset] ^= 1;
	scratch_put(dir, name, b.data, b.len);
	buf_done(&b);
}

static void
stat_of(const char *path, struct stat *st)
{
	char full[SCRATCH_MAX + 64];

	(void)snprintf(full, sizeof(full), "%s/%s", target, path);
	assert_int_equal(lstat(full, st), 0);
}

static void
what_has_no_content_comes_back_from_its_line(void **state)
{
	char sub[SCRATCH_MAX + 64], names[256], to[64];
	struct stat st;

	(void)state;
	make();
	damage(".tar.gz", 20);
	restored(CLI_WRONG, (struct job){.path = NULL});
	(void)snprintf(sub, sizeof(sub), "%s/d", target);
	scratch_list(sub, names, sizeof(names));
	assert_string_equal(names, "empty fifo link name ");
	stat_of("d/fifo", &st);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0640);
	stat_of("d/empty", &st);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	(void)snprintf(sub, sizeof(sub), "%s/d/link", target);
	memset(to, 0, sizeof(to));
	assert_int_equal(readlink(sub, to, sizeof(to) - 1), 9);
	assert_string_equal(to, "somewhere");
	assert_non_null(strstr(child.err, "warning: d/full: not restored"));
	assert_null(strstr(child.err, "d/link"));
}

static void
a_selection_of_a_damaged_member_brings_no_more_than_it_names(void **state)
{
	char sub[SCRATCH_MAX + 64], names[256];

	(void)state;
	make();
	damage(".tar.gz", 20);
	restored(CLI_OK, (struct job){.path = "d/link"});
	(void)snprintf(sub, sizeof(sub), "%s/d", target);
	scratch_list(sub, names, sizeof(names));
	assert_string_equal(names, "link ");
}

/* ---- what is not in the backup ---- */

static void
make_with_notes(void)
{
	struct entry root = made_dir(""), f = made_file("f", 1);
	struct made m;

	made_begin(&m, dir, NAME);
	made_both(&m, &root, NULL);
	made_both(&m, &f, NULL);
	section_put_note(&m.section, SECTION_UNREADABLE, "secret", 6, "Permission denied");
	section_put_note(&m.section, SECTION_SKIPPED, "sock", 4, "a socket");
	section_put_note(&m.section, SECTION_VANISHED, "temp", 4, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	m.seal.unreadable = 1;
	made_end(&m, NULL);
}

#define SECRET "secret: not in this backup: it could not be read then (Permission denied)"

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void
what_could_not_be_backed_up_is_told_once(void **state)
{
	(void)state;
	make_with_notes();
	restored(CLI_OK, (struct job){.path = NULL});
	assert_int_equal(count(child.err, SECRET), 1);
	assert_int_equal(count(child.err, "sock: not in this backup: a socket"), 1);
	assert_null(strstr(child.err, "temp"));
}

static void
a_dry_run_tells_it_too(void **state)
{
	(void)state;
	make_with_notes();
	restored(CLI_OK, (struct job){.dry_run = true});
	assert_int_equal(count(child.err, SECRET), 1);
	assert_false(scratch_has(dir, "target"));
}

static void
asking_for_it_says_why_it_is_not_there(void **state)
{
	(void)state;
	make_with_notes();
	restored(CLI_WRONG, (struct job){.path = "secret"});
	assert_int_equal(count(child.err, SECRET), 1);
	assert_int_equal(count(child.err, "warning: secret: not in this backup\n"), 1);
	restored(CLI_OK, (struct job){.path = "f"});
	assert_null(strstr(child.err, "secret"));
}

/* ---- dry runs ---- */

static void
a_dry_run_lists_as_text_or_json(void **state)
{
	(void)state;
	make();
	restored(CLI_OK, (struct job){.path = "d/*l*", .dry_run = true});
	assert_non_null(strstr(child.out, "     4  d/full\n"));
	assert_non_null(strstr(child.out, "     -  d/link\n"));
	assert_null(strstr(child.out, "d/empty"));
	restored(CLI_OK, (struct job){.path = "d/link", .dry_run = true, .json = true});
	assert_non_null(strstr(child.out, "\"planned\": ["));
	assert_non_null(strstr(child.out, "\"path\": \"d/link\""));
	assert_non_null(strstr(child.out, "\"link\": \"somewhere\""));
	assert_non_null(strstr(child.out, "\"signature\": \"unsigned\""));
	assert_false(scratch_has(dir, "target"));
}

static void
a_dry_run_refuses_the_target_that_the_run_would(void **state)
{
	(void)state;
	make();
	assert_int_equal(mkdir(target, 0700), 0);
	restored(CLI_OK, (struct job){.dry_run = true});
	scratch_puts(dir, "file", "");
	(void)snprintf(target, sizeof(target), "%s/file", dir);
	restored(CLI_FAILED, (struct job){.dry_run = true});
	assert_non_null(strstr(child.err, "Not a directory"));
	(void)snprintf(target, sizeof(target), "%s/no/parent", dir);
	restored(CLI_FAILED, (struct job){.dry_run = true});
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_has_no_content_comes_back_from_its_line),
	    TEST(a_selection_of_a_damaged_member_brings_no_more_than_it_names),
	    TEST(what_could_not_be_backed_up_is_told_once),
	    TEST(a_dry_run_tells_it_too),
	    TEST(asking_for_it_says_why_it_is_not_there),
	    TEST(a_dry_run_lists_as_text_or_json),
	    TEST(a_dry_run_refuses_the_target_that_the_run_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
