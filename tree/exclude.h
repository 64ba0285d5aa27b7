/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_EXCLUDE_H
#define TREE_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/*
 * What is left out: a set of patterns (--exclude, --exclude-from).
 *
 * Patterns are globs of core/path.h over paths relative to the source: * ? [set] stay
 * within a component, ** crosses them.  Without a '/' a pattern matches a name
 * anywhere ("*.tmp"); with one, the whole path from the source ("cache/old",
 * "/cache" for only the topmost one).  A trailing '/' matches directories only.
 * A directory that matches goes with all that is below it.
 *
 * In a file: one pattern a line, taken as it stands; empty lines and lines that
 * start with '#' are left out ("\#" or "[#]" begins a name with one).
 */
struct exclude;

int exclude_new(struct exclude **out, struct err *e);
void exclude_free(struct exclude *x); /* NULL is harmless */
/* ERR_USAGE for a pattern that can match nothing (empty, "/", "." or ".." in it). */
int exclude_add(struct exclude *x, const char *pattern, struct err *e);
int exclude_add_file(struct exclude *x, const char *file, struct err *e);
/* Never true for the source itself (""). */
bool exclude_match(const struct exclude *x, const char *path, size_t len, bool is_dir);

#endif
