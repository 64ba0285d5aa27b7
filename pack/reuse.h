/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_REUSE_H
#define PACK_REUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "seal/manifest.h"

struct err;
struct seal;

/*
 * Members of an older backup that need not be packed again.
 *
 * Who plans goes over the older index beside what he plans (struct reuse_cursor), and tells each
 *job which older member may be what it would make, and how that is found out (enum reuse_how).
 * Whoever carries the job out fetches the packed bytes, and nothing is copied whose digest does
 * not hold: seal -> root -> page -> member.
 *
 *	older index   a....  b....  c....  d....           merged by the first path of
 *	planned       a....  b....         d....  e....    each member: one pass, one page
 *	              stat   content  -    stat   none     in memory
 *
 * Which backup may be a source, the caller judges (backup/older.c): its seal must be trusted,
 * or a forgery would be signed again as ours.
 */
enum reuse_how {
	REUSE_NOT, /* nothing there: pack */
	REUSE_CONTENT, /* read and hash; the same plain bytes: copy */
	REUSE_STAT, /* untouched by its stat key: copy without a look at the files */
	REUSE_AGAIN, /* the same, but tonight it is read all the same; other bytes are a finding */
};

/* Each night one of so many members is read again, whatever its stat key says. */
#define REUSE_ROUND 30u

struct reuse_opts {
	int archive_fd, manifest_fd; /* of the older backup; taken */
	const struct seal *seal; /* trusted; borrowed, must outlive */
	bool by_stat; /* else REUSE_CONTENT at most */
	uint64_t night; /* decides which members are read again */
};

/* Constant once made; for any number of threads. */
struct reuse;
/* ERR_CORRUPT when the manifest is not the one that was sealed, or the archive has another size. */
int reuse_new(struct reuse **out, const struct reuse_opts *opts, struct err *e);
void reuse_free(struct reuse *r); /* NULL is harmless */
const char *reuse_name(const struct reuse *r);
int reuse_archive_fd(const struct reuse *r); /* borrowed */

/*
 * Append the packed bytes of m, or of its section (of none: nothing).  0; 1 when they cannot be
 * had or are not what was sealed, with *why; -1 for want of memory.
 */
int reuse_fetch_member(const struct reuse *r, const struct manifest_member *m, struct buf *out,
    struct err *why, struct err *e);
int reuse_fetch_section(const struct reuse *r, const struct manifest_member *m, struct buf *out,
    struct err *why, struct err *e);

/*
 * A place in the older index.  One thread at a time.  r must outlive it.  NULL, which is told, when
 * the index cannot be read any more: nothing is copied then.
 */
struct reuse_cursor;
int reuse_cursor_new(struct reuse_cursor **out, const struct reuse *r, struct err *e);
void reuse_cursor_free(struct reuse_cursor *c); /* NULL is harmless */
const struct reuse *reuse_of(const struct reuse_cursor *c);
/*
 * The member of that kind at path (a CHUNK: at file_offset), or false.  Asked in the order of an
 * archive.  *m has no path.  Damage to the index is told once a page, and its members are not
 * found.
 */
bool reuse_find(struct reuse_cursor *c, enum manifest_kind kind, const char *path, size_t len,
    uint64_t file_offset, struct manifest_member *m);
/*
 * Do the members of the large file at path all have this key?  *plain is then the sum of the plain
 * lengths of its chunks.  The cursor stays before its header.
 */
bool reuse_has_key(struct reuse_cursor *c, const char *path, size_t len,
    const uint8_t key[SHA256_LEN], uint64_t *plain);
/* The next member of the large file at path, after its header: false when there is none. */
bool reuse_next_chunk(
    struct reuse_cursor *c, const char *path, size_t len, struct manifest_member *m);
/* To the members at path, from wherever it is. */
void reuse_seek(struct reuse_cursor *c, const char *path, size_t len);

/*
 * How a member with this stat key (NULL: none) is to be made when old is in its place; path and
 * file_offset decide whether it is its turn to be read again.
 */
enum reuse_how reuse_judge(const struct reuse *r, const struct manifest_member *old,
    const uint8_t *key, const char *path, size_t len, uint64_t file_offset);

#endif
