/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_PLACE_H
#define VERIFY_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;

/* Other backups that hold the same bytes, read and found intact.  Names live as long as the list
 * of the repository's backups. */
#define VERIFY_INTACT_MAX 4
struct verify_intact {
	bool asked; /* else nothing is known */
	const char *names[VERIFY_INTACT_MAX]; /* the nearest first */
	size_t n;
};

/* What of the archive a finding is about. */
struct verify_place {
	bool in_archive;
	uint64_t offset, length; /* in the archive's file */
	uint64_t member; /* its number, from 1; 0: no member is known there */
	bool has_range; /* it is a stretch of a large file: */
	uint64_t from, to; /* up to, but not with */
	struct verify_intact intact;
};

/* Of damage in the archive: append "; bytes 0 to 1048575 of the file" and "; intact in NAME and 2
 * more". */
void verify_place_put(const struct verify_place *p, struct buf *out);
/* "NAME and 2 more"; there is one. */
void verify_intact_put(const struct verify_intact *in, struct buf *out);
/* Members of the finding's object. */
void verify_place_json(const struct verify_place *p, struct json *j);

#endif
