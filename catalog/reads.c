/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/reads.h"

#include <inttypes.h>

#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "store/repo.h"

static bool
is_older(const struct repo_backup *a, const struct repo_backup *b)
{
	const struct timespec *x = &a->seal.created, *y = &b->seal.created;

	return x->tv_sec != y->tv_sec ? x->tv_sec < y->tv_sec : x->tv_nsec < y->tv_nsec;
}

/* b, when it is the first of its kind or older than that. */
static void
keep_oldest(const struct repo_backup **oldest, const struct repo_backup *b)
{
	if (*oldest == NULL || is_older(b, *oldest))
		*oldest = b;
}

int
catalog_reads_add(
    struct catalog_reads *r, struct catalog *c, const struct repo_backup *b, struct err *e)
{
	struct catalog_verification read = {0}, last = {.ok = true};
	int was_read = catalog_checked(c, b->seal.text_digest, CATALOG_STANDARD, &read, e);

	if (was_read < 0 || catalog_checked(c, b->seal.text_digest, CATALOG_QUICK, &last, e) < 0)
		return -1;
	r->backups++;
	if (was_read == 0) {
		r->never++;
		keep_oldest(&r->oldest_never, b);
	} else if (r->least == NULL || read.at < r->at) {
		r->least = b;
		r->at = read.at;
	}
	/* A quick look that found all well takes nothing back. */
	if ((was_read == 1 && !read.ok) || !last.ok) {
		r->failed++;
		keep_oldest(&r->first_failed, b);
	}
	return 0;
}

/* "within the last 9 days": whole ones, rounded up, and hours below two days. */
static void
put_within(time_t at, time_t now, struct buf *out)
{
	uint64_t age = now > at ? (uint64_t)(now - at) : 0;
	uint64_t unit = age < 2 * 86400 ? 3600 : 86400, n = (age + unit - 1) / unit;

	if (n <= 1)
		buf_puts(out, "within the last hour");
	else
		buf_printf(
		    out, "within the last %" PRIu64 " %s", n, unit == 3600 ? "hours" : "days");
}

static void
put_never(const struct catalog_reads *r, time_t now, struct buf *out)
{
	const char *name = r->oldest_never->name;

	if (r->backups == 1)
		buf_printf(out, "The only backup, %s, was never read", name);
	else if (r->never == r->backups)
		buf_printf(
		    out, "None of %zu backups was ever read; the oldest is %s", r->backups, name);
	else if (r->never == 1)
		buf_printf(out, "1 of %zu backups was never read: %s", r->backups, name);
	else
		buf_printf(out, "%zu of %zu backups were never read, the oldest of them %s",
		    r->never, r->backups, name);
	if (r->least == NULL)
		return;
	buf_puts(out,
	    r->backups - r->never == 1 ? "; the other one was read " : "; the others were read ");
	put_within(r->at, now, out);
}

void
catalog_reads_put(const struct catalog_reads *r, time_t now, struct buf *out)
{
	if (r->backups == 0)
		return;
	if (r->never > 0)
		put_never(r, now, out);
	else {
		if (r->backups == 1)
			buf_puts(out, "The only backup was read ");
		else
			buf_printf(out, "All %zu backups were read ", r->backups);
		put_within(r->at, now, out);
	}
	if (r->failed > 0)
		buf_printf(out, "; the last check FAILED of %s", r->first_failed->name);
	if (r->failed > 1)
		buf_printf(out, " and %zu more", r->failed - 1);
}

static void
json_name(struct json *j, const char *key, const struct repo_backup *b)
{
	json_str(j, key, b != NULL ? b->name : NULL);
}

void
catalog_reads_json(const struct catalog_reads *r, struct json *j, const char *key)
{
	char at[64];

	if (r == NULL) {
		json_str(j, key, NULL);
		return;
	}
	json_object(j, key);
	json_uint(j, "backups", r->backups);
	json_uint(j, "never", r->never);
	json_name(j, "oldest_never", r->oldest_never);
	json_name(j, "least", r->least);
	clock_rfc3339(r->at, at);
	json_str(j, "least_at", r->least != NULL ? at : NULL);
	json_uint(j, "failed", r->failed);
	json_name(j, "oldest_failed", r->first_failed);
	json_end(j);
}
