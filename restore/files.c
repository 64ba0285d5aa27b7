/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/progress.h"
#include "restore/extract.h"
#include "restore/facts.h"
#include "restore/load.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/slice.h"
#include "restore/target.h"
#include "seal/section.h"

/*
 * Content of the file that the tar reader stands at.  0; 1 when a finding says that the file is no
 * good; -1 when the work cannot go on.
 */
static int
write_content(struct restore_slice *s, int fd, const char *place, const struct section_line *line,
    struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 hash;
	const void *data;
	uint64_t offset;
	size_t len;
	int rc;

	sha256_init(&hash);
	while ((rc = restore_slice_data(s, &data, &len, &offset, e)) == 1) {
		sha256_update(&hash, data, len);
		if (io_pwrite(fd, data, len, offset, e) != 0)
			return err_where(e, "%s", place);
	}
	if (rc < 0) {
		restore_found(s->report, place, strlen(place), "not restored: %s", e->msg);
		err_clear(e);
		return 1;
	}
	sha256_final(&hash, digest);
	if (line != NULL && line->has_sha256 && memcmp(digest, line->sha256, SHA256_LEN) != 0) {
		restore_found(s->report, place, strlen(place),
		    "not restored: its content does not match its digest");
		return 1;
	}
	return 0;
}

static int
make_small(const struct restore_job_ctx *ctx, struct restore_parent *p, struct restore_slice *s,
    const struct entry *en, const char *place, const struct section_line *line, struct err *e)
{
	const char *base;
	int fd, rc;

	/* Holes are for large files, which have members of their own. */
	if (en->sparse) {
		restore_found(ctx->report, place, strlen(place),
		    "not restored: a sparse file where there can be none");
		return 0;
	}
	fd = restore_make_file(p, ctx->target, place);
	if (fd < 0) {
		if (restore_is_fatal(errno, place, e))
			return -1;
		restore_found(
		    ctx->report, place, strlen(place), "not restored: %s", restore_why(errno));
		return 0;
	}
	rc = write_content(s, fd, place, line, e);
	if (rc == 0) {
		restore_facts_fd(fd, en, place, ctx->report);
		restore_count(ctx->report, en->size);
		if (line != NULL)
			restore_flags(ctx->report, place, line);
	} else if (restore_parent(p, ctx->target, place, &base) >= 0)
		(void)unlinkat(p->fd, base, 0);
	if (io_close(&fd, rc == 0 ? e : NULL) != 0 && rc == 0)
		return err_where(e, "%s", place);
	return rc < 0 ? -1 : 0;
}

static int
make_entry(const struct restore_job_ctx *ctx, struct restore_parent *p, struct restore_slice *s,
    const struct entry *en, const struct section_line *line, struct err *e)
{
	const char *place =
	    restore_select_place(ctx->select, en->path, en->path_len, en->type == ENTRY_DIR);

	if (place == NULL || en->type == ENTRY_HARDLINK)
		return 0;
	if (en->type == ENTRY_FILE)
		return make_small(ctx, p, s, en, place, line, e);
	return restore_make_other(p, ctx->target, place, en, ctx->report, e);
}

/* ---- a member that is lost ---- */

/* An empty file, whose content needs no proof. */
static int
make_empty(const struct restore_job_ctx *ctx, struct restore_parent *p, const struct entry *en,
    const char *place, struct err *e)
{
	int fd = restore_make_file(p, ctx->target, place);

	if (fd < 0 && restore_is_fatal(errno, place, e))
		return -1;
	if (fd < 0) {
		restore_found(
		    ctx->report, place, strlen(place), "not restored: %s", restore_why(errno));
		return 0;
	}
	restore_facts_fd(fd, en, place, ctx->report);
	restore_count(ctx->report, 0);
	return io_close(&fd, e) == 0 ? 0 : err_where(e, "%s", place);
}

/* What has no content is all in its line, but for attributes. */
static int
make_from_line(const struct restore_job_ctx *ctx, struct restore_parent *p,
    const struct section_line *line, const char *place, const char *why, struct err *e)
{
	const struct entry en = section_entry(line);

	if (line->has_xattrs)
		restore_found(ctx->report, place, strlen(place),
		    "its attributes and ACLs are not restored: %s", why);
	if (line->type == ENTRY_FILE)
		return make_empty(ctx, p, &en, place, e);
	return restore_make_other(p, ctx->target, place, &en, ctx->report, e);
}

/* Directories and hard links come from their lines anyhow (finish.c). */
static int
salvage_line(const struct restore_job_ctx *ctx, struct restore_parent *p,
    const struct section_line *line, const char *why, struct err *e)
{
	const char *place;

	if (line->is_note || line->type == ENTRY_DIR || line->type == ENTRY_HARDLINK ||
	    (place = restore_select_place(ctx->select, line->path, line->path_len, false)) == NULL)
		return 0;
	if (line->type != ENTRY_FILE || line->size == 0)
		return make_from_line(ctx, p, line, place, why, e);
	restore_found(ctx->report, place, strlen(place), "not restored: %s", why);
	return 0;
}

/* Without a section there is only the path that the index has. */
static int
salvage(const struct restore_job_ctx *ctx, struct restore_parent *p, const struct buf *text,
    const struct manifest_member *m, const char *why, struct err *e)
{
	struct section_parser *parser = NULL;
	struct section_line line;
	int rc = 0;

	if (text == NULL || section_parser_new(&parser, text->data, text->len, NULL) != 0) {
		restore_found(ctx->report, m->path, m->path_len,
		    "this and what follows in its member of the archive is not restored: %s", why);
		return 0;
	}
	while (rc == 0 && section_next(parser, &line, NULL) == 1)
		rc = salvage_line(ctx, p, &line, why, e);
	section_parser_free(parser);
	return rc;
}

static int
damaged(const struct restore_job_ctx *ctx, struct restore_parent *p, const struct buf *text,
    const struct manifest_member *m, struct err *e)
{
	struct err why = *e;

	if (!restore_load_lost(e))
		return -1;
	err_clear(e);
	return salvage(ctx, p, text, m, why.msg, e);
}

int
restore_files(const struct restore_job_ctx *ctx, struct restore_load *l, struct restore_parent *p,
    const struct manifest_member *m, struct err *e)
{
	const struct buf *text, *plain;
	const struct section_line *line;
	struct restore_slice slice;
	struct entry en;
	bool told;
	int rc;

	if ((text = restore_load_section(l, m, e)) == NULL) {
		if (!restore_load_lost(e))
			return -1;
		restore_found(ctx->report, m->path, m->path_len,
		    "%s; restored from the archive alone", e->msg);
		err_clear(e);
	}
	if ((plain = restore_load_member(l, m, e)) == NULL)
		return damaged(ctx, p, text, m, e);
	if (restore_slice_open(&slice, plain, text, ctx->select, ctx->report, e) != 0)
		return -1;
	while ((rc = restore_slice_next(&slice, &en, &line, &told, e)) == 1)
		if (make_entry(ctx, p, &slice, &en, line, e) != 0)
			break;
	restore_slice_close(&slice);
	progress_add(m->plain_len, m->entries);
	if (rc < 0 && e->kind == ERR_CORRUPT && !told)
		return damaged(ctx, p, NULL, m, e);
	if (rc < 0 && e->kind == ERR_CORRUPT) {
		err_clear(e);
		return 0;
	}
	return rc == 0 ? 0 : -1;
}
