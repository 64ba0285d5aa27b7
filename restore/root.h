/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_ROOT_H
#define RESTORE_ROOT_H

#include <time.h>

struct err;

/*
 * Owner, mode, extended attributes, ACLs and time of one open directory to another: what was
 * restored as the top of the tree, to the target.  What may not be set is a warning, as it was when
 * the first one got it.  name is the second one's, for messages.
 */
int root_copy(int from, int to, const char *name, struct err *e);
int root_set_time(int fd, const struct timespec *mtime, const char *name, struct err *e);

#endif
