/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "tests/unit/child.h"

static void
documents_nest_and_are_indented(void **state)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	(void)state;
	json_init(&j, f);
	json_object(&j, NULL);
	json_str(&j, "name", "x");
	json_str(&j, "none", NULL);
	json_uint(&j, "big", UINT64_MAX);
	json_int(&j, "small", INT64_MIN);
	json_bool(&j, "yes", true);
	json_array(&j, "empty");
	json_end(&j);
	json_array(&j, "list");
	json_uint(&j, NULL, 1);
	json_object(&j, NULL);
	json_bool(&j, "no", false);
	json_end(&j);
	json_end(&j);
	json_end(&j);
	(void)fclose(f);
	assert_string_equal(text,
	    "{\n"
	    "  \"name\": \"x\",\n"
	    "  \"none\": null,\n"
	    "  \"big\": 18446744073709551615,\n"
	    "  \"small\": -9223372036854775808,\n"
	    "  \"yes\": true,\n"
	    "  \"empty\": [],\n"
	    "  \"list\": [\n"
	    "    1,\n"
	    "    {\n"
	    "      \"no\": false\n"
	    "    }\n"
	    "  ]\n"
	    "}\n");
	free(text);
}

static const char *
path_document(const char *path, size_t len)
{
	static char out[256];
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	struct json j;

	json_init(&j, f);
	json_object(&j, NULL);
	json_path(&j, "path", path, len);
	json_end(&j);
	(void)fclose(f);
	(void)snprintf(out, sizeof(out), "%s", text);
	free(text);
	return out;
}

static void
strings_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(path_document("a\"b\\c\n\x01\x7f", 8),
	    "{\n  \"path\": \"a\\\"b\\\\c\\u000a\\u0001\\u007f\"\n}\n");
	assert_string_equal(path_document("gr\xc3\xbcn", 5), "{\n  \"path\": \"gr\xc3\xbcn\"\n}\n");
}

static void
bytes_that_are_no_utf8_come_in_hex_too(void **state)
{
	(void)state;
	assert_string_equal(path_document("a\xff/b", 4),
	    "{\n  \"path\": \"a\xef\xbf\xbd/b\", \"path_hex\": \"61ff2f62\"\n}\n");
	/* Overlong '/', a surrogate, and a character cut short. */
	assert_string_equal(path_document("\xc0\xaf", 2),
	    "{\n  \"path\": \"\xef\xbf\xbd\xef\xbf\xbd\", \"path_hex\": \"c0af\"\n}\n");
	assert_non_null(strstr(path_document("\xed\xa0\x80", 3), "path_hex"));
	assert_non_null(strstr(path_document("\xe2\x82", 2), "path_hex"));
}

/* C1 controls, which terminals obey, and what breaks JavaScript's lines. */
static void
no_control_character_reaches_a_terminal(void **state)
{
	(void)state;
	assert_string_equal(path_document("\xc2\x9b\xe2\x80\xa8\xc2\xa0", 7),
	    "{\n  \"path\": \"\\u009b\\u2028\xc2\xa0\"\n}\n");
	assert_string_equal(path_document("a\0b", 3), "{\n  \"path\": \"a\\u0000b\"\n}\n");
	assert_string_equal(path_document("", 0), "{\n  \"path\": \"\"\n}\n");
}

static void
in_arrays_paths_are_text_alone(void **state)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	(void)state;
	json_init(&j, f);
	json_array(&j, NULL);
	json_path(&j, NULL, "a\xff", 2);
	json_path(&j, NULL, "b", 1);
	json_end(&j);
	(void)fclose(f);
	assert_string_equal(text, "[\n  \"a\xef\xbf\xbd\",\n  \"b\"\n]\n");
	free(text);
}

static void
documents_may_follow_each_other(void **state)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	(void)state;
	json_init(&j, f);
	json_object(&j, NULL);
	json_bool(&j, "a", true);
	json_end(&j);
	json_array(&j, NULL);
	json_end(&j);
	(void)fclose(f);
	assert_string_equal(text, "{\n  \"a\": true\n}\n[]\n");
	free(text);
}

/* Every byte as a name of its own, every pair with a lead byte, and deep nesting. */
static void
write_everything(FILE *f)
{
	struct json j;
	char name[3];
	int i, k;

	json_init(&j, f);
	json_array(&j, NULL);
	for (i = 0; i < 256; i++) {
		for (k = 0; k < 256; k += i < 0xC0 ? 256 : 1) {
			name[0] = (char)i;
			name[1] = (char)k;
			json_object(&j, NULL);
			json_path(&j, "p", name, i < 0xC0 ? 1 : 2);
			json_end(&j);
		}
	}
	for (i = 0; i < 28; i++)
		json_array(&j, NULL);
	json_str(&j, NULL, "deep \"\\/\t");
	for (i = 0; i < 29; i++)
		json_end(&j);
}

/* Bytes that were no text come back from p_hex, all others from p. */
static const char reader[] =
    "python3 -c '\n"
    "import json, sys\n"
    "d = json.load(sys.stdin)\n"
    "deep = d.pop()\n"
    "for i in range(256):\n"
    "  for k in range(0, 256, 256 if i < 0xC0 else 1):\n"
    "    want = bytes([i]) if i < 0xC0 else bytes([i, k])\n"
    "    o = d.pop(0)\n"
    "    got = bytes.fromhex(o[\"p_hex\"]) if \"p_hex\" in o else o[\"p\"].encode()\n"
    "    assert got == want, (want, o)\n"
    "    assert (\"p_hex\" in o) == (chr(0xFFFD) in o[\"p\"]), o\n"
    "assert d == []\n"
    "while isinstance(deep, list): deep, = deep\n"
    "assert deep == \"deep \\\"\\\\/\\t\", deep\n"
    "'";

static void
another_parser_reads_the_same_bytes(void **state)
{
	FILE *f;

	(void)state;
	if (system("python3 -c '' 2>/dev/null") != 0)
		skip();
	assert_non_null(f = popen(reader, "w"));
	write_everything(f);
	assert_int_equal(pclose(f), 0);
}

/* ---- misuse ---- */

static int
value_without_document(void *ctx)
{
	struct json j;

	(void)ctx;
	json_init(&j, stdout);
	json_uint(&j, NULL, 1);
	return 0;
}

static int
key_in_array(void *ctx)
{
	struct json j;

	(void)ctx;
	json_init(&j, stdout);
	json_array(&j, NULL);
	json_uint(&j, "key", 1);
	return 0;
}

static int
no_key_in_object(void *ctx)
{
	struct json j;

	(void)ctx;
	json_init(&j, stdout);
	json_object(&j, NULL);
	json_uint(&j, NULL, 1);
	return 0;
}

static int
end_too_many(void *ctx)
{
	struct json j;

	(void)ctx;
	json_init(&j, stdout);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	return 0;
}

static int
too_deep(void *ctx)
{
	struct json j;
	int i;

	(void)ctx;
	json_init(&j, stdout);
	for (i = 0; i < 100; i++)
		json_array(&j, NULL);
	return 0;
}

static void
misuse_is_an_assertion(void **state)
{
	static int (*const misuses[])(void *) = {
	    value_without_document, key_in_array, no_key_in_object, end_too_many, too_deep};
	static struct child child;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		child_run(&child, misuses[i], NULL);
		assert_int_not_equal(child.status, 0);
		assert_non_null(strstr(child.err, "Assertion"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_nest_and_are_indented),
	    cmocka_unit_test(strings_are_escaped),
	    cmocka_unit_test(bytes_that_are_no_utf8_come_in_hex_too),
	    cmocka_unit_test(no_control_character_reaches_a_terminal),
	    cmocka_unit_test(in_arrays_paths_are_text_alone),
	    cmocka_unit_test(documents_may_follow_each_other),
	    cmocka_unit_test(another_parser_reads_the_same_bytes),
	    cmocka_unit_test(misuse_is_an_assertion),
	};

	return cmocka_run_group_tests_name("core_json", tests, NULL, NULL);
}
