/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_HASHES_H
#define CORE_HASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * A set of 64-bit hashes (hash_cut): has this been seen?  Of names it takes 16 to 32 bytes each,
 * however long they are; that two of a million names have one hash happens once in 30 million
 * such sets.  All-zero is empty.
 */
struct hashes {
	uint64_t *slots; /* 0: free */
	size_t n, cap; /* cap: a power of two, or 0 */
};

/* 1: it was there already; 0: it was not, and is now; -1. */
int hashes_add(struct hashes *h, uint64_t hash, struct err *e);
bool hashes_has(const struct hashes *h, uint64_t hash);
void hashes_done(struct hashes *h);

#endif
