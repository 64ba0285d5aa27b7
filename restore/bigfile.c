/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bigfile.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"
#include "core/progress.h"
#include "restore/big.h"
#include "restore/extract.h"
#include "restore/facts.h"
#include "restore/load.h"
#include "restore/place.h"
#include "restore/report.h"
#include "restore/target.h"
#include "seal/section.h"

struct restore_bigfile {
	atomic_uint refs;
	struct restore_big *big;
	int fd;
	char *place;
	struct restore_place at;
	bool made; /* it is there, */
	bool good; /* and may stay */
	atomic_bool bad; /* a part is lost: told already */
	struct restore_job_ctx ctx;
};

/* The last one to drop it: what was not found good does not stay. */
void
restore_bigfile_drop(struct restore_bigfile *f)
{
	struct restore_parent parent = {.fd = -1};

	if (f == NULL || atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	if (f->made && !f->good)
		restore_place_drop(&f->at, &parent, f->ctx.target, f->place);
	restore_parent_done(&parent);
	(void)io_close(&f->fd, NULL); /* judged, or given up, before */
	restore_big_free(f->big);
	free(f->place);
	free(f);
}

struct restore_bigfile *
restore_bigfile_share(struct restore_bigfile *f)
{
	(void)atomic_fetch_add(&f->refs, 1);
	return f;
}

const char *
restore_bigfile_path(const struct restore_bigfile *f)
{
	return f->big->en.path;
}

/* ---- making it ---- */

/* 1: the file is made; 0: it is not, which is counted or a finding; -1. */
static int
make_big(struct restore_bigfile *f, struct restore_parent *parent, struct err *e)
{
	const struct entry *en = &f->big->en;
	const struct timespec mtime = {(time_t)en->mtime_sec, (long)en->mtime_nsec};
	int rc = restore_place_begin(&f->at, parent, f->ctx.target, f->place, &mtime);

	if (rc == 0)
		return 0;
	if (rc == 1)
		f->fd = restore_make_file(&f->at, en);
	f->made = f->fd >= 0;
	if (f->made && ftruncate(f->fd, (off_t)en->size) == 0)
		return 1;
	return restore_not_made(f->ctx.report, f->place, e);
}

static int
check_path(const struct restore_big *b, const struct manifest_member *m, struct err *e)
{
	if (strcmp(b->en.path, m->path) == 0)
		return 0;
	return err_set(e, ERR_CORRUPT, "archive and manifest disagree on its path");
}

static int
lost_big(struct restore_report *r, const char *place, struct err *e)
{
	if (!restore_load_lost(e))
		return -1;
	restore_lost(r, place, strlen(place), "not restored: %s", e->msg);
	err_clear(e);
	return 0;
}

int
restore_bigfile_new(struct restore_bigfile **out, const struct restore_job_ctx *ctx,
    struct restore_load *l, struct restore_parent *parent, const struct manifest_member *m,
    const char *place, struct err *e)
{
	const struct buf *plain;
	struct buf copy = {0};
	struct restore_bigfile *f;
	int rc;

	if ((f = calloc(1, sizeof(*f))) == NULL || (f->place = strdup(place)) == NULL) {
		free(f);
		return err_nomem(e);
	}
	f->refs = 1;
	f->fd = -1;
	f->ctx = *ctx;
	if ((plain = restore_load_member(l, m, e)) != NULL)
		buf_append(&copy, plain->data, plain->len);
	if (plain == NULL || buf_check(&copy, e) != 0 || restore_big_new(&f->big, &copy, e) != 0 ||
	    check_path(f->big, m, e) != 0) {
		buf_done(&copy);
		rc = lost_big(ctx->report, place, e);
	} else
		rc = make_big(f, parent, e);
	if (rc == 1)
		*out = f;
	else
		restore_bigfile_drop(f);
	return rc;
}

/* ---- chunks ---- */

#define HOLE_UNIT 65536u

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Length of what comes before the next unit of zeros that starts at a multiple of one. */
static size_t
solid(const uint8_t *data, size_t len, uint64_t offset)
{
	size_t n = (size_t)(-offset % HOLE_UNIT);

	while (n < len && (len - n < HOLE_UNIT || !is_zero(data + n, HOLE_UNIT)))
		n += HOLE_UNIT;
	return n < len ? n : len;
}

/*
 * The file has its length already, so that zeros may stay unwritten: holes that were
 * stored as zeros come back as holes.
 */
static int
write_piece(int fd, const uint8_t *data, size_t len, uint64_t offset, struct err *e)
{
	while (len > 0) {
		size_t n = solid(data, len, offset);

		if (io_pwrite(fd, data, n, offset, e) != 0)
			return -1;
		if (n < len)
			n += HOLE_UNIT;
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

int
restore_bigfile_write(struct restore_bigfile *f, struct restore_load *l,
    const struct manifest_member *m, struct buf *keep, struct err *e)
{
	const struct buf *plain;
	struct restore_pieces p;
	const uint8_t *data;
	uint64_t offset;
	size_t len;

	if (atomic_load(&f->bad))
		return 0;
	plain = restore_load_member(l, m, e);
	if (plain == NULL || restore_pieces_begin(&p, f->big, m, plain, e) != 0) {
		if (!restore_load_lost(e))
			return -1;
		if (!atomic_exchange(&f->bad, true))
			restore_lost(
			    f->ctx.report, f->place, strlen(f->place), "not restored: %s", e->msg);
		err_clear(e);
		return 0;
	}
	while (restore_pieces_next(&p, &offset, &data, &len))
		if (write_piece(f->fd, data, len, offset, e) != 0)
			return err_where(e, "%s", f->place);
	restore_load_take(l, keep);
	progress_add(m->plain_len, 0);
	return 0;
}

int
restore_bigfile_hash(struct restore_bigfile *f, const struct manifest_member *m,
    const struct buf *plain, struct err *e)
{
	return atomic_load(&f->bad) ? 0 : restore_big_hash(f->big, m, plain, e);
}

/* ---- its end ---- */

/* The line of a large file; false when its section is lost, which is a finding. */
static bool
big_line(const struct restore_bigfile *f, struct restore_load *l, const struct manifest_member *m,
    struct section_parser **p, struct section_line *line)
{
	struct err e = {0};
	const struct buf *text = restore_load_section(l, m, &e);
	const char *what;

	if (text == NULL || section_parser_new(p, text->data, text->len, &e) != 0 ||
	    section_next(*p, line, &e) != 1 || line->is_note ||
	    strcmp(line->path, f->big->en.path) != 0) {
		restore_found(f->ctx.report, m->path, m->path_len,
		    "its line in the manifest is lost%s%s; restored from the archive alone",
		    e.msg[0] != '\0' ? ": " : "", e.msg);
		return false;
	}
	if (!section_matches(line, &f->big->en, &what))
		restore_found(f->ctx.report, m->path, m->path_len,
		    "archive and manifest disagree on its %s", what);
	return true;
}

/* Is the content right?  A finding says so if not. */
static int
judge_big(struct restore_bigfile *f, const struct section_line *line, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (atomic_load(&f->bad))
		return 0;
	if (!restore_big_whole(f->big)) {
		restore_lost(f->ctx.report, f->place, strlen(f->place),
		    "not restored: parts of it are missing");
		return 0;
	}
	if (restore_big_digest(f->big, digest, e) != 0)
		return -1;
	f->good =
	    line == NULL || !line->has_sha256 || memcmp(digest, line->sha256, SHA256_LEN) == 0;
	if (!f->good)
		restore_lost(f->ctx.report, f->place, strlen(f->place),
		    "not restored: its content does not match its digest");
	return 0;
}

/* It is whole. */
static int
put_big(struct restore_bigfile *f, struct err *e)
{
	struct restore_parent parent = {.fd = -1};
	int rc;

	if (io_close(&f->fd, e) != 0) {
		f->good = false;
		return err_where(e, "%s", f->place);
	}
	rc = restore_place_end(&f->at, &parent, f->ctx.target, f->place);
	if (rc == 0)
		restore_count(f->ctx.report, f->big->en.size);
	else
		rc = restore_not_made(f->ctx.report, f->place, e);
	restore_parent_done(&parent);
	return rc;
}

int
restore_bigfile_end(struct restore_bigfile *f, struct restore_load *l,
    const struct manifest_member *m, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;
	bool has_line = !atomic_load(&f->bad) && big_line(f, l, m, &p, &line);
	int rc = judge_big(f, has_line ? &line : NULL, e);

	if (f->good) {
		restore_facts_fd(f->fd, &f->big->en, f->place, f->ctx.report);
		if (has_line)
			restore_flags(f->ctx.report, f->place, &line);
	}
	section_parser_free(p);
	progress_add(0, 1);
	return rc == 0 && f->good ? put_big(f, e) : rc;
}
