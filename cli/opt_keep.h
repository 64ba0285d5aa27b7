/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_OPT_KEEP_H
#define CLI_OPT_KEEP_H

#include "cli/opt.h"
#include "store/retain.h"

/* The rules of retention as options: rows for the tables of backup and of manifest prune. */
#define OPT_KEEP_ROW(rule, text, to)                                                               \
	{                                                                                          \
		.name = "keep-" rule, .kind = OPT_UINT, .arg = "N", .help = text, .value = (to)    \
	}
#define OPT_KEEP_ROWS(policy)                                                                      \
	OPT_KEEP_ROW("last", "keep the N newest backups", &(policy)->last),                        \
	    OPT_KEEP_ROW("daily", "keep the newest of each of N days", &(policy)->daily),          \
	    OPT_KEEP_ROW("weekly", "keep the newest of each of N weeks", &(policy)->weekly),       \
	    OPT_KEEP_ROW("monthly", "keep the newest of each of N months", &(policy)->monthly),    \
	    OPT_KEEP_ROW("yearly", "keep the newest of each of N years", &(policy)->yearly)

#endif
