/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_STATKEY_H
#define PACK_STATKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "archive/entry.h"
#include "core/hash.h"
#include "pack/facts.h"

/*
 * The stat key of an archive member: docs/FORMAT.md, "Stat key".  The same key
 * another night means that nothing in the member was touched.
 */
#define STATKEY_AGE 60 /* seconds that a ctime must lie back */

struct statkey {
	struct sha256 hash;
	bool usable;
	int64_t before; /* ctimes in this second or later are too fresh */
};

/* now: not later than the first stat of an entry to come. */
void statkey_init(struct statkey *k, struct timespec now);
/* en gives type, path and link; f the rest, for a hard link the facts of the name that it links to.
 */
void statkey_add(struct statkey *k, const struct entry *en, const struct facts *f);
/* An entry was flagged: no key. */
void statkey_spoil(struct statkey *k);
/* false: the member has no key. */
bool statkey_final(struct statkey *k, uint8_t out[SHA256_LEN]);

#endif
