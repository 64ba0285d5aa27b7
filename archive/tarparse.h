/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_TARPARSE_H
#define ARCHIVE_TARPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "archive/ustar.h"
#include "core/buf.h"

struct err;

/*
 * One header of a tar stream, made into an entry: the part of the tar reader that
 * looks at no stream.  All-zero is ready for use.  What comes out points into this
 * struct, and lives until it is used again.
 */
struct tarparse {
	/* The caller puts the records here, or clears it. They are changed by parsing. */
	struct buf pax;
	/* Results. */
	struct entry entry; /* extents: not yet */
	uint64_t stored; /* bytes that follow the header, a sparse file's map with them */

	/* Private. */
	char name[257], link[sizeof(((struct ustar *)0)->linkname) + 1];
	struct buf acl[2];
	struct entry_xattr *xattrs;
	size_t xattrs_cap;
	unsigned seen; /* which records there were, by place in the table */
	char *path, *linkpath;
	size_t path_len, linkpath_len;
	uint64_t size, uid, gid, real_size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
};

/* ERR_CORRUPT for all that tar_write_header() does not write. h is sound. */
int tarparse_header(struct tarparse *t, const struct ustar *h, struct err *e);
void tarparse_done(struct tarparse *t);

#endif
