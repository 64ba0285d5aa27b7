/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/select.h"

#include <stdlib.h>
#include <string.h>

#include "cli/opt.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "restore/report.h"

struct pattern {
	const char *typed;
	char *path; /* clean; NULL: a glob, as it was typed */
	size_t len;
	bool hit;
};

struct alias {
	char *target, *path;
};

struct restore_select {
	struct pattern *patterns;
	size_t n;
	struct alias *aliases; /* few: links whose data was not asked for */
	size_t n_aliases;
};

static int
by_path(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	if (x->path == NULL || y->path == NULL)
		return (x->path == NULL) - (y->path == NULL);
	return path_cmp(x->path, x->len, y->path, y->len);
}

static int
take_pattern(struct pattern *p, const char *typed, struct err *e)
{
	struct buf b = {0};

	p->typed = typed;
	if (path_has_glob(typed))
		return 0;
	if (path_clean(&b, typed, e) != 0) {
		buf_done(&b);
		return -1;
	}
	p->len = b.len;
	p->path = strdup(buf_str(&b));
	buf_done(&b);
	return p->path != NULL ? 0 : err_nomem(e);
}

int
restore_select_new(struct restore_select **out, const struct opt_list *paths, struct err *e)
{
	struct restore_select *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->patterns = calloc(paths->n + 1, sizeof(*s->patterns))) == NULL) {
		free(s);
		return err_nomem(e);
	}
	for (; s->n < paths->n; s->n++)
		if (take_pattern(&s->patterns[s->n], paths->items[s->n], e) != 0) {
			restore_select_free(s);
			return -1;
		}
	qsort(s->patterns, s->n, sizeof(*s->patterns), by_path);
	*out = s;
	return 0;
}

void
restore_select_free(struct restore_select *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		free(s->patterns[i].path);
	for (i = 0; i < s->n_aliases; i++) {
		free(s->aliases[i].target);
		free(s->aliases[i].path);
	}
	free(s->aliases);
	free(s->patterns);
	free(s);
}

bool
restore_select_all(const struct restore_select *s)
{
	return s->n == 0;
}

bool
restore_select_has_globs(const struct restore_select *s)
{
	/* Globs sort last. */
	return s->n > 0 && s->patterns[s->n - 1].path == NULL;
}

const char *
restore_select_path(const struct restore_select *s, size_t i)
{
	return i < s->n ? s->patterns[i].path : NULL;
}

/* A glob takes an entry, or a directory that the entry is in. */
static bool
glob_takes(const char *glob, const char *path, size_t len, bool is_dir)
{
	const char *slash;

	if (path_glob(glob, path, len, is_dir))
		return true;
	while ((slash = memrchr(path, '/', len)) != NULL) {
		len = (size_t)(slash - path);
		if (path_glob(glob, path, len, true))
			return true;
	}
	return false;
}

static bool
takes(const struct pattern *p, const char *path, size_t len, bool is_dir)
{
	return p->path != NULL ? path_within(path, len, p->path, p->len)
			       : glob_takes(p->typed, path, len, is_dir);
}

bool
restore_select_match(const struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (takes(&s->patterns[i], path, len, is_dir))
			return true;
	return s->n == 0;
}

bool
restore_select_hit(struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	bool any = s->n == 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (takes(&s->patterns[i], path, len, is_dir))
			any = s->patterns[i].hit = true;
	return any;
}

void
restore_select_misses(const struct restore_select *s, struct restore_report *r)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!s->patterns[i].hit)
			restore_found(r, s->patterns[i].typed, strlen(s->patterns[i].typed),
			    "not in this backup");
}

static const struct alias *
find_alias(const struct restore_select *s, const char *target)
{
	size_t i;

	for (i = 0; i < s->n_aliases; i++)
		if (strcmp(s->aliases[i].target, target) == 0)
			return &s->aliases[i];
	return NULL;
}

int
restore_select_alias(struct restore_select *s, const char *target, const char *path, struct err *e)
{
	struct alias *more, *a;

	if (find_alias(s, target) != NULL)
		return 0;
	more = realloc(s->aliases, (s->n_aliases + 1) * sizeof(*more));
	if (more == NULL)
		return err_nomem(e);
	s->aliases = more;
	a = &more[s->n_aliases];
	a->target = strdup(target);
	a->path = strdup(path);
	if (a->target == NULL || a->path == NULL) {
		free(a->target);
		free(a->path);
		return err_nomem(e);
	}
	s->n_aliases++;
	return 0;
}

const char *
restore_select_place(const struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	const struct alias *a;

	if (restore_select_match(s, path, len, is_dir))
		return path;
	a = find_alias(s, path);
	return a != NULL ? a->path : NULL;
}
