/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_SECTION_H
#define SEAL_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/hash.h"

struct err;

/* The text of a manifest section: FORMAT.md, "Section". */
struct section_range {
	uint64_t offset, len;
};

/* What the manifest says of an entry beside the entry itself. */
struct section_facts {
	uint8_t sha256[SHA256_LEN]; /* FILE: of the content */
	bool changed, grew;
	const struct section_range *unreadable;
	size_t n_unreadable;
};

enum section_note { SECTION_VANISHED, SECTION_UNREADABLE, SECTION_SKIPPED };

/* Append the lines of an entry. facts may be NULL for anything but a FILE. */
void section_put_entry(struct buf *text, const struct entry *en, const struct section_facts *facts);
/* reason is ignored for SECTION_VANISHED. */
void section_put_note(
    struct buf *text, enum section_note note, const char *path, size_t len, const char *reason);

/* A parsed line.  Strings live in the parser until the next call. */
struct section_line {
	bool is_note;
	enum section_note note; /* with path and reason */
	const char *reason;
	enum entry_type type; /* HARDLINK too */
	const char *path; /* clean, NUL-terminated */
	size_t path_len;
	uint32_t mode, uid, gid;
	uint64_t size;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t rdev_major, rdev_minor;
	const char *link;
	size_t link_len;
	bool has_sha256, has_xattrs;
	uint8_t sha256[SHA256_LEN], xattrs[SHA256_LEN];
	bool changed, grew;
	struct section_range *unreadable;
	size_t n_unreadable;
};

struct section_parser;
/* text must outlive the parser. It is not trusted: ERR_CORRUPT names the line. */
int section_parser_new(struct section_parser **out, const void *text, size_t len, struct err *e);
void section_parser_free(struct section_parser *p);
/* 1: a line; 0: end; -1. */
int section_next(struct section_parser *p, struct section_line *line, struct err *e);

/* The entry that a line tells of, without attributes, ACLs and extents; borrows from it. */
struct entry section_entry(const struct section_line *line);
/* The line that tells of an entry, without digests; borrows from it. */
struct section_line section_line_of(const struct entry *en);

/*
 * Does a tar entry say the same as its manifest line?  Compares type, mode,
 * owner, size, time, link, device, xattr digest; not the content.  false, and in
 * *what the name of the first fact that differs.
 */
bool section_matches(const struct section_line *line, const struct entry *en, const char **what);

#endif
