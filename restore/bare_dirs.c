/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_dirs.h"

#include <stdlib.h>
#include <string.h>

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

int
bare_dirs_add(
    struct bare_dirs *d, const struct entry *en, const char *place, bool wanted, struct err *e)
{
	struct entry placed = *en;
	struct bare_dir *to;

	placed.path = place;
	placed.path_len = strlen(place);
	d->size += sizeof(*to) + restore_dir_size(&placed);
	if (d->size > BARE_DIRS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more directories than fit into memory");
	if (grow(d, e) != 0)
		return -1;
	to = &d->v[d->n];
	*to = (struct bare_dir){.number = d->added++, .wanted = wanted};
	if (restore_dir_own(&to->dir, &placed, e) != 0)
		return -1;
	d->n++;
	return 0;
}

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
	*d = (struct bare_dirs){0};
}
