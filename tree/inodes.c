/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/inodes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/err.h"

/*
 * Open addressing with linear probing: 40 bytes a place, three in four of them taken at most.  What
 * goes leaves no tombstone: those behind it move up, because with trees of links as many go as
 * come.
 */
#define CAP_MIN 64u

void
inodes_done(struct inodes *t)
{
	free(t->table);
	*t = (struct inodes){0};
}

static size_t
home(const struct inodes *t, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ (dev << 32 | dev >> 32)) * 0x9e3779b97f4a7c15u;

	return (size_t)(h >> 20) & (t->cap - 1);
}

/* The place of the file, or the free one where it would be put. */
static struct inode *
place(const struct inodes *t, uint64_t dev, uint64_t ino)
{
	size_t i = home(t, dev, ino);

	while (t->table[i].left != 0 && (t->table[i].ino != ino || t->table[i].dev != dev))
		i = (i + 1) & (t->cap - 1);
	return &t->table[i];
}

struct inode *
inodes_find(const struct inodes *t, uint64_t dev, uint64_t ino)
{
	struct inode *f;

	if (t->n == 0)
		return NULL;
	f = place(t, dev, ino);
	return f->left != 0 ? f : NULL;
}

static int
grow(struct inodes *t, struct err *e)
{
	struct inodes wider = {.cap = t->cap > 0 ? t->cap * 2 : CAP_MIN, .n = t->n};

	wider.table = calloc(wider.cap, sizeof(*wider.table));
	if (wider.table == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < t->cap; i++)
		if (t->table[i].left != 0)
			*place(&wider, t->table[i].dev, t->table[i].ino) = t->table[i];
	free(t->table);
	*t = wider;
	return 0;
}

int
inodes_put(struct inodes *t, const struct inode *f, struct err *e)
{
	if (t->n * 4 >= t->cap * 3 && grow(t, e) != 0)
		return -1;
	*place(t, f->dev, f->ino) = *f;
	t->n++;
	return 0;
}

/* Does the place at lie on the way from a file's home to where it stands? */
static bool
on_the_way(const struct inodes *t, size_t from, size_t at, size_t stands)
{
	size_t mask = t->cap - 1;

	return ((stands - from) & mask) >= ((stands - at) & mask);
}

static void
drop(struct inodes *t, struct inode *f)
{
	size_t gap = (size_t)(f - t->table), i = gap;

	for (;;) {
		i = (i + 1) & (t->cap - 1);
		if (t->table[i].left == 0)
			break;
		if (on_the_way(t, home(t, t->table[i].dev, t->table[i].ino), gap, i)) {
			t->table[gap] = t->table[i];
			gap = i;
		}
	}
	t->table[gap].left = 0;
	t->n--;
}

void
inodes_seen(struct inodes *t, struct inode *f)
{
	if (--f->left > 0)
		return;
	f->left = 1; /* it is one of the table's while the others move */
	drop(t, f);
}
