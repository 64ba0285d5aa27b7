/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/beneath.h"
#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "restore/dirs.h"
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

struct finish {
	const struct restore_job_ctx *ctx;
	struct restore_load *load;
	struct restore_parent parent;
	bool root_done;
	struct restore_dirs dirs; /* of member number, when loaded */
	uint64_t number;
	bool loaded;
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
			if (!line.is_note && (told = fn(f, m, &line, e)) != 0)
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
apply_dir(struct finish *f, const struct restore_dir *d)
{
	const struct restore_job_ctx *ctx = f->ctx;
	const struct entry *en = &d->en;
	int fd = open_dir(ctx, en->path);

	if (fd < 0) {
		restore_found(
		    ctx->report, en->path, en->path_len, "not restored: %s", restore_why(errno));
		return;
	}
	if (d->lost)
		restore_found(ctx->report, en->path, en->path_len,
		    "its attributes and ACLs are not restored: the archive is damaged there");
	restore_facts_fd(fd, en, en->path, ctx->report);
	restore_count(ctx->report, 0);
	f->root_done |= en->path_len == 0;
	(void)close(fd);
}

/* The directories of the member that the index gave last, which is m. */
static int
load_dirs(struct finish *f, const struct manifest_member *m, struct err *e)
{
	uint64_t number = manifest_tell(restore_load_index(f->load));

	if (f->loaded && f->number == number)
		return 0;
	f->loaded = restore_dirs_load(&f->dirs, f->load, m, e) == 0;
	f->number = number;
	return f->loaded ? 0 : -1;
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
		if (m.kind != MANIFEST_FILES)
			continue;
		if (load_dirs(f, &m, e) != 0)
			return -1;
		for (size_t i = f->dirs.n; i-- > 0;)
			apply_dir(f, &f->dirs.v[i]);
	}
	return 0;
}

/* A selection: each of its directories is looked up.  Neighbours are in one member. */
static int
apply_one(struct finish *f, const char *path, struct err *e)
{
	struct manifest_reader *index = restore_load_index(f->load);
	const struct restore_dir *dir = NULL;
	struct manifest_member m;
	int rc = manifest_seek_path(index, path, strlen(path), e);

	while (rc >= 0 && dir == NULL && (rc = manifest_next(index, &m, e)) == 1) {
		if (m.path == NULL || path_cmp(m.path, m.path_len, path, strlen(path)) > 0)
			break;
		if (m.kind != MANIFEST_FILES)
			continue;
		if (load_dirs(f, &m, e) != 0)
			return -1;
		dir = restore_dirs_find(&f->dirs, path);
	}
	if (rc < 0 && !restore_load_lost(e))
		return -1;
	err_clear(e);
	if (dir != NULL)
		apply_dir(f, dir);
	else
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
	restore_dirs_done(&f.dirs);
	/* It was closed to others at the start; a selection has nothing to say of it. */
	return rc == 0 && !f.root_done ? restore_target_reopen(ctx->target, e) : rc;
}
