/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_ENTRIES_H
#define TESTS_UNIT_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/entry.h"

struct buf;
struct tar_writer;

/*
 * Entries of every type, with the extremes of every field, for tests of what writes
 * and reads them.  Static: there is nothing to free.
 */
const struct entry *entries_all(size_t *n);

/* An entry with all that must be said, for tests that change one thing. */
struct entry entries_file(const char *path, uint64_t size);

/* Every fact the same? */
bool entries_equal(const struct entry *a, const struct entry *b);

/* The byte of a file's content at an offset: tells when pieces are taken from the wrong place. */
uint8_t entries_byte(uint64_t offset);
/* Header, data, and padding of en; for entries with little data. */
void entries_put(struct tar_writer *w, const struct entry *en, struct buf *out);

#endif
