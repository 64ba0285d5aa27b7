/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_TARGETS_H
#define SEAL_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

struct err;
struct manifest_reader;
struct section_line;

/* What a file holds. */
struct targets_content {
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
	bool has_xattrs;
	uint8_t xattrs[SHA256_LEN];
	bool changed, grew, unreadable;
};
/* Of a line that tells of a file. */
void targets_take(struct targets_content *out, const struct section_line *l);

/*
 * Looking up files in a manifest by their paths, for the hard links to them: in any order, each
 * proven.  The sections that were used last are kept, up to TARGETS_BYTES of them.
 */
#define TARGETS_BYTES (8u << 20)
struct targets;

/* r is borrowed, and moved about. */
int targets_new(struct targets **out, struct manifest_reader *r, struct err *e);
void targets_free(struct targets *t); /* NULL is harmless */
/* ERR_CORRUPT: no such file is in it, or where it should be is damaged. */
int targets_find(
    struct targets *t, const char *path, size_t len, struct targets_content *out, struct err *e);

#endif
