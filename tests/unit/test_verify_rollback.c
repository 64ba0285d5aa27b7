/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/err.h"
#include "store/repo.h"
#include "verify/anchor.h"
#include "verify/opts.h"
#include "verify/report.h"
#include "verify/rollback.h"

/* Series "s", whose number 5, "five", was seen.  Lists are made by hand: no file is read. */
#define NOW 1770588005
#define WAY_OUT                                                                                    \
	"note: series s: once you know why, remove the line of s from F to accept what is here "   \
	"now\n"

static struct repo_backup backups[4];
static struct repo_list list;
static struct verify_anchor anchor;
static struct verify_opts opts;
static struct seal_hold holds[2];
static struct err bad_why;

static struct repo_backup *
add(const char *name, uint64_t sequence, uint8_t archive, uint8_t text)
{
	struct repo_backup *b = &backups[list.n++];

	*b = (struct repo_backup){.state = REPO_TRUSTED};
	(void)strcpy(b->name, name);
	(void)strcpy(b->seal.name, name);
	(void)strcpy(b->seal.series, "s");
	b->seal.sequence = sequence;
	memset(b->seal.archive_digest, archive, SHA256_LEN);
	memset(b->seal.text_digest, text, SHA256_LEN);
	return b;
}

static void
hold(struct repo_backup *b, const char *name, uint64_t sequence)
{
	struct seal_hold *h = &holds[b->seal.n_holds++];

	*h = (struct seal_hold){.sequence = sequence};
	(void)strcpy(h->name, name);
	b->seal.holds = holds;
}

static int
setup(void **state)
{
	(void)state;
	list = (struct repo_list){.backups = backups};
	opts = (struct verify_opts){.repo = "r"};
	anchor = (struct verify_anchor){.file = "F"};
	assert_int_equal(clock_zone_set("UTC", NULL), 0);
	add("five", 5, 5, 5);
	verify_anchor_see(&anchor, &backups[0].seal, NOW);
	anchor.lines[0].state = VERIFY_ANCHOR_UNASKED;
	anchor.changed = false;
	list.n = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	verify_anchor_done(&anchor);
	return 0;
}

static void
again(void)
{
	(void)teardown(NULL);
	(void)setup(NULL);
}

/* What is told of the list as it is now, and what the anchor says then. */
static void
expect(bool clean, const char *text, const char *name, enum verify_anchor_state now)
{
	struct verify_series s = {.name = "s", .clean = clean};
	struct verify_report report;
	char *out_text = NULL;
	size_t len;
	FILE *out = open_memstream(&out_text, &len);
	bool doubts;

	assert_non_null(out);
	for (size_t i = 0; i < list.n; i++)
		if (backups[i].state == REPO_TRUSTED)
			s.newest = &backups[i];
	verify_report_begin(&report, &opts, out);
	doubts = verify_rollback_doubts(&anchor, &list, &opts);
	if (list.n > 0)
		verify_rollback_series(&anchor, &list, &s, NOW + 86400, &report);
	verify_rollback_vanished(&anchor, &list, &opts, &report);
	assert_int_equal(doubts, report.found[VERIFY_TRUST] > 0);
	verify_report_end(&report, 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(out_text, text);
	free(out_text);
	assert_string_equal(anchor.lines[0].name, name);
	assert_int_equal(anchor.lines[0].state, now);
	assert_int_equal(anchor.changed, now == VERIFY_ANCHOR_SAME || now == VERIFY_ANCHOR_MOVED);
}

static void
the_same_backup_is_well_and_seen_again(void **state)
{
	(void)state;
	add("five", 5, 5, 5);
	expect(true, "", "five", VERIFY_ANCHOR_SAME);
	assert_int_equal(anchor.lines[0].seen, NOW + 86400);
}

static void
the_same_backup_with_a_new_seal_is_well(void **state)
{
	(void)state;
	add("five", 5, 5, 77);
	expect(true, "", "five", VERIFY_ANCHOR_MOVED);
	assert_int_equal(anchor.lines[0].text_digest[0], 77);
}

static void
a_newer_one_is_well_with_the_old_one_or_without(void **state)
{
	(void)state;
	add("five", 5, 5, 5);
	add("six", 6, 6, 6);
	expect(true, "", "six", VERIFY_ANCHOR_MOVED);
	again();
	add("six", 6, 6, 6);
	expect(true, "", "six", VERIFY_ANCHOR_MOVED);
	again();
	hold(add("six", 6, 6, 6), "five", 5); /* that it is missing is told elsewhere */
	expect(false, "note: series s: the anchor stays at five, for what was found\n", "five",
	    VERIFY_ANCHOR_KEPT);
}

static void
an_older_newest_is_a_rollback(void **state)
{
	(void)state;
	add("three", 3, 3, 3);
	add("four", 4, 4, 4);
	expect(true,
	    "untrusted: series s: a newer backup than four, five, was seen on 2026-02-08 22:00:05 "
	    "+0000: it was removed, or the repository was rolled back\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
}

static void
a_series_without_a_trusted_backup_is_missed(void **state)
{
	(void)state;
	expect(true,
	    "untrusted: series s: no trusted backup is here, and five was seen on 2026-02-08 "
	    "22:00:05 +0000: it was removed, or the repository was rolled back\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
	anchor.lines[0].state = VERIFY_ANCHOR_UNASKED;
	add("five", 5, 5, 5)->state = REPO_UNSIGNED;
	expect(false,
	    "untrusted: series s: no trusted backup is here, and five was seen on 2026-02-08 "
	    "22:00:05 +0000: its seal is not trusted now\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
	anchor.lines[0].state = VERIFY_ANCHOR_UNASKED;
	backups[0].state = REPO_BAD;
	backups[0].why = &bad_why;
	bad_why.kind = ERR_SYS;
	expect(false,
	    "untrusted: series s: no trusted backup is here, and five was seen on 2026-02-08 "
	    "22:00:05 +0000: its seal cannot be read now\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
}

static void
another_one_with_its_number_is_no_successor(void **state)
{
	(void)state;
	add("five", 5, 99, 5);
	expect(true,
	    "untrusted: series s: five is not the backup that was seen under this name on "
	    "2026-02-08 22:00:05 +0000: it was exchanged\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
	again();
	add("fifth", 5, 5, 5);
	expect(true,
	    "untrusted: series s: fifth is number 5, but five was when it was seen on 2026-02-08 "
	    "22:00:05 +0000: it was exchanged, or removed and the number used again\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
}

static void
nor_is_one_that_a_newer_one_holds(void **state)
{
	(void)state;
	add("fifth", 5, 5, 5);
	hold(add("six", 6, 6, 6), "fifth", 5);
	expect(true,
	    "untrusted: series s: fifth is number 5, but five was when it was seen on 2026-02-08 "
	    "22:00:05 +0000: it was exchanged, or removed and the number used again\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
	/* Gone, and yet the newest still says so. */
	again();
	hold(add("six", 6, 6, 6), "fifth", 5);
	expect(false,
	    "untrusted: series s: fifth is number 5, but five was when it was seen on 2026-02-08 "
	    "22:00:05 +0000: it was exchanged, or removed and the number used again\n" WAY_OUT,
	    "five", VERIFY_ANCHOR_BROKEN);
}

static void
with_two_of_one_number_the_seen_one_counts(void **state)
{
	(void)state;
	add("fifth", 5, 4, 4);
	add("five", 5, 5, 5);
	expect(false, "note: series s: the anchor stays at five, for what was found\n", "five",
	    VERIFY_ANCHOR_KEPT);
	backups[2] = backups[0];
	backups[0] = backups[1];
	backups[1] = backups[2];
	anchor.lines[0].state = VERIFY_ANCHOR_UNASKED;
	expect(false, "note: series s: the anchor stays at five, for what was found\n", "five",
	    VERIFY_ANCHOR_KEPT);
}

static void
a_series_that_nobody_asked_for_is_left_alone(void **state)
{
	(void)state;
	opts.series = "t";
	assert_false(verify_rollback_expects(&anchor, &opts));
	expect(true, "", "five", VERIFY_ANCHOR_UNASKED);
	opts.series = "s";
	assert_true(verify_rollback_expects(&anchor, &opts));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(the_same_backup_is_well_and_seen_again),
	    T(the_same_backup_with_a_new_seal_is_well),
	    T(a_newer_one_is_well_with_the_old_one_or_without),
	    T(an_older_newest_is_a_rollback),
	    T(a_series_without_a_trusted_backup_is_missed),
	    T(another_one_with_its_number_is_no_successor),
	    T(nor_is_one_that_a_newer_one_holds),
	    T(with_two_of_one_number_the_seen_one_counts),
	    T(a_series_that_nobody_asked_for_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
