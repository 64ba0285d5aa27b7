/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_REBUILD_H
#define CATALOG_REBUILD_H

struct catalog;
struct catalog_accept;
struct err;
struct repo;

/* A catalog made of seals and manifests.  Private to catalog/. */

/* Index what c lacks of a, which is nothing before the end of a series that c has. */
int catalog_rebuild_missing(
    struct catalog *c, struct repo *r, const struct catalog_accept *a, struct err *e);
/* What catalog_rebuild() does. */
int catalog_rebuild_all(struct repo *r, const struct catalog_accept *a, struct err *e);

#endif
