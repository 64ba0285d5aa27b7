/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_RENAME_H
#define CORE_RENAME_H

/*
 * rename(2) that replaces nothing: -1 and errno, which is EEXIST when the new name is taken.
 * Where a file system cannot tell (NFS, some of FUSE), rename_looked() is what is done.
 */
int rename_new(int from_dir, const char *from, int to_dir, const char *to);
/* The same with a look first: a name that comes between the look and the rename is replaced. */
int rename_looked(int from_dir, const char *from, int to_dir, const char *to);

#endif
