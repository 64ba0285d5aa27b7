/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_ENTRY_H
#define ARCHIVE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"

/*
 * One thing of a tree, as the tar stream stores it.  A struct entry borrows its
 * strings; who fills it in says how long they live.
 */
enum entry_type {
	ENTRY_FILE = 'f',
	ENTRY_DIR = 'd',
	ENTRY_SYMLINK = 'l',
	ENTRY_HARDLINK = 'h',
	ENTRY_FIFO = 'p',
	ENTRY_CHAR = 'c',
	ENTRY_BLOCK = 'b',
};

struct entry_xattr {
	const char *name; /* "user.comment"; never system.posix_acl_* */
	const void *value;
	size_t len;
};

struct entry_extent { /* data of a sparse file */
	uint64_t offset;
	uint64_t len;
};

struct entry {
	enum entry_type type;
	const char *path; /* clean (core/path.h), NUL-terminated; "" is the source */
	size_t path_len;
	uint32_t mode; /* 07777 */
	uint32_t uid, gid;
	uint64_t size; /* FILE only, else 0 */
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t rdev_major, rdev_minor; /* CHAR, BLOCK */
	const char *link; /* SYMLINK: target; HARDLINK: clean path; NUL-terminated; else NULL */
	size_t link_len;
	/* Sorted by name. */
	const struct entry_xattr *xattrs;
	size_t n_xattrs;
	/* Kernel form (posix_acl_xattr.h, version 2), or NULL. */
	const void *acl_access, *acl_default;
	size_t acl_access_len, acl_default_len;
	/*
	 * Where data is, in order, apart, not empty, all but the last one multiples of 512 bytes
	 * long; NULL and 0 with sparse false: all of it.
	 */
	bool sparse;
	const struct entry_extent *extents;
	size_t n_extents;
};

/* "file", "dir", "link", "hardlink", "fifo", "char", "block": as people and JSON see it. */
const char *entry_type_name(enum entry_type type);
/* Of what st_mode says; 0 for a socket, which no archive holds. */
enum entry_type entry_type_of_mode(uint32_t mode);
/* Digest over xattrs and ACLs (FORMAT.md, "xattrs"); false when there are none. */
bool entry_xattr_digest(const struct entry *en, uint8_t out[SHA256_LEN]);

/* A name for struct entry_xattr: not empty, and not that of a POSIX ACL. */
bool entry_xattr_name_ok(const char *name);

#endif
