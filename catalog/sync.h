/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_SYNC_H
#define CATALOG_SYNC_H

struct catalog;
struct catalog_accept;
struct err;
struct repo;

/* Private to catalog/. */

/* Has c these backups and no other?  1, 0, -1. */
int catalog_sync_agrees(struct catalog *c, const struct catalog_accept *a, struct err *e);
/* What catalog_sync() does. */
int catalog_sync_accepted(
    struct catalog *c, struct repo *r, const struct catalog_accept *a, struct err *e);

#endif
