/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_ROWS_H
#define CATALOG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/hash.h"

struct err;

/*
 * Rows of the table version, copied out of SQLite and checked: a value that no index
 * could have put there is ERR_CORRUPT.  Private to catalog/.
 */
#define CATALOG_ROWS_COLUMNS                                                                       \
	"path, first, last, type, mode, uid, gid, size, mtime_sec, mtime_nsec, flags, rdev, link," \
	" sha256, xattrs"

enum catalog_rows_column {
	CATALOG_ROWS_PATH,
	CATALOG_ROWS_FIRST,
	CATALOG_ROWS_LAST,
	CATALOG_ROWS_TYPE,
	CATALOG_ROWS_MODE,
	CATALOG_ROWS_UID,
	CATALOG_ROWS_GID,
	CATALOG_ROWS_SIZE,
	CATALOG_ROWS_MTIME_SEC,
	CATALOG_ROWS_MTIME_NSEC,
	CATALOG_ROWS_FLAGS,
	CATALOG_ROWS_RDEV,
	CATALOG_ROWS_LINK,
	CATALOG_ROWS_SHA256,
	CATALOG_ROWS_XATTRS,
	CATALOG_ROWS_N,
};

enum { CATALOG_ROWS_CHANGED = 1, CATALOG_ROWS_GREW = 2, CATALOG_ROWS_UNREADABLE = 4 };

struct catalog_row {
	int64_t first, last; /* first 0: from the oldest backup on; last 0: to the newest */
	enum entry_type type;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	int64_t flags;
	uint32_t rdev_major, rdev_minor;
	bool has_link, has_sha256;
	size_t path, path_len, link, link_len; /* in text, each with a NUL after it */
	uint8_t sha256[SHA256_LEN];
};

struct catalog_rows {
	struct catalog_row *v;
	size_t n, cap;
	struct buf text;
};

/* Append the row on which st, a SELECT of CATALOG_ROWS_COLUMNS, stands. */
int catalog_rows_add(struct catalog_rows *rows, sqlite3_stmt *st, struct err *e);
void catalog_rows_clear(struct catalog_rows *rows);
void catalog_rows_done(struct catalog_rows *rows);

#endif
