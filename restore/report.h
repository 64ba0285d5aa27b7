/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_REPORT_H
#define RESTORE_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

struct err;
struct repo_backup;
struct restore_opts;
struct section_line;

/*
 * What a restore found and did.  Findings (damage, an unsafe entry, a fact that did
 * not hold) are printed at once, as warnings, and make the exit status 1.  Safe from any
 * thread between init and done.
 *
 * What may not be restored here, of many files at once, is counted by kind, and told once
 * at the end.  That a plain user may not do what needs root is no news, and exit 0;
 * root that may not, in a container without the capability, has not got what it came for.
 */
enum restore_lack {
	RESTORE_OWNER,
	RESTORE_SETID, /* set-id bits, dropped with the owner */
	RESTORE_DEVICE,
	RESTORE_XATTR, /* those that need root */
	RESTORE_LABEL, /* SELinux: the host's policy gives its own; never wrong */
	RESTORE_NO_XATTR, /* the file system takes none; always wrong */
	RESTORE_LACKS,
};

struct restore_finding {
	char *path, *why;
	size_t path_len;
};

struct restore_report {
	pthread_mutex_t lock;
	uint64_t began_ns;
	uint64_t entries, bytes;
	uint64_t findings;
	uint64_t lost; /* of them: what is not restored */
	struct restore_finding *kept; /* the first ones, for --json */
	size_t n_kept;
	uint64_t lacks[RESTORE_LACKS];
	/* From begin to end. */
	const struct restore_opts *opts;
	const struct repo_backup *backup;
	struct json json;
	uint64_t missing; /* not in the backup, because they could not be read then */
	const char *mode; /* how; NULL: into no directory */
	uint64_t replaced, stayed; /* things that were there; of stage and wipe, names at the top */
	uint64_t needed, room; /* --dry-run into a directory: bytes; room UINT64_MAX: nobody says */
	enum {
		REPORT_NO_LIST,
		REPORT_PLANNED, /* --dry-run */
		REPORT_GONE, /* --dry-run: what would go */
		REPORT_VERSIONS, /* --all-versions */
	} list; /* of the JSON document, that has begun */
	const char *alone; /* from the archive alone: "sealed", "unproven"; NULL: not so (bare.h) */
	uint64_t flagged; /* restored, but changed or unreadable when they were backed up */
};

void restore_report_init(struct restore_report *r);
void restore_report_done(struct restore_report *r);
/* Something is wrong with path; NULL: with the backup, nobody knows which path. */
void restore_found(struct restore_report *r, const char *path, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of something that is not restored, or not all of it. */
void restore_lost(struct restore_report *r, const char *path, size_t len, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, with what e says. */
void restore_found_err(struct restore_report *r, const char *path, size_t len, const struct err *e);
/* An entry is back. */
void restore_count(struct restore_report *r, uint64_t bytes);
/* An entry is back that was flagged when it was backed up, if its line says so. */
void restore_flags(struct restore_report *r, const char *path, const struct section_line *line);
/* A note of the manifest: something is not in the backup. */
void restore_missing(struct restore_report *r, const struct section_line *note);
void restore_lacks(struct restore_report *r, enum restore_lack what, const char *path);
/* Is something not as it was backed up?  Exit 1, then. */
bool restore_report_wrong(const struct restore_report *r);

/* ---- stdout: text, or one JSON document ---- */

/* The backup is found.  Both must live until the end. */
void restore_report_begin(
    struct restore_report *r, const struct restore_opts *o, const struct repo_backup *b);
/* --dry-run: an entry that would be restored, at path; action: "create", "replace", "keep". */
void restore_report_planned(struct restore_report *r, const char *path,
    const struct section_line *line, const char *action);
/* --dry-run, after them: a name at the top of the target that goes, and whether one comes. */
void restore_report_gone(struct restore_report *r, const char *name, bool comes);
/* --all-versions: one of them, instead. */
struct restore_version {
	const char *name; /* in the target */
	const char *backup; /* the first one that has it */
	uint64_t size; /* UINT64_MAX: no file */
	int64_t mtime_sec;
	bool back; /* it is restored */
};
void restore_report_version(struct restore_report *r, const struct restore_version *v);
/* ---- for other reports ---- */

/* Which backup it is of: repository, backup, series, and what follows from its seal. */
void restore_report_json_backup(
    struct json *j, const struct restore_opts *o, const struct repo_backup *b);
/* not_restored, findings_total, findings */
void restore_report_json_findings(struct json *j, const struct restore_report *r);
/* "18 bytes", "2.9M" */
void restore_report_size(uint64_t bytes, char out[32]);
void restore_report_tell_lacks(const struct restore_report *r);

/* ---- the end ---- */

/* The lacks, as warnings; then the result.  status is the program's exit status. */
void restore_report_end(struct restore_report *r, int status);

#endif
