/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_DB_H
#define CATALOG_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "core/buf.h"
#include "core/hash.h"
#include "seal/seal.h"

struct err;

/*
 * The catalog's connection to SQLite.  Private to catalog/.
 *
 * A file is not trusted: no triggers, views, or functions of its schema run; values
 * are bounded; and where the connection is guarded, a statement ends with ERR_CORRUPT
 * after more steps than a file of its size can ask for (a B-tree whose pages point
 * at the same page again and again would else take for ever).
 */
#define CATALOG_DB_APPLICATION 0x54534c31
#define CATALOG_DB_VERSION 3
#define CATALOG_DB_VALUE_MAX (1 << 20) /* bytes in one value or row */

/* A backup as the catalog has it. */
struct catalog_backup {
	int64_t series;
	char series_name[SEAL_NAME_MAX + 1];
	uint64_t sequence;
	char name[SEAL_NAME_MAX + 1];
	uint8_t digest[SHA256_LEN];
	bool readable;
	bool excluded; /* by catalog_exclude() */
	bool warned; /* that it is not readable */
};

struct catalog {
	sqlite3 *db;
	char *path; /* as SQLite opened it; "" for a temporary one */
	/*
	 * CATALOG_DB_VERSION, or an older one: of that only the verification history is read and
	 * written, and the backups it names.
	 */
	int version;
	bool writable;
	bool guarded;
	uint64_t steps, steps_max; /* of the guard */
	struct catalog_backup *backups; /* by series name, then sequence */
	size_t n_backups;
	bool loaded; /* is backups up to date? */
	int64_t data_version; /* SQLite's, when they were read */
};

/* flags as for sqlite3_open_v2.  Nothing of the file is read yet but its header. */
int catalog_db_open(struct catalog **out, const char *path, int flags, struct err *e);
/* Closes; ERR_SYS when SQLite could not. NULL is harmless. */
int catalog_db_close(struct catalog *c, struct err *e);
/* *c was copied from another place; that must not be used again. */
void catalog_db_moved(struct catalog *c);
/* How this program uses SQLite; before anything is read or written. */
int catalog_db_pragmas(struct catalog *c, struct err *e);
/* The first len bytes of the file, without taking a lock; fewer than len: zeros. */
int catalog_db_header(struct catalog *c, uint8_t *out, int len, struct err *e);
/* Start counting steps anew: at the start of a query. */
void catalog_db_guard(struct catalog *c);

/* *e from what the connection failed with last. */
int catalog_db_fail(struct catalog *c, struct err *e);
int catalog_db_exec(struct catalog *c, const char *sql, struct err *e);
int catalog_db_prepare(struct catalog *c, const char *sql, sqlite3_stmt **out, struct err *e);
/* 1: a row; 0: done; -1. */
int catalog_db_step(struct catalog *c, sqlite3_stmt *st, struct err *e);
/* Step a statement that gives no row, and reset it. */
int catalog_db_run(struct catalog *c, sqlite3_stmt *st, struct err *e);
/* End the transaction, when there is one: commit it when rc is 0, else roll it back.  0, -1. */
int catalog_db_end(struct catalog *c, int rc, struct err *e);
/* 1 and *value: the first column of the only row; 0: no row; -1. Takes no parameters. */
int catalog_db_int(struct catalog *c, const char *sql, int64_t *value, struct err *e);

/* ERR_UNSUPPORTED when c is of an older version, whose spans mean something else. */
int catalog_db_current(const struct catalog *c, struct err *e);
/* ERR_CORRUPT: "the catalog is damaged: WHAT". */
int catalog_db_damaged(struct err *e, const char *what);
/* A question has failed: say what can be done when the repository's catalog is at fault.  -1. */
int catalog_db_advise(const struct catalog *c, struct err *e);
/* A digest in a column; ERR_CORRUPT when it is none. */
int catalog_db_digest(sqlite3_stmt *st, int col, uint8_t out[SHA256_LEN], struct err *e);
/* A path as it is stored, in key (cleared first). ERR_UNSUPPORTED: too long. */
int catalog_db_key(struct buf *key, const char *path, size_t len, struct err *e);
/* Binds key itself: it must live, unchanged, until the statement is reset. */
void catalog_db_bind_key(sqlite3_stmt *st, int param, const struct buf *key);
/*
 * Append a path out of a column, with a NUL after it that does not count; ERR_CORRUPT when it is
 * not clean.
 */
int catalog_db_path(sqlite3_stmt *st, int col, struct buf *out, struct err *e);

#endif
