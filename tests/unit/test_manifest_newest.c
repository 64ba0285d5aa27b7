/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tests/unit/unit.h"

#include "core/err.h"
#include "manifest/newest.h"

static struct buf told;
static int stop_after; /* 0: never */

static int
put(void *ctx, const struct catalog_version *v, uint64_t versions, struct err *e)
{
	(void)ctx;
	(void)e;
	buf_printf(&told, "%s:%s %s-%s %s %u\n", v->series, v->path, v->first_name, v->last_name,
	    v->link != NULL ? v->link : "-", (unsigned)versions);
	return stop_after > 0 && --stop_after == 0;
}

/* Strings that are gone when the next one comes, as the catalog's are. */
static int
add(struct newest *n, const char *series, const char *path, const char *backup, const char *link)
{
	char text[4][32] = {{0}};
	struct catalog_version v = {.series = text[0],
	    .path = text[1],
	    .path_len = strlen(path),
	    .first_name = text[2],
	    .last_name = text[2],
	    .link = link != NULL ? text[3] : NULL,
	    .link_len = link != NULL ? strlen(link) : 0};
	struct err e = {0};
	int rc;

	(void)strcpy(text[0], series);
	(void)strcpy(text[1], path);
	(void)strcpy(text[2], backup);
	if (link != NULL)
		(void)strcpy(text[3], link);
	rc = newest_add(n, &v, &e);
	memset(text, 'x', sizeof(text));
	return rc;
}

static struct newest
fresh(void)
{
	buf_clear(&told);
	stop_after = 0;
	return (struct newest){.fn = put};
}

static void
the_last_of_each_path_goes_on(void **state)
{
	struct newest n = fresh();

	(void)state;
	assert_int_equal(add(&n, "s", "a", "1", NULL), 0);
	assert_int_equal(add(&n, "s", "a", "2", "to"), 0);
	assert_string_equal(buf_str(&told), "");
	assert_int_equal(add(&n, "s", "ab", "1", NULL), 0);
	assert_string_equal(buf_str(&told), "s:a 2-2 to 2\n");
	assert_int_equal(newest_finish(&n, NULL), 0);
	assert_string_equal(buf_str(&told), "s:a 2-2 to 2\ns:ab 1-1 - 1\n");
	assert_int_equal(newest_finish(&n, NULL), 0); /* once */
	assert_string_equal(buf_str(&told), "s:a 2-2 to 2\ns:ab 1-1 - 1\n");
	newest_done(&n);
}

static void
the_same_path_of_another_series_is_another(void **state)
{
	struct newest n = fresh();

	(void)state;
	assert_int_equal(add(&n, "s", "a", "1", NULL), 0);
	assert_int_equal(add(&n, "t", "a", "1", NULL), 0);
	assert_int_equal(newest_finish(&n, NULL), 0);
	assert_string_equal(buf_str(&told), "s:a 1-1 - 1\nt:a 1-1 - 1\n");
	newest_done(&n);
}

static void
nothing_comes_of_nothing(void **state)
{
	struct newest n = fresh();

	(void)state;
	assert_int_equal(newest_finish(&n, NULL), 0);
	assert_string_equal(buf_str(&told), "");
	newest_done(&n);
}

static void
who_takes_them_can_stop(void **state)
{
	struct newest n = fresh();

	(void)state;
	stop_after = 1;
	assert_int_equal(add(&n, "s", "a", "1", NULL), 0);
	assert_int_equal(add(&n, "s", "b", "1", NULL), 1);
	newest_done(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_of_each_path_goes_on),
	    cmocka_unit_test(the_same_path_of_another_series_is_another),
	    cmocka_unit_test(nothing_comes_of_nothing),
	    cmocka_unit_test(who_takes_them_can_stop),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&told);
	return rc;
}
