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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_nest_and_are_indented),
	    cmocka_unit_test(strings_are_escaped),
	    cmocka_unit_test(bytes_that_are_no_utf8_come_in_hex_too),
	};

	return cmocka_run_group_tests_name("core_json", tests, NULL, NULL);
}
