/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_EACH_NAME_H
#define CORE_EACH_NAME_H

struct err;

/*
 * Call fn for each name in a directory but "." and "..", in no order; stops at its first result
 * that is not 0, which is the result.  fn may remove and rename; whether names that come meanwhile
 * are met is open.  dirfd's position does not matter.  Messages do not name the directory.
 */
int each_name(
    int dirfd, int (*fn)(void *ctx, const char *name, struct err *e), void *ctx, struct err *e);

#endif
