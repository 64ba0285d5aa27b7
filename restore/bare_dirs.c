/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_dirs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/path.h"

static int
grow(struct bare_dirs *d, struct err *e)
{
	size_t cap = d->cap == 0 ? 64 : 2 * d->cap;
	struct bare_dir *more;

	if (d->n < d->cap)
		return 0;
	if ((more = reallocarray(d->v, cap, sizeof(*more))) == NULL)
		return err_nomem(e);
	d->v = more;
	d->cap = cap;
	return 0;
}

static int
add(struct bare_dirs *d, const struct entry *en, const struct bare_dir *what, struct err *e)
{
	struct bare_dir *to;

	d->size += sizeof(*to) + restore_dir_size(en);
	if (d->size > BARE_DIRS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more directories than fit into memory");
	if (grow(d, e) != 0)
		return -1;
	to = &d->v[d->n];
	*to = *what;
	if (restore_dir_own(&to->dir, en, e) != 0)
		return -1;
	d->n++;
	return bare_set_add(&d->known, en->path, e);
}

int
bare_dirs_add(
    struct bare_dirs *d, const struct entry *en, const char *place, bool wanted, struct err *e)
{
	const struct bare_dir what = {.number = ++d->added, .wanted = wanted};
	struct entry placed = *en;

	placed.path = place;
	placed.path_len = strlen(place);
	return add(d, &placed, &what, e);
}

/* ---- on the way ---- */

static int
add_way(struct bare_dirs *d, const char *path, struct err *e)
{
	const struct bare_dir what = {.number = 0};
	struct entry en = {.type = ENTRY_DIR,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = 0755,
	    .uid = geteuid(),
	    .gid = getegid(),
	    .mtime_sec = time(NULL)};

	return bare_set_has(&d->known, path) ? 0 : add(d, &en, &what, e);
}

/* Neighbours have the same way. */
static bool
is_parent(const char *parent, const char *place, size_t len)
{
	return parent != NULL && strncmp(parent, place, len) == 0 && parent[len] == '\0';
}

int
bare_dirs_way(struct bare_dirs *d, const char *place, struct err *e)
{
	const char *slash = strrchr(place, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - place);
	char *parent;
	int rc = 0;

	if (len == 0 || is_parent(d->parent, place, len))
		return 0;
	if ((parent = strndup(place, len)) == NULL)
		return err_nomem(e);
	free(d->parent);
	d->parent = parent;
	for (char *end = parent; rc == 0 && end != NULL; end = strchr(end + 1, '/')) {
		if (end == parent)
			continue;
		*end = '\0';
		rc = add_way(d, parent, e);
		*end = '/';
	}
	return rc == 0 ? add_way(d, parent, e) : -1;
}

/* ---- all of them ---- */

static int
by_path(const void *a, const void *b)
{
	const struct bare_dir *x = a, *y = b;
	int c = path_cmp(x->dir.en.path, x->dir.en.path_len, y->dir.en.path, y->dir.en.path_len);

	return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

void
bare_dirs_order(struct bare_dirs *d)
{
	size_t n = 0;

	bare_set_done(&d->known);
	if (d->n == 0)
		return;
	qsort(d->v, d->n, sizeof(*d->v), by_path);
	for (size_t i = 0; i < d->n; i++) {
		if (i + 1 < d->n && strcmp(d->v[i].dir.en.path, d->v[i + 1].dir.en.path) == 0)
			free(d->v[i].dir.store);
		else
			d->v[n++] = d->v[i];
	}
	d->n = n;
}

void
bare_dirs_sift(struct bare_dirs *d, bool (*keep)(void *ctx, const struct bare_dir *), void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (keep(ctx, &d->v[i]))
			d->v[n++] = d->v[i];
		else
			free(d->v[i].dir.store);
	}
	d->n = n;
}

void
bare_dirs_done(struct bare_dirs *d)
{
	while (d->n > 0)
		free(d->v[--d->n].dir.store);
	free(d->v);
	free(d->parent);
	bare_set_done(&d->known);
	*d = (struct bare_dirs){0};
}
