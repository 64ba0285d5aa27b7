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
#include "restore/mark.h"
#include "restore/place.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/slice.h"
#include "restore/target.h"
#include "seal/section.h"

/*
 * Content of the file that the slice stands at.  1: it is what the manifest says; 0: a finding says
 * that it is not.
 */
static int
prove_content(struct restore_slice *s, const char *place, const struct section_line *line,
    const void **data, size_t *len)
{
	uint8_t digest[SHA256_LEN];
	struct err why = {0};

	if (restore_slice_content(s, data, len, &why) != 0) {
		restore_lost(s->report, place, strlen(place), "not restored: %s", why.msg);
		return 0;
	}
	if (line == NULL || !line->has_sha256)
		return 1;
	sha256_of(*data, *len, digest);
	if (memcmp(digest, line->sha256, SHA256_LEN) == 0)
		return 1;
	restore_lost(
	    s->report, place, strlen(place), "not restored: its content does not match its digest");
	return 0;
}

/* The content, then the facts. */
static int
fill(const struct restore_job_ctx *ctx, int fd, const struct entry *en, const char *place,
    const void *data, size_t len, struct err *e)
{
	if (io_pwrite(fd, data, len, 0, e) != 0) {
		(void)io_close(&fd, NULL);
		return -1;
	}
	restore_facts_fd(fd, en, place, ctx->report);
	return io_close(&fd, e);
}

/* A file of that content.  1: it is there; 0: it is not, which is counted or a finding; -1. */
static int
make_file(const struct restore_job_ctx *ctx, struct restore_parent *p, const struct entry *en,
    const char *place, const void *data, size_t len, struct err *e)
{
	const struct timespec mtime = {(time_t)en->mtime_sec, (long)en->mtime_nsec};
	struct restore_place l;
	int rc = restore_place_begin(&l, p, ctx->target, place, &mtime), fd;

	if (rc == 0)
		return 0;
	if (rc < 0 || (fd = restore_make_file(&l, en)) < 0)
		return restore_not_made(ctx->report, place, e);
	if (fill(ctx, fd, en, place, data, len, e) != 0) {
		restore_place_drop(&l, p, ctx->target, place);
		return err_where(e, "%s", place);
	}
	if (restore_place_end(&l, p, ctx->target, place) != 0)
		return restore_not_made(ctx->report, place, e);
	restore_count(ctx->report, len);
	return 1;
}

static int
make_small(const struct restore_job_ctx *ctx, struct restore_parent *p, struct restore_slice *s,
    const struct entry *en, const char *place, const struct section_line *line, struct err *e)
{
	const void *data;
	size_t len;
	int rc;

	/* Holes are for large files, which have members of their own. */
	if (en->sparse) {
		restore_lost(ctx->report, place, strlen(place),
		    "not restored: a sparse file where there can be none");
		return 0;
	}
	if (prove_content(s, place, line, &data, &len) == 0)
		return 0;
	rc = make_file(ctx, p, en, place, data, len, e);
	if (rc == 1 && line != NULL)
		restore_flags(ctx->report, place, line);
	return rc < 0 ? -1 : 0;
}

/* Of all of a backup the attributes are set here, where the header is at hand. */
static int
make_dir(const struct restore_job_ctx *ctx, struct restore_parent *p, const struct entry *en,
    const char *place, struct err *e)
{
	int rc = restore_make_other(p, ctx->target, place, en, ctx->report, e), dir;
	const char *base;

	if (rc != 1 || ctx->marks == NULL || en->n_xattrs == 0 || !restore_mark_at_once(en))
		return rc;
	if ((dir = restore_parent(p, ctx->target, place, &base)) >= 0)
		restore_facts_xattrs_at(dir, base, en, place, ctx->report);
	return 1;
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
	if (en->type == ENTRY_DIR)
		return make_dir(ctx, p, en, place, e) < 0 ? -1 : 0;
	return restore_make_other(p, ctx->target, place, en, ctx->report, e) < 0 ? -1 : 0;
}

/* ---- a member that is lost ---- */

/* What has no content is all in its line, but for attributes. */
static int
make_from_line(const struct restore_job_ctx *ctx, struct restore_parent *p,
    const struct section_line *line, const char *place, const char *why, struct err *e)
{
	const struct entry en = section_entry(line);

	if (line->has_xattrs)
		restore_found(ctx->report, place, strlen(place),
		    "its attributes and ACLs are not restored: %s", why);
	if (line->type == ENTRY_FILE) /* an empty one, whose content needs no proof */
		return make_file(ctx, p, &en, place, NULL, 0, e) < 0 ? -1 : 0;
	return restore_make_other(p, ctx->target, place, &en, ctx->report, e) < 0 ? -1 : 0;
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
	restore_lost(ctx->report, place, strlen(place), "not restored: %s", why);
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
		restore_lost(ctx->report, m->path, m->path_len,
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
    const struct manifest_member *m, uint8_t *mark, struct err *e)
{
	const struct buf *text, *plain;
	const struct section_line *line;
	struct restore_slice slice;
	struct entry en;
	uint8_t seen = RESTORE_SEEN;
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
	while ((rc = restore_slice_next(&slice, &en, &line, &told, e)) == 1) {
		seen |= restore_mark_of(&en);
		if (make_entry(ctx, p, &slice, &en, line, e) != 0)
			break;
	}
	if (mark != NULL && rc == 0 && slice.agree)
		*mark = seen;
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
