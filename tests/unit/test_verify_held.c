/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "seal/key.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "verify/opts.h"
#include "verify/run.h"

/* What verify says from seals alone: signatures, held sets, age, and which it picks. */
static char dir[SCRATCH_MAX], keys[SCRATCH_MAX], trust_file[SCRATCH_MAX + 16];
static struct key *key, *strange_key;
static char *text;
static size_t text_len;
static struct verify_opts opts;
static struct seal sealed[8]; /* by number of the backup */
static const char *names[3]; /* arguments */
static struct err e;

static int
group_setup(void **state)
{
	(void)state;
	log_init("verify", LOG_QUIET);
	scratch_new(keys);
	stub_key(keys, "a", &key);
	stub_key(keys, "b", &strange_key);
	(void)snprintf(trust_file, sizeof(trust_file), "%s/a.pub", keys);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	key_free(key);
	key_free(strange_key);
	scratch_remove(keys);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	memset(&e, 0, sizeof(e));
	memset(sealed, 0, sizeof(sealed));
	opts = (struct verify_opts){
	    .repo = dir, .trust = trust_file, .level = VERIFY_QUICK, .jobs = 1};
	opts.common.quiet = true;
	opts.backups.items = names;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	for (size_t i = 0; i < sizeof(sealed) / sizeof(sealed[0]); i++)
		seal_done(&sealed[i]);
	scratch_remove(dir);
	return 0;
}

struct spec {
	const char *series; /* NULL: "s" */
	unsigned number; /* sequence too, unless that is given */
	uint64_t sequence;
	const struct key *key;
	unsigned holds[4]; /* numbers, ended by 0 */
	uint64_t unreadable;
	time_t created;
};

/* "SERIES-NUMBER": nothing but the source directory. */
static void
make(const struct spec *s)
{
	struct made m;
	struct entry root = made_dir("");
	char name[64];
	struct buf file = {0};
	const char *series = s->series != NULL ? s->series : "s";

	(void)snprintf(name, sizeof(name), "%s-%u", series, s->number);
	made_begin(&m, dir, name);
	(void)strcpy(m.seal.series, series);
	m.seal.sequence = s->sequence != 0 ? s->sequence : s->number;
	m.seal.unreadable = s->unreadable;
	if (s->created != 0)
		m.seal.created.tv_sec = s->created;
	for (size_t i = 0; s->holds[i] != 0; i++)
		assert_int_equal(seal_add_hold(&m.seal, &sealed[s->holds[i]], &e), 0);
	made_both(&m, &root, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_end(&m, s->key);
	/* For later ones to hold: name, sequence, digest are what counts. */
	(void)strcat(name, ".seal");
	scratch_get(dir, name, &file);
	seal_done(&sealed[s->number]);
	assert_int_equal(seal_parse(&sealed[s->number], file.data, file.len, NULL, &e), 0);
	free(sealed[s->number].holds);
	sealed[s->number].holds = NULL;
	sealed[s->number].n_holds = 0;
	buf_done(&file);
}

static void
remove_backup(const char *name)
{
	static const char *const suffixes[] = {"tar.gz", "manifest.gz", "seal"};
	char path[SCRATCH_MAX + 64];

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffixes[i]);
		assert_int_equal(unlink(path), 0);
	}
}

static enum cli_status
run_verify(void)
{
	enum cli_status status;
	FILE *out;

	free(text);
	text = NULL;
	err_clear(&e);
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	status = verify_run(&opts, out, &e);
	assert_int_equal(fclose(out), 0);
	return status;
}

/* Without the counting lines. */
static void
expect(enum cli_status status, const char *lines)
{
	char *at;

	assert_int_equal(run_verify(), status);
	if (e.kind != ERR_NONE)
		fail_msg("%s", e.msg);
	while ((at = strstr(text, "    (quick: ")) != NULL) {
		char *next = strchr(at, '\n') + 1;
		memmove(at, next, strlen(next) + 1);
	}
	assert_string_equal(text, lines);
}

static void
a_chain_of_signed_backups_is_well(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	make(&(struct spec){.number = 3, .key = key, .holds = {1, 2}});
	expect(CLI_OK, "");
	opts.all = true;
	expect(CLI_OK, "");
}

static void
a_held_backup_that_is_missing_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	make(&(struct spec){.number = 3, .key = key, .holds = {1, 2}});
	remove_backup("s-2");
	expect(CLI_UNTRUSTED, "untrusted: series s: s-2 is missing, and s-3 holds it\n");
}

static void
a_held_backup_that_was_replaced_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	remove_backup("s-1");
	/* Signed by the right key, but it is another. */
	make(&(struct spec){.number = 1, .key = key, .created = 77});
	expect(CLI_UNTRUSTED,
	    "untrusted: series s: s-1 is not the one that s-2 holds: it was exchanged\n");
}

static void
a_backup_that_was_put_in_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 3, .key = key});
	make(&(struct spec){.number = 1, .key = strange_key});
	make(&(struct spec){.number = 2});
	expect(CLI_UNTRUSTED,
	    "untrusted: series s: s-1 is not signed by a trusted key, and s-3 does not hold it\n"
	    "untrusted: series s: s-2 is not signed, and s-3 does not hold it\n");
}

static void
one_of_ours_that_is_held_no_more_is_only_noted(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key});
	expect(CLI_OK, "");
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "note: series s: s-1 is not held by s-2 any more"));
}

static void
two_with_one_sequence_number_are_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .sequence = 5, .key = key});
	make(&(struct spec){.number = 2, .sequence = 5, .key = key});
	expect(CLI_UNTRUSTED, "untrusted: series s: s-2 and s-1 have the same sequence number 5\n");
}

static void
an_untrusted_latest_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = strange_key});
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	assert_non_null(strstr(text, "s-2: FAILED\n    untrusted: unknown key "));
	/* Asked for the one that is: the other still shows. */
	names[0] = "s-1";
	opts.backups.n = 1;
	expect(CLI_UNTRUSTED,
	    "untrusted: series s: s-2 is not signed by a trusted key, and s-1 does not hold it\n");
}

static void
what_nobody_vouches_for_is_not_unpacked(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = strange_key});
	opts.level = VERIFY_DEEP;
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	assert_non_null(strstr(text, "    (standard: 2 members, 1 entry, "));
	opts.untrusted = true;
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "    ok (deep: 2 members, 1 entry, "));
}

static void
unsigned_ones_fail_unless_told(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1});
	expect(CLI_UNTRUSTED, "s-1: FAILED\n    untrusted: its seal is not signed\n");
	opts.untrusted = true;
	expect(CLI_OK, "");
	opts.trust = NULL;
	expect(CLI_OK, "");
}

static void
held_sets_count_without_trust_too(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1});
	make(&(struct spec){.number = 2, .holds = {1}});
	remove_backup("s-1");
	opts.untrusted = true;
	expect(CLI_UNTRUSTED, "untrusted: series s: s-1 is missing, and s-2 holds it\n");
}

static void
any_changed_byte_of_a_seal_is_found(void **state)
{
	struct buf seal = {0};

	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	scratch_get(dir, "s-2.seal", &seal);
	for (size_t at = 0; at < seal.len; at++) {
		seal.data[at] ^= (uint8_t)(1u << (at % 7));
		scratch_put(dir, "s-2.seal", seal.data, seal.len);
		seal.data[at] ^= (uint8_t)(1u << (at % 7));
		if (run_verify() != CLI_UNTRUSTED || strstr(text, "s-2") == NULL)
			fail_msg("byte %zu: %s%s", at, text, e.msg);
	}
	buf_putc(&seal, '\n');
	scratch_put(dir, "s-2.seal", seal.data, seal.len);
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	scratch_put(dir, "s-2.seal", seal.data, seal.len - 2);
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	scratch_put(dir, "s-2.seal", seal.data, seal.len - 1);
	expect(CLI_OK, "");
	buf_done(&seal);
}

static void
a_bad_seal_shows_whatever_is_asked_for(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	scratch_puts(dir, "s-7.seal", "nothing of the kind");
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	assert_non_null(strstr(text, "untrusted: s-7: bad seal: "));
	opts.series = "s";
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	names[0] = "s-7";
	opts.backups.n = 1;
	assert_int_equal(run_verify(), CLI_UNTRUSTED);
	assert_null(strstr(text, "s-1"));
	/* It is another series'. */
	opts.backups.n = 0;
	make(&(struct spec){.series = "t", .number = 2, .key = key});
	opts.series = "t";
	expect(CLI_OK, "");
}

static void
the_latest_of_each_series_is_picked(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	make(&(struct spec){.number = 3, .key = key, .holds = {1, 2}, .unreadable = 1});
	make(&(struct spec){.series = "t", .number = 4, .key = key});
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_null(strstr(text, "s-1"));
	assert_null(strstr(text, "s-3"));
	assert_non_null(strstr(text, "s-2: ok (quick: 2 members, 1 entry, "));
	assert_non_null(strstr(text, "t-4: ok "));
	opts.series = "t";
	assert_int_equal(run_verify(), CLI_OK);
	assert_null(strstr(text, "s-2"));
	names[0] = "latest";
	opts.backups.n = 1;
	opts.series = NULL;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "s-2: ok "));
}

static void
names_pick_once_each(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	names[0] = "s-1";
	names[1] = "s-1";
	opts.backups.n = 2;
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "s-1: ok "));
	assert_null(strstr(strstr(text, "s-1: ok ") + 1, "s-1: ok "));
	assert_null(strstr(text, "s-2: ok "));
	names[0] = "s-";
	(void)run_verify();
	assert_int_equal(e.kind, ERR_USAGE);
	names[0] = "none";
	(void)run_verify();
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
nothing_to_check_is_not_well(void **state)
{
	(void)state;
	(void)run_verify();
	assert_int_equal(e.kind, ERR_NOTFOUND);
	opts.all = true;
	(void)run_verify();
	assert_int_equal(e.kind, ERR_NOTFOUND);
	make(&(struct spec){.number = 1, .key = key});
	opts.series = "other";
	(void)run_verify();
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
a_series_without_a_complete_one_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key, .unreadable = 2});
	expect(CLI_WRONG, "damage: series s: there is no complete backup\n");
}

/* The one finding of this kind; the time is that of the backup. */
static void
expect_old(const char *what, time_t created)
{
	char when[64], line[256];

	clock_table(created, when);
	(void)snprintf(line, sizeof(line), "damage: series s: the newest complete backup, %s %s%s",
	    what, when,
	    strstr(what, "future") != NULL ? ", and one of the clocks is wrong\n" : "\n");
	expect(CLI_WRONG, line);
}

static void
age_is_reported_beyond_the_limit(void **state)
{
	time_t now = clock_now().tv_sec, created = now - 27 * 3600;

	(void)state;
	make(&(struct spec){.number = 1, .key = key, .created = created});
	opts.max_age = 28 * 3600;
	expect(CLI_OK, "");
	opts.max_age = 26 * 3600;
	expect_old("s-1, is older than 26h: it is of", created);
	/* A newer one does not count while it is incomplete, or not trusted. */
	make(
	    &(struct spec){.number = 2, .key = key, .holds = {1}, .created = now, .unreadable = 1});
	expect_old("s-1, is older than 26h: it is of", created);
	make(&(struct spec){.number = 3, .key = key, .holds = {1, 2}, .created = now});
	expect(CLI_OK, "");
	make(&(struct spec){.number = 4, .key = key, .holds = {1, 2, 3}, .created = now + 9999});
	expect_old("s-4, is from the future: it is of", now + 9999);
}

static void
a_signature_that_was_taken_away_or_changed_is_told_of_a_held_one(void **state)
{
	struct buf seal = {0};
	size_t cut;

	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	scratch_get(dir, "s-1.seal", &seal);
	cut = (size_t)(strstr(buf_str(&seal), "# signature: ") - buf_str(&seal));
	/* Another letter of base64. */
	seal.data[seal.len - 20] = seal.data[seal.len - 20] == 'A' ? 'B' : 'A';
	scratch_put(dir, "s-1.seal", seal.data, seal.len);
	expect(CLI_UNTRUSTED,
	    "untrusted: series s: s-1 is what s-2 holds, but its signature was changed\n");
	seal.len = cut;
	buf_puts(&seal, "# signature: none\n");
	scratch_put(dir, "s-1.seal", seal.data, seal.len);
	expect(CLI_UNTRUSTED,
	    "untrusted: series s: s-1 is what s-2 holds, but its signature was taken away\n");
	buf_done(&seal);
}

static void
a_held_one_of_a_key_that_is_trusted_no_more_is_noted(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = strange_key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	expect(CLI_OK, "");
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(
	    strstr(text, "note: series s: s-1 is what s-2 holds, but its own key is not trusted"));
}

static void
a_number_that_a_held_one_has_is_reported(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	make(&(struct spec){.number = 7, .sequence = 1, .key = key});
	expect(CLI_UNTRUSTED, "untrusted: series s: s-7 and s-1 have the same sequence number 1\n");
}

static void
times_that_run_backwards_are_noted(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key, .created = 5000});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}, .created = 4000});
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "note: series s: s-2 comes after s-1 (1970-"));
}

static void
files_of_backups_that_are_not_picked_must_be_there(void **state)
{
	char path[SCRATCH_MAX + 64];

	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	make(&(struct spec){.number = 2, .key = key, .holds = {1}});
	(void)snprintf(path, sizeof(path), "%s/s-1.tar.gz", dir);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, "damage: s-1.tar.gz: has 3 bytes, sealed were "));
	assert_int_equal(unlink(path), 0);
	expect(CLI_WRONG, "damage: s-1.tar.gz: is missing\n");
	/* Another series' is not asked for; one that is nobody's does not count. */
	make(&(struct spec){.series = "t", .number = 3, .key = key});
	opts.series = "t";
	expect(CLI_OK, "");
}

static void
archives_without_a_seal_are_noted(void **state)
{
	(void)state;
	make(&(struct spec){.number = 1, .key = key});
	scratch_puts(dir, "s-0.tar.gz", "");
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "note: 1 archive without a seal, s-0, cannot be checked"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_chain_of_signed_backups_is_well),
	    T(a_held_backup_that_is_missing_is_reported),
	    T(a_held_backup_that_was_replaced_is_reported),
	    T(a_backup_that_was_put_in_is_reported),
	    T(one_of_ours_that_is_held_no_more_is_only_noted),
	    T(two_with_one_sequence_number_are_reported),
	    T(an_untrusted_latest_is_reported),
	    T(what_nobody_vouches_for_is_not_unpacked),
	    T(unsigned_ones_fail_unless_told),
	    T(held_sets_count_without_trust_too),
	    T(any_changed_byte_of_a_seal_is_found),
	    T(a_bad_seal_shows_whatever_is_asked_for),
	    T(the_latest_of_each_series_is_picked),
	    T(names_pick_once_each),
	    T(nothing_to_check_is_not_well),
	    T(a_series_without_a_complete_one_is_reported),
	    T(age_is_reported_beyond_the_limit),
	    T(a_signature_that_was_taken_away_or_changed_is_told_of_a_held_one),
	    T(a_held_one_of_a_key_that_is_trusted_no_more_is_noted),
	    T(a_number_that_a_held_one_has_is_reported),
	    T(times_that_run_backwards_are_noted),
	    T(files_of_backups_that_are_not_picked_must_be_there),
	    T(archives_without_a_seal_are_noted),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
