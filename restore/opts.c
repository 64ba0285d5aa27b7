/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/opts.h"

#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "restore/into.h"
#include "seal/seal.h"

static int
check(struct restore_opts *o, struct err *e)
{
	if ((o->status || o->recover) && (o->target == NULL || o->paths.n > 0))
		return err_set(e, ERR_USAGE, "--%s takes --target DIR, and no PATH",
		    o->status ? "status" : "recover");
	if (o->status && o->recover)
		return err_set(e, ERR_USAGE, "--status and --recover exclude each other");
	if (o->status || o->recover)
		return clock_zone_set(o->timezone, e);
	if (o->repo == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (o->trust == NULL && !o->untrusted)
		return err_set(e, ERR_USAGE,
		    "which keys are trusted? (--trust FILE or TARSEAL_TRUST; --untrusted for "
		    "none)");
	if (o->target != NULL && o->to_stdout)
		return err_set(e, ERR_USAGE, "--target and --stdout exclude each other");
	if (o->to_stdout && (o->mode != INTO_AUTO || o->overwrite != OVERWRITE_ALWAYS || o->force))
		return err_set(e, ERR_USAGE, "--stdout excludes --mode, --overwrite, and --force");
	if (o->overwrite != OVERWRITE_ALWAYS &&
	    (o->mode == INTO_STAGE || o->mode == INTO_WIPE ||
		(o->mode == INTO_AUTO && o->paths.n == 0)))
		return err_set(e, ERR_USAGE,
		    "--overwrite is for --mode merge: the others replace all that is there");
	if (o->target == NULL && !o->to_stdout && !o->dry_run)
		return err_set(e, ERR_USAGE, "where to? (--target DIR, or --stdout)");
	if (o->to_stdout && o->paths.n == 0)
		return err_set(e, ERR_USAGE, "--stdout needs the PATH of a file");
	if (o->to_stdout && o->common.json)
		return err_set(e, ERR_USAGE, "--stdout and --json exclude each other");
	if (o->backup != NULL && o->as_of != NULL)
		return err_set(e, ERR_USAGE, "--backup and --as-of exclude each other");
	/* A variable that is not set must not mean everything. */
	for (size_t i = 0; i < o->paths.n; i++)
		if (o->paths.items[i][0] == '\0')
			return err_set(
			    e, ERR_USAGE, "an empty PATH (all of the backup is no PATH, or .)");
	if (o->series != NULL && !seal_name_ok(o->series))
		return err_set(e, ERR_USAGE, "--series %s: is not a series' name", o->series);
	if (clock_zone_set(o->timezone, e) != 0)
		return -1;
	if (o->as_of != NULL && clock_parse(o->as_of, &o->at, e) != 0)
		return err_where(e, "--as-of");
	return 0;
}

int
restore_opts_parse(struct restore_opts *o, int argc, char **argv, struct err *e)
{
	static const char *const modes[] = {"auto", "stage", "merge", "wipe", NULL};
	static const char *const overwrites[] = {"always", "if-newer", "never", NULL};
	const struct opt table[] = {
	    {"repo", 'r', OPT_STRING, "DIR", "the repository", &o->repo, "TARSEAL_REPO", 0, 0,
		NULL},
	    {"trust", 't', OPT_STRING, "FILE", "public keys that the seal must be signed with",
		&o->trust, "TARSEAL_TRUST", 0, 0, NULL},
	    {"untrusted", 0, OPT_FLAG, NULL, "accept a backup without a trusted signature",
		&o->untrusted, NULL, 0, 0, NULL},
	    {"target", 'T', OPT_STRING, "DIR", "where to write; made when it is missing",
		&o->target, NULL, 0, 0, NULL},
	    {"mode", 'm', OPT_CHOICE, "MODE",
		"what is there: replaced (stage, without PATH), added to (merge, with PATH), gone "
		"first (wipe)",
		&o->mode, NULL, 0, 0, modes},
	    {"overwrite", 0, OPT_CHOICE, "WHEN", "merge: which files that are there are replaced",
		&o->overwrite, NULL, 0, 0, overwrites},
	    {"force", 'f', OPT_FLAG, NULL,
		"also where files are in use, space seems short, or a part of the backup is lost",
		&o->force, NULL, 0, 0, NULL},
	    {"status", 0, OPT_FLAG, NULL, "say whether a restore into --target was cut short",
		&o->status, NULL, 0, 0, NULL},
	    {"recover", 0, OPT_FLAG, NULL, "finish or undo one that was, and do no more",
		&o->recover, NULL, 0, 0, NULL},
	    {"stdout", 0, OPT_FLAG, NULL, "write the content of files to standard output",
		&o->to_stdout, NULL, 0, 0, NULL},
	    {"backup", 'b', OPT_STRING, "BACKUP",
		"latest (the default), a name, or a unique leading part", &o->backup, NULL, 0, 0,
		NULL},
	    {"as-of", 0, OPT_STRING, "TIME", "the newest backup that is not younger", &o->as_of,
		NULL, 0, 0, NULL},
	    {"series", 's', OPT_STRING, "NAME", "only backups of this series", &o->series,
		"TARSEAL_SERIES", 0, 0, NULL},
	    {"timezone", 0, OPT_STRING, "ZONE", "zone of --as-of and of times shown", &o->timezone,
		"TARSEAL_TIMEZONE", 0, 0, NULL},
	    {"jobs", 'j', OPT_UINT, "N", "threads that unpack and write", &o->jobs, "TARSEAL_JOBS",
		1, LIMITS_WORKERS_MAX, NULL},
	    {"dry-run", 'n', OPT_FLAG, NULL, "say what would be written; write nothing",
		&o->dry_run, NULL, 0, 0, NULL},
	    {.name = NULL},
	};
	const struct opt_program prog = {
	    .name = "restore",
	    .synopsis = "--repo DIR --trust FILE (--target DIR | --stdout) [OPTION...] [PATH...]",
	    .description = "Brings back a backup, or the files, directories, and patterns of it "
			   "that are named, and proves every byte on the way.",
	    .opts = table,
	    .max_args = SIZE_MAX,
	    .args_name = "PATH",
	};
	int rc;

	memset(o, 0, sizeof(*o));
	o->jobs = limits_workers_here();
	rc = opt_parse(&prog, &o->common, argc, argv, &o->paths, e);
	return rc != 0 ? rc : check(o, e);
}

void
restore_opts_done(struct restore_opts *o)
{
	opt_list_done(&o->paths);
}
