/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_PROVEN_H
#define CATALOG_PROVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hash.h"

struct catalog;
struct err;
struct repo;

/*
 * What verify found, for retain_set_make() in store/retain.h.
 *
 * The catalog of r for proven_backup(), or NULL: none, or one that cannot be read.  Then nothing
 * counts as verified, which is never an error: the catalog may be lost.
 */
struct catalog *proven_open(struct repo *r);
/*
 * Does that catalog not know the backup with this signed text?  Then it may know it by an older
 * seal, when a run was cut short after sealing it anew, and its history with that: catalog_sync()
 * finds it.  false when there is no catalog.
 */
bool proven_is_behind(struct repo *r, const uint8_t digest[SHA256_LEN]);
/* ctx: that catalog, or NULL.  1 when the last thing known of the backup is that its bytes were
 * good, else 0. */
int proven_backup(void *ctx, const uint8_t digest[SHA256_LEN], struct err *e);

#endif
