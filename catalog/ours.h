/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_OURS_H
#define CATALOG_OURS_H

#include <sys/types.h>

struct catalog;
struct err;

/* Is a file that has the catalog's name one of ours?  Private to catalog/. */

/* catalog/schema.sql. */
extern const char catalog_ours_schema[];

/* 1: a regular file; 0: nothing there; -1: anything else. */
int catalog_ours_regular(int dirfd, const char *name, off_t *size, struct err *e);
/* The journal beside it, before SQLite sees it. */
int catalog_ours_beside(int dirfd, struct err *e);
/* Header and schema of what c has open; sets c->version, and the connection's settings. */
int catalog_ours_check(struct catalog *c, struct err *e);

#endif
