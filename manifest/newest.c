/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/newest.h"

#include <string.h>

#include "core/err.h"

static bool
same_path(const struct catalog_version *a, const struct catalog_version *b)
{
	return a->path_len == b->path_len && memcmp(a->path, b->path, a->path_len) == 0 &&
	    strcmp(a->series, b->series) == 0;
}

/* Lengths are told, because a path or link may be of any bytes; each gets a NUL behind it. */
static void
keep(struct buf *text, const char *s, size_t len)
{
	buf_append(text, s, len);
	buf_putc(text, '\0');
}

static int
keep_version(struct newest *n, const struct catalog_version *v, struct err *e)
{
	struct catalog_version *to = &n->v;
	const char *at;

	buf_clear(&n->text);
	keep(&n->text, v->path, v->path_len);
	keep(&n->text, v->link != NULL ? v->link : "", v->link_len);
	keep(&n->text, v->series, strlen(v->series));
	keep(&n->text, v->first_name, strlen(v->first_name));
	keep(&n->text, v->last_name, strlen(v->last_name));
	if (buf_check(&n->text, e) != 0)
		return -1;
	*to = *v;
	at = (const char *)n->text.data;
	to->path = at;
	at += v->path_len + 1;
	to->link = v->link != NULL ? at : NULL;
	at += v->link_len + 1;
	to->series = at;
	at += strlen(at) + 1;
	to->first_name = at;
	at += strlen(at) + 1;
	to->last_name = at;
	n->has = true;
	return 0;
}

int
newest_finish(struct newest *n, struct err *e)
{
	if (!n->has)
		return 0;
	n->has = false;
	return n->fn(n->ctx, &n->v, n->versions, e);
}

int
newest_add(struct newest *n, const struct catalog_version *v, struct err *e)
{
	int rc = 0;

	if (!n->has || !same_path(&n->v, v)) {
		rc = newest_finish(n, e);
		n->versions = 0;
	}
	n->versions++;
	if (rc != 0)
		return rc;
	return keep_version(n, v, e);
}

void
newest_done(struct newest *n)
{
	buf_done(&n->text);
}
