/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_AMEND_H
#define CATALOG_AMEND_H

struct catalog;
struct catalog_backup;
struct err;
struct seal;

/*
 * Changes to what is indexed, each in one transaction, so that the rows are those of a catalog
 * built anew from what is left.  Private to catalog/.
 */

/*
 * Take out a backup that c has, wherever it stands, its verification history too.  Costs what
 * changed between it and its neighbours, and its members.  ERR_CORRUPT: the rows do not fit.
 */
int catalog_amend_remove(struct catalog *c, const struct catalog_backup *gone, struct err *e);
/* Is seal the one of b with other holds or another policy, and nothing else?  1, 0, -1. */
int catalog_amend_is_reseal(
    struct catalog *c, const struct catalog_backup *b, const struct seal *seal, struct err *e);
/* So b has seal's digest, and its verification history goes over to that. */
int catalog_amend_reseal(
    struct catalog *c, const struct catalog_backup *b, const struct seal *seal, struct err *e);

#endif
