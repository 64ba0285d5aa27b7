/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_INSIDE_H
#define BACKUP_INSIDE_H

struct err;

/*
 * Neither may hold the other: a repository in the source would be backed up into itself,
 * night after night.  ERR_USAGE then.  Compared by what they are, not by
 * their names, so that links and mounts do not hide it.
 */
int inside_check(int source_fd, const char *source, int repo_fd, const char *repo, struct err *e);

#endif
