/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_PATH_H
#define CORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/*
 * Paths inside a backup: byte strings relative to the source, without "./"; the
 * source itself is "".  Order and escapes are defined in docs/FORMAT.md.
 */

/* Order of two paths: depth first, '/' below every other byte. <0, 0, >0. */
int path_cmp(const char *a, size_t a_len, const char *b, size_t b_len);
/* Is path equal to dir, or below it?  Everything is below "". */
bool path_within(const char *path, size_t len, const char *dir, size_t dir_len);
/* No leading or trailing '/', no NUL, no empty, "." or ".." component.  "" is good. */
bool path_is_clean(const char *path, size_t len);

/* Append bytes escaped as \ooo (FORMAT.md); keep_space leaves ' ' as it is.  "-" becomes \055. */
void path_escape(struct buf *out, const char *s, size_t len, bool keep_space);
/*
 * The reverse.  Appends to out; ERR_CORRUPT when it is not as path_escape()
 * writes it (a lone "-" among that: callers who know "none" look for it first), or
 * when it holds a NUL.
 */
int path_unescape(struct buf *out, const char *s, size_t len, bool keep_space, struct err *e);
/* A path as mtree writes it: "." or "./a/b", escaped. */
void path_escape_mtree(struct buf *out, const char *path, size_t len);
/* Clean path out of mtree form; ERR_CORRUPT when it is not one. */
int path_unescape_mtree(struct buf *out, const char *s, size_t len, struct err *e);
/*
 * For people: control characters (those that turn the direction of text among
 * them), invalid UTF-8, and backslash as \ooo, the rest as it is, so that no name
 * can forge a line or move a terminal's cursor.
 */
void path_display(struct buf *out, const char *s, size_t len);

/*
 * What a user typed ("./a//b/", "/a") as a clean path: leading "/" and "./",
 * repeated and trailing "/" are dropped.  ERR_USAGE when a ".." stands in it.
 */
int path_clean(struct buf *out, const char *typed, struct err *e);

/*
 * Globs: * and ? and [set] do not cross '/'; a component ** matches any number of
 * components, also none (so that a and two stars are a with all below it, a and
 * one star what lies in a).  A pattern without '/' matches the last component (like
 * .gitignore); with one (in front too), the whole path; a trailing '/' matches
 * directories only.  [!x] and [^x] are all but x; a '[' without its ']' and a
 * character after a backslash stand for themselves.  Characters are UTF-8, and
 * bytes where they are not.  Nothing matches the source itself (len 0).
 */
bool path_has_glob(const char *pattern);
bool path_glob(const char *pattern, const char *path, size_t len, bool is_dir);

#endif
