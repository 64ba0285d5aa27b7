/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_CUT_H
#define ARCHIVE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry;

/* Where an archive is cut into members: FORMAT.md, "Cuts" and "Holes". */
#define CUT_TARGET (256u << 10) /* mean plain length of an f member */
#define CUT_WEIGHT_MAX (1u << 20) /* weights in one f member */
#define CUT_LARGE_MIN ((1u << 20) + 1) /* a file of this size or more is large */
#define CUT_CHUNK (1u << 20) /* file data in one c member */
#define CUT_SPARSE_MIN (64u << 20) /* holes must save more than this */

bool cut_is_large(const struct entry *en);
/* Weight of an entry that is not large. */
uint64_t cut_weight(const struct entry *en);
/*
 * Does en start a new member, when the entries in the one being filled weigh so much?  Not when
 * that is 0, an empty member: there is nothing to end.  A large file always does.
 */
bool cut_before(const struct entry *en, uint64_t member_weight);
/* Unit in which zeros are looked for in a file of this size: a power of two, 64 KiB or more. */
uint64_t cut_hole_unit(uint64_t file_size);

#endif
