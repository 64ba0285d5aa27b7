/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_FOREIGN_IMPL_H
#define ARCHIVE_FOREIGN_IMPL_H

#include <stdbool.h>

#include "archive/entry.h"
#include "archive/foreign.h"
#include "archive/pax.h"
#include "archive/ustar.h"
#include "core/buf.h"

/* Between foreign.c and foreign_*.c only. */

/* Numbers that records tell; the has_ flags say which. */
struct foreign_numbers {
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
};

struct foreign_sparse {
	bool old; /* typeflag S: the map is in the header */
	bool in_data; /* format 1.0: the map stands before the data */
	bool has_major, has_real, is_there;
	uint64_t real; /* size of the file */
	uint64_t pending; /* format 0.0: an offset that waits for its length */
	bool has_pending;
	struct entry_extent *map;
	size_t n, cap;
};

struct foreign {
	tar_feed feed;
	void *ctx;
	const uint8_t *piece; /* what is left of the last piece */
	size_t piece_len;
	uint64_t pos; /* bytes taken from the stream */
	bool any; /* a header was there */
	bool ended;

	/* The present entry: what stands before its header, */
	struct buf pax, long_name, long_link;
	bool has_long_name, has_long_link;
	struct foreign_numbers global;
	/* and what became of it. */
	struct foreign_numbers numbers;
	struct foreign_sparse sparse;
	const char *path_record, *link_record; /* NULL: none; in pax */
	size_t path_record_len, link_record_len;
	const char *sparse_name;
	size_t sparse_name_len;
	struct buf path, link; /* clean, NUL-terminated */
	struct buf acl[2]; /* access, default */
	bool acl_exact[2]; /* from the kernel's form; before any text */
	bool acl_lost[2];
	struct entry_xattr *xattrs;
	size_t n_xattrs, cap_xattrs;
	struct entry entry;
	const char *lost;

	/* Its data. */
	uint64_t left; /* bytes not yet handed out */
	uint32_t pad;
	uint64_t offset; /* in the file, of the next byte */
	size_t extent;
};

/* ERR_CORRUPT, with the place in the stream. */
int foreign_corrupt(const struct foreign *f, const char *why, struct err *e);
/* Exactly len bytes into out; ERR_CORRUPT at the end of the stream. */
int foreign_take(struct foreign *f, void *out, size_t len, struct err *e);

/* foreign_fields.c: headers and records to f->entry, f->left. */
int foreign_number(const char *field, size_t len, int64_t *v);
int foreign_global(struct foreign *f, struct buf *records, struct err *e);
int foreign_fields(struct foreign *f, const struct ustar *h, struct err *e);

/* foreign_attrs.c: attributes and ACLs. */
/* 1: the record was one of these; 0: it is none; -1. */
int foreign_attr(struct foreign *f, struct pax_record *r, struct err *e);
/* Sort, and let f->entry borrow them. */
void foreign_attrs_done(struct foreign *f);

/* foreign_sparse.c */
/* As foreign_attr(). */
int foreign_sparse_record(struct foreign *f, const struct pax_record *r, struct err *e);
/* Behind the header: read what is left of the map, and see whether it fits. */
int foreign_sparse_map(struct foreign *f, const struct ustar *h, struct err *e);

#endif
