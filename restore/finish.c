/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/finish.h"

#include <string.h>

#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "restore/dirs.h"
#include "restore/extract.h"
#include "restore/finish_one.h"
#include "restore/lines.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/target.h"
#include "seal/manifest.h"
#include "seal/section.h"

/*
 * The last pass over a selection: its members once more for hard links, then each directory
 * that the plan names is looked up.  Of all of a backup: finish_all.c.
 */
struct finish {
	struct restore_finish_one one;
	struct restore_load *load;
	struct restore_dirs dirs; /* of member number, when loaded */
	uint64_t number;
	bool loaded;
};

/* ---- hard links ---- */

static int
make_link(struct finish *f, const struct section_line *line, struct err *e)
{
	const struct restore_select *s = f->one.ctx->select;
	const char *place;

	if (line->is_note || line->type != ENTRY_HARDLINK ||
	    !restore_select_match(s, line->path, line->path_len, false) ||
	    (place = restore_select_name(s, line->path)) == NULL)
		return 0;
	return restore_finish_link(&f->one, place, line->link, e);
}

/*
 * Damage in a section was told when its member was restored: what cannot be read here
 * is passed over.
 */
static int
make_member_links(struct finish *f, const struct manifest_member *m, struct err *e)
{
	struct restore_lines lines;
	struct section_line line;
	int rc = -1, made = 0;

	if (restore_lines_open(&lines, f->load, m, e) == 0)
		while ((rc = restore_lines_next(&lines, &line, e)) == 1)
			if ((made = make_link(f, &line, e)) != 0)
				break;
	restore_lines_close(&lines);
	if (made < 0)
		return -1;
	if (rc < 0 && restore_load_lost(e)) {
		err_clear(e);
		rc = 0;
	}
	return rc < 0 ? -1 : 0;
}

static int
make_links(struct finish *f, struct err *e)
{
	struct manifest_member m;
	struct restore_walk w;
	int rc;

	restore_walk_begin(&w, f->one.ctx->plan, restore_load_index(f->load));
	while ((rc = restore_walk_next(&w, &m, e)) != 0) {
		if (stop_check(e) != 0)
			return -1;
		if (rc < 0) {
			if (!restore_load_lost(e))
				return -1;
			err_clear(e);
		} else if (m.kind == MANIFEST_FILES && make_member_links(f, &m, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- directories ---- */

/* The directories of the member that the index gave last, which is m. */
static int
load_dirs(struct finish *f, const struct manifest_member *m, struct err *e)
{
	uint64_t number = manifest_tell(restore_load_index(f->load));

	if (f->loaded && f->number == number)
		return 0;
	f->loaded = restore_dirs_load(&f->dirs, f->load, m, 0, e) == 0;
	f->number = number;
	return f->loaded ? 0 : -1;
}

/* A selection: each of its directories is looked up.  Neighbours are in one member. */
static int
apply_one(struct finish *f, const char *path, struct err *e)
{
	const char *place = restore_select_name(f->one.ctx->select, path);
	struct manifest_reader *index = restore_load_index(f->load);
	const struct restore_dir *dir = NULL;
	struct manifest_member m;
	int rc;

	if (place == NULL)
		return 0;
	rc = manifest_seek_path(index, path, strlen(path), e);
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
		restore_finish_dir(&f->one, dir, place);
	else
		restore_found(f->one.ctx->report, place, strlen(place),
		    "owner, mode and time are not restored: the manifest is damaged there");
	return 0;
}

static int
apply_dirs(struct finish *f, struct err *e)
{
	const struct restore_plan *plan = f->one.ctx->plan;

	for (size_t i = plan->n_dirs; i-- > 0;)
		if (stop_check(e) != 0 || apply_one(f, plan->dirs[i], e) != 0)
			return -1;
	return 0;
}

int
restore_finish(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e)
{
	struct finish f = {.one = {.ctx = ctx, .parent = {.fd = -1}}, .load = l};
	int rc;

	if (ctx->marks != NULL)
		rc = restore_finish_all(&f.one, l, e);
	else if ((rc = make_links(&f, e)) == 0)
		rc = apply_dirs(&f, e);
	restore_parent_done(&f.one.parent);
	restore_dirs_done(&f.dirs);
	return rc;
}
