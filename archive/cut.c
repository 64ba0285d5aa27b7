/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/cut.h"

#include "archive/entry.h"
#include "core/hash.h"

#define HEADER_WEIGHT 1024
#define PAD_UNIT 512
#define HOLE_UNIT_MIN (64u << 10)
#define HOLE_BLOCKS_MAX 65536u

/*
 * A cut that depends on nothing but the entry itself stays where it is when other
 * entries come and go, so a member's bytes, and with them its place in older archives,
 * are found again.  Only the upper bound looks back, and it rarely decides.
 */

static uint64_t
pad(uint64_t len)
{
	return (len + PAD_UNIT - 1) & ~(uint64_t)(PAD_UNIT - 1);
}

bool
cut_is_large(const struct entry *en)
{
	return en->type == ENTRY_FILE && en->size >= CUT_LARGE_MIN;
}

uint64_t
cut_weight(const struct entry *en)
{
	uint64_t data = en->type == ENTRY_FILE ? en->size : 0;
	uint64_t names = (uint64_t)en->path_len + (en->link != NULL ? en->link_len : 0);

	return HEADER_WEIGHT + pad(names) + pad(data);
}

bool
cut_before(const struct entry *en, uint64_t member_weight)
{
	uint64_t weight;

	if (member_weight == 0)
		return false;
	if (cut_is_large(en))
		return true;
	weight = cut_weight(en);
	/* The first test also keeps weight << 46 below 2^64. */
	if (weight >= CUT_TARGET || member_weight >= CUT_WEIGHT_MAX ||
	    weight > CUT_WEIGHT_MAX - member_weight)
		return true;
	return hash_cut(en->path, en->path_len) < weight << 46;
}

uint64_t
cut_hole_unit(uint64_t file_size)
{
	uint64_t unit = HOLE_UNIT_MIN;

	/* unit * HOLE_BLOCKS_MAX could pass 2^64; the quotient cannot. */
	while (file_size > 0 && (file_size - 1) / unit >= HOLE_BLOCKS_MAX)
		unit <<= 1;
	return unit;
}
