/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_CATALOG_FIXTURE_H
#define TESTS_UNIT_CATALOG_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/hash.h"
#include "seal/seal.h"
#include "store/repo.h"

struct catalog;
struct catalog_verification;
struct catalog_version;
struct err;

/*
 * A repository of sealed backups made from lists of entries, without a tree to read: the
 * manifests and seals are real, the archives hold just a gzip member for each that the
 * manifest tells of.
 */
struct cf {
	char dir[256];
	char pub[300]; /* the public key's file, beside dir */
	struct repo *repo;
	struct key *key;
	struct trust *trust;
};

struct cf_entry {
	enum entry_type type;
	const char *path; /* clean */
	unsigned version; /* gives content, size, and mtime */
	const char *link;
	bool changed;
	bool still; /* size and mtime do not follow version: content changes without a trace */
	unsigned mode; /* 0: 0755, 0644 */
};

/* For lists of them. */
#define D(p)                                                                                       \
	{                                                                                          \
		.type = ENTRY_DIR, .path = p                                                       \
	}
#define F(p, v)                                                                                    \
	{                                                                                          \
		.type = ENTRY_FILE, .path = p, .version = v                                        \
	}
#define H(p, l)                                                                                    \
	{                                                                                          \
		.type = ENTRY_HARDLINK, .path = p, .link = l                                       \
	}
#define N(a) (sizeof(a) / sizeof((a)[0]))

void cf_setup(struct cf *f);
void cf_teardown(struct cf *f);
/* Another handle on the repository, as a second program has it. */
void cf_reopen(struct cf *f);
/* A sealed backup of entries (in order), signed by f->key unless unsigned_; name may be NULL. */
struct cf_opts {
	const char *series; /* NULL: "data" */
	uint64_t sequence;
	bool unsigned_;
	unsigned cut; /* entries in a member, on average; 0: 4 */
	bool no_cuts; /* one member for all */
};
void cf_backup(struct cf *f, const struct cf_opts *o, const struct cf_entry *v, size_t n,
    char name[SEAL_NAME_MAX + 1]);
void cf_remove(struct cf *f, const char *name);
/* Flip a byte of a part, counted from its end when negative. */
void cf_damage(struct cf *f, enum repo_part part, const char *name, long offset);
void cf_list(struct cf *f, struct repo_list *l);
/* The repository's catalog, open for writing and brought up to date. */
struct catalog *cf_synced(struct cf *f);
/* What verify notes of the backup that c knows by that name. */
int cf_add_verification(
    struct catalog *c, const char *name, const struct catalog_verification *v, struct err *e);
/* A catalog_fn: append "PATH FIRST-LAST/BACKUPS;" to the buffer ctx. */
int cf_note(void *ctx, const struct catalog_version *v, struct err *e);
void cf_digest(unsigned version, uint8_t out[SHA256_LEN]);
/* A file of the repository: path in a static buffer. */
const char *cf_path(struct cf *f, const char *name);

#endif
