/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_OPTS_H
#define RESTORE_OPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cli/opt.h"

struct err;
struct exclude;

struct restore_opts {
	const char *repo, *trust, *target, *backup, *series, *timezone, *as_of, *containing;
	const char *scratch, *check_command, *junit; /* of a drill */
	bool to_stdout, dry_run, untrusted, force, status, recover, all_versions, drill;
	int mode; /* enum into_mode */
	int overwrite; /* enum restore_overwrite */
	uint64_t jobs, strip;
	struct opt_list paths; /* files, directories, globs; none: everything */
	struct opt_list exclude_patterns;
	struct opt_common common;
	struct timespec at; /* what as_of says */
	struct exclude *exclude; /* what exclude_patterns say; NULL: nothing */
};

/* 0; 1 when --help or --version was answered; -1.  restore_opts_done in every case. */
int restore_opts_parse(struct restore_opts *o, int argc, char **argv, struct err *e);
void restore_opts_done(struct restore_opts *o);

#endif
