/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_PAX_H
#define ARCHIVE_PAX_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Records of a pax extended header: "LEN KEYWORD=VALUE\n", where LEN counts the whole
 * record, itself too.  Values are any bytes.
 */
void pax_put(struct buf *out, const char *keyword, const void *value, size_t len);
void pax_put_string(struct buf *out, const char *keyword, const char *value);
void pax_put_number(struct buf *out, const char *keyword, uint64_t value);
/* "mtime": the decimal value, so that -0.5 s is half a second before the epoch. */
void pax_put_time(struct buf *out, const char *keyword, int64_t sec, uint32_t nsec);
/* "SCHILY.xattr.NAME", with % and = in NAME as %25 and %3D (as GNU tar has it). */
void pax_put_xattr(struct buf *out, const char *name, const void *value, size_t len);

/* A record read.  Both strings end with a NUL that was written over '=' and '\n'. */
struct pax_record {
	char *keyword;
	char *value;
	size_t len; /* of value */
};

/* 1: a record, and *at moved behind it; 0: *at is end; -1: not a record. */
int pax_next(char **at, char *end, struct pax_record *r);
/* 0, or -1 when it is no such value, or one out of range. */
int pax_get_time(const char *s, size_t len, int64_t *sec, uint32_t *nsec);
/* Undo the escapes, in place; -1 when it could not have been written. */
int pax_unescape_xattr(char *name);

#endif
