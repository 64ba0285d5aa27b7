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
 *
 * A file system's clock ticks coarsely, and a page written through a memory map reaches ctime only
 * when it is written back: a fresh ctime may stand for two contents.  So one counts only when it
 * had settled, some seconds before it was looked at; how many depends on the file system, and on
 * some no ctime ever does.
 */
#define STATKEY_MARGIN 60 /* seconds, on local file systems that keep ctime */
#define STATKEY_NEVER INT64_MIN

struct statkey {
	struct sha256 hash;
	bool usable;
	int64_t settled;
};

/* ctimes below this second count for who looks at now or later.  margin < 0: none does. */
int64_t statkey_settled(struct timespec now, int64_t margin);
/* settled: for all entries to come. */
void statkey_init(struct statkey *k, int64_t settled);
/* en gives type, path and link; f the rest, for a hard link the facts of the name that it links to.
 */
void statkey_add(struct statkey *k, const struct entry *en, const struct facts *f);
/* What is there and cannot be stored, with the reason that the section tells. */
void statkey_add_skipped(struct statkey *k, const char *path, size_t len, const char *reason);
/* An entry was flagged, or something noted that may be otherwise tomorrow: no key. */
void statkey_spoil(struct statkey *k);
/* false: the member has no key. */
bool statkey_final(struct statkey *k, uint8_t out[SHA256_LEN]);

#endif
