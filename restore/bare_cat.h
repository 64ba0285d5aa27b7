/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_CAT_H
#define RESTORE_BARE_CAT_H

struct err;
struct restore_report;
struct restore_select;

/*
 * The content of the files that are wanted to standard output, in the order of an archive without
 * a manifest.  Its end is waited for: ERR_CORRUPT when it is not sound, whatever was written.
 */
int bare_cat(const struct restore_select *s, int fd, struct restore_report *r, struct err *e);

#endif
