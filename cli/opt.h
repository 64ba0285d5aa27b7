/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Options as a table.  Parsing, --help, environment names, and the check of the
 * man pages (tools/check-options) all read it.  Order of precedence: command line,
 * then environment.  A string option given twice on the command line is ERR_USAGE; a list collects.
 *
 * Environment: shared options (env set to e.g. "TARSEAL_REPO") by that name; all others
 * TARSEAL_<PROGRAM>_<OPTION> ("--keep-last" of backup: TARSEAL_BACKUP_KEEP_LAST),
 * lists separated by newlines, flags by 1/true/yes and 0/false/no or empty.  An empty
 * value is the same as none.  A list on the command line replaces that of the environment;
 * "--flag=no" takes back what the environment has set.  TARSEAL_* names that nobody
 * knows give one warning: a misspelt name must show, but Kubernetes makes such names of
 * its own accord (service links), so it is no error.
 */
enum opt_kind {
	OPT_FLAG, /* bool * */
	OPT_STRING, /* const char **, borrowed from argv or environ */
	OPT_UINT, /* uint64_t *, min..max */
	OPT_LIST, /* struct opt_list * */
	OPT_CHOICE, /* int *: index into choices */
	OPT_DURATION, /* uint64_t *, seconds */
};

struct opt_list {
	const char **items; /* owned (the array; the strings are owned too when they came from the
			       environment) */
	size_t n;
};

struct opt {
	const char *name; /* without "--" */
	char letter; /* 0: none */
	enum opt_kind kind;
	const char *arg; /* "DIR", for help; NULL for flags */
	const char *help; /* one line, lower case, no full stop */
	void *value;
	const char *env; /* NULL: derived from program and name */
	uint64_t min, max; /* OPT_UINT; max 0: no bound.  min for OPT_DURATION too */
	const char *const *choices; /* OPT_CHOICE; NULL-terminated */
};

struct opt_program {
	const char *name; /* "backup", "manifest find" (environment: TARSEAL_MANIFEST_...) */
	const char *synopsis; /* "--source DIR --repo DIR --key FILE [OPTION...]" */
	const char *description; /* one sentence for --help */
	const struct opt *opts; /* ends with name NULL */
	size_t min_args, max_args; /* positional; SIZE_MAX: any number */
	const char *args_name; /* "BACKUP", for messages */
	/*
	 * The commands of the same binary ("manifest list", "manifest find", ...), ended by NULL,
	 * so that a name for one of them does not count as unknown in another.  With NULL and a
	 * name of several words, unknown TARSEAL_<PROGRAM>_* names are not looked for.
	 */
	const struct opt_program *const *siblings;
};

/* The options that every program has: -h --version -q -v --json --progress. */
struct opt_common {
	bool quiet, verbose, json;
	int progress; /* enum progress_mode; 0 is AUTO */
};

/*
 * Parse.  Positional arguments come in *args (borrowed from argv).  "--" ends options;
 * --name=value and --name value both work (a value that starts with "--" needs the first form: else
 * "--repo $UNSET --trust F" would take "--trust" for a directory); letters may be run together
 * ("-qj4"); options may stand behind arguments.  Unknown options are ERR_USAGE with the nearest
 * name as a suggestion.  argv[0] is not looked at.  On -1 *args is empty, but lists among the
 * options may hold something: opt_list_done() them in every case.
 * Returns 0; 1 when --help or --version printed on stdout and the program is done; -1.
 */
int opt_parse(const struct opt_program *prog, struct opt_common *common, int argc, char **argv,
    struct opt_list *args, struct err *e);
void opt_list_done(struct opt_list *l);
/* What --help prints; tools/check-options reads it too. */
void opt_help(const struct opt_program *prog);

#endif
