/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/hashes.h"

#include <stdlib.h>

#include "core/err.h"

/* 0 marks a free slot. */
static uint64_t
never_free(uint64_t hash)
{
	return hash != 0 ? hash : 1;
}

/* Where hash is, or would go. */
static uint64_t *
slot(uint64_t *slots, size_t cap, uint64_t hash)
{
	size_t i = (size_t)hash & (cap - 1);

	while (slots[i] != 0 && slots[i] != hash)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

/* Room for one more, with half of it free. */
static int
grow(struct hashes *h, struct err *e)
{
	size_t cap = h->cap == 0 ? 64 : 2 * h->cap;
	uint64_t *more;

	if (2 * h->n < h->cap)
		return 0;
	if ((more = calloc(cap, sizeof(*more))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < h->cap; i++)
		if (h->slots[i] != 0)
			*slot(more, cap, h->slots[i]) = h->slots[i];
	free(h->slots);
	h->slots = more;
	h->cap = cap;
	return 0;
}

int
hashes_add(struct hashes *h, uint64_t hash, struct err *e)
{
	uint64_t *at;

	hash = never_free(hash);
	if (grow(h, e) != 0)
		return -1;
	at = slot(h->slots, h->cap, hash);
	if (*at == hash)
		return 1;
	*at = hash;
	h->n++;
	return 0;
}

bool
hashes_has(const struct hashes *h, uint64_t hash)
{
	hash = never_free(hash);
	return h->n > 0 && *slot(h->slots, h->cap, hash) == hash;
}

void
hashes_done(struct hashes *h)
{
	free(h->slots);
	*h = (struct hashes){0};
}
