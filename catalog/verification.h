/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_VERIFICATION_H
#define CATALOG_VERIFICATION_H

struct catalog;
struct err;

/*
 * Take over old's verification history (NULL: none) of the backups that c has.  What cannot
 * be read of old is left behind with a warning: lost history counts as not verified.
 */
int catalog_verification_copy(struct catalog *c, struct catalog *old, struct err *e);

#endif
