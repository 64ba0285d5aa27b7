/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/ours.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/db.h"
#include "core/err.h"
#include "core/io.h"
#include "store/repo.h"

#define HEADER_LEN 100
#define JOURNAL REPO_CATALOG "-journal"

const char catalog_ours_schema[] =
#include "catalog_schema.h"
    ;

/* What schema_digest() gives for older versions, from 1 on; their texts are gone from here. */
static const uint8_t older_schemas[CATALOG_DB_VERSION - 1][SHA256_LEN] = {
    {0xad, 0x90, 0x3c, 0x2a, 0x53, 0x1e, 0x28, 0xe4, 0x3b, 0xa7, 0x17, 0x50, 0x30, 0x9d, 0xf6, 0x88,
	0xa6, 0x39, 0xef, 0x6e, 0x76, 0x25, 0xcd, 0xca, 0x86, 0xca, 0x00, 0xa8, 0x03, 0xb4, 0xa0,
	0xbe},
    {0xe0, 0xf6, 0x52, 0xff, 0x2d, 0x39, 0x02, 0xe7, 0x52, 0x22, 0x4f, 0x4c, 0x8f, 0xa5, 0x50, 0xca,
	0xb9, 0xc2, 0xf8, 0x80, 0x42, 0x76, 0xe1, 0x02, 0x6b, 0x16, 0x9e, 0x05, 0x18, 0x64, 0xa6,
	0xf6},
};

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int
catalog_ours_regular(int dirfd, const char *name, off_t *size, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	if (S_ISDIR(st.st_mode))
		return err_set(
		    e, ERR_UNSUPPORTED, "%s: a directory has that name; move it away", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%s: is not a regular file", name);
	*size = st.st_size;
	return 1;
}

/*
 * A journal can name a "super-journal", a file that SQLite removes after the roll-back.
 * We never write such journals, so one that does was put there to have a file removed.
 * It is also in WAL files that another's rows could be hidden: none can be ours.
 */
int
catalog_ours_beside(int dirfd, struct err *e)
{
	static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	uint8_t tail[8];
	off_t size = 0;
	int fd, rc = catalog_ours_regular(dirfd, JOURNAL, &size, e);

	if (rc < 0)
		return -1;
	if (rc == 1 && size >= (off_t)sizeof(tail)) {
		fd = openat(dirfd, JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1)
			return errno == ENOENT ? 0 : err_sys(e, JOURNAL);
		rc = io_pread_exact(fd, tail, sizeof(tail), (uint64_t)size - sizeof(tail), e);
		(void)close(fd);
		if (rc != 0)
			return err_where(e, JOURNAL);
		if (memcmp(tail, magic, sizeof(tail)) == 0)
			return err_set(e, ERR_CORRUPT, JOURNAL ": names another file");
	}
	if (faccessat(dirfd, REPO_CATALOG "-wal", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_CORRUPT, REPO_CATALOG "-wal: cannot be ours");
	return 0;
}

/*
 * Looked at before SQLite reads a page, so that it never starts WAL mode (files 18 and 19
 * of the header say 2 then) or a recovery on what cannot be ours.
 */
static int
check_header(struct catalog *c, struct err *e)
{
	uint8_t h[HEADER_LEN];

	if (catalog_db_header(c, h, sizeof(h), e) != 0)
		return -1;
	if (memcmp(h, "SQLite format 3", 16) != 0)
		return catalog_db_damaged(e, "it does not start as one");
	if (be32(h + 68) != CATALOG_DB_APPLICATION)
		return err_set(e, ERR_UNSUPPORTED,
		    "a database of another program has the catalog's name; move it away");
	if (be32(h + 60) > CATALOG_DB_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
		    "the catalog is of a newer version (%u; this program knows %d); move it away, "
		    "and a new one is made",
		    be32(h + 60), CATALOG_DB_VERSION);
	if (be32(h + 60) < 1 || h[18] != 1 || h[19] != 1)
		return catalog_db_damaged(e, "its header has the wrong form");
	c->version = (int)be32(h + 60);
	return 0;
}

static void
hash_row(struct sha256 *h, sqlite3_stmt *st)
{
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const unsigned char *text = sqlite3_column_text(st, i);
		int len = sqlite3_column_bytes(st, i);

		if (text != NULL && len > 0)
			sha256_update(h, text, (size_t)len);
		sha256_update(h, "", 1);
	}
}

/* The schema as SQLite keeps it, row after row, as one digest. */
static int
schema_digest(struct catalog *c, uint8_t out[SHA256_LEN], struct err *e)
{
	struct sha256 h;
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(
	    c, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", &st, e);

	sha256_init(&h);
	if (rc == 0) {
		while ((rc = catalog_db_step(c, st, e)) == 1)
			hash_row(&h, st);
	}
	sqlite3_finalize(st);
	sha256_final(&h, out);
	return rc;
}

static int
current_digest(uint8_t out[SHA256_LEN], struct err *e)
{
	struct catalog *model = NULL;
	int rc;

	if (catalog_db_open(&model, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e) != 0)
		return -1;
	rc = catalog_db_exec(model, catalog_ours_schema, e);
	if (rc == 0)
		rc = schema_digest(model, out, e);
	(void)catalog_db_close(model, NULL);
	return rc;
}

static int
check_schema(struct catalog *c, struct err *e)
{
	uint8_t want[SHA256_LEN], is[SHA256_LEN];

	if (c->version < CATALOG_DB_VERSION)
		memcpy(want, older_schemas[c->version - 1], sizeof(want));
	else if (current_digest(want, e) != 0)
		return -1;
	if (schema_digest(c, is, e) != 0)
		return -1;
	return memcmp(want, is, sizeof(is)) == 0 ? 0
						 : catalog_db_damaged(e, "its schema is another");
}

int
catalog_ours_check(struct catalog *c, struct err *e)
{
	if (check_header(c, e) != 0 || catalog_db_pragmas(c, e) != 0)
		return -1;
	catalog_db_guard(c);
	return check_schema(c, e);
}
