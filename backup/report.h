/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_REPORT_H
#define BACKUP_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct backup_opts;
struct seal;
struct survey;
struct tally;

/*
 * What goes to stdout: the lines of the script that backup replaces, word for word, as
 * they happen, so that eyes and log rules go on working; or with --json one document at the
 * end.  With -q neither line is printed.
 */
struct report {
	const struct backup_opts *opts;
	const char *archive; /* path, for people */
	const struct seal *seal; /* committed */
	const struct tally *tally; /* NULL: an earlier run made this backup */
	uint64_t excluded;
	double seconds;
	enum cli_status status;
};

void report_starting(const struct backup_opts *o);
void report_creating(const struct backup_opts *o, const char *archive);
/* false: not all could be written. */
bool report_done(const struct report *r);
void report_dry_run(const struct backup_opts *o, const struct survey *s);

#endif
