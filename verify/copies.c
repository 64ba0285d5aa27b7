/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/copies.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/stop.h"
#include "store/repo.h"
#include "verify/opts.h"
#include "verify/pick.h"
#include "verify/report.h"

#define PIECE (256u << 10)
#define OPEN_MAX_HERE 8

/* Another backup whose word counts. */
struct other {
	const struct repo_backup *backup;
	bool is_near; /* of the same series */
	uint64_t distance; /* in sequence numbers */
	bool bad; /* it could not be opened */
};

/* One that is open. */
struct opened {
	struct other *other; /* NULL: free */
	struct manifest_reader *reader;
	int manifest_fd, archive_fd;
	uint64_t used;
};

struct verify_copies {
	struct verify_copies_of of;
	struct other *others; /* the nearest first */
	size_t n;
	struct opened open[OPEN_MAX_HERE];
	uint64_t clock; /* for used */
	uint8_t *piece;
	size_t members, intact, looks;
	bool full;
	struct verify_intact all; /* those that hold each member so far */
};

/* ---- whom to ask ---- */

/* Copies stand in the nights beside it most likely. */
static int
compare(const void *a, const void *b)
{
	const struct other *x = a, *y = b;

	if (x->is_near != y->is_near)
		return x->is_near ? -1 : 1;
	if (x->is_near && x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return (x->backup > y->backup) - (x->backup < y->backup);
}

static void
list_others(struct verify_copies *c)
{
	const struct repo_backup *ours = c->of.backup;

	for (size_t i = 0; i < c->of.list->n; i++) {
		const struct repo_backup *b = &c->of.list->backups[i];
		uint64_t x = b->seal.sequence, y = ours->seal.sequence;

		if (b == ours || !verify_vouched(b, c->of.opts))
			continue;
		c->others[c->n++] = (struct other){.backup = b,
		    .is_near = strcmp(b->seal.series, ours->seal.series) == 0,
		    .distance = x > y ? x - y : y - x};
	}
	if (c->n > 0)
		qsort(c->others, c->n, sizeof(*c->others), compare);
}

int
verify_copies_new(struct verify_copies **out, const struct verify_copies_of *of, struct err *e)
{
	struct verify_copies *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->others = calloc(of->list->n + 1, sizeof(*c->others))) == NULL ||
	    (c->piece = malloc(PIECE)) == NULL) {
		verify_copies_free(c);
		return err_nomem(e);
	}
	c->of = *of;
	list_others(c);
	*out = c;
	return 0;
}

static void
close_one(struct opened *o)
{
	if (o->other == NULL)
		return;
	manifest_reader_free(o->reader);
	if (o->manifest_fd >= 0)
		(void)close(o->manifest_fd);
	if (o->archive_fd >= 0)
		(void)close(o->archive_fd);
	*o = (struct opened){0};
}

void
verify_copies_free(struct verify_copies *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < OPEN_MAX_HERE; i++)
		close_one(&c->open[i]);
	free(c->others);
	free(c->piece);
	free(c);
}

static int
open_files(const struct verify_copies *c, struct opened *o, struct err *e)
{
	const struct repo_backup *b = o->other->backup;

	o->archive_fd = repo_open_part(c->of.repo, REPO_ARCHIVE, b->name, e);
	if (o->archive_fd < 0)
		return -1;
	o->manifest_fd = repo_open_part(c->of.repo, REPO_MANIFEST, b->name, e);
	if (o->manifest_fd < 0)
		return -1;
	return manifest_reader_new(&o->reader, o->manifest_fd, &b->seal, e);
}

/* *out stays NULL for one that cannot be opened, which holds nothing then.  -1: memory. */
static int
open_one(struct verify_copies *c, struct other *other, struct opened **out, struct err *e)
{
	struct opened *o = &c->open[0];
	struct err why = {0};

	for (size_t i = 0; i < OPEN_MAX_HERE; i++) {
		if (c->open[i].other == other) {
			*out = &c->open[i];
			return 0;
		}
		if (c->open[i].used < o->used)
			o = &c->open[i];
	}
	close_one(o);
	*o = (struct opened){.other = other, .manifest_fd = -1, .archive_fd = -1};
	if (open_files(c, o, &why) == 0) {
		*out = o;
		return 0;
	}
	close_one(o);
	other->bad = true;
	return err_is_ours(&why) ? err_pass(e, &why) : 0;
}

/* ---- looking ---- */

static bool
same_path(const struct manifest_member *a, const struct manifest_member *b)
{
	return a->path != NULL && b->path != NULL && a->path_len == b->path_len &&
	    memcmp(a->path, b->path, a->path_len) == 0;
}

/* The member of that number: 1, 0, -1. */
static int
member_at(struct manifest_reader *r, uint64_t number, struct manifest_member *m, struct err *e)
{
	return manifest_seek(r, number, e) < 0 ? -1 : manifest_next(r, m, e);
}

/*
 * A chunk behind the header that was given last.  Chunks ascend, and none but holes lack before it,
 * so it has at most that number: there it is, but for a file with holes.
 */
static int
find_chunk(struct manifest_reader *r, const struct manifest_member *want, struct manifest_member *m,
    struct err *e)
{
	uint64_t low = manifest_tell(r) + 1, last = manifest_totals(r).members - 1;
	uint64_t high = want->file_offset / CUT_CHUNK, at;

	if (low > last)
		return 0;
	high = high < last - low ? low + high : last;
	for (at = high; low <= high; at = low + (high - low) / 2) {
		int rc = member_at(r, at, m, e);

		if (rc <= 0)
			return rc;
		if (!same_path(m, want) || m->file_offset > want->file_offset)
			high = at - 1;
		else if (m->file_offset < want->file_offset)
			low = at + 1;
		else
			return 1;
	}
	return 0;
}

/* The member at the same place in another archive: 1, 0, -1. */
static int
find_member(struct manifest_reader *r, const struct manifest_member *want,
    struct manifest_member *m, struct err *e)
{
	int rc;

	if (want->path == NULL)
		return member_at(r, manifest_totals(r).members - 1, m, e);
	if (manifest_seek_path(r, want->path, want->path_len, e) < 0)
		return -1;
	rc = manifest_next(r, m, e);
	if (rc <= 0 || !same_path(m, want))
		return rc < 0 ? -1 : 0;
	if (want->kind != MANIFEST_CHUNK)
		return 1;
	return m->kind == MANIFEST_HEADER ? find_chunk(r, want, m, e) : 0;
}

/* The same packed bytes, or others that unpack to the same. */
static bool
is_same(const struct manifest_member *a, const struct manifest_member *b)
{
	return a->kind == b->kind &&
	    (memcmp(a->packed_digest, b->packed_digest, SHA256_LEN) == 0 ||
		(a->plain_len == b->plain_len &&
		    memcmp(a->plain_digest, b->plain_digest, SHA256_LEN) == 0));
}

/* Read it: 1 when it is what its index says, 0, -1. */
static int
is_intact(
    struct verify_copies *c, const struct opened *o, const struct manifest_member *m, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 h;
	ssize_t n;

	sha256_init(&h);
	for (uint64_t at = 0; at < m->packed_len; at += (uint64_t)n) {
		uint64_t left = m->packed_len - at;

		if (stop_check(e) < 0)
			return -1;
		n = io_pread(o->archive_fd, c->piece, left < PIECE ? (size_t)left : PIECE,
		    m->offset + at, e);
		if (n <= 0)
			return n < 0 ? -1 : 0;
		sha256_update(&h, c->piece, (size_t)n);
	}
	sha256_final(&h, digest);
	return memcmp(digest, m->packed_digest, SHA256_LEN) == 0;
}

/* What cannot be read there is no copy: 1, 0, -1 for memory and a stop. */
static int
ask(struct verify_copies *c, struct other *other, const struct manifest_member *want, struct err *e)
{
	struct opened *o = NULL;
	struct manifest_member m;
	struct err why = {0};
	int rc;

	if (other->bad)
		return 0;
	if (open_one(c, other, &o, e) < 0)
		return -1;
	if (o == NULL)
		return 0;
	o->used = ++c->clock;
	c->looks++;
	rc = find_member(o->reader, want, &m, &why);
	if (rc == 1)
		rc = is_same(&m, want) ? is_intact(c, o, &m, &why) : 0;
	if (rc < 0 && err_is_ours(&why))
		return err_pass(e, &why);
	return rc == 1;
}

/* ---- all of them ---- */

static bool
has_name(const struct verify_intact *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->names[i] == name)
			return true;
	return false;
}

/* Which backups hold all that is damaged? */
static void
count(struct verify_copies *c, const struct verify_intact *in)
{
	size_t kept = 0;

	if (c->members++ == 0)
		c->all = *in;
	for (size_t i = 0; i < c->all.n; i++)
		if (has_name(in, c->all.names[i]))
			c->all.names[kept++] = c->all.names[i];
	c->all.n = kept;
	c->intact += in->n > 0;
}

int
verify_copies_find(struct verify_copies *c, const struct manifest_member *m,
    struct verify_intact *out, struct err *e)
{
	*out = (struct verify_intact){0};
	c->full |= c->members == VERIFY_COPIES_MEMBERS || c->looks >= VERIFY_COPIES_LOOKS;
	if (c->full)
		return 0;
	out->asked = true;
	for (size_t i = 0; i < c->n && out->n < VERIFY_INTACT_MAX; i++) {
		int rc = stop_check(e) < 0 ? -1 : ask(c, &c->others[i], m, e);

		if (rc < 0)
			return -1;
		if (rc == 1)
			out->names[out->n++] = c->others[i].backup->name;
	}
	count(c, out);
	return 0;
}

/* "all 3 damaged members are intact in NAME and 2 more" */
static void
put_sum(const struct verify_copies *c, struct buf *out)
{
	if (c->intact == 0)
		buf_printf(out, "none of %zu damaged members is", c->members);
	else if (c->members == 1)
		buf_puts(out, "the damaged member is");
	else if (c->intact == c->members)
		buf_printf(out, "all %zu damaged members are", c->members);
	else
		buf_printf(out, "%zu of %zu damaged members %s", c->intact, c->members,
		    c->intact == 1 ? "is" : "are");
	buf_puts(out, " intact in ");
	if (c->intact == c->members && c->all.n > 0)
		verify_intact_put(&c->all, out);
	else
		buf_puts(out, c->intact == 0 ? "another backup" : "other backups");
}

void
verify_copies_tell(const struct verify_copies *c, bool all, struct verify_report *r)
{
	struct verify_place place = {.intact = c->all};
	struct buf text = {0};

	if (c->members == 0 || (c->members == 1 && !all))
		return;
	put_sum(c, &text);
	if (c->full)
		buf_puts(&text, "; so many are damaged that no more were looked for");
	/* Those that hold each of them, when there is one. */
	place.intact.asked = c->all.n > 0;
	verify_report_found(r,
	    &(struct verify_finding){.kind = VERIFY_NOTE,
		.code = "intact-copies",
		.text = buf_str(&text),
		.place = &place});
	buf_done(&text);
}
