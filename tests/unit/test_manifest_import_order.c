/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_order.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/opt.h"
#include "core/clock.h"
#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static struct repo *repo;
static struct repo_list list;
static struct import_order order;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	return clock_zone_set("Europe/Kyiv", &e);
}

static int
teardown(void **state)
{
	(void)state;
	import_order_done(&order);
	for (size_t i = 0; i < list.n; i++)
		seal_done(&list.backups[i].seal);
	free(list.backups);
	free(list.unsealed);
	memset(&list, 0, sizeof(list));
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* An archive without a seal: its content is its name. */
static void
unsealed(const char *name)
{
	char file[SEAL_NAME_MAX + 16];

	(void)snprintf(file, sizeof(file), "%s.tar.gz", name);
	scratch_puts(dir, file, name);
	list.unsealed = realloc(list.unsealed, (list.n_unsealed + 1) * sizeof(*list.unsealed));
	assert_non_null(list.unsealed);
	(void)snprintf(list.unsealed[list.n_unsealed++], SEAL_NAME_MAX + 1, "%s", name);
	qsort(list.unsealed, list.n_unsealed, sizeof(*list.unsealed), by_name);
}

/* A sealed backup; source NULL: one that was made as such. */
static void
sealed(const char *series, uint64_t sequence, int64_t created, const char *imported)
{
	list.backups = realloc(list.backups, (list.n + 1) * sizeof(*list.backups));
	assert_non_null(list.backups);
	struct repo_backup *b = &list.backups[list.n++];
	*b = (struct repo_backup){.state = REPO_TRUSTED};
	(void)snprintf(b->name, sizeof(b->name), "%s-b%" PRIu64, series, sequence);
	(void)snprintf(b->seal.series, sizeof(b->seal.series), "%s", series);
	b->seal.sequence = sequence;
	b->seal.created.tv_sec = created;
	struct buf source = {0};
	uint8_t digest[SHA256_LEN];
	if (imported != NULL) {
		sha256_of(imported, strlen(imported), digest);
		repo_source_put(&source, imported, digest);
	} else {
		buf_puts(&source, "/data");
	}
	b->seal.source = strdup(buf_str(&source));
	buf_done(&source);
}

static int
make(const char *series, const char *const *names)
{
	struct opt_list args = {.items = (const char **)(uintptr_t)names};

	while (names != NULL && names[args.n] != NULL)
		args.n++;
	import_order_done(&order);
	err_clear(&e);
	return import_order_make(&order, repo, &list, series, &args, &e);
}

/* "NAME SEQUENCE" of each wanted one that is not done, "NAME done", in order. */
static void
places(const char *want)
{
	struct buf got = {0};

	for (size_t i = 0; i < order.n; i++) {
		const struct import_item *it = &order.items[i];
		if (!it->wanted)
			continue;
		if (it->is_done)
			buf_printf(&got, "%s done\n", it->name);
		else
			buf_printf(&got, "%s %" PRIu64 "\n", it->name, it->sequence);
	}
	assert_string_equal(buf_str(&got), want);
	buf_done(&got);
}

#define A "s-20260101_000000"
#define B "s-20260102_000000"
#define C "s-20260103_000000"
#define D "s-20260104_000000"
/* Their times, in seconds. */
static int64_t
time_of(int day)
{
	return 1767225600 - 7200 + (day - 1) * 86400;
}

static void
all(void)
{
	unsealed(C);
	unsealed(A);
	unsealed(D);
	unsealed(B);
}

static void
an_empty_series_is_numbered_by_time(void **state)
{
	(void)state;
	all();
	unsealed("other-20250101_000000");
	unsealed("s-x-20250101_000000");
	unsealed("s-2025");
	assert_int_equal(make("s", NULL), 0);
	places(A " 1\n" B " 2\n" C " 3\n" D " 4\n");
	assert_true(order.items[0].created.tv_sec == time_of(1));
	assert_int_equal(order.items[0].created.tv_nsec, 0);
	assert_false(order.items[0].from_mtime);
	assert_int_equal(order.items[0].size, strlen(A));
}

static void
they_go_below_the_backups_that_are_there(void **state)
{
	(void)state;
	all();
	sealed("s", 7, time_of(9), NULL);
	sealed("s", 6, time_of(2), NULL); /* younger than A alone: it does not matter */
	sealed("other", 1, 1, NULL);
	assert_int_equal(make("s", NULL), 0);
	places(A " 2\n" B " 3\n" C " 4\n" D " 5\n");
}

static void
those_not_asked_for_keep_their_place(void **state)
{
	static const char *const two[] = {B ".tar.gz", D, NULL};

	(void)state;
	all();
	sealed("s", 5, time_of(9), NULL);
	assert_int_equal(make(NULL, two), 0);
	places(B " 2\n" D " 4\n");
	/* Without backups, too. */
	list.backups[0].state = REPO_BAD;
	assert_int_equal(make("s", two), 0);
	places(B " 2\n" D " 4\n");
}

static void
a_run_goes_on_where_one_was_stopped(void **state)
{
	(void)state;
	all();
	sealed("s", 1, time_of(1), A);
	sealed("s", 3, time_of(3), C);
	sealed("s", 5, time_of(9), NULL);
	assert_int_equal(make("s", NULL), 0);
	places(A " done\n" B " 2\n" C " done\n" D " 4\n");
	assert_ptr_equal(import_order_find(&list, "s", order.items[2].digest), &list.backups[1]);
}

static void
an_archive_that_changed_is_another(void **state)
{
	(void)state;
	unsealed(A);
	unsealed(C);
	sealed("s", 3, time_of(1), A);
	sealed("s", 9, time_of(9), NULL);
	scratch_puts(dir, A ".tar.gz", "another content");
	assert_int_equal(make("s", NULL), 0);
	/* Of one time: behind the first. */
	places(A " 7\n" C " 8\n");
	/* One that was imported to another series is not done here. */
	assert_int_equal(make("t", (const char *const[]){C, NULL}), 0);
	places(C " 1\n");
}

static void
no_room_for(size_t i, const char *name, const char *below)
{
	assert_string_equal(order.items[i].name, name);
	assert_true(order.items[i].sequence == 0);
	assert_int_equal(import_order_no_room(&order.items[i], &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, name));
	assert_non_null(strstr(e.msg, below));
	assert_non_null(strstr(e.msg, "--series OTHER"));
}

static void
where_not_all_find_a_number_the_oldest_do(void **state)
{
	(void)state;
	all();
	sealed("s", 4, time_of(9), NULL);
	assert_int_equal(make("s", NULL), 0);
	places(A " 1\n" B " 2\n" C " 3\n" D " 0\n");
	no_room_for(3, D, "no sequence left below 4");
	/* Others that are wanted now do, when the rest gives up theirs. */
	assert_int_equal(make("s", (const char *const[]){B, D, C, NULL}), 0);
	places(B " 1\n" C " 2\n" D " 3\n");
	/* Between two that were imported. */
	sealed("s", 2, time_of(1), "x");
	sealed("s", 3, time_of(3), "y");
	assert_int_equal(make("s", NULL), 0);
	places(A " 0\n" B " 0\n" C " 0\n" D " 0\n");
	no_room_for(1, B, "no sequence left below 3");
	no_room_for(3, D, "no sequence left below 4");
}

static void
names_tell_series_and_time_only_in_full(void **state)
{
	static const char *const names[] = {"db-20260102_000000", "odd", "x-20261399_000000", NULL};
	struct timespec times[2] = {{1700000000, 5}, {1700000000, 5}};
	char path[SCRATCH_MAX + 64];

	(void)state;
	for (size_t i = 0; names[i] != NULL; i++) {
		unsealed(names[i]);
		(void)snprintf(path, sizeof(path), "%s/%s.tar.gz", dir, names[i]);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	assert_int_equal(make(NULL, names), 0);
	assert_int_equal(order.n, 3);
	assert_string_equal(order.items[0].name, "odd");
	assert_string_equal(order.items[0].series, IMPORT_SERIES);
	assert_true(order.items[0].from_mtime);
	assert_true(order.items[0].created.tv_sec == 1700000000);
	assert_int_equal(order.items[0].created.tv_nsec, 5);
	assert_string_equal(order.items[1].series, "db");
	assert_false(order.items[1].from_mtime);
	assert_string_equal(order.items[2].series, "x");
	assert_true(order.items[2].from_mtime);
	assert_int_equal(make("one", names), 0);
	for (size_t i = 0; i < order.n; i++)
		assert_string_equal(order.items[i].series, "one");
}

static void
what_is_not_there_or_sealed_is_told(void **state)
{
	(void)state;
	sealed("s", 1, 1, NULL);
	assert_int_equal(make("s", (const char *const[]){"none", NULL}), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(make("s", (const char *const[]){"s-b1", NULL}), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "has a seal"));
	assert_int_equal(make("s", NULL), 0);
	assert_int_equal(order.n, 0);
	assert_int_equal(make("s", (const char *const[]){".tar.gz", NULL}), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
a_source_says_what_was_imported(void **state)
{
	static const char *const others[] = {"/data", "import of", "", "-",
	    "import of x.tar.gz sha256:00",
	    "import of .tar.gz sha256:"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "import of x.tar.gz sha256:"
	    "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"};
	char name[SEAL_NAME_MAX + 1];
	uint8_t digest[SHA256_LEN], got[SHA256_LEN];
	struct buf source = {0};

	(void)state;
	sha256_of("", 0, digest);
	repo_source_put(&source, "x", digest);
	assert_string_equal(buf_str(&source),
	    "import of x.tar.gz sha256:"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_true(repo_source_parse(buf_str(&source), name, got));
	assert_string_equal(name, "x");
	assert_memory_equal(got, digest, sizeof(got));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(repo_source_parse(others[i], name, got));
	assert_false(repo_source_parse(NULL, name, got));
	buf_done(&source);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_empty_series_is_numbered_by_time),
	    T(they_go_below_the_backups_that_are_there),
	    T(those_not_asked_for_keep_their_place),
	    T(a_run_goes_on_where_one_was_stopped),
	    T(an_archive_that_changed_is_another),
	    T(where_not_all_find_a_number_the_oldest_do),
	    T(names_tell_series_and_time_only_in_full),
	    T(what_is_not_there_or_sealed_is_told),
	    T(a_source_says_what_was_imported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
