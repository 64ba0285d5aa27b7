/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/buf.h"
#include "core/hash.h"

struct err;
struct key;
struct trust;

/* The seal of one backup: FORMAT.md, "Seal". */
#define SEAL_NAME_MAX 200
#define SEAL_FILE_MAX (16u << 20)
#define SEAL_HOLDS_MAX 65536u /* bounds what a hostile seal takes in memory: 16 MiB */

struct seal_hold {
	char name[SEAL_NAME_MAX + 1];
	uint64_t sequence;
	uint8_t digest[SHA256_LEN]; /* of its signed text */
};

struct seal {
	char name[SEAL_NAME_MAX + 1];
	char series[SEAL_NAME_MAX + 1];
	uint64_t sequence; /* from 1 */
	struct timespec created;
	char *run_id; /* NULL or "": none; these five are owned (free by seal_done) */
	char *source;
	char *host;
	char *tool;
	char *packer;
	uint64_t entries, bytes;
	uint64_t archive_size, manifest_size;
	uint64_t unreadable; /* 0: complete */
	uint64_t changed;
	bool needs_gnu_sparse;
	uint64_t root_offset, root_len; /* the manifest's index root */
	uint8_t root_digest[SHA256_LEN];
	char *policy; /* NULL: none; words of a-z 0-9 - = . , with single spaces; owned */
	struct seal_hold *holds; /* by sequence, all below ours and apart; owned */
	size_t n_holds;
	uint8_t archive_digest[SHA256_LEN], manifest_digest[SHA256_LEN];
	/* Set by seal_parse and seal_write: */
	uint8_t text_digest[SHA256_LEN]; /* of the signed text */
	bool is_signed;
	uint8_t key_id[SHA256_LEN];
};

void seal_done(struct seal *s); /* all-zero is harmless; zeroes *s */
/* In its place by sequence; a wrong one (our own, a sequence twice) is refused by seal_write. */
int seal_add_hold(struct seal *s, const struct seal *held, struct err *e);
/* A name or series that may stand in a seal: FORMAT.md, first section. */
bool seal_name_ok(const char *name);

/*
 * The whole file behind what out holds, signed by key, or unsigned with NULL.  What
 * seal_parse would refuse is refused here (ERR_CORRUPT): a name that is none, a sequence
 * of 0, sizes of 0, a root that does not end the manifest.
 */
int seal_write(struct seal *s, const struct key *key, struct buf *out, struct err *e);
/*
 * Parse and check the form of a whole file.  With trust, the signature too:
 * ERR_TRUST if it is unsigned, of an unknown key, or wrong.  With trust NULL
 * nothing is authenticated.  ERR_CORRUPT for a bad form, ERR_UNSUPPORTED for a newer
 * version.  On success *s is overwritten (seal_done an earlier one first), on any
 * failure untouched.
 */
int seal_parse(
    struct seal *s, const void *file, size_t len, const struct trust *trust, struct err *e);

#endif
