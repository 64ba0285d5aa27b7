/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

#define KEEP_TEXT (256u << 10)
#define KEEP_NAMES (16u << 10)

void
names_done(struct names *l)
{
	buf_done(&l->text);
	free(l->at);
	*l = (struct names){0};
}

void
names_clear(struct names *l)
{
	if (l->text.cap > KEEP_TEXT || l->cap > KEEP_NAMES)
		names_done(l);
	buf_clear(&l->text);
	l->n = 0;
}

static int
add(struct names *l, const char *name)
{
	if (l->text.len > UINT32_MAX)
		return -1; /* 4 GiB of names in one directory */
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		uint32_t *grown = realloc(l->at, cap * sizeof(*grown));
		if (grown == NULL)
			return -1;
		l->at = grown;
		l->cap = cap;
	}
	l->at[l->n++] = (uint32_t)l->text.len;
	buf_append(&l->text, name, strlen(name) + 1);
	return l->text.failed ? -1 : 0;
}

static int
compare(const void *a, const void *b, void *text)
{
	return strcmp(
	    (const char *)text + *(const uint32_t *)a, (const char *)text + *(const uint32_t *)b);
}

static bool
is_dots(const char *s)
{
	return s[0] == '.' && (s[1] == '\0' || (s[1] == '.' && s[2] == '\0'));
}

/*
 * getdents64(2) into a large buffer rather than readdir(3): a directory of a
 * million names takes a fraction of the calls, and no DIR is allocated a level.
 */
int
names_read(struct names *l, int dirfd, struct err *e)
{
	_Alignas(struct dirent64) char raw[65536];
	ssize_t n;
	int rc = 0;

	names_clear(l);
	while ((n = getdents64(dirfd, raw, sizeof(raw))) > 0) {
		const struct dirent64 *d;
		for (ssize_t at = 0; at < n; at += d->d_reclen) {
			d = (const struct dirent64 *)(const void *)(raw + at);
			if (!is_dots(d->d_name) && add(l, d->d_name) != 0)
				return err_nomem(e);
		}
	}
	if (n < 0 && errno != ENOENT) /* ENOENT: the directory was removed; it is empty then */
		rc = 1;
	int saved = errno;
	if (l->n > 1)
		qsort_r(l->at, l->n, sizeof(*l->at), compare, l->text.data);
	errno = saved;
	return rc;
}

const char *
names_get(const struct names *l, size_t i)
{
	return (const char *)l->text.data + l->at[i];
}
