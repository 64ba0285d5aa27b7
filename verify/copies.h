/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_COPIES_H
#define VERIFY_COPIES_H

#include "seal/manifest.h"
#include "verify/place.h"

struct err;
struct repo;
struct repo_backup;
struct repo_list;
struct verify_opts;
struct verify_report;

/*
 * Which other backups hold what a damaged member was?  An unchanged member stands in many nights'
 * archives, byte for byte.  It is looked for in the manifests of those backups whose word counts,
 * by its first path and file offset, and what is found is read and checked: the catalog may lie,
 * and of two files that share their blocks both may be hurt.
 *
 * Costs nothing until something is damaged, then for each member some look-ups and up to
 * VERIFY_INTACT_MAX members read.  After VERIFY_COPIES_MEMBERS of them, or VERIFY_COPIES_LOOKS
 * look-ups, nothing more is looked for.  Memory is constant: a few manifests are open at a time.
 * One thread at a time.
 */
#define VERIFY_COPIES_MEMBERS 1000u
#define VERIFY_COPIES_LOOKS 20000u

struct verify_copies_of {
	const struct repo *repo;
	const struct repo_list *list;
	const struct repo_backup *backup; /* of the list: the damaged one */
	const struct verify_opts *opts;
};

struct verify_copies;

int verify_copies_new(struct verify_copies **out, const struct verify_copies_of *of, struct err *e);
void verify_copies_free(struct verify_copies *c);
/* m is a member of the damaged backup.  *out is empty when no more is looked for.  -1: memory,
 * stop. */
int verify_copies_find(struct verify_copies *c, const struct manifest_member *m,
    struct verify_intact *out, struct err *e);
/* The sum of it as a note, when that says more than the findings; all: even of one member. */
void verify_copies_tell(const struct verify_copies *c, bool all, struct verify_report *r);

#endif
