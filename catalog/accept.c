/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/accept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/log.h"
#include "seal/seal.h"
#include "store/repo.h"

struct candidate {
	const struct repo_backup *b;
};

static int
by_series(const void *pa, const void *pb)
{
	const struct repo_backup *a = ((const struct candidate *)pa)->b;
	const struct repo_backup *b = ((const struct candidate *)pb)->b;
	int order = strcmp(a->seal.series, b->seal.series);

	if (order != 0)
		return order;
	if (a->seal.sequence != b->seal.sequence)
		return a->seal.sequence < b->seal.sequence ? -1 : 1;
	/* Of two that claim one place the trusted one stays, then the first by name. */
	if (a->state != b->state)
		return a->state == REPO_TRUSTED ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool
same_place(const struct seal *a, const struct seal *b)
{
	return a->sequence == b->sequence && strcmp(a->series, b->series) == 0;
}

static void
take_each_place_once(const struct candidate *v, size_t n, struct catalog_accept *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct seal *s = &v[i].b->seal;

		if (s->sequence < 1 || s->sequence > INT64_MAX ||
		    (out->n > 0 && same_place(out->v[out->n - 1].seal, s)))
			log_verbose("%s: its sequence %llu is another's or out of bounds; left out",
			    s->name, (unsigned long long)s->sequence);
		else
			out->v[out->n++].seal = s;
	}
}

int
catalog_accept_list(const struct repo_list *l, struct catalog_accept *out, struct err *e)
{
	struct candidate *v = calloc(l->n + 1, sizeof(*v));
	size_t n = 0;

	out->v = calloc(l->n + 1, sizeof(*out->v));
	out->n = 0;
	if (v == NULL || out->v == NULL) {
		free(v);
		return err_nomem(e);
	}
	for (size_t i = 0; i < l->n; i++)
		if (repo_counts(&l->backups[i], NULL, true))
			v[n++].b = &l->backups[i];
	qsort(v, n, sizeof(*v), by_series);
	take_each_place_once(v, n, out);
	free(v);
	return 0;
}
