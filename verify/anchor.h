/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_ANCHOR_H
#define VERIFY_ANCHOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/buf.h"
#include "core/hash.h"
#include "seal/seal.h"

struct err;
struct repo;

/*
 * An anchor: what a verifier saw last of each series, in a small text file of its own,
 * outside of the repository (FORMAT.md, "Anchor").  A seal says what the repository
 * should hold; only the anchor can say that a newer seal has been there.
 */

/* How a line stands after a run. */
enum verify_anchor_state {
	VERIFY_ANCHOR_UNASKED, /* of a series that was not asked for */
	VERIFY_ANCHOR_SAME,
	VERIFY_ANCHOR_MOVED, /* to a newer backup, or to a newer seal of the same */
	VERIFY_ANCHOR_NEW,
	VERIFY_ANCHOR_KEPT, /* for what was found elsewhere in the held set */
	VERIFY_ANCHOR_BROKEN, /* the repository is not a later state of the one seen */
};

struct verify_anchor_line {
	char series[SEAL_NAME_MAX + 1];
	uint64_t sequence;
	char name[SEAL_NAME_MAX + 1];
	time_t seen; /* last seen as the newest */
	uint8_t text_digest[SHA256_LEN]; /* of the seal's signed text */
	uint8_t archive_digest[SHA256_LEN];
	enum verify_anchor_state state; /* not in the file */
};

/* All-zero is an empty one. */
struct verify_anchor {
	const char *file; /* as given; borrowed */
	struct verify_anchor_line *lines; /* by series, each once */
	size_t n;
	bool is_new; /* there was no file */
	bool changed; /* there is something to save */
	bool failed; /* out of memory in verify_anchor_see(): told by verify_anchor_save() */
	/* Private: where it lies, and the locked file that takes its place. */
	int dir_fd, new_fd;
	char *base, *new_name;
};

/* NULL: nothing of this series was seen yet. */
struct verify_anchor_line *verify_anchor_find(const struct verify_anchor *a, const char *series);
/* s was seen as the newest of its series at that time.  Its line's state is set. */
void verify_anchor_see(struct verify_anchor *a, const struct seal *s, time_t now);

/* The file's text, and the way back into an empty one: ERR_CORRUPT, ERR_UNSUPPORTED. */
void verify_anchor_put(const struct verify_anchor *a, struct buf *text);
int verify_anchor_parse(struct verify_anchor *a, const void *text, size_t len, struct err *e);

/*
 * Read the file, and keep other verifiers from it until verify_anchor_save() or _done():
 * what is listed while it is held cannot be older than what the anchor tells.  Waits up to
 * wait_seconds, then ERR_LOCKED.  A file that is missing is an empty anchor; its
 * directory must be there, and be one that can be written to.  ERR_USAGE when it lies in the
 * repository, which it would be rolled back with.
 */
struct verify_anchor_where {
	const char *file;
	const struct repo *repo;
	uint64_t wait_seconds;
};
int verify_anchor_open(
    struct verify_anchor *a, const struct verify_anchor_where *where, struct err *e);
/*
 * When something changed: put it in place of the old file, whole or not at all, durably.
 * Others may come in then, in every case.
 */
int verify_anchor_save(struct verify_anchor *a, struct err *e);
void verify_anchor_done(struct verify_anchor *a);

#endif
