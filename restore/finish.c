/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tarread.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "restore/extract.h"
#include "restore/facts.h"
#include "restore/lines.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/target.h"
#include "seal/manifest.h"
#include "seal/section.h"

struct dir_lines;

struct finish {
	const struct restore_job_ctx *ctx;
	struct restore_load *load;
	struct restore_parent parent;
	bool root_done;
	struct dir_lines *dirs; /* for collect_dir */
	const char *wanted; /* for apply_if_wanted */
	bool found;
};

/* Called for each line of a section; 1 when that is enough, -1 with *e to stop. */
typedef int (*line_fn)(struct finish *f, const struct manifest_member *m,
    const struct section_line *line, struct err *e);

/*
 * Damage in a section was told when its member was restored: what cannot be read here
 * is passed over.
 */
static int
each_line(struct finish *f, const struct manifest_member *m, line_fn fn, struct err *e)
{
	struct restore_lines lines;
	struct section_line line;
	int rc = -1, told = 0;

	if (restore_lines_open(&lines, f->load, m, e) == 0)
		while ((rc = restore_lines_next(&lines, &line, e)) == 1)
			if ((told = fn(f, m, &line, e)) != 0)
				break;
	restore_lines_close(&lines);
	if (told < 0)
		return -1;
	if (rc < 0 && restore_load_lost(e)) {
		err_clear(e);
		rc = 0;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- hard links ---- */

static int
make_link(struct finish *f, const struct manifest_member *m, const struct section_line *line,
    struct err *e)
{
	const struct restore_job_ctx *ctx = f->ctx;
	const char *place, *target, *from_base, *base;
	int from, dir, rc;

	(void)m;
	if (line->type != ENTRY_HARDLINK ||
	    !restore_select_match(ctx->select, line->path, line->path_len, false))
		return 0;
	place = line->path;
	target = restore_select_place(ctx->select, line->link, line->link_len, false);
	if (target == NULL || strcmp(target, place) == 0)
		return 0; /* it is the file itself, under this name */
	if ((from = beneath_parent(ctx->target->fd, target, &from_base)) < 0) {
		restore_found(ctx->report, place, line->path_len,
		    "not restored: nor is %s, which it is a name of", target);
		return 0;
	}
	dir = restore_parent(&f->parent, ctx->target, place, &base);
	rc = dir < 0 ? -1 : linkat(from, from_base, dir, base, 0);
	if (rc == 0)
		restore_count(ctx->report, 0);
	else if (restore_is_fatal(errno, place, e))
		rc = -2;
	else
		restore_found(ctx->report, place, line->path_len,
		    "not restored as a name of %s: %s", target, restore_why(errno));
	(void)close(from);
	return rc == -2 ? -1 : 0;
}

static int
make_links(struct finish *f, struct err *e)
{
	struct manifest_member m;
	struct restore_walk w;
	int rc;

	restore_walk_begin(&w, f->ctx->plan, restore_load_index(f->load));
	while ((rc = restore_walk_next(&w, &m, e)) != 0) {
		if (stop_check(e) != 0)
			return -1;
		if (rc < 0) {
			if (!restore_load_lost(e))
				return -1;
			err_clear(e);
		} else if (m.kind == MANIFEST_FILES && each_line(f, &m, make_link, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- directories ---- */

static void
entry_of_line(const struct section_line *line, struct entry *en)
{
	*en = (struct entry){.type = line->type,
	    .path = line->path,
	    .path_len = line->path_len,
	    .mode = line->mode,
	    .uid = line->uid,
	    .gid = line->gid,
	    .mtime_sec = line->mtime_sec,
	    .mtime_nsec = line->mtime_nsec};
}

/*
 * Where the archive is damaged and the manifest is not, a directory may be missing
 * still: its line is all that it takes.
 */
static int
open_dir(const struct restore_job_ctx *ctx, const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	int fd = beneath_open(ctx->target->fd, path, flags, 0), dir;
	const char *base;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if ((dir = beneath_make_parent(ctx->target->fd, path, &base)) < 0)
		return -1;
	(void)mkdirat(dir, base, 0700); /* the open tells */
	(void)close(dir);
	return beneath_open(ctx->target->fd, path, flags, 0);
}

static void
apply_dir(struct finish *f, const struct entry *en)
{
	const struct restore_job_ctx *ctx = f->ctx;
	int fd = open_dir(ctx, en->path);

	if (fd < 0) {
		restore_found(
		    ctx->report, en->path, en->path_len, "not restored: %s", restore_why(errno));
		return;
	}
	restore_facts_fd(fd, en, en->path, ctx->report);
	restore_count(ctx->report, 0);
	f->root_done |= en->path_len == 0;
	(void)close(fd);
}

/*
 * Attributes and ACLs stand in the tar header only.  Directories that have some are
 * rare enough to read their member once more.
 */
static int
apply_from_tar(struct finish *f, const struct manifest_member *m, const char *path, struct err *e)
{
	const struct buf *plain = restore_load_member(f->load, m, e);
	struct tar_reader *tar = NULL;
	struct entry en;
	int rc = -1;

	if (plain != NULL && tar_reader_new_mem(&tar, plain->data, plain->len, e) == 0)
		while ((rc = tar_read_next(tar, &en, e)) == 1)
			if (en.type == ENTRY_DIR && strcmp(en.path, path) == 0) {
				apply_dir(f, &en);
				break;
			}
	tar_reader_free(tar);
	return rc == 1 ? 0 : -1;
}

/* A directory's line, kept while its section is gone over backwards. */
struct dir_line {
	char *path;
	struct section_line line; /* its path points at path; nothing else is borrowed */
};

struct dir_lines {
	struct dir_line *v;
	size_t n, cap;
};

static void
dir_lines_done(struct dir_lines *d)
{
	while (d->n > 0)
		free(d->v[--d->n].path);
	free(d->v);
	*d = (struct dir_lines){0};
}

static int
keep_dir(struct dir_lines *d, const struct section_line *line, struct err *e)
{
	size_t cap = d->cap == 0 ? 64 : 2 * d->cap;
	struct dir_line *more;

	if (d->n == d->cap) {
		if ((more = reallocarray(d->v, cap, sizeof(*more))) == NULL)
			return err_nomem(e);
		d->v = more;
		d->cap = cap;
	}
	d->v[d->n].line = *line;
	if ((d->v[d->n].path = strdup(line->path)) == NULL)
		return err_nomem(e);
	d->v[d->n].line.path = d->v[d->n].path;
	d->n++;
	return 0;
}

static int
collect_dir(struct finish *f, const struct manifest_member *m, const struct section_line *line,
    struct err *e)
{
	(void)m;
	return line->type == ENTRY_DIR ? keep_dir(f->dirs, line, e) : 0;
}

static int
apply_line(struct finish *f, const struct manifest_member *m, const struct section_line *line,
    struct err *e)
{
	struct entry en;

	if (line->has_xattrs) {
		if (apply_from_tar(f, m, line->path, e) == 0)
			return 0;
		if (!restore_load_lost(e) && e->kind != ERR_NONE)
			return -1;
		restore_found(f->ctx->report, line->path, line->path_len,
		    "its attributes and ACLs are not restored: the archive is damaged there");
		err_clear(e);
	}
	entry_of_line(line, &en);
	apply_dir(f, &en);
	return 0;
}

static int
apply_member(struct finish *f, const struct manifest_member *m, struct err *e)
{
	struct dir_lines dirs = {0};
	int rc;

	f->dirs = &dirs;
	rc = each_line(f, m, collect_dir, e);
	while (rc == 0 && dirs.n > 0) {
		dirs.n--;
		rc = apply_line(f, m, &dirs.v[dirs.n].line, e);
		free(dirs.v[dirs.n].path);
	}
	f->dirs = NULL;
	dir_lines_done(&dirs);
	return rc;
}

/* Everything: members from the last to the first. */
static int
apply_all(struct finish *f, struct err *e)
{
	struct manifest_reader *index = restore_load_index(f->load);
	uint64_t number = manifest_totals(index).members;
	struct manifest_member m;

	while (number-- > 0) {
		if (stop_check(e) != 0)
			return -1;
		if (manifest_seek(index, number, e) != 0 || manifest_next(index, &m, e) != 1) {
			if (!restore_load_lost(e))
				return -1;
			err_clear(e); /* told before */
			continue;
		}
		if (m.kind == MANIFEST_FILES && apply_member(f, &m, e) != 0)
			return -1;
	}
	return 0;
}

static int
apply_if_wanted(struct finish *f, const struct manifest_member *m, const struct section_line *line,
    struct err *e)
{
	if (line->type != ENTRY_DIR || strcmp(line->path, f->wanted) != 0)
		return 0;
	f->found = true;
	return apply_line(f, m, line, e) == 0 ? 1 : -1;
}

/* A selection: each of its directories is looked up. */
static int
apply_one(struct finish *f, const char *path, struct err *e)
{
	struct manifest_reader *index = restore_load_index(f->load);
	struct manifest_member m;
	int rc;

	f->wanted = path;
	f->found = false;
	rc = manifest_seek_path(index, path, strlen(path), e);
	while (rc >= 0 && !f->found && (rc = manifest_next(index, &m, e)) == 1) {
		if (m.path == NULL || path_cmp(m.path, m.path_len, path, strlen(path)) > 0)
			break;
		if (m.kind == MANIFEST_FILES && each_line(f, &m, apply_if_wanted, e) != 0)
			return -1;
	}
	if (rc < 0 && !restore_load_lost(e))
		return -1;
	err_clear(e);
	if (!f->found)
		restore_found(f->ctx->report, path, strlen(path),
		    "owner, mode and time are not restored: the manifest is damaged there");
	return 0;
}

static int
apply_dirs(struct finish *f, struct err *e)
{
	size_t i;

	if (f->ctx->plan->all)
		return apply_all(f, e);
	for (i = f->ctx->plan->n_dirs; i-- > 0;)
		if (stop_check(e) != 0 || apply_one(f, f->ctx->plan->dirs[i], e) != 0)
			return -1;
	return 0;
}

int
restore_finish(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e)
{
	struct finish f = {.ctx = ctx, .load = l, .parent = {.fd = -1}};
	int rc = make_links(&f, e);

	restore_parent_done(&f.parent);
	if (rc == 0)
		rc = apply_dirs(&f, e);
	/* It was closed to others at the start; a selection has nothing to say of it. */
	return rc == 0 && !f.root_done ? restore_target_reopen(ctx->target, e) : rc;
}
