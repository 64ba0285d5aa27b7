/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_REPORT_H
#define VERIFY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/json.h"

struct repo_backup;
struct verify_anchor;
struct verify_opts;
struct verify_place;
struct verify_rotation;

/*
 * What verify found, on stdout as it comes, in text or as one JSON document; so
 * memory does not grow with the damage.  One thread at a time.
 *
 * Texts and paths hold outside bytes raw.
 */
enum verify_kind {
	VERIFY_DAMAGE, /* exit 1 */
	VERIFY_TRUST, /* exit 5 */
	VERIFY_NOTE, /* nothing wrong */
};
#define VERIFY_KINDS 3

/*
 * A finding.  code is a stable word for programs; text has no path that is not a
 * file name of the repository.  path: the one file of the backup that it is about.
 */
struct verify_finding {
	enum verify_kind kind;
	const char *code;
	const char *text;
	const char *path; /* NULL: none, or those of verify_report_file() */
	const struct verify_place *place; /* NULL: none */
};

struct verify_report {
	FILE *out;
	const struct verify_opts *opts;
	struct json json;
	const struct verify_anchor *anchor; /* for JSON, at the end; NULL: none */
	const struct verify_rotation *rotation; /* for the end; NULL: none */
	uint64_t found[VERIFY_KINDS]; /* in all */
	/* Private. */
	const struct repo_backup *backup;
	uint64_t found_before[VERIFY_KINDS];
	uint64_t files;
	bool headed; /* the backup's line is printed */
	bool in_finding, in_files; /* JSON: open */
	struct buf last_file;
};

/* What was gone through, for the closing line of a backup. */
struct verify_counts {
	int level; /* enum verify_level */
	uint64_t members, entries, bytes;
	uint64_t ms;
};

void verify_report_begin(struct verify_report *r, const struct verify_opts *o, FILE *out);
void verify_report_backup(struct verify_report *r, const struct repo_backup *b);
void verify_report_found(struct verify_report *r, const struct verify_finding *f);
/* The same, with text formatted. */
void verify_report_put(struct verify_report *r, enum verify_kind kind, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* One more file that the last finding touches; twice the same in a row is once. */
void verify_report_file(struct verify_report *r, const char *path);
/* c NULL: the check did not come to its end. */
void verify_report_backup_end(struct verify_report *r, const struct verify_counts *c);
/* Has this backup nothing but notes so far? */
bool verify_report_ok(const struct verify_report *r);
/* After the last backup; status is what the program will exit with. Frees what r owns. */
void verify_report_end(struct verify_report *r, int status);

#endif
