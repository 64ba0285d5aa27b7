/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/finds.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static struct verify_find *
add(struct verify_finds *f, const char *path)
{
	struct verify_find *items = NULL;
	char *copy = path != NULL ? strdup(path) : NULL;

	/* A step at each power of two. */
	if ((f->n & (f->n - 1)) != 0)
		items = f->items;
	else if ((items = reallocarray(f->items, f->n == 0 ? 1 : f->n * 2, sizeof(*items))) != NULL)
		f->items = items;
	if (f->failed || items == NULL || (path != NULL && copy == NULL)) {
		f->failed = true;
		free(copy);
		return NULL;
	}
	items[f->n] = (struct verify_find){.path = copy};
	return &items[f->n++];
}

void
verify_finds_add(struct verify_finds *f, enum verify_kind kind, const char *code, const char *path,
    const char *fmt, ...)
{
	struct verify_find *item = add(f, path);
	va_list ap;

	if (item == NULL)
		return;
	item->kind = kind;
	item->code = code;
	va_start(ap, fmt);
	if (vasprintf(&item->text, fmt, ap) < 0) {
		item->text = NULL;
		f->failed = true;
	}
	va_end(ap);
}

void
verify_finds_place(struct verify_finds *f, const struct verify_place *place)
{
	if (f->n > 0)
		f->items[f->n - 1].place = place;
}

void
verify_finds_file(struct verify_finds *f, const char *path)
{
	(void)add(f, path);
}

int
verify_finds_replay(struct verify_finds *f, struct verify_report *r, struct err *e)
{
	bool failed = f->failed;

	for (size_t i = 0; i < f->n && !failed; i++) {
		const struct verify_find *item = &f->items[i];

		if (item->code == NULL)
			verify_report_file(r, item->path);
		else
			verify_report_found(r,
			    &(struct verify_finding){.kind = item->kind,
				.code = item->code,
				.text = item->text,
				.path = item->path,
				.place = item->place});
	}
	verify_finds_done(f);
	return failed ? err_nomem(e) : 0;
}

void
verify_finds_cut(struct verify_finds *f, size_t n)
{
	while (f->n > n) {
		f->n--;
		free(f->items[f->n].text);
		free(f->items[f->n].path);
	}
}

void
verify_finds_done(struct verify_finds *f)
{
	verify_finds_cut(f, 0);
	free(f->items);
	*f = (struct verify_finds){0};
}
