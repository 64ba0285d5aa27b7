/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_PRIV_H
#define CLI_PRIV_H

#include "cli/opt.h"
#include "cli/opt_near.h"

struct buf;

/* What the files of this room share, and nobody else uses. */

/* signal.c: SIGPIPE and SIGXFSZ ignored, stop requests; see cli_init(). */
void cli_signal_install(void);

/*
 * All options of a program: its own, then the common ones.  The common ones'
 * values are in common, help and version here.
 */
#define OPT_COMMON_N 6
#define OPT_ALL_MAX 96
struct opt_all {
	const struct opt_program *prog;
	struct opt common[OPT_COMMON_N];
	size_t n_prog, n;
	bool help, version;
};
/* all must stay where it is: two of its options point into it. */
void opt_all_init(struct opt_all *all, const struct opt_program *prog, struct opt_common *common);
const struct opt *opt_all_at(const struct opt_all *all, size_t i);

/* opt_set.c: give an option its value; source ("--jobs", "TARSEAL_JOBS") is for messages. */
int opt_set(const struct opt *o, const char *value, const char *source, struct err *e);
/* A flag's word, or the empty string for no. */
int opt_set_flag(const struct opt *o, const char *word, const char *source, struct err *e);
/* Lines of text as a list, in one block of memory with its array. */
int opt_set_lines(struct opt_list *l, const char *text, struct err *e);
int opt_list_add(struct opt_list *l, const char *item, struct err *e); /* borrows item */

/* opt_env.c: set all that the environment gives and the command line has not. */
int opt_env_apply(const struct opt_all *all, const bool *seen, struct err *e);
/* One warning about TARSEAL_* names that nobody knows. */
void opt_env_warn(const struct opt_all *all);
/* The option's environment name, or an empty buffer for --help and --version. */
void opt_env_name(const struct opt_program *prog, const struct opt *o, struct buf *out);

#endif
