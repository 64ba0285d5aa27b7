/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_SIDE_H
#define STORE_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seal/section.h"
#include "seal/targets.h"

struct err;
struct repo;
struct seal;

/*
 * One side of a comparison: the entries of a sealed backup in the order of their paths, straight
 * from its manifest, each proven from the seal down (seal -> root -> page -> section).  Memory does
 * not depend on the size of the backup.
 *
 * A side stands before a section that was not read yet, at an entry, or at the end.  A section may
 * be stepped over unread.  What is damaged is told to a callback and stepped over; then "lost" says
 * that paths between the last entry and where the side stands now may be missing.
 */
struct side;

enum side_at { SIDE_SECTION, SIDE_LINE, SIDE_END };

/* What is wrong, for people. */
typedef void (*side_damage_fn)(void *ctx, const char *why);

struct side_opts {
	/* Only this path and what is below it (clean); "" or NULL: everything. */
	const char *below;
	side_damage_fn damaged;
	void *ctx;
};

/* s and o->below must outlive the side. -1: the manifest cannot be used at all. */
int side_open(struct side **out, const struct repo *r, const struct seal *s,
    const struct side_opts *o, struct err *e);
void side_close(struct side *s); /* NULL is harmless */

enum side_at side_at(const struct side *s);
/* Of the entry, or of the section's first; not at the end.  Lives until the side moves. */
const char *side_path(const struct side *s, size_t *len);
bool side_lost(const struct side *s);
/*
 * Could it be that the source had this path, and it is missing only because it, or a directory
 * above it, could not be read?  (Also when the manifest cannot tell any more what was not read.)
 */
bool side_lacks(const struct side *s, const char *path, size_t len);
/*
 * From now on side_lacks() counts also what vanished before it was read, and what an archive cannot
 * hold.  Goes over the whole manifest, the first time.
 */
int side_all_notes(struct side *s, struct err *e);
/* At SIDE_LINE; lives until the side moves. */
const struct section_line *side_line(const struct side *s);
/* Both before a section with the same first path and digest: then all entries in it are equal. */
bool side_same_section(const struct side *a, const struct side *b);
/* At SIDE_SECTION: how many entries are in it. */
uint64_t side_entries(const struct side *s);

/*
 * Move.  enter: from before a section to its first entry; next: to what is behind the entry, or
 * behind the unread section.  -1 only when it cannot go on at all (stopped, out of memory).
 */
int side_enter(struct side *s, struct err *e);
int side_next(struct side *s, struct err *e);

/*
 * Of the entry that the side stands at, a file or a hard link; that of a link is its target's,
 * which is looked up.  1; 0 when it cannot be known (damage, which was told); -1.
 */
int side_content(struct side *s, struct targets_content *out, struct err *e);

#endif
