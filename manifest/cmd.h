/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_CMD_H
#define MANIFEST_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "store/repo.h"

struct catalog;
struct err;
struct json;
struct trust;

/*
 * manifest's commands, one file each (cmd_NAME.c), and what they share (cmd.c).  The values of
 * options are static in each file: a process runs one command.
 */
struct cmd {
	const char *name; /* "list" */
	const char *summary; /* one line for --help */
	const struct opt_program *program;
	/* Runs after options were parsed; results go to stdout. */
	enum cli_status (*run)(
	    const struct opt_common *common, const struct opt_list *args, struct err *e);
};

/* A line for each, in the order of --help. */
extern const struct cmd cmd_list;
extern const struct cmd cmd_show;
extern const struct cmd cmd_ls;
extern const struct cmd cmd_find;
extern const struct cmd cmd_history;
extern const struct cmd cmd_diff;
extern const struct cmd cmd_stats;
extern const struct cmd cmd_copy;
extern const struct cmd cmd_prune;
extern const struct cmd cmd_hold;
extern const struct cmd cmd_release;
extern const struct cmd cmd_import;
extern const struct cmd cmd_rebuild;
extern const struct cmd cmd_keygen;
extern const struct opt_program cmd_list_program;
extern const struct opt_program cmd_show_program;
extern const struct opt_program cmd_ls_program;
extern const struct opt_program cmd_find_program;
extern const struct opt_program cmd_history_program;
extern const struct opt_program cmd_diff_program;
extern const struct opt_program cmd_stats_program;
extern const struct opt_program cmd_copy_program;
extern const struct opt_program cmd_prune_program;
extern const struct opt_program cmd_hold_program;
extern const struct opt_program cmd_release_program;
extern const struct opt_program cmd_import_program;
extern const struct opt_program cmd_rebuild_program;
extern const struct opt_program cmd_keygen_program;
/* All of them, in that order; ends with NULL. */
extern const struct cmd *const cmd_all[];
/* The same, for opt_program.siblings. */
extern const struct opt_program *const cmd_programs[];

/* What the program does with its arguments.  The exit status. */
int cmd_main(int argc, char **argv);

/* ---- shared options ---- */
struct cmd_repo_opts {
	const char *repo, *trust, *series, *timezone;
};

#define CMD_REPO_OPTS(o)                                                                           \
	{"repo", 'r', OPT_STRING, "DIR", "the repository", &(o)->repo, "TARSEAL_REPO", 0, 0,       \
	    NULL},                                                                                 \
	    {"trust", 't', OPT_STRING, "FILE", "public keys that seals must be signed with",       \
		&(o)->trust, "TARSEAL_TRUST", 0, 0, NULL},                                         \
	    {"series", 's', OPT_STRING, "NAME", "only this series of backups", &(o)->series,       \
		"TARSEAL_SERIES", 0, 0, NULL},                                                     \
	{                                                                                          \
		"timezone", 0, OPT_STRING, "ZONE", "zone of the times shown and given",            \
		    &(o)->timezone, "TARSEAL_TIMEZONE", 0, 0, NULL                                 \
	}

/* Which backup: of ls and find. */
struct cmd_pick_opts {
	const char *backup, *as_of;
};

#define CMD_PICK_OPTS(p)                                                                           \
	{"backup", 'b', OPT_STRING, "BACKUP", "latest, a name, or a unique leading part of one",   \
	    &(p)->backup, NULL, 0, 0, NULL},                                                       \
	{                                                                                          \
		"as-of", 0, OPT_STRING, "TIME", "the newest backup that is not younger",           \
		    &(p)->as_of, NULL, 0, 0, NULL                                                  \
	}

#define CMD_NO_CATALOG(flag)                                                                       \
	{                                                                                          \
		"no-catalog", 0, OPT_FLAG, NULL,                                                   \
		    "ask the manifests themselves; slow, but proven by seals", flag, NULL, 0, 0,   \
		    NULL                                                                           \
	}

#define CMD_WAIT_LOCK(seconds)                                                                     \
	{                                                                                          \
		"wait-lock", 0, OPT_DURATION, "SECONDS",                                           \
		    "how long to wait for the repository's lock", seconds, NULL, 0, 0, NULL        \
	}

/* ---- the repository ---- */
struct cmd_repo {
	const struct cmd_repo_opts *opts;
	struct repo *repo;
	struct trust *trust; /* NULL: nothing is authenticated */
	struct repo_list list;
};

/*
 * Set the zone, open, and list.  All-zero *r before; cmd_repo_done() after, also on failure.
 * Without --trust says once that nothing was authenticated, unless r->trust has a key already.
 */
int cmd_repo_open(struct cmd_repo *r, const struct cmd_repo_opts *opts, struct err *e);
void cmd_repo_done(struct cmd_repo *r);
/*
 * Make the list ready for the catalog: where nothing is authenticated, all count alike;
 * else what does not verify is left out with a warning each.
 */
void cmd_repo_for_queries(struct cmd_repo *r);
/*
 * Which backup p asks for: "latest" when neither is given and want_default; else *out may
 * come back NULL: all of them.
 */
int cmd_repo_pick(const struct cmd_repo *r, const struct cmd_pick_opts *p, bool want_default,
    const struct repo_backup **out, struct err *e);
/*
 * A catalog to ask.  Of only one backup when only is not NULL and the manifests themselves have
 * to answer (from_manifests: in any case).  Changes r->list by cmd_repo_for_queries().
 */
int cmd_repo_catalog(struct cmd_repo *r, const struct repo_backup *only, bool from_manifests,
    struct catalog **out, struct err *e);
/* "trusted", "unsigned", "untrusted", "bad"; "unchecked": signed, and nobody was asked to look. */
const char *cmd_signature_name(const struct cmd_repo *r, const struct repo_backup *b);
/* Is a backup of the series that was asked for (or was none)? */
bool cmd_repo_wanted(const struct cmd_repo *r, const struct repo_backup *b);
/* That there is none of them, and what there is: repo_find_none(), with the repository. */
int cmd_repo_none(const struct cmd_repo *r, struct err *e);
/* ERR_NOTFOUND when there is none of what is asked for at all: else "no match" would mislead. */
int cmd_repo_some(const struct cmd_repo *r, struct err *e);

/* ---- output ---- */
/* {"type": "tarseal-manifest-NAME", "version": 1, ... ; json_end() closes it. */
void cmd_json_begin(struct json *j, const char *name);
/* "2026-02-08T22:00:05.123456789Z"; without fraction when nsec is 0. */
void cmd_json_time(struct json *j, const char *key, int64_t sec, uint32_t nsec);
/* json_path() of a path inside a backup; the source itself is ".". */
void cmd_json_path(struct json *j, const char *key, const char *path, size_t len);
void cmd_json_digest(struct json *j, const char *key, const uint8_t *digest); /* NULL: null */
/* "3h" since then: "5m", "26h", "12d". */
void cmd_age(time_t then, char out[32]);
/* "drwxr-xr-x" */
void cmd_mode(int type, unsigned mode, char out[12]);
const char *cmd_level_name(int level); /* of enum catalog_level */

#endif
