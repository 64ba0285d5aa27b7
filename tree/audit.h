/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_AUDIT_H
#define TREE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "pack/facts.h"

struct err;
struct exclude;
struct repo;
struct seal;
struct section_line;

/*
 * A live tree against a sealed backup: what is there now, and what its manifest says.
 *
 * The walk and the manifest have one order, so one merge sees it all.  Each section is proven (seal
 * -> root -> page -> section) before it is used, and every file is read and hashed, whatever its
 * times say; no link is followed.  Memory does not depend on the size of the tree, but for files
 * with several names: some 100 bytes for each of which names are still to come.
 *
 * The archive is not read: that it holds what the manifest says is for verify and restore to prove.
 */
enum audit_kind {
	AUDIT_ADDED, /* only in the tree */
	AUDIT_REMOVED, /* only in the backup */
	AUDIT_CHANGED, /* other content, or another type */
	AUDIT_FACTS, /* the same content, other facts */
	AUDIT_UNREADABLE, /* in the tree, and it cannot be told whether it is the same */
	AUDIT_KINDS
};

/* Which facts differ; bits, with names as manifest diff has them. */
enum audit_what {
	AUDIT_TYPE = 1, /* then nothing else is told */
	AUDIT_CONTENT = 2, /* of files */
	AUDIT_MODE = 4,
	AUDIT_OWNER = 8,
	AUDIT_MTIME = 16,
	AUDIT_XATTRS = 32, /* with ACLs; the manifest has a digest of all of them */
	AUDIT_LINK = 64, /* of symlinks the target; of files: names of one file are not so any more,
			    or the reverse */
	AUDIT_DEVICE = 128,
	AUDIT_MOVING = 256, /* content that changed each time that it was read */
};

struct audit_finding {
	enum audit_kind kind;
	unsigned what; /* of enum audit_what; 0 but for CHANGED and FACTS */
	const char *path; /* clean, NUL-terminated; "" is the root */
	size_t path_len;
	const char *reason; /* UNREADABLE, else NULL */
	/*
	 * As the manifest has it, and as it is in the tree; NULL where it is not there, now also
	 * where nothing could be learned of it.  before of a hard link has size and digests of its
	 * target only where it was read.
	 */
	const struct section_line *before;
	const struct facts *now;
	const char *now_link; /* symlinks */
};

struct audit_totals {
	uint64_t kinds[AUDIT_KINDS];
	uint64_t unchanged; /* entries, the root among them */
	/*
	 * Entries of one side that the other may have: where the manifest is damaged, where the
	 * backup notes that it could not take the path, below a directory that cannot be read now,
	 * or left out by exclude.  Not told one by one.
	 */
	uint64_t unknown;
	uint64_t damaged; /* parts of the manifest */
	uint64_t bytes; /* read */
};

struct audit_opts {
	const struct exclude *exclude; /* NULL: nothing */
	bool one_file_system; /* as in struct walk_opts */
	unsigned jobs; /* threads that read; 0: one */
	/* In the order of paths, by one thread at a time, not the caller's; all of *f is valid
	 * until it returns.  -1 with *e ends the audit.  NULL: totals only. */
	int (*found)(void *ctx, const struct audit_finding *f, struct err *e);
	/* What is wrong with the manifest, for people; by the caller's thread.  NULL: only counted.
	 */
	void (*damaged)(void *ctx, const char *why);
	void *ctx;
};

/*
 * The directory rootfd (borrowed) against the backup of that seal.  0 with *out, whatever was
 * found.  -1: the manifest cannot be used at all (ERR_CORRUPT), the tree holds the repository
 * (ERR_USAGE) or the work directory of a restore, it cannot be listed, or a stop was asked for.
 */
int audit_tree(const struct audit_opts *o, int rootfd, const struct repo *repo,
    const struct seal *seal, struct audit_totals *out, struct err *e);

/* Nothing found, nothing damaged? */
bool audit_clean(const struct audit_totals *t);
/* "added", "removed", "changed", "facts", "unreadable" */
const char *audit_kind_name(enum audit_kind kind);
/* The name of one bit: "content", "mode", ...; bits ascend from 1 until NULL comes. */
const char *audit_what_name(unsigned bit);

#endif
