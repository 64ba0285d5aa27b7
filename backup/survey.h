/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_SURVEY_H
#define BACKUP_SURVEY_H

#include <stdint.h>

struct err;
struct walk_opts;

/* A walk that reads no file: what would be stored (--dry-run), and how much (free space). */
struct survey {
	uint64_t files, dirs, symlinks, hardlinks, others; /* the source itself is none of them */
	uint64_t bytes; /* of regular files, hard links once */
	uint64_t excluded, skipped, unreadable; /* as far as a walk can tell */
};

/* With -v each excluded, skipped and unreadable path is told. */
int survey_run(int source_fd, const struct walk_opts *opts, struct survey *out, struct err *e);
uint64_t survey_entries(const struct survey *s);

#endif
