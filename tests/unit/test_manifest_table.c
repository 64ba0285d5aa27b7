/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "manifest/table.h"

static const struct table_column columns[] = {
    {.title = "NAME", .elastic = true},
    {.title = "SIZE", .right = true},
    {.title = "TIME", .drop = 1},
    {.title = "LAST"},
};

/* Cells, four a row, as they come out on a terminal of width columns (0: none). */
static char *
print(size_t width, const char *const *cells)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct table t;
	struct err e = {0};

	assert_non_null(out);
	table_init(&t, out, columns, 4);
	t.width = width;
	for (; *cells != NULL; cells++)
		table_cell(&t, *cells);
	assert_int_equal(table_done(&t, &e), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
expect(size_t width, const char *const *cells, const char *want)
{
	char *text = print(width, cells);

	assert_string_equal(text, want);
	free(text);
}

static void
columns_are_as_wide_as_their_cells(void **state)
{
	static const char *const cells[] = {
	    "a", "1", "noon", "x", "bbbbbb", "12345", "10 pm", "yyyyyy", NULL};

	(void)state;
	expect(0, cells,
	    "NAME     SIZE  TIME   LAST\n"
	    "a           1  noon   x\n"
	    "bbbbbb  12345  10 pm  yyyyyy\n");
}

static void
empty_cells_leave_no_space_at_the_end(void **state)
{
	static const char *const cells[] = {"a", "", "", "", NULL};

	(void)state;
	expect(0, cells, "NAME  SIZE  TIME  LAST\na\n");
}

static void
width_is_counted_in_characters(void **state)
{
	static const char *const cells[] = {"\xd1\x84\xd0\xb0\xd0\xb9\xd0\xbb", "1", "", "x",
	    "\xe6\x97\xa5\xe6\x9c\xac", "2", "", "y", NULL};

	(void)state;
	expect(0, cells,
	    "NAME  SIZE  TIME  LAST\n"
	    "\xd1\x84\xd0\xb0\xd0\xb9\xd0\xbb     1        x\n"
	    "\xe6\x97\xa5\xe6\x9c\xac     2        y\n");
}

static void
a_narrow_terminal_loses_columns_first_then_the_middle_of_names(void **state)
{
	static const char *const cells[] = {
	    "0123456789abcdefghijklmnopqrst", "1", "noon", "x", NULL};

	(void)state;
	expect(48, cells,
	    "NAME                            SIZE  TIME  LAST\n"
	    "0123456789abcdefghijklmnopqrst     1  noon  x\n");
	expect(44, cells,
	    "NAME                        SIZE  TIME  LAST\n"
	    "0123456789abc\xe2\x80\xa6ijklmnopqrst"
	    "     1  noon  x\n");
	expect(36, cells,
	    "NAME                      SIZE  LAST\n"
	    "0123456789ab\xe2\x80\xa6jklmnopqrst"
	    "     1  x\n");
	/* Never less than the least; the terminal wraps. */
	expect(10, cells,
	    "NAME                  SIZE  LAST\n"
	    "0123456789\xe2\x80\xa6lmnopqrst"
	    "     1  x\n");
}

static void
a_table_that_is_long_is_printed_as_it_grows(void **state)
{
	char *text = NULL, *line;
	size_t len, n = 0;
	FILE *out = open_memstream(&text, &len);
	struct table t;
	struct err e = {0};

	(void)state;
	assert_non_null(out);
	table_init(&t, out, columns, 4);
	for (int i = 0; i < 3 * TABLE_HELD + 7; i++) {
		table_printf(&t, "%d", i);
		for (int k = 0; k < 3; k++)
			table_cell(&t, i == 2 * TABLE_HELD ? "a wide one" : "x");
		assert_true(t.cells.len < TABLE_HELD * 64);
	}
	assert_int_equal(table_done(&t, &e), 0);
	assert_int_equal(fclose(out), 0);
	for (line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		n++;
	assert_int_equal(n, 1 + 3 * TABLE_HELD + 7);
	free(text);
}

static void
a_path_cannot_forge_a_row(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct table t;
	struct err e = {0};

	(void)state;
	assert_non_null(out);
	table_init(&t, out, columns, 4);
	table_path(&t, "a\nb\033[1m", 7);
	for (int k = 0; k < 3; k++)
		table_cell(&t, "x");
	assert_int_equal(table_done(&t, &e), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "\na\\012b\\033[1m  "));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_are_as_wide_as_their_cells),
	    cmocka_unit_test(empty_cells_leave_no_space_at_the_end),
	    cmocka_unit_test(width_is_counted_in_characters),
	    cmocka_unit_test(a_narrow_terminal_loses_columns_first_then_the_middle_of_names),
	    cmocka_unit_test(a_table_that_is_long_is_printed_as_it_grows),
	    cmocka_unit_test(a_path_cannot_forge_a_row),
	};

	(void)setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
