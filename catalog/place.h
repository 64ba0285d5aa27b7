/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_PLACE_H
#define CATALOG_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hash.h"

struct catalog;
struct err;
struct seal;

/* Where a new backup stands in its series, and its row there.  Private to catalog/. */
struct catalog_place {
	struct catalog *c;
	const struct seal *seal;
	int64_t series; /* id; its row is made when missing */
	int64_t previous; /* sequence of the newest readable backup before; 0: none */
};

/* A transaction is open.  ERR_UNSUPPORTED: it is not newer than all of its series. */
int catalog_place_find(
    struct catalog_place *p, struct catalog *c, const struct seal *seal, struct err *e);
/* Put the backup's row there. */
int catalog_place_put(struct catalog_place *p, bool readable, struct err *e);
/* SHA-256 of what the seal signs, but its policy and holds: the same when it is sealed anew. */
int catalog_place_bare(const struct seal *seal, uint8_t out[SHA256_LEN], struct err *e);

#endif
