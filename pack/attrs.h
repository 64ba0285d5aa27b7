/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_ATTRS_H
#define PACK_ATTRS_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/entry.h"
#include "core/buf.h"

struct err;

/*
 * Extended attributes and POSIX ACLs of one file.  All of user.*, security.*, and
 * trusted.* is kept, and the ACLs in their kernel form; of system.* nothing else,
 * because those are views that a file system makes of something that stands
 * elsewhere.  What is kept fits in a tar header: an ACL that no kernel would take is
 * left out, and all of it when it is over ATTRS_MAX.  All-zero is empty; the memory is kept from
 * one file to the next.
 */
#define ATTRS_MAX                                                                                  \
	(768u << 10) /* names and values; a tar header has 1 MiB, for the path as well             \
		      */
struct attrs {
	struct entry_xattr *list; /* sorted by name */
	size_t n, cap;
	const void *acl_access, *acl_default;
	size_t acl_access_len, acl_default_len;
	struct buf store; /* names and values; everything above points into it */
	struct buf names; /* as the kernel listed them */
	int denied; /* errno of the first one that could not be read; 0: all were */
};

void attrs_done(struct attrs *a);
void attrs_clear(struct attrs *a);
/* Of an open file. What cannot be read is left out and told in denied; -1 only without memory. */
int attrs_read_fd(struct attrs *a, int fd, struct err *e);
/*
 * Of name in the directory dirfd (which may be O_PATH), itself if it is a symlink, without opening
 * it: by way of /proc, which must be mounted.  A name that is gone has none.
 */
int attrs_read_at(struct attrs *a, int dirfd, const char *name, struct err *e);
/* Lets en borrow everything. */
void attrs_entry(const struct attrs *a, struct entry *en);

/* To keep them elsewhere: append those of en to out, as bytes that attrs_unpack() takes. */
void attrs_pack(const struct entry *en, struct buf *out);
/* ERR_CORRUPT for anything else.  packed is copied. */
int attrs_unpack(struct attrs *a, const void *packed, size_t len, struct err *e);
/* Do those of en fit (ATTRS_MAX)? */
bool attrs_fit(const struct entry *en);

#endif
