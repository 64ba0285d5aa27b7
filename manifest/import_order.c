/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_order.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/opt.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "core/stop.h"
#include "store/repo.h"

#define STAMP_LEN 15 /* YYYYMMDD_HHMMSS */
#define SUFFIX ".tar.gz"

bool
import_order_made(const struct repo_backup *b)
{
	char name[SEAL_NAME_MAX + 1];
	uint8_t digest[SHA256_LEN];

	return repo_source_parse(b->seal.source, name, digest);
}

static bool
of_series(const struct repo_backup *b, const char *series)
{
	return b->state != REPO_BAD && strcmp(b->seal.series, series) == 0;
}

const struct repo_backup *
import_order_find(const struct repo_list *l, const char *series, const uint8_t digest[SHA256_LEN])
{
	char name[SEAL_NAME_MAX + 1];
	uint8_t has[SHA256_LEN];

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (of_series(b, series) && repo_source_parse(b->seal.source, name, has) &&
		    memcmp(has, digest, SHA256_LEN) == 0)
			return b;
	}
	return NULL;
}

/* ---- names and times ---- */

/* The stamp at the end of name; NULL: it has none. */
static const char *
stamp_of(const char *name)
{
	size_t len = strlen(name);
	const char *s = name + len - STAMP_LEN;

	if (len < STAMP_LEN + 2 || s[-1] != '-')
		return NULL;
	for (int i = 0; i < STAMP_LEN; i++)
		if (i == 8 ? s[i] != '_' : s[i] < '0' || s[i] > '9')
			return NULL;
	return s;
}

/* Does name say that the archive is one of the series? */
static bool
says_series(const char *name, const char *series)
{
	const char *stamp = stamp_of(name);
	size_t n = strlen(series);

	return stamp != NULL && (size_t)(stamp - name) == n + 1 && memcmp(name, series, n) == 0;
}

static bool
time_of_stamp(const char *s, struct timespec *out)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2s %.2s:%.2s:%.2s", s, s + 4, s + 6, s + 9,
	    s + 11, s + 13);
	if (clock_parse(text, out, NULL) != 0)
		return false;
	out->tv_nsec = 0;
	return out->tv_sec >= 0;
}

static int
look_at_file(const struct repo *repo, struct import_item *it, struct err *e)
{
	const char *stamp = stamp_of(it->name);
	struct stat st;
	int fd = repo_open_part(repo, REPO_ARCHIVE, it->name, e);

	if (fd < 0)
		return -1;
	int rc = fstat(fd, &st) != 0 ? err_sys(e, "%s" SUFFIX, it->name) : 0;
	(void)close(fd);
	if (rc != 0)
		return -1;
	it->size = (uint64_t)st.st_size;
	if (stamp == NULL || !time_of_stamp(stamp, &it->created)) {
		it->from_mtime = true;
		it->created = st.st_mtim;
	}
	if (it->created.tv_sec < 0)
		return err_set(e, ERR_UNSUPPORTED, "%s" SUFFIX ": is from before 1970", it->name);
	return 0;
}

/* ---- which ---- */

static struct import_item *
find_item(struct import_order *o, const char *name)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->items[i].name, name) == 0)
			return &o->items[i];
	return NULL;
}

static int
add_item(struct import_order *o, const struct repo *repo, const char *name, const char *series,
    bool wanted, struct err *e)
{
	struct import_item *grown = reallocarray(o->items, o->n + 1, sizeof(*grown));

	if (grown == NULL)
		return err_nomem(e);
	o->items = grown;
	struct import_item *it = &grown[o->n];
	*it = (struct import_item){.wanted = wanted};
	(void)snprintf(it->name, sizeof(it->name), "%s", name);
	(void)snprintf(it->series, sizeof(it->series), "%s", series);
	if (look_at_file(repo, it, e) != 0)
		return -1;
	o->n++;
	return 0;
}

/* All that the series' name stands on, those that were not asked for as well. */
static int
add_series(struct import_order *o, const struct repo *repo, const struct repo_list *l,
    const char *series, bool wanted, struct err *e)
{
	struct err why = {0};

	for (size_t i = 0; i < l->n_unsealed; i++) {
		if (!says_series(l->unsealed[i], series) || find_item(o, l->unsealed[i]) != NULL)
			continue;
		if (add_item(o, repo, l->unsealed[i], series, wanted, &why) == 0)
			continue;
		if (why.kind != ERR_CORRUPT && why.kind != ERR_UNSUPPORTED) {
			*e = why;
			return -1;
		}
		/* A link, say: nobody named it, so it does not stop the others. */
		o->refused += wanted;
		if (wanted)
			log_warn("not imported: %s", why.msg);
		err_clear(&why);
	}
	return 0;
}

static int
check_there(const struct repo_list *l, const char *name, struct err *e)
{
	for (size_t i = 0; i < l->n_unsealed; i++)
		if (strcmp(l->unsealed[i], name) == 0)
			return 0;
	if (repo_find_name(l, name) != NULL)
		return err_set(e, ERR_USAGE, "%s: has a seal: it is a backup already", name);
	return err_set(e, ERR_NOTFOUND, "no archive %s" SUFFIX " without a seal", name);
}

static int
add_named(struct import_order *o, const struct repo *repo, const struct repo_list *l,
    const char *typed, const char *series, struct err *e)
{
	char name[SEAL_NAME_MAX + 1], own[SEAL_NAME_MAX + 1] = IMPORT_SERIES;
	size_t len = strlen(typed);
	const char *stamp;

	if (len > sizeof(SUFFIX) - 1 && strcmp(typed + len - (sizeof(SUFFIX) - 1), SUFFIX) == 0)
		len -= sizeof(SUFFIX) - 1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len > SEAL_NAME_MAX ? 0 : len), typed);
	if (check_there(l, name, e) != 0)
		return -1;
	if ((stamp = stamp_of(name)) != NULL)
		(void)snprintf(own, sizeof(own), "%.*s", (int)(stamp - name - 1), name);
	if (series == NULL)
		series = own;
	struct import_item *it = find_item(o, name);
	if (it == NULL)
		return add_item(o, repo, name, series, true, e);
	it->wanted = true;
	return 0;
}

static int
by_time(const void *x, const void *y)
{
	const struct import_item *a = x, *b = y;
	int c = strcmp(a->series, b->series);

	if (c != 0)
		return c;
	if (a->created.tv_sec != b->created.tv_sec)
		return a->created.tv_sec < b->created.tv_sec ? -1 : 1;
	if (a->created.tv_nsec != b->created.tv_nsec)
		return a->created.tv_nsec < b->created.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* ---- done already? ---- */

int
import_digest(int fd, uint8_t out[SHA256_LEN], struct err *e)
{
	size_t len = 256u << 10;
	uint8_t *room = malloc(len);
	uint64_t at = 0;
	struct sha256 h;
	ssize_t n = -1;

	if (room == NULL)
		return err_nomem(e);
	sha256_init(&h);
	while (stop_check(e) == 0 && (n = io_pread(fd, room, len, at, e)) > 0) {
		sha256_update(&h, room, (size_t)n);
		at += (uint64_t)n;
		n = -1;
	}
	free(room);
	if (n != 0)
		return -1;
	sha256_final(&h, out);
	return 0;
}

static bool
has_name(const struct repo_list *l, const struct import_item *it)
{
	char name[SEAL_NAME_MAX + 1];
	uint8_t digest[SHA256_LEN];

	for (size_t i = 0; i < l->n; i++)
		if (of_series(&l->backups[i], it->series) &&
		    repo_source_parse(l->backups[i].seal.source, name, digest) &&
		    strcmp(name, it->name) == 0)
			return true;
	return false;
}

/* Reading an archive to hash it is spared where no seal has its name. */
static int
look_for_done(
    const struct repo *repo, const struct repo_list *l, struct import_item *it, struct err *e)
{
	if (!has_name(l, it))
		return 0;
	int fd = repo_open_part(repo, REPO_ARCHIVE, it->name, e);
	if (fd < 0)
		return -1;
	int rc = import_digest(fd, it->digest, e);
	(void)close(fd);
	if (rc != 0)
		return err_where(e, "%s" SUFFIX, it->name);
	it->is_done = import_order_find(l, it->series, it->digest) != NULL;
	return 0;
}

/* ---- sequences ---- */

static bool
not_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

/* The sequences between which one of this time belongs: above *lo, below *hi (0: no bound). */
static void
bounds(const struct repo_list *l, const struct import_item *it, uint64_t *lo, uint64_t *hi)
{
	*lo = *hi = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		uint64_t seq = b->seal.sequence;
		if (!of_series(b, it->series))
			continue;
		if (import_order_made(b) && not_after(&b->seal.created, &it->created)) {
			if (seq > *lo)
				*lo = seq;
		} else if (*hi == 0 || seq < *hi) {
			*hi = seq;
		}
	}
}

int
import_order_no_room(const struct import_item *it, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "%s" SUFFIX ": series %s has no sequence left below %llu for backups from before; "
	    "import it to a series of its own: manifest import %s --series OTHER",
	    it->name, it->series, (unsigned long long)it->below, it->name);
}

/*
 * A run of archives that belong into one gap, in order: just below its upper end, or from its lower
 * one on where there is no upper.  When not all of them fit, those that are wanted now do, the
 * oldest first: the others were likely made beside backups that are there.
 */
static void
place_run(struct import_item *items, size_t n, uint64_t lo, uint64_t hi)
{
	uint64_t all = 0, wanted = 0, room = hi == 0 ? UINT64_MAX : hi - lo - 1;

	for (size_t i = 0; i < n; i++) {
		all += !items[i].is_done;
		wanted += !items[i].is_done && items[i].wanted;
	}
	bool fits = all <= room;
	uint64_t places = fits ? all : wanted < room ? wanted : room;
	uint64_t next = hi == 0 ? lo + 1 : hi - places;
	for (size_t i = 0; i < n; i++) {
		items[i].below = hi;
		if (items[i].is_done || (!fits && !items[i].wanted) || places == 0)
			continue;
		items[i].sequence = next++;
		places--;
	}
}

static void
place(struct import_order *o, const struct repo_list *l)
{
	for (size_t from = 0, to; from < o->n; from = to) {
		uint64_t lo, hi, next_lo, next_hi;
		bounds(l, &o->items[from], &lo, &hi);
		for (to = from + 1; to < o->n; to++) {
			bounds(l, &o->items[to], &next_lo, &next_hi);
			if (strcmp(o->items[to].series, o->items[from].series) != 0 ||
			    next_lo != lo || next_hi != hi)
				break;
		}
		if (hi != 0 && hi <= lo) /* backups that are no import stand between them */
			hi = lo + 1;
		place_run(&o->items[from], to - from, lo, hi);
	}
}

/* ---- the whole ---- */

static int
collect(struct import_order *o, const struct repo *repo, const struct repo_list *l,
    const char *series, const struct opt_list *names, struct err *e)
{
	if (names->n == 0)
		return add_series(o, repo, l, series != NULL ? series : IMPORT_SERIES, true, e);
	for (size_t i = 0; i < names->n; i++)
		if (add_named(o, repo, l, names->items[i], series, e) != 0)
			return -1;
	/* What is not asked for now keeps its place. */
	for (size_t i = 0, n = o->n; i < n; i++) {
		char of[SEAL_NAME_MAX + 1];
		(void)strcpy(of, o->items[i].series); /* items move */
		if (add_series(o, repo, l, of, false, e) != 0)
			return -1;
	}
	return 0;
}

int
import_order_make(struct import_order *out, const struct repo *repo, const struct repo_list *list,
    const char *series, const struct opt_list *names, struct err *e)
{
	struct import_order o = {0};

	if (collect(&o, repo, list, series, names, e) != 0)
		goto fail;
	if (o.n > 1)
		qsort(o.items, o.n, sizeof(*o.items), by_time);
	for (size_t i = 0; i < o.n; i++)
		if (look_for_done(repo, list, &o.items[i], e) != 0)
			goto fail;
	place(&o, list);
	*out = o;
	return 0;
fail:
	import_order_done(&o);
	return -1;
}

void
import_order_done(struct import_order *o)
{
	free(o->items);
	*o = (struct import_order){0};
}
