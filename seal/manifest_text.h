/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_MANIFEST_TEXT_H
#define SEAL_MANIFEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"
#include "seal/manifest.h"
#include "seal/token.h"

struct err;

/* The lines of head, page and root: FORMAT.md, "Manifest".  Within this room only. */

/* A page is closed by this many lines, or by this much text, whichever comes first. */
#define MANIFEST_PAGE_LINES 512u
#define MANIFEST_PAGE_FULL (1u << 20)
/* No page is longer; no path either: one more line always fits behind PAGE_FULL. */
#define MANIFEST_PAGE_MAX (2u << 20)
#define MANIFEST_PATH_MAX (128u << 10)

/* A gzip member of the manifest. */
struct manifest_piece {
	uint64_t offset, packed_len, plain_len;
	uint8_t digest[SHA256_LEN]; /* of the packed bytes */
};

struct manifest_page {
	struct manifest_piece at;
	uint64_t lines;
	const char *path; /* of its first line; NULL for END */
	size_t path_len;
};

/* The member before, as far as the next one depends on it.  All-zero: none. */
struct manifest_order {
	bool known; /* that there is one, and the rest */
	enum manifest_kind kind;
	uint64_t end; /* in the archive */
	uint64_t file_offset;
	struct buf path;
};

/* May m stand behind *o?  Without a known one before only what holds alone is checked. */
int manifest_order_check(
    const struct manifest_order *o, const struct manifest_member *m, struct err *e);
int manifest_order_set(struct manifest_order *o, const struct manifest_member *m, struct err *e);
int manifest_order_copy(
    struct manifest_order *to, const struct manifest_order *from, struct err *e);

/*
 * More than libdeflate ever makes of plain_len bytes; what claims more is refused.  A member of the
 * archive may be longer by its padding, which takes version 2 of the index.
 */
uint64_t manifest_packed_max(uint64_t plain_len);
#define MANIFEST_PADDING_MAX (32u << 10)
static inline unsigned
manifest_version_for(const struct manifest_member *m)
{
	return m->packed_len > manifest_packed_max(m->plain_len) ? 2 : 1;
}

void manifest_put_head(struct buf *text, const char *name);
void manifest_put_member(struct buf *text, const struct manifest_member *m);
void manifest_put_root(struct buf *text, unsigned version, const struct manifest_totals *t,
    const struct manifest_piece *head, const char *pages, size_t pages_len);
void manifest_put_page(struct buf *text, const struct manifest_page *p);

/*
 * The reverse, of one line each.  The path is put behind what path holds, with a NUL;
 * its place comes in *path_at and m->path stays NULL (path may still move).  For END
 * nothing is put there and m->path_len is 0.
 */
int manifest_parse_member(
    struct token *c, struct manifest_member *m, struct buf *path, size_t *path_at, struct err *e);
int manifest_parse_page(struct token *c, struct manifest_page *p, struct buf *path, size_t *path_at,
    bool *is_end, struct err *e);
int manifest_parse_totals(struct token *c, struct manifest_totals *t, struct err *e);
int manifest_parse_head(struct token *c, struct manifest_piece *head, struct err *e);

#endif
