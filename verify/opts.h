/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_OPTS_H
#define VERIFY_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"

struct err;

/* What verify is asked to do. */
enum verify_level { VERIFY_QUICK, VERIFY_STANDARD, VERIFY_DEEP };

/* How much may be read: seconds or bytes; 0: not said. */
struct verify_budget {
	uint64_t seconds, bytes;
};

struct verify_opts {
	const char *repo, *trust, *series, *timezone, *anchor;
	bool all, untrusted;
	uint64_t oldest; /* 0: not in turn, unless there is a budget */
	const char *budget_text; /* as given, and */
	struct verify_budget budget; /* what it says */
	int level; /* enum verify_level */
	uint64_t max_age; /* seconds; 0: any */
	uint64_t jobs;
	/* To be compared with a backup; NULL: backups are checked.  The other two go with it. */
	const char *source;
	struct opt_list exclude;
	bool one_file_system;
	struct opt_list backups;
	struct opt_common common;
};

/* 0; 1: --help or --version was served; -1.  verify_opts_done() in every case. */
int verify_opts_parse(struct verify_opts *o, int argc, char **argv, struct err *e);
void verify_opts_done(struct verify_opts *o);
/* "10m", "2h" or "5GB"; a unit must be there, and 0 is none.  ERR_USAGE. */
int verify_budget_parse(const char *text, struct verify_budget *out, struct err *e);
/* "quick", "standard", "deep" */
const char *verify_level_name(int level);

#endif
