/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/progress.h"
#include "core/stop.h"
#include "manifest/copy.h"

/*
 * Every byte passes through here and is hashed on its way: copy_file_range(2) or a reflink would
 * be faster, and would carry damage along unseen.
 */
struct one {
	const struct copy_way *way;
	struct copy_item *item;
	struct buf seal_text;
	struct seal seal;
	int fds[2]; /* archive and manifest of the source */
};

static const char *
part_word(enum repo_part part)
{
	return part == REPO_ARCHIVE ? "archive" : "manifest";
}

/* ---- what can be wrong with the source ---- */

/* A finding about the source: the backup's end, and not that of the job. */
static int
found(struct one *o, enum copy_state state, const char *where, const struct err *why)
{
	o->item->state = state;
	buf_clear(&o->item->why);
	buf_printf(&o->item->why, "%s%s", where, why->msg);
	return 1;
}

/* Pruned since it was listed, or just without this file? */
static int
found_missing(struct one *o, const struct err *why)
{
	struct err e = {0};
	int fd = repo_open_part(o->way->from, REPO_SEAL, o->item->backup->name, &e);

	if (fd < 0 && e.kind == ERR_NOTFOUND)
		return found(o, COPY_GONE, "", &e);
	if (fd >= 0)
		(void)close(fd);
	return found(o, COPY_DAMAGED, "", why);
}

/* ---- the seal ---- */

/*
 * Read again, because the bytes are needed, and it may have been sealed anew since the list was
 * made.  1: the backup cannot be copied.
 */
static int
load_seal(struct one *o, struct err *e)
{
	const struct seal *listed = &o->item->backup->seal;
	struct err why = {0};

	if (repo_seal_text(o->way->from, o->item->backup->name, &o->seal_text, &why) != 0) {
		if (err_is_ours(&why))
			return err_pass(e, &why);
		return found(o, why.kind == ERR_NOTFOUND ? COPY_GONE : COPY_BAD, "", &why);
	}
	if (seal_parse(&o->seal, o->seal_text.data, o->seal_text.len, o->way->trust, &why) != 0) {
		if (err_is_ours(&why))
			return err_pass(e, &why);
		return found(o, why.kind == ERR_TRUST ? COPY_UNTRUSTED : COPY_BAD, "", &why);
	}
	if (strcmp(o->seal.name, listed->name) == 0 && o->seal.sequence == listed->sequence &&
	    strcmp(o->seal.series, listed->series) == 0)
		return 0;
	(void)err_set(&why, ERR_CORRUPT, "its seal is another one than a moment ago");
	return found(o, COPY_BAD, "", &why);
}

/* ---- data ---- */

static uint64_t
sealed_size(const struct one *o, enum repo_part part)
{
	return part == REPO_ARCHIVE ? o->seal.archive_size : o->seal.manifest_size;
}

static int
check_size(struct one *o, enum repo_part part, struct err *e)
{
	uint64_t sealed = sealed_size(o, part), size = 0;
	struct err why = {0};

	if (repo_stat_part(o->way->from, part, o->item->backup->name, &size, &why) == 0 &&
	    size == sealed)
		return 0;
	if (err_is_ours(&why))
		return err_pass(e, &why);
	if (why.kind == ERR_NONE)
		(void)err_set(&why, ERR_CORRUPT,
		    "the %s has %" PRIu64 " bytes, sealed were %" PRIu64, part_word(part), size,
		    sealed);
	return why.kind == ERR_NOTFOUND ? found_missing(o, &why) : found(o, COPY_DAMAGED, "", &why);
}

static int
open_part(struct one *o, enum repo_part part, struct err *e)
{
	struct err why = {0};
	int rc = check_size(o, part, e);

	if (rc != 0)
		return rc;
	o->fds[part] = repo_open_part(o->way->from, part, o->item->backup->name, &why);
	if (o->fds[part] >= 0) {
		(void)posix_fadvise(o->fds[part], 0, 0, POSIX_FADV_SEQUENTIAL);
		return 0;
	}
	if (err_is_ours(&why))
		return err_pass(e, &why);
	return why.kind == ERR_NOTFOUND ? found_missing(o, &why) : found(o, COPY_DAMAGED, "", &why);
}

/* 1: the source does not give what the seal promises. */
static int
read_piece(struct one *o, enum repo_part part, size_t len, uint64_t offset, struct err *e)
{
	struct err why = {0};

	if (stop_check(e) != 0)
		return -1;
	if (io_pread_exact(o->fds[part], o->way->room, len, offset, &why) == 0)
		return 0;
	if (err_is_ours(&why))
		return err_pass(e, &why);
	(void)err_where(&why, "the %s", part_word(part));
	return found(o, COPY_DAMAGED, "", &why);
}

/* The kernel starts to write what is complete, so that the commit's fsync finds little to do. */
#define FLUSH_LEN (8u << 20)

static void
flush_behind(int fd, uint64_t at)
{
	if (at % FLUSH_LEN == 0)
		(void)sync_file_range(
		    fd, (off_t)(at - FLUSH_LEN), FLUSH_LEN, SYNC_FILE_RANGE_WRITE);
}

static int
copy_part(struct one *o, enum repo_part part, int to, struct err *e)
{
	const uint8_t *sealed =
	    part == REPO_ARCHIVE ? o->seal.archive_digest : o->seal.manifest_digest;
	uint64_t left = sealed_size(o, part), at = 0;
	uint8_t digest[SHA256_LEN];
	struct err why = {0};
	struct sha256 h;
	int rc;

	sha256_init(&h);
	while (left > 0) {
		size_t len = left < COPY_ROOM ? (size_t)left : COPY_ROOM;

		if ((rc = read_piece(o, part, len, at, e)) != 0)
			return rc;
		sha256_update(&h, o->way->room, len);
		if (io_write(to, o->way->room, len, e) != 0)
			return err_where(e, "%s: the %s of %s", repo_dir(o->way->to),
			    part_word(part), o->item->backup->name);
		progress_add(len, 0);
		at += len;
		left -= len;
		flush_behind(to, at);
	}
	sha256_final(&h, digest);
	if (memcmp(digest, sealed, SHA256_LEN) == 0)
		return 0;
	(void)err_set(
	    &why, ERR_CORRUPT, "the %s's digest differs from the sealed one", part_word(part));
	return found(o, COPY_DAMAGED, "", &why);
}

/* The manifest first: it is small, and where it is damaged the archive need not be read. */
static int
copy_data(struct one *o, struct repo_txn *t, struct err *e)
{
	int rc = copy_part(o, REPO_MANIFEST, repo_txn_manifest_fd(t), e);

	return rc != 0 ? rc : copy_part(o, REPO_ARCHIVE, repo_txn_archive_fd(t), e);
}

static int
copy_all(struct one *o, struct err *e)
{
	struct repo_txn *t = NULL;
	int rc;

	if ((rc = open_part(o, REPO_MANIFEST, e)) != 0 || (rc = open_part(o, REPO_ARCHIVE, e)) != 0)
		return rc;
	if (repo_txn_begin(&t, o->way->to, o->item->backup->name, e) != 0)
		return -1;
	if ((rc = copy_data(o, t, e)) != 0) {
		repo_txn_abort(t);
		return rc;
	}
	if (repo_txn_commit(t, o->seal_text.data, o->seal_text.len, e) != 0)
		return -1;
	progress_add(0, 1);
	o->item->state = COPY_DONE;
	return 0;
}

/* Another seal for the same archive and manifest; what was compared is not what came. */
static int
copy_seal(struct one *o, struct err *e)
{
	const struct copy_way *w = o->way;
	struct err why = {0};

	if (memcmp(o->seal.text_digest, o->item->backup->seal.text_digest, SHA256_LEN) != 0) {
		(void)err_set(&why, ERR_CORRUPT, "it is sealed anew just now: run this again");
		return found(o, COPY_CONFLICT, "", &why);
	}
	if (repo_put_seal(w->to, o->seal.name, o->seal_text.data, o->seal_text.len, e) != 0)
		return -1;
	o->item->state = COPY_SEAL_DONE;
	return 0;
}

/* ---- the whole ---- */

int
copy_one(const struct copy_way *w, struct copy_item *item, struct err *e)
{
	struct one o = {.way = w, .item = item, .fds = {-1, -1}};
	int rc = load_seal(&o, e);

	if (rc == 0)
		rc = item->state == COPY_SEAL_TODO ? copy_seal(&o, e) : copy_all(&o, e);
	for (size_t i = 0; i < 2; i++)
		if (o.fds[i] >= 0)
			(void)close(o.fds[i]);
	seal_done(&o.seal);
	buf_done(&o.seal_text);
	return rc < 0 ? -1 : 0;
}

/* Somebody may have written the marker by hand; a reason that cannot be kept is no reason to lose
 * the hold. */
static int
hold(const struct copy_way *w, const char *name, const char *reason, struct err *e)
{
	struct err why = {0};

	if (repo_hold(w->to, name, reason, &why) == 0)
		return 0;
	if (why.kind != ERR_USAGE)
		return err_pass(e, &why);
	return repo_hold(w->to, name, "", e);
}

int
copy_hold(const struct copy_way *w, struct copy_item *item, struct err *e)
{
	const char *name = item->backup->name;
	struct buf reason = {0};
	struct err why = {0};
	int rc = 0;

	if (!item->hold)
		return 0;
	item->hold = false;
	if (item->state != COPY_DONE && item->state != COPY_SEAL_DONE &&
	    item->state != COPY_PRESENT)
		return 0;
	if (repo_hold_reason(w->from, name, &reason, &why) != 0 && why.kind == ERR_NOTFOUND)
		return 0; /* released meanwhile */
	if (why.kind != ERR_NONE)
		buf_clear(&reason);
	if ((rc = hold(w, name, buf_str(&reason), e)) == 0)
		item->hold = true;
	buf_done(&reason);
	return rc;
}
