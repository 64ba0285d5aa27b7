/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_PACKED_H
#define TESTS_UNIT_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "backup/plan.h"
#include "core/buf.h"
#include "core/err.h"
#include "pack/tally.h"
#include "pack/writer.h"
#include "seal/manifest.h"
#include "seal/seal.h"
#include "tree/walk.h"

/*
 * A directory planned, packed and written as backup does it, and taken apart again:
 * members against their digests, the tar stream against the manifest, each file's
 * content against its line.  What must hold for every backup is asserted in here.
 */
struct packed_entry {
	char *path, *link;
	enum entry_type type;
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
	bool sparse, changed, grew;
	size_t n_unreadable;
	uint64_t bad_offset, bad_len; /* the first */
	size_t n_xattrs;
	int64_t mtime_sec;
};

struct packed {
	struct seal seal;
	struct plan_result planned;
	struct packed_entry *entries;
	size_t n;
	struct manifest_member *members; /* path: NULL for END, else owned */
	size_t n_members;
	struct buf notes; /* "v path", "u path reason", "s path reason", a line each */
	struct buf archive, manifest; /* the files */
	uint64_t events[TALLY_EVENTS]; /* as in struct tally */
	struct writer_members made; /* and how many of them were copied */
};

/* All-zero: as a first backup, by one worker. */
struct packed_opts {
	const struct walk_opts *walk;
	unsigned jobs;
	/* What may be copied; its archive and manifest may have been changed since. */
	const struct packed *older;
	bool by_stat;
	uint64_t night;
	/* Feed by hand what is in source; NULL: plan_run(). */
	int (*plan)(struct pipeline *line, int source, struct reuse_cursor *older, struct err *e);
};

/* 0; or -1 with *e, and nothing to free. */
int packed_run(struct packed *p, const char *dir, const struct packed_opts *opts, struct err *e);
int packed_make(
    struct packed *p, const char *dir, const struct walk_opts *opts, unsigned jobs, struct err *e);
void packed_done(struct packed *p);
/* NULL when there is none. */
const struct packed_entry *packed_find(const struct packed *p, const char *path);
size_t packed_count(const struct packed *p, enum manifest_kind kind, const char *path);

#endif
