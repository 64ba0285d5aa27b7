/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_OPEN_H
#define CATALOG_OPEN_H

#include <stdbool.h>

struct catalog;
struct err;
struct repo;

/*
 * Where the catalog's file lives and how it is trusted with a connection.  Private to
 * catalog/.
 */
#define CATALOG_OPEN_NEW ".catalog.sqlite3.new"

/*
 * The repository's catalog, checked to be one.  ERR_NOTFOUND: none there; ERR_CORRUPT:
 * damaged, or dressed up (WAL, a journal that names another file, another schema);
 * ERR_UNSUPPORTED: a newer one, or another program's database; ERR_SYS, ERR_LOCKED.
 */
int catalog_open_file(struct catalog **out, struct repo *r, bool writable, struct err *e);
/* An empty one in a temporary file that no other process sees. */
int catalog_open_temp(struct catalog **out, struct err *e);
/* An empty one as CATALOG_OPEN_NEW in r (one that is there is removed first). */
int catalog_open_new(struct catalog **out, struct repo *r, struct err *e);
/* Sync, close, and put it in place.  Closes c in every case. */
int catalog_open_publish(struct catalog *c, struct repo *r, struct err *e);
/* Close and remove it. */
void catalog_open_discard(struct catalog *c, struct repo *r);

#endif
