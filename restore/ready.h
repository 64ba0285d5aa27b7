/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_READY_H
#define RESTORE_READY_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct work;

/*
 * May a restore take the place of what is in a directory?  Looked at before anything is touched.
 * dir is its name, for messages.
 */

/* ERR_USAGE when the repository is in it, or is it. */
int ready_apart(int target_fd, const char *dir, int repo_fd, const char *repo, struct err *e);
/* ERR_SYS when something is mounted below it: a rename cannot move that, nor may it be emptied. */
int ready_no_mounts(int target_fd, const char *dir, struct err *e);
/*
 * ERR_LOCKED when a file in it is locked, or open in another process, as far as that can be seen:
 * locks of all processes of the machine, open files of those whose descriptors we may list.
 */
int ready_unused(int target_fd, const char *dir, struct err *e);
/* The same of one file that is to be replaced: its locks. */
bool ready_is_locked(int dirfd, const char *base);

/* Bytes and inodes that are free there; UINT64_MAX where a file system does not say. */
struct ready_room {
	uint64_t bytes, inodes;
};
struct ready_room ready_room(int target_fd);

#endif
