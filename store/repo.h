/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_REPO_H
#define STORE_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "seal/seal.h"

struct key;
struct stat;
struct trust;

/*
 * A repository: one local directory (FORMAT.md, first section).  Everything that
 * knows file names of a repository is in this room.
 *
 * Nothing here removes or replaces a file that is not a dot-name of a backup in progress, but
 * repo_prune(), repo_reseal(), repo_put_seal() and repo_remove_unsealed().  Other files with a
 * backup's name and no seal (archives from before Tarseal, or half a copy) are never touched.
 */
struct repo;

#define REPO_CATALOG "catalog.sqlite3"

/* The directory must exist.  A missing one is ERR_SYS: no answer, but a failure. */
int repo_open(struct repo **out, const char *dir, struct err *e);
void repo_close(struct repo *r); /* NULL is harmless; releases the lock */
const char *repo_dir(const struct repo *r); /* as given, for messages */
int repo_fd(const struct repo *r); /* of the directory; borrowed */
/* Can files be made in it (access(2), EROFS)? */
bool repo_writable(const struct repo *r);

/*
 * What is it, for who is about to fill it?  A directory that is neither a repository yet nor the
 * root of a mounted file system may be one whose volume is not mounted.
 */
enum repo_place {
	REPO_PLACE_USED, /* a lock or a backup's file is there */
	REPO_PLACE_MOUNT, /* not so, but a file system is mounted there */
	REPO_PLACE_OTHER,
};
int repo_place(const struct repo *r, enum repo_place *out, struct err *e);

/*
 * The writer's lock: an OFD lock on .lock, made when missing.  Waits up to
 * wait_seconds (0: not at all); ERR_LOCKED.  Held until repo_unlock or repo_close.
 */
int repo_lock(struct repo *r, uint64_t wait_seconds, struct err *e);
void repo_unlock(struct repo *r); /* harmless without it */

/* One file of a backup. */
enum repo_part { REPO_ARCHIVE, REPO_MANIFEST, REPO_SEAL };
/* Append "NAME.tar.gz", "NAME.manifest.gz", or "NAME.seal". */
void repo_part_name(enum repo_part part, const char *name, struct buf *out);
/* Its path for messages, below repo_dir(); what was in out goes. */
int repo_part_path(
    const struct repo *r, enum repo_part part, const char *name, struct buf *out, struct err *e);
/*
 * Read-only fd, or -1: ERR_NOTFOUND when it is missing, ERR_CORRUPT when it is a symlink or
 * no regular file (what a link names may lie anywhere, and change under us).
 */
int repo_open_part(const struct repo *r, enum repo_part part, const char *name, struct err *e);
/* Size, without opening; the same errors. */
int repo_stat_part(
    const struct repo *r, enum repo_part part, const char *name, uint64_t *size, struct err *e);
/* Bytes and inodes that an unprivileged writer may still use. */
int repo_free_space(const struct repo *r, uint64_t *bytes, uint64_t *inodes, struct err *e);
/*
 * The bytes again, after something was removed: XFS gives its space back bit by bit in the
 * background, btrfs when a transaction ends.  While they are less than enough, it is asked to, and
 * waited for as long as they change, but not for longer than ten seconds.
 */
int repo_settled_space(const struct repo *r, uint64_t enough, uint64_t *bytes, struct err *e);

/* ---- what is there ---- */

/* A backup as its seal tells, or why it does not. */
struct repo_backup {
	/*
	 * Valid when state is not REPO_BAD.  In a list, holds are there only in the newest of
	 * each series and state: all of them would take memory by the square of the backups.
	 */
	struct seal seal;
	char name[SEAL_NAME_MAX + 1];
	enum repo_state {
		REPO_TRUSTED, /* signature good under the given trust */
		REPO_UNSIGNED, /* no signature in it */
		REPO_UNTRUSTED, /* unknown key or wrong signature */
		REPO_BAD, /* unreadable or malformed seal, or its name is another's */
	} state;
	struct err *why; /* UNTRUSTED and BAD: why; else NULL.  Owned by the list */
	bool on_hold; /* NAME.hold is there: pruning leaves it alone */
};

struct repo_list {
	struct repo_backup *backups; /* by series, then sequence, then name */
	size_t n;
	/* NAMEs of *.tar.gz without a seal, sorted; not of one that is being made or removed. */
	char (*unsealed)[SEAL_NAME_MAX + 1];
	size_t n_unsealed;
	/* NAMEs whose removal was begun: .NAME.seal.gone is there, and NAME.seal is not; sorted */
	char (*gone)[SEAL_NAME_MAX + 1];
	size_t n_gone;
};

/*
 * Every *.seal that has a backup's name before it.  With trust NULL, signed ones come as
 * REPO_UNTRUSTED too (nothing was checked).
 */
int repo_list(
    const struct repo *r, const struct trust *trust, struct repo_list *out, struct err *e);
void repo_list_done(struct repo_list *l);
/*
 * Where nobody looked at signatures (trust NULL), a signed backup is worth what an unsigned one is:
 * let it count as one.
 */
void repo_list_unchecked(struct repo_list *l);
/*
 * One backup, with its holds, in the same way: a seal that is bad is a state, not an
 * error.  -1 only when the file is missing (ERR_NOTFOUND) or memory or reading failed.
 */
int repo_read_seal(const struct repo *r, const char *name, const struct trust *trust,
    struct repo_backup *out, struct err *e);
void repo_backup_done(struct repo_backup *b);
/* The bytes of NAME.seal, appended.  The errors of repo_open_part(), or ERR_CORRUPT: too long. */
int repo_seal_text(const struct repo *r, const char *name, struct buf *out, struct err *e);
/* The backup of that name, whatever its state; NULL: none. */
const struct repo_backup *repo_find_name(const struct repo_list *l, const char *name);
/*
 * Is b one of the series (NULL: any) that counts: trusted, or unsigned where that is accepted?
 */
bool repo_counts(const struct repo_backup *b, const char *series, bool accept_unsigned);
/*
 * The newest by sequence that counts, complete or not; of two with one sequence the trusted one,
 * then the first by name.  NULL: none.
 */
const struct repo_backup *repo_newest(
    const struct repo_list *l, const char *series, bool accept_unsigned);

/* Which backups a run accepts. */
struct repo_pick {
	const char *series; /* NULL: any */
	bool accept_unsigned; /* --untrusted: unsigned and untrusted ones too */
};
/*
 * Find one backup in l: "latest" (newest complete, by sequence, of the series), a
 * full name, or a unique leading part.  ERR_NOTFOUND, ERR_USAGE (ambiguous, names
 * two of them), ERR_TRUST (found, but not acceptable), ERR_CORRUPT (REPO_BAD).
 */
int repo_find(const struct repo_list *l, const struct repo_pick *pick, const char *which,
    const struct repo_backup **out, struct err *e);
/*
 * ERR_NOTFOUND that says what is missing (any backup, or one of that series; NULL: any) and what is
 * there in its stead: other series, archives without a seal.  With seals that cannot be read
 * ERR_SYS or ERR_CORRUPT: one of them may be it.
 */
int repo_find_none(const struct repo_list *l, const char *series, struct err *e);
/* The newest with created <= t, complete or not.  ERR_NOTFOUND when none is that old. */
int repo_find_as_of(const struct repo_list *l, const struct repo_pick *pick, struct timespec t,
    const struct repo_backup **out, struct err *e);

/*
 * From the newest to the oldest, complete or not: the newest (as_of NULL: of any time), then with
 * older_than what was found last.  ERR_NOTFOUND at the end.
 */
int repo_find_older(const struct repo_list *l, const struct repo_pick *pick,
    const struct timespec *as_of, const struct repo_backup *older_than,
    const struct repo_backup **out, struct err *e);

/* ---- making a backup (the lock is held) ---- */

/*
 * A backup in progress: .NAME.tar.gz.new and .NAME.manifest.gz.new, open for
 * writing.  Commit makes it durable in the order that FORMAT.md and
 * ARCHITECTURE.md tell; from the moment that the seal's dot-name is durable, a
 * crash is rolled forward by repo_recover.
 */
struct repo_txn;

/* A name that is free for this series at this time: stamp, then -2, -3, ... */
int repo_free_name(const struct repo *r, const char *series, time_t now,
    char out[SEAL_NAME_MAX + 1], struct err *e);
int repo_txn_begin(struct repo_txn **out, struct repo *r, const char *name, struct err *e);
int repo_txn_archive_fd(const struct repo_txn *t);
int repo_txn_manifest_fd(const struct repo_txn *t);
/*
 * Frees t in every case.  On failure the dot-names are gone too, or else the backup is sealed, and
 * the next run finishes it.
 */
int repo_txn_commit(struct repo_txn *t, const void *seal, size_t seal_len, struct err *e);
/* Is there a seal of that name, its own or a dot-name?  One that cannot be looked at is there. */
bool repo_is_sealed(const struct repo *r, const char *name);
void repo_txn_abort(struct repo_txn *t); /* removes the dot-names; NULL is harmless */

/* ---- adopting archives from before (the lock is held) ---- */

/* The source in the seal of a backup that was made of one: "import of NAME.tar.gz sha256:HEX". */
void repo_source_put(struct buf *out, const char *name, const uint8_t digest[SHA256_LEN]);
/* false: another backup's source. name: at most SEAL_NAME_MAX bytes. */
bool repo_source_parse(
    const char *source, char name[SEAL_NAME_MAX + 1], uint8_t digest[SHA256_LEN]);
/*
 * Does a seal say that its backup was made of NAME.tar.gz?  For messages: it is not asked who
 * signed it, nor whether the archive is still the same.
 */
bool repo_was_imported(const struct repo_list *l, const char *name);

/*
 * Room on the repository's volume for work in progress: an open file without a name, that goes
 * with its last descriptor, whatever ends us.  name is that of the backup to be made: where the
 * file system makes no files without names, the file has one of those that recovery removes, for a
 * moment.  The fd, or -1.
 */
int repo_scratch(const struct repo *r, const char *name, struct err *e);
/*
 * The block in which two files here can share space (FICLONERANGE: XFS, btrfs), if it is one that
 * archive members can be aligned to; 0: they cannot.
 */
size_t repo_share_block(const struct repo *r);
/*
 * The same for a library that wants a path to open: an empty file, which the caller unlinks.  There
 * is no link in the path, so that none need be followed.
 */
int repo_scratch_path(const struct repo *r, const char *name, struct buf *path, struct err *e);
/*
 * Remove NAME.tar.gz, which has no seal: its content stands in a backup.  read is what fstat(2)
 * told before it was read.  Durable on return.  ERR_USAGE when it is sealed, or another file by
 * now, or was written to since.
 */
int repo_remove_unsealed(struct repo *r, const char *name, const struct stat *read, struct err *e);

/* ---- removing backups (the lock is held) ---- */

/*
 * Put NAME.hold beside a backup: no pruning removes it while that is there.  The file holds the
 * reason, one line ("" for none, at most REPO_REASON_MAX bytes, no control characters, else
 * ERR_USAGE).  It is not signed: who can write to the repository can remove backups anyway.
 * Durable on return.  A backup that is on hold already gets the new reason.
 * ERR_NOTFOUND: no such backup (release: no marker; one of a backup that is gone is released too).
 * A marker that is no regular file holds all the same, and is removed by hand only.
 */
#define REPO_REASON_MAX 1000u
int repo_hold(struct repo *r, const char *name, const char *reason, struct err *e);
int repo_release(struct repo *r, const char *name, struct err *e);
/* The reason of a backup on hold: any bytes but newline; ERR_NOTFOUND when it is not on hold. */
int repo_hold_reason(const struct repo *r, const char *name, struct buf *out, struct err *e);

/*
 * Remove one sealed backup: the seal becomes .NAME.seal.gone, durably; archive and manifest are
 * unlinked; then that.  After a crash anywhere repo_recover() finishes it.  Only what the seal
 * speaks of goes: a part with another size than the sealed one, or one that is no regular file, is
 * left alone with a warning.  ERR_USAGE for a backup on hold, ERR_CORRUPT for a bad seal: such a
 * backup is removed by nobody but its owner.  Whether the seal is trusted, the caller knows.
 */
int repo_prune(struct repo *r, const char *name, struct err *e);
/*
 * Put a new seal in place of that of backup s->name, in one rename: s is what it said, with other
 * holds or another policy, and is signed by key (NULL: unsigned).  After a crash either the old
 * seal stands or the new one.  text_digest of *s is the new one's.  A backup that others hold must
 * not be sealed anew: only the newest of a series.  What knows it by the digest of its old text, as
 * the history of verifications does, does not know it any more.  ERR_CORRUPT when the seal that
 * stands there says something else of the backup than s; ERR_USAGE when it is signed and key is
 * NULL.
 */
int repo_reseal(struct repo *r, struct seal *s, const struct key *key, struct err *e);
/*
 * The same with the bytes of a seal that was made elsewhere, as they are: it is for the caller to
 * know that it is a seal of this backup.
 */
int repo_put_seal(struct repo *r, const char *name, const void *seal, size_t len, struct err *e);

/*
 * Finish or clean up what an earlier run left: a durable and well-formed
 * .NAME.seal.new whose archive and manifest are there with the sealed sizes is rolled
 * forward; a .NAME.seal.gone has its pruning finished, unless NAME.seal is there or NAME is on hold
 * with its archive whole: then the backup stays; other dot-names of backups
 * (.NAME.{tar.gz,manifest.gz,seal,hold}.new and nothing else) are removed.  One log_note for each;
 * a pruning that cannot be finished is a warning.
 */
int repo_recover(struct repo *r, struct err *e);

#endif
