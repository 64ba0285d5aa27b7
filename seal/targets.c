/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/targets.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "seal/manifest.h"
#include "seal/section.h"

/*
 * Backups of backups are trees of hard links, in an order that has nothing to do with that of
 * their targets: to read an index page and inflate a section for each would take a millisecond
 * a link.
 */
#define KEPT_MAX 256u

struct kept {
	struct buf first; /* path of the section's first entry */
	struct buf text;
	uint64_t used; /* when, by the clock */
};

struct targets {
	struct manifest_reader *reader;
	struct kept kept[KEPT_MAX];
	size_t n, bytes;
	uint64_t clock;
	struct buf needle; /* scratch */
};

void
targets_take(struct targets_content *out, const struct section_line *l)
{
	*out = (struct targets_content){.size = l->size,
	    .has_xattrs = l->has_xattrs,
	    .changed = l->changed,
	    .grew = l->grew,
	    .unreadable = l->n_unreadable > 0};
	memcpy(out->sha256, l->sha256, SHA256_LEN);
	memcpy(out->xattrs, l->xattrs, SHA256_LEN);
}

int
targets_new(struct targets **out, struct manifest_reader *r, struct err *e)
{
	struct targets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_nomem(e);
	t->reader = r;
	*out = t;
	return 0;
}

static void
drop(struct targets *t, size_t i)
{
	struct kept *k = &t->kept[i];

	t->bytes -= k->text.len;
	buf_done(&k->first);
	buf_done(&k->text);
	*k = t->kept[--t->n];
	t->kept[t->n] = (struct kept){0};
}

void
targets_free(struct targets *t)
{
	if (t == NULL)
		return;
	while (t->n > 0)
		drop(t, t->n - 1);
	buf_done(&t->needle);
	free(t);
}

/* ---- in one section ---- */

/* Where the line of the path begins in text; NULL: it has none.  A path is written in one way. */
static const char *
find_line(struct targets *t, const struct buf *text, const char *path, size_t len, struct err *e)
{
	const char *start = (const char *)text->data, *at;
	struct buf *n = &t->needle;

	buf_clear(n);
	buf_putc(n, '\n');
	path_escape_mtree(n, path, len);
	buf_putc(n, ' ');
	if (buf_check(n, e) != 0)
		return NULL;
	if (text->len >= n->len && memcmp(start, n->data + 1, n->len - 1) == 0)
		return start;
	at = text->len > 0 ? memmem(start, text->len, n->data, n->len) : NULL;
	return at != NULL ? at + 1 : NULL;
}

/* Back over the comments that speak of the entry at line. */
static const char *
with_comments(const char *start, const char *line)
{
	while (line > start) {
		const char *before = line - 1;

		while (before > start && before[-1] != '\n')
			before--;
		if (line - before < 3 || memcmp(before, "#: ", 3) != 0)
			break;
		line = before;
	}
	return line;
}

/* 1, 0 when it is not there, -1. */
static int
look_in(struct targets *t, const struct buf *text, const char *path, size_t len,
    struct targets_content *out, struct err *e)
{
	const char *start = (const char *)text->data, *end = start + text->len;
	const char *line = find_line(t, text, path, len, e), *from;
	struct section_parser *p = NULL;
	struct section_line l;
	int rc;

	if (line == NULL)
		return t->needle.failed ? -1 : 0;
	from = with_comments(start, line);
	end = memchr(line, '\n', (size_t)(end - line));
	if (end == NULL)
		return err_set(e, ERR_CORRUPT, "a line without an end");
	rc = section_parser_new(&p, from, (size_t)(end + 1 - from), e);
	if (rc == 0 && (rc = section_next(p, &l, e)) == 1) {
		if (l.is_note || l.type != ENTRY_FILE || l.path_len != len ||
		    memcmp(l.path, path, len) != 0)
			rc = 0;
		else
			targets_take(out, &l);
	}
	section_parser_free(p);
	return rc;
}

/* ---- sections that are kept ---- */

/* The kept section in which the path must be, if it is in one. */
static struct kept *
nearest(struct targets *t, const char *path, size_t len)
{
	struct kept *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		struct kept *k = &t->kept[i];
		const char *first = (const char *)k->first.data;

		if (path_cmp(first, k->first.len, path, len) <= 0 &&
		    (best == NULL ||
			path_cmp(first, k->first.len, (const char *)best->first.data,
			    best->first.len) > 0))
			best = k;
	}
	return best;
}

static void
make_room(struct targets *t, size_t bytes)
{
	while (t->n > 0 && (t->n == KEPT_MAX || t->bytes + bytes > TARGETS_BYTES)) {
		size_t oldest = 0;

		for (size_t i = 1; i < t->n; i++)
			if (t->kept[i].used < t->kept[oldest].used)
				oldest = i;
		drop(t, oldest);
	}
}

/* Read the section of m and keep it. */
static int
keep(struct targets *t, const struct manifest_member *m, struct kept **out, struct err *e)
{
	struct kept k = {.used = ++t->clock};

	buf_append(&k.first, m->path, m->path_len);
	buf_putc(&k.first, '\0');
	k.first.len -= k.first.len > 0;
	if (buf_check(&k.first, e) != 0 || manifest_section(t->reader, m, &k.text, e) != 0) {
		buf_done(&k.first);
		buf_done(&k.text);
		return -1;
	}
	make_room(t, k.text.len);
	t->bytes += k.text.len;
	t->kept[t->n] = k;
	*out = &t->kept[t->n++];
	return 0;
}

/* By the index: 1, 0, -1. */
static int
look_up(struct targets *t, const char *path, size_t len, struct targets_content *out, struct err *e)
{
	struct manifest_member m;
	struct kept *k;
	int rc;

	if (manifest_seek_path(t->reader, path, len, e) != 0)
		return -1;
	while ((rc = manifest_next(t->reader, &m, e)) == 1 && m.kind != MANIFEST_END) {
		int order = path_cmp(m.path, m.path_len, path, len);

		if (order > 0)
			break;
		if (m.section_len == 0 || (m.kind != MANIFEST_FILES && order != 0))
			continue;
		if (keep(t, &m, &k, e) != 0)
			return -1;
		if ((rc = look_in(t, &k->text, path, len, out, e)) != 0)
			return rc;
	}
	return rc < 0 ? -1 : 0;
}

int
targets_find(
    struct targets *t, const char *path, size_t len, struct targets_content *out, struct err *e)
{
	struct kept *k = nearest(t, path, len);
	int rc = 0;

	if (k != NULL && (rc = look_in(t, &k->text, path, len, out, e)) == 1)
		k->used = ++t->clock;
	if (rc == 0)
		rc = look_up(t, path, len, out, e);
	if (rc == 0)
		return err_set(e, ERR_CORRUPT, "hard link to %s, which is no file in it", path);
	return rc < 0 ? -1 : 0;
}
