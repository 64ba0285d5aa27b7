/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "store/repo.h"
#include "verify/finds.h"
#include "verify/opts.h"
#include "verify/report.h"

static struct verify_report report;
static struct verify_opts opts;
static struct repo_backup backup;
static char *text;
static size_t text_len;
static FILE *out;

static int
setup(void **state)
{
	(void)state;
	opts = (struct verify_opts){.repo = "r", .level = VERIFY_STANDARD};
	backup = (struct repo_backup){.name = "s-1", .state = REPO_TRUSTED};
	(void)strcpy(backup.seal.series, "s");
	backup.seal.sequence = 4;
	out = open_memstream(&text, &text_len);
	return out == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void
find(enum verify_kind kind, const char *path)
{
	verify_report_found(&report,
	    &(struct verify_finding){
		.kind = kind, .code = "c", .text = "what\nhappened", .path = path});
}

static const struct verify_counts counts = {
    .level = VERIFY_STANDARD, .members = 1, .entries = 2, .bytes = 2048, .ms = 1250};

static void
says(const char *want)
{
	verify_report_end(&report, 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
}

static void
a_sound_backup_is_one_line(void **state)
{
	(void)state;
	verify_report_begin(&report, &opts, out);
	verify_report_backup(&report, &backup);
	verify_report_backup_end(&report, &counts);
	says("s-1: ok (standard: 1 member, 2 entries, 2.0K, 1.2 s)\n");
}

static void
findings_stand_below_their_backup_and_are_escaped(void **state)
{
	(void)state;
	verify_report_begin(&report, &opts, out);
	find(VERIFY_TRUST, NULL);
	verify_report_backup(&report, &backup);
	assert_true(verify_report_ok(&report));
	find(VERIFY_DAMAGE, NULL);
	assert_false(verify_report_ok(&report));
	verify_report_file(&report, "");
	verify_report_file(&report, "a\033b");
	verify_report_file(&report, "a\033b");
	find(VERIFY_DAMAGE, "x/y");
	verify_report_backup_end(&report, &counts);
	verify_report_backup(&report, &backup);
	assert_true(verify_report_ok(&report));
	find(VERIFY_NOTE, NULL);
	assert_true(verify_report_ok(&report));
	verify_report_backup_end(&report, &counts);
	says("untrusted: what\\012happened\n"
	     "s-1: FAILED\n"
	     "    damage: what\\012happened\n"
	     "        .\n"
	     "        a\\033b\n"
	     "    damage: x/y: what\\012happened\n"
	     "    (standard: 1 member, 2 entries, 2.0K, 1.2 s; 2 findings, 3 files)\n"
	     "s-1: checked\n"
	     "    note: what\\012happened\n"
	     "    ok (standard: 1 member, 2 entries, 2.0K, 1.2 s)\n");
}

static void
quiet_says_only_what_is_wrong(void **state)
{
	(void)state;
	opts.common.quiet = true;
	verify_report_begin(&report, &opts, out);
	find(VERIFY_NOTE, NULL);
	verify_report_backup(&report, &backup);
	find(VERIFY_NOTE, NULL);
	verify_report_backup_end(&report, &counts);
	verify_report_backup(&report, &backup);
	find(VERIFY_DAMAGE, NULL);
	verify_report_backup_end(&report, &counts);
	says("s-1: FAILED\n"
	     "    damage: what\\012happened\n"
	     "    (standard: 1 member, 2 entries, 2.0K, 1.2 s; 1 finding, 0 files)\n");
}

static const char json[] = "{\n"
			   "  \"type\": \"tarseal-verify\",\n"
			   "  \"version\": 1,\n"
			   "  \"tool\": \"0.1.0\",\n"
			   "  \"repository\": \"r\",\n"
			   "  \"level\": \"standard\",\n"
			   "  \"findings\": [\n"
			   "    {\n"
			   "      \"kind\": \"untrusted\",\n"
			   "      \"code\": \"c\",\n"
			   "      \"text\": \"what\\u000ahappened\"\n"
			   "    }\n"
			   "  ],\n"
			   "  \"backups\": [\n"
			   "    {\n"
			   "      \"name\": \"s-1\",\n"
			   "      \"series\": \"s\",\n"
			   "      \"sequence\": 4,\n"
			   "      \"created\": \"1970-01-01T00:00:00Z\",\n"
			   "      \"signature\": \"trusted\",\n"
			   "      \"findings\": [\n"
			   "        {\n"
			   "          \"kind\": \"damage\",\n"
			   "          \"code\": \"c\",\n"
			   "          \"text\": \"what\\u000ahappened\",\n"
			   "          \"files\": [\n"
			   "            {\n"
			   "              \"path\": \".\"\n"
			   "            },\n"
			   "            {\n"
			   "              \"path\": \"\xEF\xBF\xBD\", \"path_hex\": \"ff\"\n"
			   "            }\n"
			   "          ]\n"
			   "        },\n"
			   "        {\n"
			   "          \"kind\": \"damage\",\n"
			   "          \"code\": \"c\",\n"
			   "          \"text\": \"what\\u000ahappened\",\n"
			   "          \"path\": \"x\"\n"
			   "        }\n"
			   "      ],\n"
			   "      \"finished\": false,\n"
			   "      \"ok\": false\n"
			   "    }\n"
			   "  ],\n"
			   "  \"damage\": 2,\n"
			   "  \"untrusted\": 1,\n"
			   "  \"notes\": 0,\n"
			   "  \"status\": 0\n"
			   "}\n";

static void
json_is_one_whole_document_however_it_ends(void **state)
{
	(void)state;
	opts.common.json = true;
	verify_report_begin(&report, &opts, out);
	find(VERIFY_TRUST, NULL);
	verify_report_backup(&report, &backup);
	find(VERIFY_DAMAGE, NULL);
	verify_report_file(&report, "");
	verify_report_file(&report, "\xff");
	find(VERIFY_DAMAGE, "x");
	verify_report_backup_end(&report, NULL);
	says(json);
}

static void
json_without_backups_is_whole(void **state)
{
	(void)state;
	opts.common.json = true;
	verify_report_begin(&report, &opts, out);
	verify_report_end(&report, 5);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "\"findings\": [],\n  \"backups\": [],\n"));
	assert_non_null(strstr(text, "\"status\": 5\n}\n"));
}

static void
findings_that_were_put_by_come_in_their_order(void **state)
{
	struct verify_finds f = {0};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		verify_finds_add(&f, VERIFY_DAMAGE, "c", NULL, "number %d", i);
		verify_finds_file(&f, "file");
	}
	verify_report_begin(&report, &opts, out);
	verify_report_backup(&report, &backup);
	assert_int_equal(verify_finds_replay(&f, &report, &e), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(verify_finds_replay(&f, &report, &e), 0);
	says("s-1: FAILED\n"
	     "    damage: number 0\n        file\n    damage: number 1\n        file\n"
	     "    damage: number 2\n        file\n    damage: number 3\n        file\n"
	     "    damage: number 4\n        file\n");
}

static void
running_out_of_memory_is_not_lost(void **state)
{
	struct verify_finds f = {.failed = true};
	struct err e = {0};

	(void)state;
	verify_finds_add(&f, VERIFY_DAMAGE, "c", "p", "text");
	verify_report_begin(&report, &opts, out);
	assert_int_equal(verify_finds_replay(&f, &report, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	says("");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_sound_backup_is_one_line),
	    T(findings_stand_below_their_backup_and_are_escaped),
	    T(quiet_says_only_what_is_wrong),
	    T(json_is_one_whole_document_however_it_ends),
	    T(json_without_backups_is_whole),
	    T(findings_that_were_put_by_come_in_their_order),
	    T(running_out_of_memory_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
