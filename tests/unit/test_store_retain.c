/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/retain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/unit.h"

static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return clock_zone_set("UTC", &e);
}

/* ---- policies as text ---- */

static void
a_policy_goes_to_text_and_back(void **state)
{
	static const struct {
		struct retain_policy p;
		const char *text;
	} cases[] = {
	    {{0}, ""},
	    {{.last = 10}, "keep-last=10"},
	    {{.yearly = 1}, "keep-yearly=1"},
	    {{.last = 10, .daily = 7, .weekly = 5, .monthly = 12, .yearly = 3},
		"keep-last=10 keep-daily=7 keep-weekly=5 keep-monthly=12 keep-yearly=3"},
	    {{.daily = UINT64_MAX, .monthly = 1}, "keep-daily=18446744073709551615 keep-monthly=1"},
	};
	struct retain_policy got;
	struct buf text = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&text);
		retain_policy_put(&cases[i].p, &text);
		assert_string_equal(buf_str(&text), cases[i].text);
		memset(&got, 0xff, sizeof(got));
		assert_int_equal(retain_policy_parse(&got, cases[i].text, &e), 0);
		assert_memory_equal(&got, &cases[i].p, sizeof(got));
		assert_int_equal(retain_policy_is_set(&got), i > 0);
	}
	buf_done(&text);
	memset(&got, 0xff, sizeof(got));
	assert_int_equal(retain_policy_parse(&got, NULL, &e), 0);
	assert_false(retain_policy_is_set(&got));
}

static void
a_text_that_is_not_canonical_is_refused(void **state)
{
	static const char *const texts[] = {" ", "keep-last=", "keep-last=0", "keep-last=01",
	    "keep-last=-1", "keep-last=+1", "keep-last=1 ", " keep-last=1", "keep-last", "last=1",
	    "keep-last=1  keep-daily=1", "keep-last=1 keep-last=1", "keep-daily=1 keep-last=1",
	    "keep-last=18446744073709551616", "keep-last=1,keep-daily=1", "keep-hourly=1",
	    "keep-last=1keep-daily=1", "keep-last=1 x", "keep-yearly=1 keep-yearly=2", "-"};
	struct retain_policy p = {.last = 77};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		err_clear(&e);
		if (retain_policy_parse(&p, texts[i], &e) == 0)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.msg, texts[i]));
		assert_int_equal(p.last, 77);
	}
}

/* ---- decisions ---- */

/*
 * A history, oldest first: "2026-02-09T00:00:05Z" or "... incomplete hold verified", and what is to
 * become of it, in letters: l d w m y for rules, n newest, h on hold, v verified, u unfinished, *
 * no rule, - goes.
 */
struct night {
	const char *what, *why;
};

static int64_t
when(const char *s)
{
	char text[64];
	struct timespec t;

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(s, " "), s);
	if (clock_parse(text, &t, &e) != 0)
		fail_msg("%s", e.msg);
	return t.tv_sec;
}

static void
letters(unsigned why, char out[16])
{
	static const char all[] = "ldwmynhvu*";

	for (size_t i = 0; i < strlen(all); i++)
		if (why & (1u << i))
			*out++ = all[i];
	if (why == 0)
		*out++ = '-';
	*out = '\0';
}

static void
check_nights(const char *policy, const struct night *nights, size_t n)
{
	struct retain_item items[32] = {0};
	struct retain_policy p;
	char got[16];

	assert_true(n <= COUNT(items));
	assert_int_equal(retain_policy_parse(&p, policy, &e), 0);
	for (size_t i = 0; i < n; i++) {
		items[i].sequence = 3 * i + 5;
		items[i].created = when(nights[i].what);
		items[i].complete = strstr(nights[i].what, "incomplete") == NULL;
		items[i].on_hold = strstr(nights[i].what, "hold") != NULL;
		items[i].verified = strstr(nights[i].what, "verified") != NULL;
		items[i].why = 0xffff; /* what it was does not matter */
	}
	retain_decide(&p, items, n);
	for (size_t i = 0; i < n; i++) {
		letters(items[i].why, got);
		if (strcmp(got, nights[i].why) != 0)
			fail_msg(
			    "%s: %s: %s, expected %s", policy, nights[i].what, got, nights[i].why);
	}
}
#define CHECK(policy, ...)                                                                         \
	check_nights(policy, (const struct night[]){__VA_ARGS__},                                  \
	    sizeof((const struct night[]){__VA_ARGS__}) / sizeof(struct night))

static void
nothing_of_nothing_is_decided(void **state)
{
	(void)state;
	retain_decide(&(struct retain_policy){.last = 1}, NULL, 0);
}

static void
without_a_rule_everything_stays(void **state)
{
	(void)state;
	CHECK("", {"2026-02-01T00:00:00Z", "*"}, {"2026-02-02T00:00:00Z incomplete", "*"},
	    {"2026-02-03T00:00:00Z hold", "nh*"});
}

static void
the_last_ones_stay_and_incomplete_ones_take_no_place(void **state)
{
	(void)state;
	CHECK("keep-last=2", {"2026-02-01T00:00:00Z", "-"}, {"2026-02-02T00:00:00Z", "l"},
	    {"2026-02-03T00:00:00Z incomplete", "-"}, {"2026-02-04T00:00:00Z", "ln"},
	    {"2026-02-05T00:00:00Z incomplete", "u"}, {"2026-02-06T00:00:00Z incomplete", "u"});
	CHECK("keep-last=10", {"2026-02-01T00:00:00Z", "l"}, {"2026-02-02T00:00:00Z", "ln"});
	CHECK("keep-last=1", {"2026-02-01T00:00:00Z incomplete", "u"},
	    {"2026-02-02T00:00:00Z incomplete", "u"});
}

static void
the_newest_of_each_day_stays(void **state)
{
	(void)state;
	CHECK("keep-daily=2", {"2026-02-01T00:00:00Z", "-"}, {"2026-02-01T23:59:59Z", "-"},
	    {"2026-02-03T00:00:00Z", "-"}, {"2026-02-03T12:00:00Z", "d"},
	    {"2026-02-03T13:00:00Z incomplete", "-"}, {"2026-02-09T01:00:00Z", "-"},
	    {"2026-02-09T02:00:00Z", "dn"});
}

static void
rules_are_counted_apart(void **state)
{
	(void)state;
	/* Monday the 5th of January 2026 to Monday the 19th. */
	CHECK("keep-last=1 keep-daily=2 keep-weekly=3 keep-monthly=2 keep-yearly=2",
	    {"2024-06-01T00:00:00Z", "-"}, {"2025-12-15T00:00:00Z", "-"},
	    {"2025-12-31T00:00:00Z", "my"}, {"2026-01-04T00:00:00Z", "-"},
	    {"2026-01-05T00:00:00Z", "-"}, {"2026-01-11T00:00:00Z", "w"},
	    {"2026-01-12T00:00:00Z", "-"}, {"2026-01-18T00:00:00Z", "dw"},
	    {"2026-01-19T00:00:00Z", "ldwmyn"});
}

static void
a_week_in_two_years_is_one(void **state)
{
	(void)state;
	/* Monday the 29th of December 2025 to Sunday the 4th of January 2026. */
	CHECK("keep-weekly=9", {"2025-12-28T23:59:59Z", "w"}, {"2025-12-29T00:00:00Z", "-"},
	    {"2025-12-31T00:00:00Z", "-"}, {"2026-01-01T00:00:00Z", "-"},
	    {"2026-01-04T23:59:59Z", "w"}, {"2026-01-05T00:00:00Z", "wn"});
}

static void
the_same_week_of_another_year_is_another(void **state)
{
	(void)state;
	CHECK("keep-weekly=9 keep-monthly=9", {"2024-01-10T00:00:00Z", "wm"},
	    {"2025-01-08T00:00:00Z", "wm"}, {"2026-01-07T00:00:00Z", "wmn"});
}

static void
a_day_is_one_of_the_zone(void **state)
{
	(void)state;
	assert_int_equal(clock_zone_set("Europe/Kyiv", &e), 0);
	CHECK("keep-daily=9", {"2026-02-08T21:59:59Z", "d"}, {"2026-02-08T22:00:05Z", "-"},
	    {"2026-02-09T21:59:59Z", "dn"});
	/* 23 hours on the 29th of March, 25 on the 25th of October. */
	CHECK("keep-daily=9", {"2026-03-28T21:59:59Z", "d"}, {"2026-03-28T22:00:00Z", "-"},
	    {"2026-03-29T20:59:59Z", "d"}, {"2026-03-29T21:00:00Z", "dn"});
	CHECK("keep-daily=9", {"2026-10-24T20:59:59Z", "d"}, {"2026-10-24T21:00:00Z", "-"},
	    {"2026-10-25T00:30:00Z", "-"}, {"2026-10-25T01:30:00Z", "-"},
	    {"2026-10-25T21:59:59Z", "d"}, {"2026-10-25T22:00:00Z", "dn"});
}

static void
a_clock_that_ran_ahead_or_back_costs_nobody_a_place(void **state)
{
	(void)state;
	/* Two nights in the year 2099; then the clock was mended. */
	CHECK("keep-daily=3", {"2026-02-01T00:00:00Z", "-"}, {"2026-02-02T00:00:00Z", "d"},
	    {"2099-01-01T00:00:00Z", "-"}, {"2099-01-01T01:00:00Z", "d"},
	    {"2026-02-03T00:00:00Z", "dn"});
	/* Set back by a day and a half: the 3rd comes twice, and the later one stands for it. */
	CHECK("keep-daily=3", {"2026-02-03T00:00:00Z", "-"}, {"2026-02-04T00:00:00Z", "d"},
	    {"2026-02-02T12:00:00Z", "d"}, {"2026-02-03T00:00:00Z", "dn"});
	CHECK("keep-daily=3", {"2026-02-04T00:00:00Z", "-"}, {"2026-02-03T00:00:00Z", "-"},
	    {"2026-02-04T00:00:00Z", "d"}, {"2026-02-03T00:00:00Z", "dn"});
}

static void
times_that_no_calendar_has_share_a_place(void **state)
{
	struct retain_item items[] = {
	    {.created = 0, .complete = true},
	    {.created = INT64_MAX - 1, .complete = true},
	    {.created = INT64_MAX, .complete = true},
	};

	(void)state;
	retain_decide(&(struct retain_policy){.daily = 2, .yearly = 5}, items, COUNT(items));
	assert_int_equal(items[0].why, RETAIN_DAILY | RETAIN_YEARLY);
	assert_int_equal(items[1].why, 0);
	assert_int_equal(items[2].why, RETAIN_DAILY | RETAIN_YEARLY | RETAIN_NEWEST);
}

static void
held_and_verified_ones_stay_beside_the_rules(void **state)
{
	(void)state;
	CHECK("keep-last=2", {"2026-02-01T00:00:00Z verified", "-"},
	    {"2026-02-02T00:00:00Z verified", "v"}, {"2026-02-03T00:00:00Z hold", "h"},
	    {"2026-02-04T00:00:00Z incomplete verified", "-"},
	    {"2026-02-05T00:00:00Z incomplete hold", "h"}, {"2026-02-06T00:00:00Z", "l"},
	    {"2026-02-07T00:00:00Z", "ln"});
	CHECK("keep-last=1", {"2026-02-01T00:00:00Z verified", "-"},
	    {"2026-02-07T00:00:00Z verified", "lnv"});
	/* No rule has room for the newest one, and yet it stays. */
	CHECK("keep-yearly=1", {"2026-02-01T00:00:00Z", "-"}, {"2026-02-07T00:00:00Z", "yn"});
}

static void
reasons_are_told_in_words(void **state)
{
	static const struct {
		struct retain_item it;
		const char *text;
	} cases[] = {
	    {{.complete = true}, "no rule keeps it"},
	    {{.complete = false}, "incomplete, and a complete one is newer"},
	    {{.complete = true, .why = RETAIN_LAST}, "last"},
	    {{.complete = true, .why = RETAIN_LAST | RETAIN_DAILY | RETAIN_ON_HOLD},
		"last, daily, on hold"},
	    {{.complete = true,
		 .why = RETAIN_WEEKLY | RETAIN_MONTHLY | RETAIN_YEARLY | RETAIN_NEWEST |
		     RETAIN_VERIFIED},
		"weekly, monthly, yearly, newest complete, last verified"},
	    {{.why = RETAIN_UNFINISHED}, "incomplete, and no complete one is newer"},
	    {{.complete = true, .why = RETAIN_NO_RULE}, "no rule is set"},
	};
	struct buf text = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&text);
		retain_why_put(&cases[i].it, &text);
		assert_string_equal(buf_str(&text), cases[i].text);
	}
	buf_done(&text);
}

/* ---- against a naive model ---- */

/*
 * The same promise put another way round: a backup stays for a rule when it is complete, when no
 * later complete one prints the same period, and when fewer than N periods are printed by the
 * complete ones after it.  Periods are text from strftime(3), counted by comparing all with all.
 */
#define HISTORY_MAX 40

struct model {
	const struct retain_item *items;
	size_t n;
	char period[HISTORY_MAX][32];
};

static size_t
print_period(char *out, size_t size, const struct tm *tm, enum retain_why kind)
{
	switch (kind) {
	case RETAIN_DAILY:
		return strftime(out, size, "%Y-%m-%d", tm);
	case RETAIN_WEEKLY:
		return strftime(out, size, "%G week %V", tm);
	case RETAIN_MONTHLY:
		return strftime(out, size, "%B %Y", tm);
	default:
		return strftime(out, size, "%Y", tm);
	}
}

static void
print_periods(struct model *m, enum retain_why kind)
{
	for (size_t i = 0; i < m->n; i++) {
		time_t t = (time_t)m->items[i].created;
		struct tm tm;

		assert_non_null(localtime_r(&t, &tm));
		assert_true(print_period(m->period[i], sizeof(m->period[i]), &tm, kind) > 0);
	}
}

static bool
is_newest_of_its_period(const struct model *m, size_t i)
{
	if (!m->items[i].complete)
		return false;
	for (size_t k = i + 1; k < m->n; k++)
		if (m->items[k].complete && strcmp(m->period[k], m->period[i]) == 0)
			return false;
	return true;
}

static bool
model_keeps(const struct model *m, size_t i, uint64_t count)
{
	uint64_t after = 0;

	for (size_t k = i + 1; k < m->n; k++)
		after += is_newest_of_its_period(m, k);
	return is_newest_of_its_period(m, i) && after < count;
}

static unsigned
model_anyway(const struct model *m, size_t i)
{
	const struct retain_item *it = &m->items[i];
	unsigned complete_after = 0, verified_after = 0, why = it->on_hold ? RETAIN_ON_HOLD : 0;

	for (size_t k = i + 1; k < m->n; k++) {
		complete_after += m->items[k].complete;
		verified_after += m->items[k].complete && m->items[k].verified;
	}
	if (complete_after == 0)
		why |= it->complete ? RETAIN_NEWEST : RETAIN_UNFINISHED;
	if (it->complete && it->verified && verified_after == 0)
		why |= RETAIN_VERIFIED;
	return why;
}

static void
model_decide(const struct retain_policy *p, struct model *m, unsigned why[HISTORY_MAX])
{
	const struct {
		uint64_t count;
		enum retain_why kind;
	} rules[] = {{p->daily, RETAIN_DAILY}, {p->weekly, RETAIN_WEEKLY},
	    {p->monthly, RETAIN_MONTHLY}, {p->yearly, RETAIN_YEARLY}};
	uint64_t any = p->last;

	for (size_t i = 0; i < m->n; i++) {
		why[i] = model_anyway(m, i);
		/* "last": each is a period of its own. */
		(void)snprintf(m->period[i], sizeof(m->period[i]), "%zu", i);
	}
	for (size_t i = 0; i < m->n; i++)
		why[i] |= model_keeps(m, i, p->last) ? RETAIN_LAST : 0;
	for (size_t r = 0; r < COUNT(rules); r++) {
		any += rules[r].count;
		print_periods(m, rules[r].kind);
		for (size_t i = 0; i < m->n; i++)
			why[i] |= model_keeps(m, i, rules[r].count) ? rules[r].kind : 0;
	}
	for (size_t i = 0; any == 0 && i < m->n; i++)
		why[i] |= RETAIN_NO_RULE;
}

static uint64_t rng;

static uint64_t
below(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

/* Nightly mostly; sometimes more often, days left out, or the clock jumps, far or by an hour. */
static int64_t
next_time(int64_t t)
{
	switch (below(12)) {
	case 0:
		return t + (int64_t)below(7200);
	case 1:
		return t - (int64_t)below(7200);
	case 2:
		return t + 86400 * (int64_t)below(40);
	case 3:
		t -= 86400 * (int64_t)below(40);
		return t < 0 ? 0 : t;
	case 4:
		return (int64_t)below(UINT64_C(4102444800));
	case 5:
		return t + 3600 * (int64_t)below(48);
	default:
		return t + 86400;
	}
}

static size_t
random_history(struct retain_item items[HISTORY_MAX])
{
	/* Close to where clocks change in Kyiv, the new year, and anywhere. */
	static const int64_t starts[] = {1774736999, 1792880999, 1767220000, 1583017200, 0};
	size_t n = below(HISTORY_MAX + 1);
	uint64_t sequence = 0, bad = below(6);
	int64_t t = starts[below(COUNT(starts))] + (int64_t)below(90000);

	memset(items, 0, HISTORY_MAX * sizeof(items[0]));
	for (size_t i = 0; i < n; i++) {
		items[i].sequence = sequence += 1 + below(3);
		items[i].created = t;
		items[i].complete = bad == 0 || below(bad + 1) != 0;
		items[i].on_hold = below(8) == 0;
		items[i].verified = below(6) == 0;
		t = next_time(t);
	}
	return n;
}

static void
random_histories_are_decided_as_the_model_does(void **state)
{
	static const char *const zones[] = {"UTC", "Europe/Kyiv", "America/New_York",
	    "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"};
	static struct retain_item items[HISTORY_MAX];
	static struct model m;
	unsigned want[HISTORY_MAX];
	size_t gone = 0, kept = 0;

	(void)state;
	rng = 20260209;
	for (unsigned round = 0; round < 6000; round++) {
		struct retain_policy p = {0};
		uint64_t *rules[] = {&p.last, &p.daily, &p.weekly, &p.monthly, &p.yearly};

		if (round % 1000 == 0)
			assert_int_equal(clock_zone_set(zones[round / 1000], &e), 0);
		for (size_t i = 0; i < COUNT(rules); i++)
			*rules[i] = below(3) == 0 ? below(12) : 0;
		m = (struct model){.items = items, .n = random_history(items)};
		model_decide(&p, &m, want);
		retain_decide(&p, items, m.n);
		for (size_t i = 0; i < m.n; i++) {
			if (items[i].why != want[i])
				fail_msg("round %u, backup %zu of %zu: %#x, expected %#x", round, i,
				    m.n, items[i].why, want[i]);
			kept += want[i] != 0;
			gone += want[i] == 0;
		}
	}
	/* The histories were worth it. */
	assert_true(gone > 20000 && kept > 20000);
}

/* Taking away what goes, and deciding anew, takes nothing more away. */
static void
what_stays_once_stays_when_asked_again(void **state)
{
	static struct retain_item items[HISTORY_MAX];

	(void)state;
	assert_int_equal(clock_zone_set("Europe/Kyiv", &e), 0);
	rng = 77;
	for (unsigned round = 0; round < 2000; round++) {
		const struct retain_policy p = {
		    below(4), below(4), below(4), below(3), 1 + below(3)};
		size_t n = random_history(items), left = 0;

		retain_decide(&p, items, n);
		for (size_t i = 0; i < n; i++)
			if (items[i].why != 0)
				items[left++] = items[i];
		retain_decide(&p, items, left);
		for (size_t i = 0; i < left; i++)
			if (items[i].why == 0)
				fail_msg("round %u: backup %zu of %zu goes now", round, i, left);
	}
}

/* ---- of a list ---- */

#define BACKUPS 7

static struct repo_backup backups[BACKUPS];
static const struct repo_list list = {.backups = backups, .n = BACKUPS};

static void
set_backup(size_t i, const char *name, const char *series, uint64_t sequence, enum repo_state state)
{
	struct repo_backup *b = &backups[i];

	memset(b, 0, sizeof(*b));
	(void)snprintf(b->name, sizeof(b->name), "%s", name);
	(void)snprintf(b->seal.series, sizeof(b->seal.series), "%s", series);
	b->seal.sequence = sequence;
	b->seal.created.tv_sec = (time_t)(86400 * sequence);
	b->seal.text_digest[0] = (uint8_t)i;
	b->state = state;
}

static void
set_list(void)
{
	set_backup(0, "o-1", "o", 1, REPO_TRUSTED);
	set_backup(1, "s-1", "s", 1, REPO_TRUSTED);
	set_backup(2, "s-2a", "s", 2, REPO_UNSIGNED);
	set_backup(3, "s-2b", "s", 2, REPO_TRUSTED);
	set_backup(4, "s-2c", "s", 2, REPO_TRUSTED);
	set_backup(5, "s-3", "s", 3, REPO_UNTRUSTED);
	set_backup(6, "s-4", "s", 4, REPO_UNSIGNED);
}

/* ctx: the place in the list of the one that was verified. */
static int
verified_is(void *ctx, const uint8_t digest[SHA256_LEN], struct err *why)
{
	if (*(const int *)ctx < 0)
		return err_set(why, ERR_SYS, "no memory of that");
	return digest[0] == *(const int *)ctx;
}

static const struct retain_policy one = {.last = 1};

static void
only_what_counts_is_decided_on(void **state)
{
	struct retain_set s;
	int first = 1;

	(void)state;
	set_list();
	backups[3].on_hold = true;
	assert_int_equal(
	    retain_set_make(&s, &list, "s", false, NULL, &one, verified_is, &first, &e), 0);
	assert_int_equal(s.n, 2);
	assert_ptr_equal(s.items[0].backup, &backups[1]);
	assert_int_equal(s.items[0].why, RETAIN_VERIFIED);
	/* Of two with one sequence, both trusted, the first by name. */
	assert_ptr_equal(s.items[1].backup, &backups[3]);
	assert_int_equal(s.items[1].why, RETAIN_LAST | RETAIN_NEWEST | RETAIN_ON_HOLD);
	assert_int_equal(s.items[1].sequence, 2);
	assert_int_equal(s.items[1].created, 2 * 86400);
	retain_set_done(&s);
}

static void
unsigned_ones_count_where_they_are_accepted(void **state)
{
	struct retain_set s;

	(void)state;
	set_list();
	backups[6].seal.unreadable = 1;
	assert_int_equal(retain_set_make(&s, &list, "s", true, NULL, &one, NULL, NULL, &e), 0);
	assert_int_equal(s.n, 3);
	assert_ptr_equal(s.items[0].backup, &backups[1]);
	assert_ptr_equal(s.items[1].backup, &backups[3]);
	assert_ptr_equal(s.items[2].backup, &backups[6]);
	assert_int_equal(s.items[0].why, 0);
	assert_int_equal(s.items[2].why, RETAIN_UNFINISHED);
	retain_set_done(&s);
}

static void
the_one_that_is_being_made_has_a_place(void **state)
{
	struct seal next = {.sequence = 3, .created = {.tv_sec = 5 * 86400}};
	struct retain_set s;

	(void)state;
	set_list();
	assert_int_equal(retain_set_make(&s, &list, "s", false, &next, &one, NULL, NULL, &e), 0);
	assert_int_equal(s.n, 3);
	assert_null(s.items[2].backup);
	assert_int_equal(s.items[2].why, RETAIN_LAST | RETAIN_NEWEST);
	assert_int_equal(s.items[1].why, 0);
	retain_set_done(&s);
	/* Incomplete, it takes no place. */
	next.unreadable = 1;
	assert_int_equal(retain_set_make(&s, &list, "s", false, &next, &one, NULL, NULL, &e), 0);
	assert_int_equal(s.items[2].why, RETAIN_UNFINISHED);
	assert_int_equal(s.items[1].why, RETAIN_LAST | RETAIN_NEWEST);
	retain_set_done(&s);
	next.sequence = 2;
	assert_int_equal(retain_set_make(&s, &list, "s", false, &next, &one, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.msg, "s-2b"));
}

static void
an_empty_series_has_an_empty_set(void **state)
{
	struct retain_set s;

	(void)state;
	set_list();
	assert_int_equal(retain_set_make(&s, &list, "none", true, NULL, &one, NULL, NULL, &e), 0);
	assert_int_equal(s.n, 0);
	retain_set_done(&s);
}

static void
a_history_that_cannot_be_asked_is_an_error(void **state)
{
	struct retain_set s;
	int broken = -1;

	(void)state;
	set_list();
	assert_int_equal(
	    retain_set_make(&s, &list, "s", false, NULL, &one, verified_is, &broken, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_non_null(strstr(e.msg, "s-1"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
	    T(a_policy_goes_to_text_and_back),
	    T(a_text_that_is_not_canonical_is_refused),
	    T(nothing_of_nothing_is_decided),
	    T(without_a_rule_everything_stays),
	    T(the_last_ones_stay_and_incomplete_ones_take_no_place),
	    T(the_newest_of_each_day_stays),
	    T(rules_are_counted_apart),
	    T(a_week_in_two_years_is_one),
	    T(the_same_week_of_another_year_is_another),
	    T(a_day_is_one_of_the_zone),
	    T(a_clock_that_ran_ahead_or_back_costs_nobody_a_place),
	    T(times_that_no_calendar_has_share_a_place),
	    T(held_and_verified_ones_stay_beside_the_rules),
	    T(reasons_are_told_in_words),
	    T(random_histories_are_decided_as_the_model_does),
	    T(what_stays_once_stays_when_asked_again),
	    T(only_what_counts_is_decided_on),
	    T(unsigned_ones_count_where_they_are_accepted),
	    T(the_one_that_is_being_made_has_a_place),
	    T(an_empty_series_has_an_empty_set),
	    T(a_history_that_cannot_be_asked_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
