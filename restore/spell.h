/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_SPELL_H
#define RESTORE_SPELL_H

#include <stdbool.h>

/*
 * File systems that take "a" for "A", or one way to write an accent for another: FAT, SMB, ext4
 * with casefold.  Two things of a backup may have one name there, and none may take the other's
 * place unseen.
 */

/* Is dirfd on such a one?  Tried out, with a file that is made in it, and gone again. */
bool spell_folds(int dirfd);
/*
 * On such a one: is there nothing of that name in dirfd, or what has exactly that name?  The
 * directory is listed.  -1 and errno, ENOTUNIQ when it has another spelling.
 */
int spell_check(int dirfd, const char *name);
/* The same for each component of a clean path beneath rootfd, as far as it is there. */
int spell_check_path(int rootfd, const char *path);

#endif
