/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_INDEX_H
#define CATALOG_INDEX_H

#include <stdbool.h>

struct catalog;
struct err;
struct repo;
struct seal;

/*
 * Like catalog_index, but a manifest that cannot be read, being damaged or missing, is no
 * failure: the backup is recorded as one of which nothing is known, with a warning.
 */
int catalog_index_lenient(struct catalog *c, struct repo *r, const struct seal *s, struct err *e);

/* Can all that is indexed of the manifest be read? */
bool catalog_index_readable(struct repo *r, const struct seal *s);

#endif
