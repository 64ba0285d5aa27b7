/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_names.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "pack/attrs.h"
#include "store/repo.h"

/*
 * Paths are kept with '/' as NUL, so that SQLite's order of BLOBs is ours.  There is no
 * journal and no sync: a crash leaves nothing to go on with.
 */
static const char schema[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -8192;"
    "CREATE TABLE thing(id INTEGER PRIMARY KEY, type INT, mode INT, uid INT,"
    " gid INT, size INT, sec INT, nsec INT, major INT, minor INT, data INT,"
    " link BLOB, attrs BLOB, links INT NOT NULL DEFAULT 0, first BLOB);"
    "CREATE TABLE name(path BLOB PRIMARY KEY, thing INT) WITHOUT ROWID;"
    "BEGIN";

enum statement {
	ADD_THING,
	ADD_NAME,
	FIND_NAME,
	ADD_LINK,
	SET_FIRST,
	ALL,
	STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
    [ADD_THING] = "INSERT INTO thing(type, mode, uid, gid, size, sec, nsec, major, minor, data,"
		  " link, attrs) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ADD_NAME] = "INSERT OR REPLACE INTO name(path, thing) VALUES(?, ?)",
    [FIND_NAME] = "SELECT thing, type FROM name JOIN thing ON id = thing WHERE path = ?",
    [ADD_LINK] = "UPDATE thing SET links = links + 1 WHERE id = ?",
    [SET_FIRST] = "UPDATE thing SET first = ? WHERE id = ?",
    [ALL] = "SELECT path, type, mode, uid, gid, size, sec, nsec, major, minor, data, link, attrs,"
	    " links, first, id FROM name JOIN thing ON id = thing ORDER BY path",
};

struct import_names {
	sqlite3 *db;
	const char *where; /* for messages */
	sqlite3_stmt *st[STATEMENTS];
	int64_t made_up;
	struct buf key, attrs; /* in use by one call */
	/* Giving back. */
	bool waits; /* a row was read and is not given yet */
	struct buf row; /* its path */
	struct buf dir; /* the directory that was given last, or one above it */
	struct buf other; /* the last path that is no directory */
	bool has_root, has_other;
	struct buf link, made;
};

static int
fail(struct import_names *n, struct err *e)
{
	if (stop_check(e) != 0)
		return -1;
	return err_set(
	    e, ERR_SYS, "room for the archive's names, in %s: %s", n->where, sqlite3_errmsg(n->db));
}

static int
prepare(struct import_names *n, struct err *e)
{
	if (sqlite3_exec(n->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return fail(n, e);
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(n->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &n->st[i],
			NULL) != SQLITE_OK)
			return fail(n, e);
	return 0;
}

static int
open_path(struct import_names *n, const char *path, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;

	if (sqlite3_open_v2(path, &n->db, flags, NULL) != SQLITE_OK)
		return n->db == NULL ? err_nomem(e) : fail(n, e);
	return prepare(n, e);
}

static int
open_db(struct import_names *n, const struct repo *repo, const char *name, struct err *e)
{
	struct buf path = {0};

	if (repo == NULL)
		return open_path(n, "", e); /* SQLite's own way to a file that goes by itself */
	int rc = repo_scratch_path(repo, name, &path, e);
	if (rc == 0) {
		rc = open_path(n, buf_str(&path), e);
		/* With the schema in it the file is surely open, and can lose its name. */
		if (unlink(buf_str(&path)) != 0 && rc == 0)
			rc = err_sys(e, "unlink %s", buf_str(&path));
	}
	buf_done(&path);
	return rc;
}

int
import_names_new(struct import_names **out, const struct repo *repo, const char *name,
    int64_t made_up, struct err *e)
{
	struct import_names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return err_nomem(e);
	n->made_up = made_up;
	n->where = repo != NULL ? repo_dir(repo) : "the place for temporary files";
	if (open_db(n, repo, name, e) != 0) {
		import_names_free(n);
		return -1;
	}
	*out = n;
	return 0;
}

void
import_names_free(struct import_names *n)
{
	if (n == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(n->st[i]);
	(void)sqlite3_close(n->db);
	buf_done(&n->key);
	buf_done(&n->attrs);
	buf_done(&n->row);
	buf_done(&n->dir);
	buf_done(&n->other);
	buf_done(&n->link);
	buf_done(&n->made);
	free(n);
}

/* ---- putting in ---- */

/* path with '/' and NUL exchanged, which is its own inverse: neither has the other in it. */
static int
exchange(struct buf *out, const void *path, size_t len, char from, char to, struct err *e)
{
	buf_clear(out);
	buf_append(out, path, len);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == (uint8_t)from)
			out->data[i] = (uint8_t)to;
	(void)buf_str(out);
	return buf_check(out, e);
}

static void
bind_blob(sqlite3_stmt *st, int i, const void *data, size_t len)
{
	/* An empty one is not NULL. */
	(void)sqlite3_bind_blob64(st, i, len > 0 ? data : "", len, SQLITE_STATIC);
}

/* A statement that gives no row. */
static int
run(struct import_names *n, enum statement which, struct err *e)
{
	int rc = sqlite3_step(n->st[which]);

	(void)sqlite3_reset(n->st[which]);
	return rc == SQLITE_DONE ? 0 : fail(n, e);
}

static int
add_name(struct import_names *n, const struct entry *en, int64_t thing, struct err *e)
{
	sqlite3_stmt *st = n->st[ADD_NAME];

	if (exchange(&n->key, en->path, en->path_len, '/', '\0', e) != 0)
		return -1;
	bind_blob(st, 1, n->key.data, n->key.len);
	(void)sqlite3_bind_int64(st, 2, thing);
	return run(n, ADD_NAME, e);
}

static int
add_link(struct import_names *n, const struct entry *en, struct err *e)
{
	sqlite3_stmt *st = n->st[FIND_NAME];

	if (exchange(&n->key, en->link, en->link_len, '/', '\0', e) != 0)
		return -1;
	bind_blob(st, 1, n->key.data, n->key.len);
	int rc = sqlite3_step(st);
	int64_t thing = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	int type = rc == SQLITE_ROW ? sqlite3_column_int(st, 1) : 0;
	(void)sqlite3_reset(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(n, e);
	if (rc == SQLITE_DONE || type == ENTRY_DIR)
		return err_set(e, ERR_CORRUPT, "%.300s: is a hard link to %.300s, which %s",
		    en->path, en->link,
		    rc == SQLITE_DONE ? "does not come before it" : "is a directory");
	(void)sqlite3_bind_int64(n->st[ADD_LINK], 1, thing);
	if (run(n, ADD_LINK, e) != 0)
		return -1;
	return add_name(n, en, thing, e);
}

int
import_names_add(struct import_names *n, const struct entry *en, uint64_t data, struct err *e)
{
	const int64_t numbers[] = {en->type, en->mode, en->uid, en->gid, (int64_t)en->size,
	    en->mtime_sec, en->mtime_nsec, en->rdev_major, en->rdev_minor, (int64_t)data};
	sqlite3_stmt *st = n->st[ADD_THING];
	int i;

	if (en->type == ENTRY_HARDLINK)
		return add_link(n, en, e);
	buf_clear(&n->attrs);
	attrs_pack(en, &n->attrs);
	if (buf_check(&n->attrs, e) != 0)
		return -1;
	for (i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++)
		(void)sqlite3_bind_int64(st, i + 1, numbers[i]);
	if (en->link != NULL)
		bind_blob(st, i + 1, en->link, en->link_len);
	else
		(void)sqlite3_bind_null(st, i + 1);
	if (n->attrs.len > 0)
		bind_blob(st, i + 2, n->attrs.data, n->attrs.len);
	else
		(void)sqlite3_bind_null(st, i + 2);
	if (run(n, ADD_THING, e) != 0)
		return -1;
	return add_name(n, en, sqlite3_last_insert_rowid(n->db), e);
}

/* ---- giving back ---- */

/* 1: another one, with its path in n->row; 0: none; -1. */
static int
next_row(struct import_names *n, struct err *e)
{
	sqlite3_stmt *st = n->st[ALL];
	int rc = sqlite3_step(st);

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return fail(n, e);
	n->waits = true;
	return exchange(&n->row, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0),
		   '\0', '/', e) == 0
	    ? 1
	    : -1;
}

/*
 * The directory above path that has to be given before it: the shortest one that is not the one
 * given last, or above that.  false: all of them were given.
 */
static bool
lacks_directory(const struct import_names *n, const char *path, size_t len, size_t *dir_len)
{
	const char *slash = memrchr(path, '/', len), *next;
	size_t parent, same = 0;

	*dir_len = 0;
	if (!n->has_root)
		return len > 0;
	if (slash == NULL)
		return false;
	/* Both are gone over once: there may be tens of thousands of directories in a path. */
	parent = (size_t)(slash - path);
	while (same < n->dir.len && same < parent && n->dir.data[same] == (uint8_t)path[same])
		same++;
	if (path[same] == '/' && (same == n->dir.len || n->dir.data[same] == '/'))
		same++;
	if (same > parent)
		return false;
	next = memchr(path + same, '/', parent + 1 - same);
	*dir_len = (size_t)(next - path);
	return true;
}

static int
remember(struct buf *to, const char *path, size_t len, struct err *e)
{
	buf_clear(to);
	buf_append(to, path, len);
	(void)buf_str(to);
	return buf_check(to, e);
}

static int
give_directory(struct import_names *n, const char *path, size_t len, struct err *e)
{
	n->has_root = true;
	return remember(&n->dir, path, len, e);
}

static int
make_up(struct import_names *n, size_t len, struct import_entry *out, struct err *e)
{
	if (remember(&n->made, (const char *)n->row.data, len, e) != 0)
		return -1;
	*out = (struct import_entry){
	    .en = {.type = ENTRY_DIR,
		.path = buf_str(&n->made),
		.path_len = len,
		.mode = 0755,
		.mtime_sec = n->made_up},
	};
	return give_directory(n, out->en.path, len, e) == 0 ? 1 : -1;
}

static void
take_columns(sqlite3_stmt *st, struct import_entry *out)
{
	out->en.type = (enum entry_type)sqlite3_column_int(st, 1);
	out->en.mode = (uint32_t)sqlite3_column_int64(st, 2);
	out->en.uid = (uint32_t)sqlite3_column_int64(st, 3);
	out->en.gid = (uint32_t)sqlite3_column_int64(st, 4);
	out->en.size = (uint64_t)sqlite3_column_int64(st, 5);
	out->en.mtime_sec = sqlite3_column_int64(st, 6);
	out->en.mtime_nsec = (uint32_t)sqlite3_column_int64(st, 7);
	out->en.rdev_major = (uint32_t)sqlite3_column_int64(st, 8);
	out->en.rdev_minor = (uint32_t)sqlite3_column_int64(st, 9);
	out->data = (uint64_t)sqlite3_column_int64(st, 10);
	out->attrs = sqlite3_column_blob(st, 12);
	out->attrs_len = (size_t)sqlite3_column_bytes(st, 12);
}

/* The first name that comes by is the one that the others are links to. */
static int
take_file(struct import_names *n, sqlite3_stmt *st, struct import_entry *out, struct err *e)
{
	sqlite3_stmt *set = n->st[SET_FIRST];

	if (sqlite3_column_int64(st, 13) == 0)
		return 0;
	if (sqlite3_column_type(st, 14) == SQLITE_NULL) {
		out->has_links = true;
		bind_blob(set, 1, out->en.path, out->en.path_len);
		(void)sqlite3_bind_int64(set, 2, sqlite3_column_int64(st, 15));
		return run(n, SET_FIRST, e);
	}
	if (remember(&n->link, sqlite3_column_blob(st, 14), (size_t)sqlite3_column_bytes(st, 14),
		e) != 0)
		return -1;
	out->en.type = ENTRY_HARDLINK;
	out->en.size = 0;
	out->en.link = buf_str(&n->link);
	out->en.link_len = n->link.len;
	out->attrs = NULL;
	out->attrs_len = 0;
	return 0;
}

static int
take_row(struct import_names *n, struct import_entry *out, struct err *e)
{
	sqlite3_stmt *st = n->st[ALL];

	*out = (struct import_entry){.en = {.path = buf_str(&n->row), .path_len = n->row.len}};
	take_columns(st, out);
	if (out->en.type == ENTRY_FILE)
		return take_file(n, st, out, e);
	if (out->en.type != ENTRY_SYMLINK)
		return 0;
	if (remember(&n->link, sqlite3_column_blob(st, 11), (size_t)sqlite3_column_bytes(st, 11),
		e) != 0)
		return -1;
	out->en.link = buf_str(&n->link);
	out->en.link_len = n->link.len;
	return 0;
}

int
import_names_next(struct import_names *n, struct import_entry *out, struct err *e)
{
	const char *path;
	size_t dir_len;
	int rc;

	if (!n->waits && (rc = next_row(n, e)) != 1)
		return rc;
	path = buf_str(&n->row);
	if (n->has_other && path_within(path, n->row.len, buf_str(&n->other), n->other.len))
		return err_set(e, ERR_CORRUPT, "%.300s: lies below %.300s, which is no directory",
		    path, buf_str(&n->other));
	if (lacks_directory(n, path, n->row.len, &dir_len))
		return make_up(n, dir_len, out, e);
	n->waits = false;
	if (take_row(n, out, e) != 0)
		return -1;
	if (out->en.type == ENTRY_DIR)
		return give_directory(n, path, n->row.len, e) == 0 ? 1 : -1;
	n->has_other = true;
	return remember(&n->other, path, n->row.len, e) == 0 ? 1 : -1;
}
