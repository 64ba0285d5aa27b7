/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "archive/entry.h"
#include "core/hash.h"
#include "seal/seal.h"

struct err;
struct repo;
struct repo_list;

/*
 * The catalog: an SQLite index over all manifests of a repository, so that
 * "which backup has this file, in which version" is one B-tree look-up.  It is
 * never the truth: it can be lost, and is made again from seals and manifests.
 *
 * Version spans: a row of version says that a path had the same facts in every readable
 * backup of its series from sequence first (0: from the oldest one on) to sequence last
 * (NULL: to the newest one).  So a night, and removing a backup, cost what changed.
 */
struct catalog;

/*
 * Read and write, made when missing; a damaged one is replaced by an empty one, with a warning.
 * The repository's lock is held.  ERR_UNSUPPORTED: a newer version, or another program's file.
 *
 * A process has one catalog of a repository open at a time, and uses it from one thread at a time.
 */
int catalog_open_write(struct catalog **out, struct repo *r, struct err *e);
/*
 * For queries: the repository's catalog where it can be opened and agrees with l (the same
 * sealed backups by text_digest).  Else it is brought up to date first when the lock can be had at
 * once (and given back at once), and when that cannot be (read-only, locked, damaged), a temporary
 * one is built from the manifests and used; log_verbose says so.  So a query can always be
 * answered.
 *
 * Here and in sync and rebuild, of l those count that are REPO_TRUSTED or REPO_UNSIGNED; of two
 * with the same series and sequence only one.  A backup whose manifest is damaged or missing is
 * known by name only, with a warning.
 *
 * The answers are as good as the file: whoever can write to the repository can make it lie.  It is
 * for finding things, and nothing that verify or restore says leans on it.
 */
int catalog_open_query(
    struct catalog **out, struct repo *r, const struct repo_list *l, struct err *e);
/* The same, from the manifests in any case: each answer is then what the sealed manifests say. */
int catalog_open_manifests(
    struct catalog **out, struct repo *r, const struct repo_list *l, struct err *e);
/*
 * The repository's catalog as it stands, read only, up to date or not: for its history.  Queries
 * and figures give ERR_UNSUPPORTED where it is of an older version.
 */
int catalog_open_history(struct catalog **out, struct repo *r, struct err *e);
void catalog_close(struct catalog *c); /* NULL is harmless */

/*
 * Index one sealed backup (its manifest is read from r).  It must be newer than all of its series
 * that are indexed (else ERR_UNSUPPORTED; use catalog_sync).  All or nothing, one transaction.
 */
int catalog_index(struct catalog *c, struct repo *r, const struct seal *s, struct err *e);
/*
 * Make the catalog agree with l, each backup in a transaction of its own: take out what is gone,
 * take over what was sealed anew, index what is missing at the end of its series.  A backup that is
 * missing before others of its series, a manifest that came back, an older version of the file, or
 * a damaged one: rebuild into place (c is then the new one).
 */
int catalog_sync(struct catalog *c, struct repo *r, const struct repo_list *l, struct err *e);
/* The same with the repository's own catalog, opened for that and closed. */
int catalog_update(struct repo *r, const struct repo_list *l, struct err *e);
/*
 * Build a new catalog from all of l and put it in place of the old one (an old journal is removed
 * first). Verification history of the old one is kept where it can be read.  The lock is held.
 */
int catalog_rebuild(struct repo *r, const struct repo_list *l, struct err *e);

/* ---- verification history ---- */
/* How much was looked at; each is more than those before it. */
enum catalog_level {
	CATALOG_QUICK = 1, /* seals and sizes */
	CATALOG_STANDARD = 2, /* every stored byte */
	CATALOG_DEEP = 3, /* every file in them */
	CATALOG_DRILL = 4, /* all of it restored, and compared */
};
struct catalog_verification {
	time_t at;
	enum catalog_level level;
	bool ok;
};
/*
 * By the digest of the seal's signed text, whether c has the backup (yet) or not.  On the disk when
 * it returns.
 */
int catalog_add_verification(struct catalog *c, const uint8_t digest[SHA256_LEN],
    const struct catalog_verification *v, struct err *e);
/* Could one be written?  Takes SQLite's lock for a moment: ERR_LOCKED, ERR_SYS. */
int catalog_can_add(struct catalog *c, struct err *e);
/* 1 and the newest one; 0: never; -1. */
int catalog_last_verification(
    struct catalog *c, const char *name, struct catalog_verification *v, struct err *e);
/* The same by the digest of the seal's signed text, whether c has the backup or not. */
int catalog_verified(struct catalog *c, const uint8_t digest[SHA256_LEN],
    struct catalog_verification *v, struct err *e);
/*
 * The newest one at level or a higher one, well or not; of two at once the bad one.  One from the
 * future, which a clock that ran ahead has left, is none.
 */
int catalog_checked(struct catalog *c, const uint8_t digest[SHA256_LEN], enum catalog_level level,
    struct catalog_verification *v, struct err *e);

/* ---- queries ---- */

/* A version of a path.  Borrowed strings live until the callback returns. */
struct catalog_version {
	const char *series;
	const char *path; /* clean */
	size_t path_len;
	enum entry_type type;
	uint32_t mode, uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t rdev_major, rdev_minor; /* CHAR, BLOCK */
	const char *link; /* SYMLINK: target; HARDLINK: clean path; else NULL */
	size_t link_len;
	/* Of a hard link: as its target has them, each version of the target apart. */
	uint64_t size;
	bool has_sha256;
	uint8_t sha256[SHA256_LEN];
	bool changed, grew, unreadable; /* flags of the manifest's line */
	/* Backups that hold this version and count, oldest and newest, by sequence and name. */
	uint64_t first_seq, last_seq;
	const char *first_name, *last_name;
	uint64_t backups; /* how many hold it */
	bool is_current; /* the newest of the series does */
};
/* 0 to go on, 1 to stop without error, -1 with *e.  It must not use the catalog itself. */
typedef int (*catalog_fn)(void *ctx, const struct catalog_version *v, struct err *e);

/* From now on this backup does not count in answers: as if its series had not got it. */
int catalog_exclude(struct catalog *c, const char *name, struct err *e);

struct catalog_query {
	const char *series; /* NULL: all */
	/* At most one of these: */
	const char *path; /* exactly this path (clean); versions oldest first */
	const char *below; /* this directory's children only (clean; "" the root) */
	const char *glob; /* core/path.h glob, "" : all */
	bool recursive; /* with below: all that is below it, itself too */
	uint64_t sequence; /* only as it was in this backup of series; 0: any */
};
/*
 * By series, path order, first_seq.  While fn runs no lock is held, so it may take its time.  What
 * is removed meanwhile goes from the answers still to come; what is added does not come into them.
 * ERR_NOTFOUND when there is no such sequence, ERR_CORRUPT when that backup is not readable.
 */
int catalog_query(
    struct catalog *c, const struct catalog_query *q, catalog_fn fn, void *ctx, struct err *e);

/* ---- figures, over what counts in answers (catalog_exclude) ---- */

/*
 * What the members of one backup's archive come to, in packed bytes.  Two members are the same when
 * their packed bytes are.  All 0 of a backup whose manifest could not be read.
 */
struct catalog_backup_stats {
	char series[SEAL_NAME_MAX + 1], name[SEAL_NAME_MAX + 1];
	uint64_t sequence;
	bool readable;
	uint64_t members, packed;
	uint64_t own_members, own_packed; /* no other backup has these */
	/* The readable backup before it in its series has not got these; of the first: all. */
	uint64_t new_members, new_packed;
};
struct catalog_stats {
	uint64_t members, packed; /* of all backups */
	uint64_t distinct_members,
	    distinct_packed; /* each member once: what storing it once took */
	struct catalog_backup_stats *backups; /* by series, then sequence */
	size_t n;
};
/* Of one series, or of all with NULL (a member may then be shared between series). */
int catalog_stats_totals(
    struct catalog *c, const char *series, struct catalog_stats *out, struct err *e);
void catalog_stats_done(struct catalog_stats *s); /* all-zero is harmless */
/* How many members the archive of one backup has, and how many of them others of all series have.
 */
int catalog_stats_shared(
    struct catalog *c, const char *name, uint64_t *members, uint64_t *shared, struct err *e);

/* Up to n regular files of the newest backups, largest first, then in order of series and path. */
int catalog_stats_largest(
    struct catalog *c, const char *series, size_t n, catalog_fn fn, void *ctx, struct err *e);

/* A regular file in all its versions.  Borrowed strings live until the callback returns. */
struct catalog_changes {
	const char *series;
	const char *path;
	size_t path_len;
	uint64_t versions; /* with other facts; at least 2 */
	uint64_t contents; /* of these, with other content than the version before it */
	uint64_t bytes; /* of all those contents */
	uint64_t size; /* of the newest version */
	bool is_current; /* it is in the newest backup of its series */
};
typedef int (*catalog_changes_fn)(void *ctx, const struct catalog_changes *p, struct err *e);
/* Up to n files: those with most contents first, then most versions, most bytes, series, path. */
int catalog_stats_most_changed(struct catalog *c, const char *series, size_t n,
    catalog_changes_fn fn, void *ctx, struct err *e);

#endif
