/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/hash.h"
#include "core/progress.h"
#include "core/stop.h"
#include "pack/attrs.h"
#include "pack/parent.h"
#include "pack/source.h"
#include "tree/audit_job.h"

/*
 * Files are hashed as they are read, a piece at a time: one of any size takes no more memory, and
 * a piece is still in the processor's cache when it is hashed.
 */
#define PIECE ((size_t)256 << 10)

struct audit_looker {
	struct parent parent;
	struct attrs attrs;
	uint8_t *piece;
};

struct audit_looker *
audit_looker_new(int rootfd, struct err *e)
{
	struct audit_looker *l = calloc(1, sizeof(*l));

	if (l == NULL || (l->piece = malloc(PIECE)) == NULL) {
		free(l);
		(void)err_nomem(e);
		return NULL;
	}
	parent_init(&l->parent, rootfd);
	return l;
}

void
audit_looker_free(void *looker)
{
	struct audit_looker *l = looker;

	if (l == NULL)
		return;
	parent_done(&l->parent);
	attrs_done(&l->attrs);
	free(l->piece);
	free(l);
}

/* ---- what is found ---- */

static int
unreadable(struct audit_item *it, const char *reason)
{
	it->found = true;
	it->kind = AUDIT_UNREADABLE;
	it->reason = reason;
	return 0;
}

/* Between the walk and now. */
static int
vanished(struct audit_item *it)
{
	it->found = true;
	it->kind = AUDIT_REMOVED;
	it->has_now = false;
	return 0;
}

/* What an error of a system call says of the item. */
static int
failed(struct audit_item *it, struct err *e)
{
	switch (source_failure(errno)) {
	case SOURCE_FAILED:
		return err_sys(e, "source: %s", it->path);
	case SOURCE_VANISHED:
		return vanished(it);
	default:
		return unreadable(it, strerrordesc_np(errno));
	}
}

static int
conclude(struct audit_item *it, unsigned what)
{
	what |= it->link;
	it->what = what;
	it->found = what != 0;
	it->kind = (what & (AUDIT_TYPE | AUDIT_CONTENT)) != 0 ? AUDIT_CHANGED : AUDIT_FACTS;
	return 0;
}

/* ---- facts ---- */

static unsigned
compare_facts(const struct audit_item *it)
{
	const struct section_line *a = &it->before;
	const struct facts *b = &it->now;
	unsigned what = 0;

	if (a->mode != (b->mode & 07777))
		what |= AUDIT_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		what |= AUDIT_OWNER;
	if (a->mtime_sec != b->mtime_sec || a->mtime_nsec != b->mtime_nsec)
		what |= AUDIT_MTIME;
	if ((a->type == ENTRY_CHAR || a->type == ENTRY_BLOCK) &&
	    (a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor))
		what |= AUDIT_DEVICE;
	if (a->type == ENTRY_SYMLINK &&
	    (it->now_link == NULL || a->link_len != it->now_link_len ||
		memcmp(a->link, it->now_link, a->link_len) != 0))
		what |= AUDIT_LINK;
	return what;
}

static unsigned
compare_attrs(const struct audit_item *it, const struct attrs *attrs)
{
	struct entry en = {0};
	uint8_t digest[SHA256_LEN];
	bool has;

	attrs_entry(attrs, &en);
	has = entry_xattr_digest(&en, digest);
	if (has != it->before.has_xattrs ||
	    (has && memcmp(digest, it->before.xattrs, SHA256_LEN) != 0))
		return AUDIT_XATTRS;
	return 0;
}

static int
look_at_other(struct audit_looker *l, struct audit_item *it, struct err *e)
{
	const char *base;

	if (parent_open(&l->parent, it->path, it->path_len, &base) != 0)
		return failed(it, e);
	if (attrs_read_at(&l->attrs, l->parent.dirfd, base, e) != 0)
		return -1;
	if (l->attrs.denied != 0)
		return unreadable(it, "its attributes cannot be read");
	return conclude(it, compare_facts(it) | compare_attrs(it, &l->attrs));
}

/* ---- content ---- */

/* The first size bytes. 1: they cannot be read (errno). */
static int
hash_file(struct audit_looker *l, struct audit_item *it, int fd, uint8_t digest[SHA256_LEN],
    struct err *e)
{
	struct sha256 h;
	uint64_t at = 0;

	sha256_init(&h);
	while (at < it->now.size) {
		uint64_t left = it->now.size - at;
		ssize_t n =
		    source_pread(fd, l->piece, left < PIECE ? (size_t)left : PIECE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 1;
		if (n == 0)
			break;
		sha256_update(&h, l->piece, (size_t)n);
		at += (uint64_t)n;
		progress_add((uint64_t)n, 0);
		if (stop_check(e) != 0)
			return -1;
	}
	it->bytes += at;
	sha256_final(&h, digest);
	return 0;
}

/* AUDIT_CONTENT in *what, or not.  Another size needs no reading.  1: errno. */
static int
compare_content(
    struct audit_looker *l, struct audit_item *it, int fd, unsigned *what, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	int rc = 0;

	*what = AUDIT_CONTENT;
	if (it->now.size != it->before.size || !it->before.has_sha256)
		return 0;
	if ((rc = hash_file(l, it, fd, digest, e)) != 0)
		return rc;
	if (memcmp(digest, it->before.sha256, SHA256_LEN) == 0)
		*what = 0;
	return 0;
}

/*
 * One try at an open file, whose facts are in it->now.  A file that is written to meanwhile is
 * compared again, with its newer facts (*moved).  1: errno.
 */
static int
compare_once(struct audit_looker *l, struct audit_item *it, int fd, unsigned *what, bool *moved,
    struct err *e)
{
	struct facts after;
	struct stat st;
	int rc;

	if (attrs_read_fd(&l->attrs, fd, e) != 0)
		return -1;
	if ((rc = compare_content(l, it, fd, what, e)) != 0)
		return rc;
	*what |= compare_facts(it) | compare_attrs(it, &l->attrs);
	if (fstat(fd, &st) != 0)
		return 1;
	facts_from(&after, &st);
	*moved = !facts_unmoved(&it->now, &after);
	if (*moved)
		it->now = after;
	return 0;
}

static int
compare_file(struct audit_looker *l, struct audit_item *it, int fd, struct err *e)
{
	unsigned what = 0;
	bool moved = true;
	int rc = 0;

	for (int i = 0; rc == 0 && moved && i < SOURCE_TRIES; i++)
		rc = compare_once(l, it, fd, &what, &moved, e);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return failed(it, e);
	if (l->attrs.denied != 0)
		return unreadable(it, "its attributes cannot be read");
	if (moved && (what & AUDIT_CONTENT) != 0)
		what |= AUDIT_MOVING;
	return conclude(it, what);
}

static int
look_at_file(struct audit_looker *l, struct audit_item *it, struct err *e)
{
	const char *base;
	int fd, rc;

	if (!it->read)
		return conclude(it, compare_facts(it));
	if (parent_open(&l->parent, it->path, it->path_len, &base) != 0)
		return failed(it, e);
	switch (source_open(l->parent.dirfd, base, &fd, &it->now)) {
	case SOURCE_VANISHED:
		return vanished(it);
	case SOURCE_UNREADABLE:
		return unreadable(it, strerrordesc_np(errno));
	case SOURCE_FAILED:
		return err_sys(e, "source: %s", it->path);
	case SOURCE_OK:
		break;
	}
	rc = compare_file(l, it, fd, e);
	(void)close(fd);
	return rc;
}

int
audit_look(struct audit_looker *l, struct audit_item *it, struct err *e)
{
	enum entry_type was = it->before.type, is = entry_type_of_mode(it->now.mode);

	if (was == ENTRY_HARDLINK)
		was = ENTRY_FILE;
	if (was != is)
		return conclude(it, AUDIT_TYPE);
	return is == ENTRY_FILE ? look_at_file(l, it, e) : look_at_other(l, it, e);
}
