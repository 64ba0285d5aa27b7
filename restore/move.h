/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_MOVE_H
#define RESTORE_MOVE_H

/*
 * rename(2) that replaces nothing: -1 and EEXIST.  Where a file system cannot tell (NFS, some of
 * FUSE), a look first is all that can be done.
 */
int move_name(int from, const char *name, int to, const char *to_name);

#endif
