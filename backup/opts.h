/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_OPTS_H
#define BACKUP_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "backup/older.h"
#include "cli/opt.h"
#include "store/retain.h"

struct err;

/* The command line of backup. */
struct backup_opts {
	struct opt_common common;
	const char *source, *repo, *key, *trust, *series, *timezone, *run_id;
	struct opt_list exclude, exclude_from;
	uint64_t compression; /* 1..12 */
	uint64_t jobs; /* at least 1 */
	uint64_t wait_lock; /* seconds */
	int reuse; /* enum older_mode */
	uint64_t physical_every; /* at least 1 */
	struct retain_policy keep;
	bool one_file_system, strict_changed, allow_empty, dry_run, is_unsigned, make_room;
};

/*
 * As opt_parse(): 0; 1 when help or version was printed; -1.  The options agree with each
 * other then: a dry run wants a source, anything else a repository and a key (or --unsigned)
 * too.  backup_opts_done() in every case.
 */
int backup_opts_parse(struct backup_opts *o, int argc, char **argv, struct err *e);
void backup_opts_done(struct backup_opts *o);

#endif
