/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "restore/clash.h"
#include "restore/lines.h"
#include "restore/load.h"
#include "restore/report.h"
#include "restore/select.h"
#include "seal/manifest.h"
#include "seal/section.h"

struct planner {
	struct restore_plan *plan;
	struct restore_load *load;
	struct restore_select *select;
	struct restore_report *report;
	const struct restore_plan_opts *opts;
	uint64_t big_first; /* where the present large file's header is */
	bool has_header; /* it has been seen */
	bool second; /* the second round: for the targets of hard links alone */
	size_t cap_ranges, cap_dirs;
	struct buf last; /* path of the entry that was taken last */
	struct clash clash; /* of what was taken, where components are stripped */
	char **targets; /* of hard links, to be looked up */
	size_t n_targets;
};

/* Room for one more in an array of n; NULL when there is none. */
static void *
grow(void *array, size_t n, size_t *cap, size_t size)
{
	void *more;

	if (n < *cap)
		return array;
	more = realloc(array, (*cap == 0 ? 16 : 2 * *cap) * size);
	if (more != NULL)
		*cap = *cap == 0 ? 16 : 2 * *cap;
	return more;
}

/* ---- what is noted ---- */

static int
add_range(struct planner *p, uint64_t first, uint64_t last, struct err *e)
{
	struct restore_plan *plan = p->plan;
	struct restore_range *more;

	more = grow(plan->ranges, plan->n_ranges, &p->cap_ranges, sizeof(*more));
	if (more == NULL)
		return err_nomem(e);
	plan->ranges = more;
	more[plan->n_ranges++] = (struct restore_range){first, last - first + 1};
	return 0;
}

static int
add_dir(struct planner *p, const char *path, size_t len, struct err *e)
{
	struct restore_plan *plan = p->plan;
	char **more;

	more = grow(plan->dirs, plan->n_dirs, &p->cap_dirs, sizeof(*more));
	if (more == NULL)
		return err_nomem(e);
	plan->dirs = more;
	if ((more[plan->n_dirs] = strndup(path, len)) == NULL)
		return err_nomem(e);
	plan->n_dirs++;
	return 0;
}

/*
 * The directories on the way to path, and path itself when it is one.  Entries come in
 * order: those that the last one was in, too, are noted already.  The root is one only when it is
 * wanted itself.
 */
static int
add_dirs(struct planner *p, const char *path, bool is_dir, struct err *e)
{
	const char *last = buf_str(&p->last), *end = strchr(path, '/');
	size_t last_len = p->last.len;

	if (*path == '\0' && restore_select_name(p->select, path) != NULL)
		return add_dir(p, path, 0, e);
	if (end == NULL && is_dir)
		end = path + strlen(path);
	while (end != NULL && end > path) {
		size_t len = (size_t)(end - path);

		if (!path_within(last, last_len, path, len) && add_dir(p, path, len, e) != 0)
			return -1;
		if (*end == '\0')
			break;
		end = strchr(end + 1, '/');
		if (end == NULL && is_dir)
			end = path + strlen(path);
	}
	buf_clear(&p->last);
	buf_puts(&p->last, path);
	return buf_check(&p->last, e);
}

static int
add_target(struct planner *p, const char *target, struct err *e)
{
	char **more = realloc(p->targets, (p->n_targets + 1) * sizeof(*more));

	if (more == NULL)
		return err_nomem(e);
	p->targets = more;
	if ((more[p->n_targets] = strdup(target)) == NULL)
		return err_nomem(e);
	p->n_targets++;
	return 0;
}

/* A hard link whose data was not asked for: it is looked for in the second round. */
static int
need_target(struct planner *p, const struct section_line *line, struct err *e)
{
	if (restore_select_place(p->select, line->link, line->link_len, false) != NULL)
		return 0;
	if (restore_select_alias(
		p->select, line->link, restore_select_name(p->select, line->path), e) != 0)
		return -1;
	return add_target(p, line->link, e);
}

/* ---- going through sections ---- */

static bool
wanted(struct planner *p, const struct section_line *line)
{
	if (p->second)
		return restore_select_is_aliased(p->select, line->path);
	return restore_select_hit(p->select, line->path, line->path_len, line->type == ENTRY_DIR);
}

static void
take_note(struct planner *p, const struct section_line *note)
{
	if (!p->second && restore_select_match(p->select, note->path, note->path_len, true))
		restore_missing(p->report, note);
}

static int
take_line(struct planner *p, const struct section_line *line, struct err *e)
{
	bool is_dir = line->type == ENTRY_DIR;
	const char *place = restore_select_place(p->select, line->path, line->path_len, is_dir);

	if (restore_select_strips(p->select) && !p->second &&
	    clash_add(&p->clash, line->path, place, is_dir, e) != 0)
		return -1;
	if (p->opts->each != NULL)
		p->opts->each(p->opts->ctx, place, line);
	p->plan->entries += !p->second;
	p->plan->bytes += line->type == ENTRY_FILE ? line->size : 0;
	if (restore_select_all(p->select) || p->second)
		return 0;
	if (add_dirs(p, line->path, is_dir, e) != 0)
		return -1;
	return line->type == ENTRY_HARDLINK ? need_target(p, line, e) : 0;
}

/* *any: a line of m's section is wanted, or it cannot be read and may have one. */
static int
scan_section(struct planner *p, const struct manifest_member *m, bool *any, struct err *e)
{
	struct restore_lines lines;
	struct section_line line;
	int rc = -1;

	*any = false;
	if (restore_lines_open(&lines, p->load, m, e) == 0) {
		while ((rc = restore_lines_next(&lines, &line, e)) == 1) {
			if (line.is_note)
				take_note(p, &line);
			if (line.is_note || !wanted(p, &line))
				continue;
			*any = true;
			if (take_line(p, &line, e) != 0) {
				restore_lines_close(&lines);
				return -1;
			}
		}
	}
	restore_lines_close(&lines);
	if (rc < 0 && restore_load_lost(e)) {
		/* Told when the member is restored; large files are known by the index. */
		*any = m->kind == MANIFEST_FILES ||
		    restore_select_match(p->select, m->path, m->path_len, false);
		err_clear(e);
		rc = 0;
	}
	return rc;
}

static int
scan_member(struct planner *p, const struct manifest_member *m, uint64_t number, struct err *e)
{
	bool any;

	/* A chunk without its header is of no use, but must be told. */
	if (m->kind == MANIFEST_HEADER || (m->kind == MANIFEST_CHUNK && !p->has_header))
		p->big_first = number;
	p->has_header = m->kind == MANIFEST_HEADER || m->kind == MANIFEST_CHUNK;
	if (m->section_len == 0)
		return 0;
	if (scan_section(p, m, &any, e) != 0)
		return -1;
	if (!any || restore_select_all(p->select))
		return 0;
	return add_range(p, m->kind == MANIFEST_FILES ? number : p->big_first, number, e);
}

/* Can a member that begins with m->path, or one behind it, hold path or what is below? */
static bool
reaches(const struct manifest_member *m, const char *path, size_t len)
{
	return m->path != NULL &&
	    (path_cmp(m->path, m->path_len, path, len) <= 0 ||
		(path_within(m->path, m->path_len, path, len)));
}

/* All members from where the index stands to where path ends; path NULL: to the end. */
static int
scan_from_here(struct planner *p, const char *path, uint64_t *next, struct err *e)
{
	struct manifest_reader *index = restore_load_index(p->load);
	size_t len = path == NULL ? 0 : strlen(path);
	struct manifest_member m;
	int rc;

	while ((rc = manifest_next(index, &m, e)) != 0) {
		if (rc < 0) {
			if (!restore_load_lost(e))
				return -1;
			restore_found_err(p->report, path, len, e);
			err_clear(e);
			p->has_header = false;
			continue;
		}
		if (path != NULL && !reaches(&m, path, len))
			return 0;
		/* Two paths may stand in one member. */
		if (manifest_tell(index) < *next)
			continue;
		*next = manifest_tell(index) + 1;
		if (scan_member(p, &m, manifest_tell(index), e) != 0)
			return -1;
	}
	return 0;
}

static int
scan_path(struct planner *p, const char *path, uint64_t *next, struct err *e)
{
	p->has_header = false;
	if (manifest_seek_path(restore_load_index(p->load), path, strlen(path), e) != 0) {
		if (!restore_load_lost(e))
			return -1;
		restore_found_err(p->report, path, strlen(path), e);
		err_clear(e);
	}
	return scan_from_here(p, path, next, e);
}

static int
scan_all(struct planner *p, struct err *e)
{
	uint64_t next = 0;
	const char *path;
	size_t i;

	if (restore_select_all(p->select) || restore_select_has_globs(p->select))
		return manifest_seek(restore_load_index(p->load), 0, e) == 0
		    ? scan_from_here(p, NULL, &next, e)
		    : -1;
	for (i = 0; (path = restore_select_path(p->select, i)) != NULL; i++)
		if (scan_path(p, path, &next, e) != 0)
			return -1;
	return 0;
}

static int
by_order(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return path_cmp(x, strlen(x), y, strlen(y));
}

/* In order, so that one look at a member finds all that are in it. */
static int
scan_targets(struct planner *p, struct err *e)
{
	uint64_t next = 0;
	size_t i;

	if (p->n_targets > 1)
		qsort(p->targets, p->n_targets, sizeof(*p->targets), by_order);
	p->second = true;
	for (i = 0; i < p->n_targets; i++)
		if (scan_path(p, p->targets[i], &next, e) != 0)
			return -1;
	return 0;
}

/* ---- order ---- */

static int
by_first(const void *a, const void *b)
{
	const struct restore_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static void
merge_ranges(struct restore_plan *p)
{
	size_t i, n = 0;

	if (p->n_ranges == 0)
		return;
	qsort(p->ranges, p->n_ranges, sizeof(*p->ranges), by_first);
	for (i = 1; i < p->n_ranges; i++) {
		struct restore_range *last = &p->ranges[n], *r = &p->ranges[i];

		if (r->first > last->first + last->count)
			p->ranges[++n] = *r;
		else if (r->first + r->count > last->first + last->count)
			last->count = r->first + r->count - last->first;
	}
	p->n_ranges = n + 1;
}

static void
merge_dirs(struct restore_plan *p)
{
	size_t i, n = 0;

	if (p->n_dirs == 0)
		return;
	qsort(p->dirs, p->n_dirs, sizeof(*p->dirs), by_order);
	for (i = 1; i < p->n_dirs; i++) {
		if (strcmp(p->dirs[i], p->dirs[n]) == 0)
			free(p->dirs[i]);
		else
			p->dirs[++n] = p->dirs[i];
	}
	p->n_dirs = n + 1;
}

int
restore_plan_make(struct restore_plan *plan, struct restore_load *l, struct restore_select *s,
    const struct restore_plan_opts *o, struct restore_report *r, struct err *e)
{
	struct planner p = {.plan = plan, .load = l, .select = s, .report = r, .opts = o};
	int rc = 0;

	*plan = (struct restore_plan){.all = restore_select_all(s)};
	if (!plan->all || o->look)
		rc = scan_all(&p, e);
	if (rc == 0)
		rc = scan_targets(&p, e);
	merge_ranges(plan);
	merge_dirs(plan);
	while (p.n_targets > 0)
		free(p.targets[--p.n_targets]);
	free(p.targets);
	clash_done(&p.clash);
	buf_done(&p.last);
	return rc;
}

void
restore_plan_done(struct restore_plan *p)
{
	while (p->n_dirs > 0)
		free(p->dirs[--p->n_dirs]);
	free(p->dirs);
	free(p->ranges);
	*p = (struct restore_plan){0};
}

void
restore_plan_sift_dirs(struct restore_plan *p, bool (*keep)(void *ctx, const char *path), void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_dirs; i++) {
		if (keep(ctx, p->dirs[i]))
			p->dirs[n++] = p->dirs[i];
		else
			free(p->dirs[i]);
	}
	p->n_dirs = n;
}

/* ---- going over it ---- */

void
restore_walk_begin(
    struct restore_walk *w, const struct restore_plan *p, struct manifest_reader *index)
{
	*w = (struct restore_walk){.plan = p, .index = index};
}

int
restore_walk_next(struct restore_walk *w, struct manifest_member *m, struct err *e)
{
	int rc;

	if (w->plan->all) {
		if (w->range == 0 && manifest_seek(w->index, 0, e) != 0)
			return -1;
		w->range = 1;
		return manifest_next(w->index, m, e);
	}
	for (;;) {
		if (w->at == w->end) {
			const struct restore_range *r;

			if (w->range == w->plan->n_ranges)
				return 0;
			r = &w->plan->ranges[w->range++];
			w->at = r->first;
			w->end = r->first + r->count;
			if (manifest_seek(w->index, r->first, e) != 0)
				return -1;
		}
		if ((rc = manifest_next(w->index, m, e)) < 0)
			return -1;
		/* A page that cannot be read may have been the rest of the range. */
		if (rc == 1 && manifest_tell(w->index) < w->end) {
			w->at = manifest_tell(w->index) + 1;
			return 1;
		}
		w->at = w->end;
	}
}
