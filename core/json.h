/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

/*
 * A JSON writer that streams: no tree is built.  Keys are NULL inside arrays, and
 * for the outermost object or array.  Commas, indentation and nesting (up to 30
 * levels) are kept here; misuse is an assertion.  Whether writing went well is the
 * caller's to see, with ferror(out).
 *
 * Texts may hold any bytes: what is not UTF-8 becomes U+FFFD, byte by byte, and
 * what a terminal would obey is written as \uXXXX.
 */
struct json {
	FILE *out;
	unsigned depth;
	uint64_t nonempty; /* bit per depth: something was written there */
	uint64_t arrays; /* bit per depth: it is an array */
};

void json_init(struct json *j, FILE *out);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j); /* closes what was opened last; a newline after the outermost */
void json_str(struct json *j, const char *key, const char *value); /* NULL: null */
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/*
 * A path of any bytes: "key" holds it as text, invalid UTF-8 replaced by U+FFFD;
 * when something was replaced, "key_hex" holds the bytes too
 * (not in arrays, where it has no place).
 */
void json_path(struct json *j, const char *key, const char *path, size_t len);

#endif
