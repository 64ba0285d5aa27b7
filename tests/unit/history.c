/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/history.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/catalog_fixture.h"

const char *const history_paths[HISTORY_PATHS] = {"", "a", "a/x", "a/y", "a-b", "b", "\377"};
const char *const history_series[HISTORY_SERIES] = {"data", "more"};

static bool
goes_before(const struct history_backup *a, const struct history_backup *b)
{
	return a->series != b->series ? a->series < b->series : a->sequence < b->sequence;
}

struct history_backup *
history_add(struct history *h, const struct history_backup *b)
{
	int at = h->n;

	while (at > 0 && goes_before(b, &h->b[at - 1])) {
		h->b[at] = h->b[at - 1];
		at--;
	}
	h->b[at] = *b;
	h->n++;
	return &h->b[at];
}

void
history_remove(struct history *h, int i)
{
	memmove(&h->b[i], &h->b[i + 1], (size_t)(h->n - i - 1) * sizeof(h->b[0]));
	h->n--;
}

void
history_edit(struct history_backup *b, unsigned *seed)
{
	static const enum entry_type types[] = {
	    ENTRY_FILE, ENTRY_DIR, ENTRY_SYMLINK, ENTRY_HARDLINK};

	for (int p = 0; p < HISTORY_PATHS; p++) {
		struct history_facts *f = &b->facts[p];

		/* Few values, so that a path often comes back to facts that it had before. */
		switch (rand_r(seed) % 12) {
		case 0:
			f->is = !f->is;
			break;
		case 1:
			f->version = (unsigned)rand_r(seed) % 2;
			break;
		case 2:
			f->type = types[rand_r(seed) % 4];
			break;
		case 3:
			f->changed = !f->changed;
			break;
		}
		if (p == 1 && f->type == ENTRY_HARDLINK) /* links lead here */
			f->type = ENTRY_FILE;
		f->changed = f->changed && f->type == ENTRY_FILE;
	}
	b->facts[0].is = true;
	b->facts[0].type = ENTRY_DIR;
}

const char *
history_link(enum entry_type type)
{
	return type == ENTRY_SYMLINK ? "to/where" : type == ENTRY_HARDLINK ? "a" : NULL;
}

static bool
same(const struct history_facts *a, const struct history_facts *b)
{
	return a->is && b->is && a->type == b->type && a->version == b->version &&
	    a->changed == b->changed;
}

/* ---- spans ---- */

/* A run of readable backups, from..to by number, and whether it reaches the ends. */
struct run {
	const struct history_backup *from, *to;
	int path, backups;
	bool from_oldest, to_newest;
};

typedef void (*put_fn)(struct buf *out, const struct run *run);

static void
runs_of_path(const struct history_backup **v, int n, int path, put_fn put, struct buf *out)
{
	for (int i = 0, k; i < n; i = k) {
		k = i + 1;
		if (!v[i]->facts[path].is)
			continue;
		while (k < n && same(&v[i]->facts[path], &v[k]->facts[path]))
			k++;
		put(out,
		    &(struct run){.from = v[i],
			.to = v[k - 1],
			.path = path,
			.backups = k - i,
			.from_oldest = i == 0,
			.to_newest = k == n});
	}
}

static void
all_runs(const struct history *h, put_fn put, struct buf *out)
{
	for (int s = 0; s < HISTORY_SERIES; s++) {
		const struct history_backup *v[HISTORY_BACKUPS];
		int n = 0;

		for (int i = 0; i < h->n; i++)
			if (h->b[i].series == s && h->b[i].readable)
				v[n++] = &h->b[i];
		for (int p = 0; p < HISTORY_PATHS; p++)
			runs_of_path(v, n, p, put, out);
	}
}

static void
put_hex(struct buf *b, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "%02X", data[i] == '/' ? 0 : data[i]);
}

/* ---- rows ---- */

const char history_sql_versions[] =
    "SELECT s.name, hex(v.path), v.first, ifnull(v.last, 'NULL'), v.type, v.mode, v.size,"
    " v.mtime_sec, v.flags, ifnull(CAST(v.link AS TEXT), 'NULL'), hex(v.sha256),"
    " v.uid + v.gid + v.mtime_nsec + ifnull(v.rdev, 0), hex(v.xattrs)"
    " FROM version v JOIN series s ON s.id = v.series ORDER BY s.name, v.path, v.first";

static void
put_row(struct buf *b, const struct run *run)
{
	const struct history_facts *f = &run->from->facts[run->path];
	const char *path = history_paths[run->path], *link = history_link(f->type);
	uint8_t digest[SHA256_LEN];

	buf_printf(b, "%s ", history_series[run->from->series]);
	put_hex(b, (const uint8_t *)path, strlen(path));
	buf_printf(b, " %llu ", (unsigned long long)(run->from_oldest ? 0 : run->from->sequence));
	if (run->to_newest)
		buf_puts(b, "NULL");
	else
		buf_printf(b, "%llu", (unsigned long long)run->to->sequence);
	buf_printf(b, " %d %d %u %u %d %s ", f->type, f->type == ENTRY_DIR ? 0755 : 0644,
	    f->type == ENTRY_FILE ? f->version : 0, 1000000000 + f->version, f->changed,
	    link != NULL ? link : "NULL");
	cf_digest(f->version, digest);
	for (int i = 0; f->type == ENTRY_FILE && i < SHA256_LEN; i++)
		buf_printf(b, "%02X", digest[i]);
	buf_puts(b, " 0 \n");
}

void
history_versions(const struct history *h, struct buf *out)
{
	all_runs(h, put_row, out);
}

const char history_sql_backups[] = "SELECT s.name, b.sequence, b.name, b.readable"
				   " FROM backup b JOIN series s ON s.id = b.series"
				   " ORDER BY s.name, b.sequence";

void
history_backups(const struct history *h, struct buf *out)
{
	for (int i = 0; i < h->n; i++)
		buf_printf(out, "%s %llu %s %d\n", history_series[h->b[i].series],
		    (unsigned long long)h->b[i].sequence, h->b[i].name, h->b[i].readable);
}

/* Also those of no backup, of which there are to be none. */
const char history_sql_verifications[] =
    "SELECT s.name, b.sequence, v.at FROM verification v LEFT JOIN backup b USING (digest)"
    " LEFT JOIN series s ON s.id = b.series ORDER BY s.name, b.sequence, v.at";

void
history_verifications(const struct history *h, struct buf *out)
{
	for (int i = 0; i < h->n; i++)
		for (int k = 0; k < h->b[i].n_checks; k++)
			buf_printf(out, "%s %llu %d\n", history_series[h->b[i].series],
			    (unsigned long long)h->b[i].sequence, h->b[i].checks[k]);
}

static void
put_answer(struct buf *b, const struct run *run)
{
	if (run->from->facts[run->path].type != ENTRY_HARDLINK)
		buf_printf(b, "%s %s %llu %llu %d%s\n", history_series[run->from->series],
		    history_paths[run->path], (unsigned long long)run->from->sequence,
		    (unsigned long long)run->to->sequence, run->backups,
		    run->to_newest ? " now" : "");
}

void
history_answers(const struct history *h, struct buf *out)
{
	all_runs(h, put_answer, out);
}
