/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_BENEATH_H
#define CORE_BENEATH_H

#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Opening below a directory, and never outside it: openat2(2) with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, or where the kernel lacks it (or the
 * path is longer than PATH_MAX) one component after the other with O_NOFOLLOW.
 * Paths are clean (path_is_clean); "" opens the root again.
 *
 * These return an fd, or -1 with errno set and no err: callers decide what a
 * missing or refused path means (ELOOP: a symlink stands there).  With O_PATH and
 * O_NOFOLLOW beneath_open opens a symlink itself, if it is the last component.
 */
int beneath_open(int rootfd, const char *path, int flags, mode_t mode);
/*
 * The directory that holds path, and in *base the last component (borrowed from
 * path).  path must not be "".  The fd is for *at calls only (O_PATH); beneath_open
 * gives one that can be read or synced.
 */
int beneath_parent(int rootfd, const char *path, const char **base);
/* Like beneath_parent, making missing directories with mode 0700. */
int beneath_make_parent(int rootfd, const char *path, const char **base);

#endif
