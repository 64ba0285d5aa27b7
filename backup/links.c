/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/links.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

/*
 * Chains rather than open addressing: files come and go all the time, and each
 * is one block with its path, freed at once when its last name was seen.
 */
struct node {
	struct links_file file; /* first: links_seen gets it back */
	struct node *next;
	uint32_t left; /* names not seen yet */
	char path[];
};

struct links {
	struct node **heads;
	size_t n_heads; /* a power of two */
	size_t n;
};

#define HEADS_MIN 256u

static size_t
slot(const struct links *l, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ (dev << 32 | dev >> 32)) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 20) & (l->n_heads - 1);
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
			free(n);
		}
	}
	free(l->heads);
	free(l);
}

/* Without memory for more heads the chains grow longer; that is no error. */
static void
grow(struct links *l)
{
	struct links bigger = {.n_heads = l->n_heads * 2, .n = l->n};

	bigger.heads = calloc(bigger.n_heads, sizeof(struct node *));
	if (bigger.heads == NULL)
		return;
	for (size_t i = 0; i < l->n_heads; i++) {
		for (struct node *n = l->heads[i], *next; n != NULL; n = next) {
			next = n->next;
			size_t at = slot(&bigger, n->file.facts.dev, n->file.facts.ino);
			n->next = bigger.heads[at];
			bigger.heads[at] = n;
		}
	}
	free(l->heads);
	*l = bigger;
}

int
links_add(struct links *l, const struct facts *facts, const char *path, size_t len, struct err *e)
{
	struct node *n = malloc(sizeof(*n) + len + 1);

	if (n == NULL)
		return err_nomem(e);
	memcpy(n->path, path, len);
	n->path[len] = '\0';
	n->file = (struct links_file){.facts = *facts, .path = n->path, .path_len = len};
	n->left = facts->nlink - 1;
	if (l->n >= l->n_heads)
		grow(l);
	size_t at = slot(l, facts->dev, facts->ino);
	n->next = l->heads[at];
	l->heads[at] = n;
	l->n++;
	return 0;
}

const struct links_file *
links_find(struct links *l, uint64_t dev, uint64_t ino)
{
	for (struct node *n = l->heads[slot(l, dev, ino)]; n != NULL; n = n->next) {
		if (n->file.facts.ino == ino && n->file.facts.dev == dev)
			return &n->file;
	}
	return NULL;
}

void
links_drop(struct links *l, const struct links_file *f)
{
	struct node **at = &l->heads[slot(l, f->facts.dev, f->facts.ino)];

	while (&(*at)->file != f)
		at = &(*at)->next;
	struct node *n = *at;
	*at = n->next;
	free(n);
	l->n--;
}

static struct node *
node_of(const struct links_file *f)
{
	return (struct node *)(uintptr_t)f; /* its first member */
}

void
links_update(const struct links_file *f, const struct facts *facts)
{
	node_of(f)->file.facts = *facts;
}

void
links_seen(struct links *l, const struct links_file *f)
{
	struct node *n = node_of(f);

	if (--n->left == 0)
		links_drop(l, f);
}

int
links_move(struct links *l, const struct links_file *f, const char *path, size_t len, struct err *e)
{
	struct facts facts = f->facts;

	facts.nlink = node_of(f)->left + 1;
	links_drop(l, f);
	return links_add(l, &facts, path, len, e);
}

size_t
links_count(const struct links *l)
{
	return l->n;
}
