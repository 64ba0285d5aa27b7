/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_MOVE_H
#define RESTORE_MOVE_H

#include <sys/types.h>

/*
 * rename_new().  Moving a directory changes its "..", for which the right to write in it is needed.
 * One of our own that lacks it gets it for that moment (a run that is killed then leaves it with
 * it).  EACCES is left for those of others.
 */
int move_name(int from, const char *name, int to, const char *to_name);
/* May it be moved by that?  0, or -1 and errno. */
int move_may(int from, const char *name);
/*
 * chmod(2) of a directory, and of nothing else: what is there may be exchanged at any time by who
 * may write in dirfd.  -1 and errno.
 */
int move_chmod(int dirfd, const char *name, mode_t mode);

#endif
