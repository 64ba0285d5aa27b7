/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_NAMES_H
#define TREE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

struct err;

/*
 * The names in one directory, sorted bytewise: the names end to end in one block and
 * four bytes of index for each, so a million names of 20 bytes take 25 MB.  All-zero is
 * empty.
 */
struct names {
	struct buf text; /* NUL-terminated names */
	uint32_t *at;
	size_t n, cap;
};

void names_done(struct names *l);
/* Keeps memory for the next directory, unless it is much. */
void names_clear(struct names *l);
/*
 * All names in dirfd but "." and "..", sorted.  1 when the directory could not be read to its end:
 * errno says why, and the names so far are there; -1 without memory.
 */
int names_read(struct names *l, int dirfd, struct err *e);
const char *names_get(const struct names *l, size_t i);

#endif
