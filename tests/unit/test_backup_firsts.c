/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/firsts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/links.h"
#include "core/err.h"
#include "pack/job.h"
#include "pack/source.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

/* A job as the planner listed it, and what has become of its files when they are read. */
static char dir[SCRATCH_MAX];
static int root;
static struct job *j;
static struct links *l;
static struct firsts f;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	firsts_init(&f, root);
	assert_int_equal(links_new(&l, &e), 0);
	f.links = l;
	return job_new(&j, JOB_FILES, &e);
}

static int
teardown(void **state)
{
	(void)state;
	source_pread = pread;
	firsts_done(&f);
	links_free(l);
	job_free(j);
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

static struct facts
listed(const char *path)
{
	struct facts facts;
	struct stat st;

	assert_int_equal(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	facts_from(&facts, &st);
	return facts;
}

/* As backup/plan.c does: the first name of a file, and a further one. */
static void
first(const char *path)
{
	struct facts facts = listed(path);
	struct job_item *it = job_add(j, JOB_ENTRY, path, strlen(path), NULL, 0, &e);

	assert_non_null(it);
	it->type = ENTRY_FILE;
	it->facts = facts;
	it->is_first = j->has_firsts = true;
	assert_int_equal(links_add(l, &facts, path, strlen(path), &e), 0);
}

static void
further(const char *path)
{
	struct facts facts = listed(path);
	const struct links_file *file = links_find(l, facts.dev, facts.ino);

	assert_non_null(file);
	struct job_item *it =
	    job_add(j, JOB_ENTRY, path, strlen(path), file->path, file->path_len, &e);
	assert_non_null(it);
	it->type = ENTRY_HARDLINK;
	it->facts = file->facts;
	links_seen(l, file);
}

static void
make(const char *path, const char *content, const char *links)
{
	char name[2] = {0};

	scratch_puts(dir, path, content);
	for (; *links != '\0'; links++) {
		name[0] = *links;
		assert_int_equal(linkat(root, path, root, name, 0), 0);
	}
}

/* "a=content b(a) !c f": read, link, note, left to a worker. */
static void
gives(const char *want)
{
	struct buf got = {0};

	assert_int_equal(firsts_read(&f, j, &e), 0);
	for (size_t i = 0; i < j->n_items; i++) {
		const struct job_item *it = &j->items[i];

		buf_printf(&got, "%s%s%s", i > 0 ? " " : "", it->kind == JOB_ENTRY ? "" : "!",
		    job_path(j, it));
		if (it->read != NULL)
			buf_printf(&got, "=%.*s", (int)it->read->data.len,
			    (const char *)it->read->data.data);
		if (it->kind == JOB_ENTRY && it->type == ENTRY_HARDLINK)
			buf_printf(&got, "(%s)", job_text(j, it));
	}
	assert_string_equal(buf_str(&got), want);
	buf_done(&got);
}

static const struct links_file *
in_table(const char *path)
{
	struct facts facts = listed(path);

	return links_find(l, facts.dev, facts.ino);
}

static void
first_names_are_read_and_links_are_left(void **state)
{
	(void)state;
	make("a", "one", "bc");
	make("d", "two", "e");
	first("a");
	further("b");
	first("d");
	gives("a=one b(a) d=two");
	assert_string_equal(in_table("c")->path, "a");
	assert_string_equal(in_table("e")->path, "d");
	assert_int_equal(j->read_bytes, 6);
}

static void
links_have_the_facts_that_were_read(void **state)
{
	(void)state;
	make("a", "one", "bc");
	first("a");
	further("b");
	scratch_puts(dir, "a", "longer");
	gives("a=longer b(a)");
	assert_int_equal(j->items[1].facts.size, 6);
	assert_int_equal(in_table("c")->facts.size, 6);
}

static void
a_first_name_that_is_gone_hands_over_to_the_next(void **state)
{
	(void)state;
	make("a", "one", "bcd");
	first("a");
	further("b");
	further("c");
	assert_int_equal(unlinkat(root, "a", 0), 0);
	gives("!a b=one c(b)");
	assert_int_equal(j->items[0].kind, JOB_VANISHED);
	assert_string_equal(in_table("d")->path, "b");
	/* One name is to come. */
	links_seen(l, in_table("d"));
	assert_null(in_table("d"));
}

static void
a_first_name_that_is_gone_when_all_were_seen_hands_over_too(void **state)
{
	(void)state;
	make("a", "one", "b");
	first("a");
	further("b");
	assert_null(in_table("a"));
	assert_int_equal(unlinkat(root, "a", 0), 0);
	gives("!a b=one");
	assert_int_equal(links_count(l), 0);
}

static void
a_file_that_is_gone_with_all_its_names_is_noted_with_each(void **state)
{
	(void)state;
	make("a", "one", "bcd");
	first("a");
	further("b");
	further("c");
	const char names[] = "abc";
	for (const char *p = names; *p != '\0'; p++)
		assert_int_equal(unlinkat(root, (char[]){*p, '\0'}, 0), 0);
	gives("!a !b !c");
	assert_null(in_table("d")); /* which will be a first name */
}

static void
a_name_given_to_another_file_is_stored_as_that(void **state)
{
	(void)state;
	make("a", "one", "bc");
	first("a");
	further("b");
	scratch_puts(dir, "new", "another");
	assert_int_equal(renameat(root, "new", root, "a"), 0);
	gives("a b=one");
	assert_false(j->items[0].is_first);
	assert_string_equal(in_table("c")->path, "b");
	assert_null(in_table("a"));
}

static void
a_name_given_to_another_file_when_no_link_is_here_is_forgotten(void **state)
{
	(void)state;
	make("a", "one", "bc");
	first("a");
	scratch_puts(dir, "new", "another");
	assert_int_equal(renameat(root, "new", root, "a"), 0);
	gives("a");
	assert_null(in_table("c"));
	assert_int_equal(links_count(l), 0);
}

static void
a_first_name_that_cannot_be_opened_hands_over_to_one_that_can(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip(); /* root may: tests/interop/reuse_user.sh */
	assert_int_equal(mkdirat(root, "0", 0700), 0);
	make("0/a", "one", "bc");
	first("0/a");
	further("b");
	assert_int_equal(fchmodat(root, "0", 0, 0), 0);
	gives("!0/a b=one");
	assert_int_equal(j->items[0].kind, JOB_UNREADABLE);
	assert_string_equal(job_text(j, &j->items[0]), "Permission denied");
	assert_int_equal(fchmodat(root, "0", 0700, 0), 0);
}

static void
what_has_been_read_is_not_read_again(void **state)
{
	(void)state;
	make("a", "one", "b");
	first("a");
	gives("a=one");
	const struct source_file *read = j->items[0].read;
	gives("a=one");
	assert_ptr_equal(j->items[0].read, read);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(first_names_are_read_and_links_are_left),
	    T(links_have_the_facts_that_were_read),
	    T(a_first_name_that_is_gone_hands_over_to_the_next),
	    T(a_first_name_that_is_gone_when_all_were_seen_hands_over_too),
	    T(a_file_that_is_gone_with_all_its_names_is_noted_with_each),
	    T(a_name_given_to_another_file_is_stored_as_that),
	    T(a_name_given_to_another_file_when_no_link_is_here_is_forgotten),
	    T(a_first_name_that_cannot_be_opened_hands_over_to_one_that_can),
	    T(what_has_been_read_is_not_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
