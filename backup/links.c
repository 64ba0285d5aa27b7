/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/links.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"

/*
 * A tree may hold millions of such files (stores of packages, snapshots made of links), so
 * what is kept of each is small: its facts without what only other files have, its own name,
 * and a directory that all first names in it share.
 *
 * Chains rather than open addressing: files come and go all the time.  Their memory is cut from
 * blocks and used again by length, because between the planner's buffers, which come
 * and go as well, small pieces that stay would leave gaps.
 */
struct dir {
	uint32_t users;
	uint32_t len; /* with the slash, if any */
	char path[];
};

struct node {
	struct node *next;
	struct dir *dir;
	uint64_t dev, ino, size;
	int64_t mtime_sec, ctime_sec;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t mode, uid, gid;
	uint32_t nlink, left; /* names, and names not seen yet */
	uint32_t name_len;
	char name[];
};

/* Pieces are multiples of a unit; a name that is longer than any file system's has its own. */
#define PIECE_UNIT 16u
#define PIECES 24u
#define BLOCK_LEN (64u << 10)

struct block {
	struct block *next;
};

struct links {
	struct node **heads;
	size_t n_heads; /* a power of two */
	size_t n;
	struct dir *dir; /* of the last one that was put in; may be NULL */
	struct block *blocks;
	size_t used; /* of the first block */
	struct node *spare[PIECES]; /* by length */
	struct links_file found;
	struct buf path; /* found's */
};

#define HEADS_MIN 256u

static size_t
slot(const struct links *l, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ (dev << 32 | dev >> 32)) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 20) & (l->n_heads - 1);
}

/* ---- memory ---- */

static size_t
pieces(size_t name_len)
{
	return (sizeof(struct node) + name_len + PIECE_UNIT - 1) / PIECE_UNIT;
}

static struct node *
node_alloc(struct links *l, size_t name_len)
{
	size_t n = pieces(name_len), len = n * PIECE_UNIT;
	struct node *spare;

	if (n >= PIECES)
		return malloc(len);
	if ((spare = l->spare[n]) != NULL) {
		l->spare[n] = spare->next;
		return spare;
	}
	if (l->blocks == NULL || BLOCK_LEN - l->used < len) {
		struct block *b = malloc(BLOCK_LEN);
		if (b == NULL)
			return NULL;
		b->next = l->blocks;
		l->blocks = b;
		l->used = PIECE_UNIT;
	}
	l->used += len;
	return (struct node *)(void *)((char *)l->blocks + l->used - len);
}

static void
dir_drop(struct dir *d)
{
	if (d != NULL && --d->users == 0)
		free(d);
}

static void
node_free(struct links *l, struct node *n)
{
	size_t k = pieces(n->name_len);

	dir_drop(n->dir);
	if (k >= PIECES) {
		free(n);
		return;
	}
	n->next = l->spare[k];
	l->spare[k] = n;
}

/* The directory of path's first len bytes, with its slash; counted as used once more. */
static struct dir *
dir_of(struct links *l, const char *path, size_t len)
{
	struct dir *d = l->dir;

	if (d == NULL || d->len != len || memcmp(d->path, path, len) != 0) {
		if ((d = malloc(sizeof(*d) + len)) == NULL)
			return NULL;
		d->users = 1; /* l->dir */
		d->len = (uint32_t)len;
		memcpy(d->path, path, len);
		dir_drop(l->dir);
		l->dir = d;
	}
	d->users++;
	return d;
}

int
links_new(struct links **out, struct err *e)
{
	struct links *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_nomem(e);
	l->n_heads = HEADS_MIN;
	l->heads = calloc(l->n_heads, sizeof(struct node *));
	if (l->heads == NULL) {
		free(l);
		return err_nomem(e);
	}
	*out = l;
	return 0;
}

void
links_free(struct links *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n_heads; i++) {
		for (struct node *n = l->heads[i], *next; n != NULL; n = next) {
			next = n->next;
			node_free(l, n);
		}
	}
	for (struct block *b = l->blocks, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	dir_drop(l->dir);
	buf_done(&l->path);
	free(l->heads);
	free(l);
}

/* ---- the table ---- */

/* Without memory for more heads the chains grow longer; that is no error. */
static void
grow(struct links *l)
{
	struct links old = *l;

	l->heads = calloc(old.n_heads * 2, sizeof(struct node *));
	if (l->heads == NULL) {
		l->heads = old.heads;
		return;
	}
	l->n_heads *= 2;
	for (size_t i = 0; i < old.n_heads; i++) {
		for (struct node *n = old.heads[i], *next; n != NULL; n = next) {
			next = n->next;
			size_t at = slot(l, n->dev, n->ino);
			n->next = l->heads[at];
			l->heads[at] = n;
		}
	}
	free(old.heads);
}

static void
fill(struct node *n, const struct facts *f)
{
	n->size = f->size;
	n->mtime_sec = f->mtime_sec;
	n->mtime_nsec = f->mtime_nsec;
	n->ctime_sec = f->ctime_sec;
	n->ctime_nsec = f->ctime_nsec;
	n->mode = f->mode;
	n->uid = f->uid;
	n->gid = f->gid;
	n->nlink = f->nlink;
}

int
links_add(struct links *l, const struct facts *facts, const char *path, size_t len, struct err *e)
{
	const char *slash = memrchr(path, '/', len);
	size_t dir_len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	struct node *n;

	buf_clear(&l->path);
	if (buf_reserve(&l->path, len + 1) == NULL || (n = node_alloc(l, len - dir_len)) == NULL)
		return err_nomem(e);
	n->dev = facts->dev;
	n->ino = facts->ino;
	n->left = facts->nlink - 1;
	fill(n, facts);
	n->name_len = (uint32_t)(len - dir_len);
	memcpy(n->name, path + dir_len, len - dir_len);
	if ((n->dir = dir_of(l, path, dir_len)) == NULL) {
		node_free(l, n);
		return err_nomem(e);
	}
	if (l->n >= l->n_heads)
		grow(l);
	size_t at = slot(l, facts->dev, facts->ino);
	n->next = l->heads[at];
	l->heads[at] = n;
	l->n++;
	return 0;
}

/* What points to the node, or to NULL. */
static struct node **
place_of(struct links *l, uint64_t dev, uint64_t ino)
{
	struct node **at = &l->heads[slot(l, dev, ino)];

	while (*at != NULL && ((*at)->ino != ino || (*at)->dev != dev))
		at = &(*at)->next;
	return at;
}

/* That of a file that is in the table. */
static struct node **
place_in(struct links *l, const struct links_file *f)
{
	struct node **at = place_of(l, f->facts.dev, f->facts.ino);

	assert(*at != NULL);
	return at;
}

const struct links_file *
links_find(struct links *l, uint64_t dev, uint64_t ino)
{
	const struct node *n = *place_of(l, dev, ino);

	if (n == NULL)
		return NULL;
	buf_clear(&l->path); /* links_add has seen to it that there is room */
	buf_append(&l->path, n->dir->path, n->dir->len);
	buf_append(&l->path, n->name, n->name_len);
	l->found = (struct links_file){
	    .facts = {.dev = n->dev,
		.ino = n->ino,
		.size = n->size,
		.mtime_sec = n->mtime_sec,
		.mtime_nsec = n->mtime_nsec,
		.ctime_sec = n->ctime_sec,
		.ctime_nsec = n->ctime_nsec,
		.mode = n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.nlink = n->nlink},
	    .path_len = l->path.len,
	    .path = buf_str(&l->path),
	};
	return &l->found;
}

void
links_drop(struct links *l, const struct links_file *f)
{
	struct node **at = place_in(l, f), *n = *at;

	*at = n->next;
	node_free(l, n);
	l->n--;
}

void
links_update(struct links *l, const struct links_file *f, const struct facts *facts)
{
	fill(*place_in(l, f), facts);
}

void
links_seen(struct links *l, const struct links_file *f)
{
	struct node *n = *place_in(l, f);

	if (--n->left == 0)
		links_drop(l, f);
}

int
links_move(struct links *l, const struct links_file *f, const char *path, size_t len, struct err *e)
{
	struct facts facts = f->facts;

	facts.nlink = (*place_in(l, f))->left + 1;
	links_drop(l, f);
	return links_add(l, &facts, path, len, e);
}

size_t
links_count(const struct links *l)
{
	return l->n;
}
