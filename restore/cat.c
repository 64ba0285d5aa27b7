/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/cat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "archive/tarread.h"
#include "core/err.h"
#include "core/io.h"
#include "core/stop.h"
#include "restore/big.h"
#include "restore/extract.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/slice.h"
#include "seal/manifest.h"

struct cat {
	const struct restore_job_ctx *ctx;
	struct restore_load *load;
	struct restore_big *big; /* the large file that is being written, or NULL */
	uint64_t written; /* of it */
	struct manifest_member last; /* its last member so far */
};

int
restore_cat_put(const void *data, size_t len, struct err *e)
{
	struct err why = {0};

	if (io_write(STDOUT_FILENO, data, len, &why) == 0)
		return 0;
	if (why.kind == ERR_SYS && why.sys == EBADF)
		return err_set(e, ERR_SYS, "standard output is closed");
	*e = why;
	return err_where(e, "standard output");
}

static int
put_zeros(struct cat *c, uint64_t to, struct err *e)
{
	static const char zeros[65536];

	while (c->written < to) {
		size_t n =
		    to - c->written < sizeof(zeros) ? (size_t)(to - c->written) : sizeof(zeros);

		if (stop_check(e) != 0 || restore_cat_put(zeros, n, e) != 0)
			return -1;
		c->written += n;
	}
	return 0;
}

/* ---- small files ---- */

static int
put_small(
    struct restore_slice *s, const struct entry *en, const struct section_line *line, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	const void *data;
	size_t len;

	if (restore_slice_content(s, &data, &len, e) != 0)
		return -1;
	sha256_of(data, len, digest);
	if (line != NULL && line->has_sha256 && memcmp(digest, line->sha256, SHA256_LEN) != 0) {
		restore_found(s->report, en->path, en->path_len,
		    "left out: its content does not match its digest");
		return 0;
	}
	restore_count(s->report, len);
	return restore_cat_put(data, len, e);
}

static int
put_entry(struct cat *c, struct restore_slice *s, const struct entry *en,
    const struct section_line *line, struct err *e)
{
	const char *place =
	    restore_select_place(c->ctx->select, en->path, en->path_len, en->type == ENTRY_DIR);

	if (place == NULL)
		return 0;
	if (en->type == ENTRY_FILE)
		return put_small(s, en, line, e);
	/* A link's data comes under the name that holds it; of a directory come the files. */
	if (en->type != ENTRY_DIR && en->type != ENTRY_HARDLINK)
		restore_found(
		    c->ctx->report, en->path, en->path_len, "left out: not a regular file");
	return 0;
}

/* Say which file it is that ends the stream: the first one in the member that is wanted. */
static int
blame(struct cat *c, const struct buf *text, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;
	const char *place = NULL;

	if (e->kind != ERR_CORRUPT || text == NULL ||
	    section_parser_new(&p, text->data, text->len, NULL) != 0)
		return -1;
	while (place == NULL && section_next(p, &line, NULL) == 1)
		if (!line.is_note && line.type == ENTRY_FILE)
			place =
			    restore_select_place(c->ctx->select, line.path, line.path_len, false);
	if (place != NULL)
		(void)err_where(e, "%s", place);
	section_parser_free(p);
	return -1;
}

static int
put_files(struct cat *c, const struct manifest_member *m, struct err *e)
{
	const struct buf *text = restore_load_section(c->load, m, e), *plain;
	const struct section_line *line;
	struct restore_slice s;
	struct entry en;
	bool told;
	int rc;

	if (text == NULL) {
		if (e->kind != ERR_CORRUPT)
			return -1;
		err_clear(e); /* the archive's own digest still proves the content */
	}
	if ((plain = restore_load_member(c->load, m, e)) == NULL ||
	    restore_slice_open(&s, plain, text, c->ctx->select, c->ctx->report, e) != 0)
		return blame(c, text, e);
	while ((rc = restore_slice_next(&s, &en, &line, &told, e)) == 1)
		if (put_entry(c, &s, &en, line, e) != 0)
			break;
	restore_slice_close(&s);
	return rc == 0 ? 0 : -1;
}

/* ---- large files ---- */

static int
check_digest(struct cat *c, bool *holds, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct section_parser *p = NULL;
	struct section_line line;
	const struct buf *text = restore_load_section(c->load, &c->last, NULL);

	*holds = true;
	if (restore_big_digest(c->big, digest, e) != 0)
		return -1;
	if (text != NULL && section_parser_new(&p, text->data, text->len, NULL) == 0 &&
	    section_next(p, &line, NULL) == 1 && line.has_sha256)
		*holds = memcmp(digest, line.sha256, SHA256_LEN) == 0;
	section_parser_free(p);
	return 0;
}

static int
end_big(struct cat *c, struct err *e)
{
	const struct entry *en;
	bool holds;
	int rc;

	if (c->big == NULL)
		return 0;
	en = &c->big->en;
	if (!restore_big_whole(c->big))
		return err_set(e, ERR_CORRUPT, "%s: parts of it are missing", en->path);
	rc = put_zeros(c, en->size, e);
	if (rc == 0)
		rc = check_digest(c, &holds, e);
	if (rc == 0 && !holds)
		restore_found(c->ctx->report, en->path, en->path_len,
		    "written, but its content does not match its digest");
	else if (rc == 0)
		restore_count(c->ctx->report, en->size);
	restore_big_free(c->big);
	c->big = NULL;
	return rc;
}

static int
begin_big(struct cat *c, const struct manifest_member *m, struct err *e)
{
	const struct buf *plain;
	struct buf copy = {0};
	int rc;

	if (restore_select_place(c->ctx->select, m->path, m->path_len, false) == NULL)
		return 0;
	if ((plain = restore_load_member(c->load, m, e)) == NULL)
		return err_where(e, "%s", m->path);
	buf_append(&copy, plain->data, plain->len);
	rc = buf_check(&copy, e);
	if (rc == 0)
		rc = restore_big_new(&c->big, &copy, e);
	buf_done(&copy);
	c->written = 0;
	c->last = *m;
	return rc;
}

static int
put_chunk(struct cat *c, const struct manifest_member *m, struct err *e)
{
	const struct buf *plain;
	struct restore_pieces p;
	const uint8_t *data;
	uint64_t offset;
	size_t len;

	if (c->big == NULL)
		return 0;
	c->last = *m;
	if ((plain = restore_load_member(c->load, m, e)) == NULL ||
	    restore_big_hash(c->big, m, plain, e) != 0 ||
	    restore_pieces_begin(&p, c->big, m, plain, e) != 0)
		return err_where(e, "%s", m->path);
	while (restore_pieces_next(&p, &offset, &data, &len)) {
		if (put_zeros(c, offset, e) != 0 || restore_cat_put(data, len, e) != 0)
			return -1;
		c->written = offset + len;
	}
	return 0;
}

static int
put_member(struct cat *c, const struct manifest_member *m, struct err *e)
{
	if (m->kind == MANIFEST_CHUNK)
		return put_chunk(c, m, e);
	if (end_big(c, e) != 0)
		return -1;
	if (m->kind == MANIFEST_HEADER)
		return begin_big(c, m, e);
	return m->kind == MANIFEST_FILES ? put_files(c, m, e) : 0;
}

int
restore_cat(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e)
{
	struct cat c = {.ctx = ctx, .load = l};
	struct manifest_member m;
	struct restore_walk w;
	int rc;

	restore_walk_begin(&w, ctx->plan, restore_load_index(l));
	while ((rc = restore_walk_next(&w, &m, e)) == 1)
		/* Whoever reads the stream could not tell what is missing: damage ends it. */
		if (stop_check(e) != 0 || put_member(&c, &m, e) != 0) {
			rc = -1;
			break;
		}
	if (rc == 0)
		rc = end_big(&c, e);
	restore_big_free(c.big);
	return rc;
}
