/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_HOLES_H
#define PACK_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"

struct err;

/*
 * Where a file's data is, found in its content: docs/FORMAT.md, "Holes".  Fed with
 * the file from start to end, it marks each unit of zeros as a hole.  How the
 * content came here (read, or known to be a hole) makes no difference.
 */
struct holes {
	uint64_t size, unit;
	uint64_t pos; /* fed up to here */
	bool dirty; /* the unit that is being fed has data */
	uint64_t saved; /* bytes in units of zeros */
	struct entry_extent *extents; /* owned */
	size_t n, cap;
};

void holes_init(struct holes *h, uint64_t size);
void holes_done(struct holes *h);
/*
 * The next len bytes are all zeros, or some are not.  A piece that has data may not cross a border
 * of holes_piece() bytes, for what it says holds for all of it.
 */
int holes_feed(struct holes *h, uint64_t len, bool zeros, struct err *e);
/* The next len bytes are these. */
int holes_feed_data(struct holes *h, const uint8_t *data, size_t len, struct err *e);
/* The largest piece to look at: the unit, but no more than 1 MiB.  Divides both. */
uint32_t holes_piece(const struct holes *h);
/* All is fed. Is the file to be stored sparse? */
bool holes_worth(const struct holes *h);
bool holes_is_zero(const void *data, size_t len);

/* Bytes of fd that the file system says are holes; 0 when it does not tell. */
uint64_t holes_known(int fd, uint64_t size);
/*
 * Feed a whole file from fd.  Holes that the file system knows are not read.  Bytes that cannot be
 * read count as data.
 */
int holes_scan(struct holes *h, int fd, struct err *e);

#endif
