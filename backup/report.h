/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_REPORT_H
#define BACKUP_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct backup_opts;
struct retain_policy;
struct retention;
struct seal;
struct survey;
struct writer;

/*
 * What goes to stdout: the lines of the script that backup replaces, word for word, as
 * they happen, so that eyes and log rules go on working; or with --json one document at the
 * end.  With -q neither line is printed.
 */
struct report {
	const struct backup_opts *opts;
	const char *archive; /* path, for people */
	const struct seal *seal; /* committed */
	const struct writer *writer; /* NULL: an earlier run made this backup */
	const char *older; /* what some were copied from; NULL: nothing was */
	const struct retention *retention;
	uint64_t excluded;
	double seconds;
	enum cli_status status;
};

void report_starting(const struct backup_opts *o);
void report_creating(const struct backup_opts *o, const char *archive);
void report_completed(const struct backup_opts *o, const char *archive, uint64_t size);
/* Retention: what it goes by, and each backup that is removed, the seed's way. */
void report_cleaning(const struct backup_opts *o, const struct retain_policy *p);
void report_making_room(const struct backup_opts *o, const struct retain_policy *p);
void report_removed(const struct backup_opts *o, const char *name);
/* false: not all could be written. */
bool report_done(const struct report *r);
/* t: all-zero when no policy was given. */
void report_dry_run(const struct backup_opts *o, const struct survey *s, const struct retention *t);

#endif
