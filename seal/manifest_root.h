/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_MANIFEST_ROOT_H
#define SEAL_MANIFEST_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "seal/manifest_text.h"

struct err;

/* The index root in memory: where the pages are.  Within this room only. */
struct manifest_root {
	unsigned version; /* 1 or 2 */
	struct manifest_totals totals;
	struct manifest_piece head;
	struct manifest_root_page {
		struct manifest_page page;
		uint64_t first; /* number of its first member */
		uint64_t start; /* in the manifest: where the sections before it begin */
	} * pages;
	size_t n_pages;
	struct buf paths; /* theirs */
};

/*
 * Parse text; root_offset is where the root stands in the manifest, which head, pages and
 * what is between them must fill to the byte.  ERR_CORRUPT names the line.
 */
int manifest_root_parse(
    struct manifest_root *root, const void *text, size_t len, uint64_t root_offset, struct err *e);
void manifest_root_done(struct manifest_root *root);
/* The page that holds member number n; n_pages when there is none. */
size_t manifest_root_find(const struct manifest_root *root, uint64_t n);
/* The first page whose first path is path or behind it (END is behind all); n_pages: none. */
size_t manifest_root_lower(const struct manifest_root *root, const char *path, size_t len);

#endif
