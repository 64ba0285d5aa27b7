/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_SELECT_H
#define RESTORE_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct exclude;
struct opt_list;
struct restore_report;

/*
 * Which entries are wanted, and what they are called in the target.
 *
 * Wanted are those named, all that is below them, and what globs match, without what is excluded.
 * Nothing named means everything.  A name with glob characters stands for itself, too.
 * Aliases: when a hard link is wanted and the entry
 * that holds its data is not, the data is written under the link's path instead.
 * After the plan is made, workers only read it.
 */
struct restore_select;

struct restore_select_opts {
	const struct opt_list *paths;
	const struct exclude *exclude; /* NULL: nothing; borrowed */
	uint64_t strip; /* so many components go from the front of each name */
	const char *as; /* what the one path is called, which is no directory; or NULL; borrowed */
};

int restore_select_new(
    struct restore_select **out, const struct restore_select_opts *o, struct err *e);
void restore_select_free(struct restore_select *s); /* NULL is harmless */
/* Everything, under its own name. */
bool restore_select_all(const struct restore_select *s);
bool restore_select_has_globs(const struct restore_select *s);
/* The i-th plain path in order of the backup, NULL behind the last. */
const char *restore_select_path(const struct restore_select *s, size_t i);

bool restore_select_match(
    const struct restore_select *s, const char *path, size_t len, bool is_dir);
/* Are components taken from names, so that two may come to be the same? */
bool restore_select_strips(const struct restore_select *s);
/* What path is called in the target, wanted or not; NULL: nothing is left of its name. */
const char *restore_select_name(const struct restore_select *s, const char *path);
/* Wanted, and it has a name there; notes which patterns matched something. */
bool restore_select_hit(struct restore_select *s, const char *path, size_t len, bool is_dir);
/* A finding for each pattern that nothing comes of. */
void restore_select_misses(const struct restore_select *s, struct restore_report *r);

/* From now on the data of target goes to path, a name in the target directory.  The first alias
 * stays. */
int restore_select_alias(
    struct restore_select *s, const char *target, const char *path, struct err *e);
bool restore_select_is_aliased(const struct restore_select *s, const char *path);
/* Where an entry is written: its name when it is wanted, its alias, or NULL. */
const char *restore_select_place(
    const struct restore_select *s, const char *path, size_t len, bool is_dir);

#endif
