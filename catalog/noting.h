/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_NOTING_H
#define CATALOG_NOTING_H

#include <stdint.h>

struct catalog;
struct err;
struct repo;

/*
 * The catalog of a repository, for whoever has looked at a backup and wants to note what was found
 * (catalog_add_verification): one that is there and good, for none is made or repaired by that,
 * and under the repository's lock.  ERR_SYS also where the repository cannot be written to;
 * ERR_LOCKED after wait_seconds.
 */
int catalog_open_noting(struct catalog **out, struct repo *r, uint64_t wait_seconds, struct err *e);
/* The lock goes, too. */
void catalog_close_noting(struct catalog *c, struct repo *r);

#endif
