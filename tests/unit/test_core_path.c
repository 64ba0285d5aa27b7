/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"

static int
cmp(const char *a, const char *b)
{
	int ab = path_cmp(a, strlen(a), b, strlen(b));

	assert_int_equal(ab, -path_cmp(b, strlen(b), a, strlen(a)));
	return ab;
}

static void
a_slash_sorts_below_every_byte(void **state)
{
	static const char *const sorted[] = {
	    "", "a", "a/b", "a/b/c", "a/c", "a\x01", "a-b", "a-b/x", "a.", "ab", "b", "\xff"};
	size_t i, k, n = sizeof(sorted) / sizeof(sorted[0]);

	(void)state;
	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++)
			assert_int_equal(cmp(sorted[i], sorted[k]), (i > k) - (i < k));
}

/* FORMAT.md: replace '/' by NUL and compare with memcmp, shorter first. */
static int
model_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
	char x[16], y[16];
	size_t i;
	int c;

	for (i = 0; i < a_len; i++)
		x[i] = a[i] == '/' ? '\0' : a[i];
	for (i = 0; i < b_len; i++)
		y[i] = b[i] == '/' ? '\0' : b[i];
	c = memcmp(x, y, a_len < b_len ? a_len : b_len);
	if (c == 0)
		c = (a_len > b_len) - (a_len < b_len);
	return (c > 0) - (c < 0);
}

static void
the_order_is_that_of_the_format(void **state)
{
	static const char alphabet[] = "/ab-\x01\xff";
	char a[8], b[8];
	size_t a_len, b_len, i;
	int round;

	(void)state;
	srandom(1);
	for (round = 0; round < 20000; round++) {
		a_len = (size_t)random() % sizeof(a);
		b_len = (size_t)random() % sizeof(b);
		for (i = 0; i < a_len; i++)
			a[i] = alphabet[(size_t)random() % 6];
		for (i = 0; i < b_len; i++)
			b[i] = alphabet[(size_t)random() % 6];
		assert_int_equal(path_cmp(a, a_len, b, b_len), model_cmp(a, a_len, b, b_len));
	}
}

static void
within_means_the_directory_or_below_it(void **state)
{
	(void)state;
	assert_true(path_within("a/b", 3, "a", 1));
	assert_true(path_within("a", 1, "a", 1));
	assert_true(path_within("", 0, "", 0));
	assert_true(path_within("x", 1, "", 0));
	assert_false(path_within("ab", 2, "a", 1));
	assert_false(path_within("a", 1, "a/b", 3));
}

static void
clean_paths_have_no_empty_or_dot_components(void **state)
{
	static const char *const bad[] = {
	    "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/../b", "../a", "a/./b"};
	static const char *const good[] = {"", "a", "a/b", "...", "a/...", ".a", "..a", "a b", "-"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(path_is_clean(bad[i], strlen(bad[i])));
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(path_is_clean(good[i], strlen(good[i])));
	assert_false(path_is_clean("a\0b", 3));
}

static void
every_byte_survives_escaping(void **state)
{
	struct buf text = {0}, back = {0};
	struct err e = {0};
	char all[255];
	size_t i, k;
	int spaces;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)(i + 1);
	for (spaces = 0; spaces < 2; spaces++) {
		buf_clear(&text);
		buf_clear(&back);
		path_escape(&text, all, sizeof(all), spaces);
		for (k = 0; k < text.len; k++)
			assert_true(text.data[k] >= (spaces ? 0x20 : 0x21) && text.data[k] <= 0x7E);
		assert_int_equal(path_unescape(&back, (char *)text.data, text.len, spaces, &e), 0);
		assert_int_equal(back.len, sizeof(all));
		assert_memory_equal(back.data, all, sizeof(all));
	}
	buf_done(&text);
	buf_done(&back);
}

static void
a_lone_dash_is_escaped(void **state)
{
	struct buf b = {0};

	(void)state;
	path_escape(&b, "-", 1, true);
	assert_string_equal(buf_str(&b), "\\055");
	buf_clear(&b);
	path_escape_mtree(&b, "-", 1);
	assert_string_equal(buf_str(&b), "./-");
	buf_clear(&b);
	path_escape_mtree(&b, "", 0);
	assert_string_equal(buf_str(&b), ".");
	buf_done(&b);
}

static void
escapes_that_are_not_canonical_are_refused(void **state)
{
	static const char *const bad[] = {"-", "a b", "\\", "\\1", "\\12", "\\400", "\\999",
	    "\\141", "a\n", "\xc3\xa9", "#", "x\\055", "\\040x\\0", "=", "*"};
	struct buf out = {0};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		assert_int_equal(path_unescape(&out, bad[i], strlen(bad[i]), false, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	buf_done(&out);
}

static void
mtree_paths_that_are_not_clean_are_refused(void **state)
{
	static const char *const bad[] = {"", "a", "/a", "./", "./.", "./..", "./a/", "./a//b",
	    "./a/../b", "../a", "./\\055", "..", "./\\057"};
	struct buf out = {0};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(path_unescape_mtree(&out, bad[i], strlen(bad[i]), &e), -1);
	buf_clear(&out);
	assert_int_equal(path_unescape_mtree(&out, "./a\\040b/-", 10, &e), 0);
	assert_string_equal(buf_str(&out), "a b/-");
	buf_done(&out);
}

static const char *
display(struct buf *b, const char *s)
{
	buf_clear(b);
	path_display(b, s, strlen(s));
	return buf_str(b);
}

static void
display_leaves_text_and_stops_everything_else(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(display(&b, "gr\xc3\xbcn file"), "gr\xc3\xbcn file");
	assert_string_equal(display(&b, "a\nb\x1b[31m"), "a\\012b\\033[31m");
	assert_string_equal(display(&b, "\xff\\"), "\\377\\134");
	/* C1 control, line separator, right-to-left override */
	assert_string_equal(display(&b, "\xc2\x9b"), "\\302\\233");
	assert_string_equal(display(&b, "\xe2\x80\xa8"), "\\342\\200\\250");
	assert_string_equal(display(&b, "\xe2\x80\xae"), "\\342\\200\\256");
	buf_done(&b);
}

static void
typed_paths_are_cleaned(void **state)
{
	static const char *const cases[][2] = {{"./a//b/", "a/b"}, {"/a", "a"}, {".", ""},
	    {"/", ""}, {"", ""}, {"a/./b", "a/b"}, {"...", "..."}, {"a b", "a b"}};
	struct buf b = {0};
	struct err e = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		assert_int_equal(path_clean(&b, cases[i][0], &e), 0);
		assert_string_equal(buf_str(&b), cases[i][1]);
	}
	assert_int_equal(path_clean(&b, "a/../b", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(path_clean(&b, "..", &e), -1);
	buf_done(&b);
}

struct glob_case {
	const char *pattern, *path;
	bool is_dir, match;
};

static void
globs_match_as_the_header_says(void **state)
{
	static const struct glob_case cases[] = {
	    {"*.log", "a.log", false, true},
	    {"*.log", "var/a.log", false, true},
	    {"var/*.log", "var/a.log", false, true},
	    {"var/*.log", "var/x/a.log", false, false},
	    {"var/*.log", "x/var/a.log", false, false},
	    {"/a.log", "a.log", false, true},
	    {"/a.log", "x/a.log", false, false},
	    {"**/a.log", "a.log", false, true},
	    {"**/a.log", "x/y/a.log", false, true},
	    {"x/**", "x/y/z", false, true},
	    {"x/**", "x", true, true},
	    {"x/**/z", "x/z", false, true},
	    {"x/**/z", "x/1/2/z", false, true},
	    {"x/**/z", "x/1/2/zz", false, false},
	    {"**/b/**/b", "a/b/c/b", false, true},
	    {"cache/", "cache", true, true},
	    {"cache/", "x/cache", true, true},
	    {"cache/", "cache", false, false},
	    {"file?", "file1", false, true},
	    {"file?", "file", false, false},
	    {"file[0-9]", "file7", false, true},
	    {"file[!0-9]", "file7", false, false},
	    {"file[^0-9]", "filex", false, true},
	    {"file[]]", "file]", false, true},
	    {"file[a-]", "file-", false, true},
	    {"file[", "file[", false, true},
	    {"a\\*b", "a*b", false, true},
	    {"a\\*b", "axb", false, false},
	    {"*", ".hidden", false, true},
	    {"*a*b*c*", "xxaxxbxxcxx", false, true},
	    /* Characters are UTF-8, and bytes where they are not. */
	    {"?.txt", "\xc3\xa9.txt", false, true},
	    {"??.txt", "\xc3\xa9.txt", false, false},
	    {"[\xc3\xa0-\xc3\xbc]", "\xc3\xa9", false, true},
	    {"[!\xc3\xa9]", "\xc3\xa8", false, true},
	    {"[!\xc3\xa9]", "\xc3\xa9", false, false},
	    {"*\xa9", "\xc3\xa9", false, false},
	    {"?", "\xff", false, true},
	    {"a?b",
		"a\xff"
		"b",
		false, true},
	    {"[\xff]", "\xff", false, true},
	    {"[\xff]", "\xc3\xbf", false, false},
	    {"\xff*", "\xff\xfe", false, true},
	    {"[a\\]b]", "]", false, true},
	    {"[a\\]]", "]", false, true},
	    {"[\\*]", "*", false, true},
	    {"[\\*]", "\\", false, false},
	    {"a\\", "a\\", false, true},
	    {"[!a", "[!a", false, true},
	    {"[]", "[]", false, true},
	    {"[!]a]", "b", false, true},
	    {"[!]a]", "]", false, false},
	    {"[z-a]", "m", false, false},
	    {"[a-c-e]", "-", false, true},
	    {"[a-c-e]", "d", false, false},
	    {"[/]", "/", false, false},
	    {"a/[b/c]", "a/[b/c]", false, true},
	    {"***", "ab", false, true},
	    {"a/***", "a/b/c", false, false},
	    {"**", "a/b", false, true},
	    {"/**", "a/b", false, true},
	    {"**/", "a/b", true, true},
	    {"**/", "a/b", false, false},
	    {"x/**/", "x/y/z", true, true},
	    {"x/**/", "x/y/z", false, false},
	    {"/x/", "x", true, true},
	    {"/x/", "y/x", true, false},
	    {"./x//y/", "x/y", true, true},
	    {"a**b", "axxb", false, true},
	    {"a**b/c", "a/b/c", false, false},
	    {"**/**/a", "a", false, true},
	    {"**/a/**/a", "a", false, false},
	    {"**/a/**/a", "x/a/a", false, true},
	    {"a/**/b/c", "a/b/b/c", false, true},
	    {"/", "a", true, false},
	    {"a", "a/b", false, false},
	    {"a/*", "a/b", false, true},
	    {"a/*", "a", true, false},
	    {"*a*b*c*", "xxaxxcxxbxx", false, false},
	    {"", "", true, false},
	    {"*", "", true, false},
	    {"**", "", true, false},
	    {"", "a", false, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct glob_case *c = &cases[i];

		if (path_glob(c->pattern, c->path, strlen(c->path), c->is_dir) != c->match)
			fail_msg("'%s' and '%s'", c->pattern, c->path);
	}
	assert_true(path_has_glob("a*"));
	assert_true(path_has_glob("?"));
	assert_true(path_has_glob("a/[b]"));
	assert_false(path_has_glob("a/b"));
	assert_false(path_has_glob(""));
	/* A trailing '*' may stand for itself; nobody but path_glob can tell. */
	assert_true(path_has_glob("a\\*"));
}

/* All there is to know of one component, the slow and obvious way. */
static bool
model_glob(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return model_glob(p + 1, s) || (*s != '\0' && model_glob(p, s + 1));
	return *s != '\0' && (*p == '?' || *p == *s) && model_glob(p + 1, s + 1);
}

/* The same for paths: letters are components. */
static bool
model_path_glob(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return model_path_glob(p + 1, s) || (*s != '\0' && model_path_glob(p, s + 1));
	return *s != '\0' && *p == *s && model_path_glob(p + 1, s + 1);
}

/* "a*b" as "/a/" "**" "/b". */
static void
spread(const char *letters, char *out)
{
	for (; *letters != '\0'; letters++)
		out += sprintf(out, "/%s", *letters == '*' ? "**" : (char[]){*letters, '\0'});
	*out = '\0';
}

static void
globs_agree_with_a_slow_model(void **state)
{
	char pattern[8], text[8], long_pattern[32], long_text[32];
	size_t p_len, s_len, i;
	int round, matches = 0;

	(void)state;
	srandom(2);
	for (round = 0; round < 20000; round++) {
		p_len = 1 + (size_t)random() % 7;
		s_len = 1 + (size_t)random() % 7;
		for (i = 0; i < p_len; i++)
			pattern[i] = "ab*?"[random() % 4];
		for (i = 0; i < s_len; i++)
			text[i] = "ab"[random() % 2];
		pattern[p_len] = text[s_len] = '\0';
		if (path_glob(pattern, text, s_len, false) != model_glob(pattern, text))
			fail_msg("'%s' and '%s'", pattern, text);
		matches += model_glob(pattern, text);
		for (i = 0; i < p_len; i++)
			if (pattern[i] == '?')
				pattern[i] = '*';
		spread(pattern, long_pattern);
		spread(text, long_text);
		if (path_glob(long_pattern, long_text + 1, strlen(long_text) - 1, false) !=
		    model_path_glob(pattern, text))
			fail_msg("'%s' and '%s'", long_pattern, long_text);
	}
	assert_in_range(matches, 1000, 19000);
}

static void
hostile_globs_come_to_an_end(void **state)
{
	char pattern[2001], path[2001];
	size_t i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		pattern[i] = i % 2 == 0 ? '*' : 'a';
		path[i] = 'a';
	}
	pattern[1999] = 'b';
	pattern[2000] = path[2000] = '\0';
	assert_false(path_glob(pattern, path, 2000, false));
	for (i = 0; i + 5 <= 2000; i += 5)
		memcpy(pattern + i, "**/a/", 5);
	pattern[1999] = 'b';
	for (i = 1; i < 2000; i += 2)
		path[i] = '/';
	assert_false(path_glob(pattern, path, 1999, false));
	/* Sets that are never closed, all looked at for each character. */
	memset(pattern, '[', 2000);
	pattern[0] = '*';
	memset(path, '[', 2000);
	path[1999] = 'x';
	assert_false(path_glob(pattern, path, 2000, false));
}

static void
a_failure_leaves_the_buffer_as_it_was(void **state)
{
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	buf_puts(&b, "before");
	assert_int_equal(path_unescape(&b, "abc\\9", 5, false, &e), -1);
	assert_int_equal(path_unescape_mtree(&b, "./abc/../d", 10, &e), -1);
	assert_int_equal(path_unescape_mtree(&b, "./abc d", 7, &e), -1);
	assert_int_equal(path_clean(&b, "abc/..", &e), -1);
	assert_string_equal(buf_str(&b), "before");
	buf_done(&b);
}

static void
no_value_holds_a_nul(void **state)
{
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(path_unescape(&b, "a\\000b", 6, true, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(path_unescape(&b, "a\0b", 3, true, &e), -1);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slash_sorts_below_every_byte),
	    cmocka_unit_test(the_order_is_that_of_the_format),
	    cmocka_unit_test(within_means_the_directory_or_below_it),
	    cmocka_unit_test(clean_paths_have_no_empty_or_dot_components),
	    cmocka_unit_test(every_byte_survives_escaping),
	    cmocka_unit_test(a_lone_dash_is_escaped),
	    cmocka_unit_test(escapes_that_are_not_canonical_are_refused),
	    cmocka_unit_test(mtree_paths_that_are_not_clean_are_refused),
	    cmocka_unit_test(display_leaves_text_and_stops_everything_else),
	    cmocka_unit_test(typed_paths_are_cleaned),
	    cmocka_unit_test(globs_match_as_the_header_says),
	    cmocka_unit_test(a_failure_leaves_the_buffer_as_it_was),
	    cmocka_unit_test(no_value_holds_a_nul),
	    cmocka_unit_test(globs_agree_with_a_slow_model),
	    cmocka_unit_test(hostile_globs_come_to_an_end),
	};

	return cmocka_run_group_tests_name("core_path", tests, NULL, NULL);
}
