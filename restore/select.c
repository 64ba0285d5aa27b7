/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/select.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opt.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/path.h"
#include "restore/report.h"
#include "tree/exclude.h"

struct pattern {
	const char *typed;
	char *path; /* clean; of a glob, the name that it would be without its meaning */
	size_t len;
	char *glob; /* NULL: it is none */
	bool hit; /* it matched something */
	bool left; /* of whose name something is left */
};

struct alias {
	char *target, *path;
};

struct restore_select {
	struct pattern *patterns;
	size_t n;
	const struct exclude *exclude;
	uint64_t strip;
	const char *as;
	/*
	 * Links whose data was not asked for.  As many as links, in a tree of hard-linked
	 * copies of which one is wanted; so they are hashed, with room for twice as many.
	 */
	struct alias *aliases;
	size_t n_aliases, cap_aliases; /* cap: a power of two, or 0 */
};

static int
by_path(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	if (x->glob != NULL || y->glob != NULL)
		return (x->glob != NULL) - (y->glob != NULL);
	return path_cmp(x->path, x->len, y->path, y->len);
}

/*
 * A glob, as clean as a path; but a slash in front (it is the whole path) and one at the
 * end (it is a directory) mean something.
 */
static int
take_glob(struct pattern *p, struct err *e)
{
	size_t typed_len = strlen(p->typed);
	struct buf b = {0};

	if (p->typed[0] == '/' || strncmp(p->typed, "./", 2) == 0)
		buf_putc(&b, '/');
	buf_append(&b, p->path, p->len);
	if (p->typed[typed_len - 1] == '/')
		buf_putc(&b, '/');
	p->glob = strdup(buf_str(&b));
	buf_done(&b);
	return p->glob != NULL ? 0 : err_nomem(e);
}

static int
take_pattern(struct pattern *p, const char *typed, struct err *e)
{
	struct buf b = {0};

	p->typed = typed;
	if (path_clean(&b, typed, e) != 0) {
		buf_done(&b);
		return -1;
	}
	p->len = b.len;
	p->path = strdup(buf_str(&b));
	buf_done(&b);
	if (p->path == NULL)
		return err_nomem(e);
	return path_has_glob(typed) ? take_glob(p, e) : 0;
}

static int
take_patterns(struct restore_select *s, const struct opt_list *paths, struct err *e)
{
	for (; s->n < paths->n; s->n++)
		if (take_pattern(&s->patterns[s->n], paths->items[s->n], e) != 0) {
			s->n++; /* what there is of it goes, too */
			return -1;
		}
	/* Everything but something: looked for like any other directory. */
	if (s->n == 0 && !restore_select_all(s))
		return take_pattern(&s->patterns[s->n++], ".", e);
	qsort(s->patterns, s->n, sizeof(*s->patterns), by_path);
	return 0;
}

int
restore_select_new(struct restore_select **out, const struct restore_select_opts *o, struct err *e)
{
	struct restore_select *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->patterns = calloc(o->paths->n + 1, sizeof(*s->patterns))) == NULL) {
		free(s);
		return err_nomem(e);
	}
	s->exclude = o->exclude;
	s->strip = o->strip;
	s->as = o->as;
	if (take_patterns(s, o->paths, e) != 0) {
		restore_select_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
restore_select_free(struct restore_select *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		free(s->patterns[i].path);
		free(s->patterns[i].glob);
	}
	for (i = 0; i < s->cap_aliases; i++) {
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
	if (s->exclude != NULL || s->strip > 0)
		return false;
	return s->n == 0 || (s->n == 1 && s->patterns[0].len == 0);
}

bool
restore_select_has_globs(const struct restore_select *s)
{
	/* Globs sort last. */
	return s->n > 0 && s->patterns[s->n - 1].glob != NULL;
}

const char *
restore_select_path(const struct restore_select *s, size_t i)
{
	return i < s->n && s->patterns[i].glob == NULL ? s->patterns[i].path : NULL;
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
	return path_within(path, len, p->path, p->len) ||
	    (p->glob != NULL && glob_takes(p->glob, path, len, is_dir));
}

/* So does an exclusion. */
static bool
is_excluded(const struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	const char *slash;

	if (s->exclude == NULL)
		return false;
	if (exclude_match(s->exclude, path, len, is_dir))
		return true;
	while ((slash = memrchr(path, '/', len)) != NULL) {
		len = (size_t)(slash - path);
		if (exclude_match(s->exclude, path, len, true))
			return true;
	}
	return false;
}

bool
restore_select_match(const struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	size_t i;

	if (is_excluded(s, path, len, is_dir))
		return false;
	for (i = 0; i < s->n; i++)
		if (takes(&s->patterns[i], path, len, is_dir))
			return true;
	return s->n == 0;
}

bool
restore_select_strips(const struct restore_select *s)
{
	return s->strip > 0;
}

const char *
restore_select_name(const struct restore_select *s, const char *path)
{
	if (s->as != NULL)
		return strcmp(path, s->patterns[0].path) == 0 ? s->as : NULL;
	for (uint64_t i = 0; i < s->strip; i++) {
		const char *slash = strchr(path, '/');

		if (slash == NULL)
			return NULL;
		path = slash + 1;
	}
	return path;
}

bool
restore_select_hit(struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	bool left = restore_select_name(s, path) != NULL, any = s->n == 0;
	size_t i;

	if (is_excluded(s, path, len, is_dir))
		return false;
	for (i = 0; i < s->n; i++)
		if (takes(&s->patterns[i], path, len, is_dir)) {
			any = s->patterns[i].hit = true;
			s->patterns[i].left |= left;
		}
	return any && left;
}

/* What may have been meant by a path that is not there. */
static const char *
hint(const char *typed)
{
	const char *stamp = strpbrk(typed, "0123456789");

	if (typed[0] == '/')
		return " (paths begin below its source)";
	if (strcmp(typed, "latest") == 0 ||
	    (stamp > typed && stamp[-1] == '-' && strspn(stamp, "0123456789") == 8 &&
		strchr(typed, '/') == NULL))
		return " (a backup is named with --backup)";
	return "";
}

static void
tell_miss(const struct restore_select *s, const struct pattern *p, struct restore_report *r)
{
	if (!p->hit)
		restore_found(r, p->typed, strlen(p->typed), "%s%s",
		    s->exclude == NULL ? "not in this backup"
				       : "not in this backup, or it is excluded",
		    hint(p->typed));
	else if (!p->left)
		restore_found(r, p->typed, strlen(p->typed),
		    "nothing is left of its name without the first %" PRIu64 " component%s",
		    s->strip, s->strip == 1 ? "" : "s");
}

void
restore_select_misses(const struct restore_select *s, struct restore_report *r)
{
	size_t i;

	if (restore_select_all(s))
		return;
	for (i = 0; i < s->n; i++)
		tell_miss(s, &s->patterns[i], r);
}

/* ---- aliases ---- */

/* Where target is, or would go. */
static struct alias *
alias_slot(struct alias *v, size_t cap, const char *target)
{
	size_t i = (size_t)hash_cut(target, strlen(target)) & (cap - 1);

	while (v[i].target != NULL && strcmp(v[i].target, target) != 0)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static const struct alias *
find_alias(const struct restore_select *s, const char *target)
{
	const struct alias *a;

	if (s->n_aliases == 0)
		return NULL;
	a = alias_slot(s->aliases, s->cap_aliases, target);
	return a->target != NULL ? a : NULL;
}

/* Room for one more, with half of it free. */
static int
grow_aliases(struct restore_select *s, struct err *e)
{
	size_t cap = s->cap_aliases == 0 ? 64 : 2 * s->cap_aliases;
	struct alias *more;

	if (2 * s->n_aliases < s->cap_aliases)
		return 0;
	if ((more = calloc(cap, sizeof(*more))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->cap_aliases; i++)
		if (s->aliases[i].target != NULL)
			*alias_slot(more, cap, s->aliases[i].target) = s->aliases[i];
	free(s->aliases);
	s->aliases = more;
	s->cap_aliases = cap;
	return 0;
}

int
restore_select_alias(struct restore_select *s, const char *target, const char *path, struct err *e)
{
	struct alias a;

	if (find_alias(s, target) != NULL)
		return 0;
	if (grow_aliases(s, e) != 0)
		return -1;
	a.target = strdup(target);
	a.path = strdup(path);
	if (a.target == NULL || a.path == NULL) {
		free(a.target);
		free(a.path);
		return err_nomem(e);
	}
	*alias_slot(s->aliases, s->cap_aliases, target) = a;
	s->n_aliases++;
	return 0;
}

bool
restore_select_is_aliased(const struct restore_select *s, const char *path)
{
	return find_alias(s, path) != NULL;
}

const char *
restore_select_place(const struct restore_select *s, const char *path, size_t len, bool is_dir)
{
	const struct alias *a;
	const char *name;

	if (restore_select_match(s, path, len, is_dir) &&
	    (name = restore_select_name(s, path)) != NULL)
		return name;
	a = find_alias(s, path);
	return a != NULL ? a->path : NULL;
}
