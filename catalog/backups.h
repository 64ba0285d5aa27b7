/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_BACKUPS_H
#define CATALOG_BACKUPS_H

struct catalog;
struct catalog_backup;
struct err;

/* The catalog's backups in memory.  Private to catalog/. */

/* Read them into c, unless they are there already. */
int catalog_backups_load(struct catalog *c, struct err *e);
/* This connection has changed them: forget them. */
void catalog_backups_unload(struct catalog *c);
/*
 * A transaction is open: make sure that they are those which it sees.  1: they were read (anew);
 * pointers to them are no good any more.  0: nothing changed.  -1.  What came since they were first
 * read is excluded: whoever asks has named the backups that count when c was opened.
 */
int catalog_backups_refresh(struct catalog *c, struct err *e);
/* The backup of that name; NULL: ERR_NOTFOUND, or c could not be read. */
const struct catalog_backup *catalog_backups_need(
    struct catalog *c, const char *name, struct err *e);

#endif
