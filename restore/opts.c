/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/opts.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/path.h"
#include "restore/into.h"
#include "seal/seal.h"
#include "tree/exclude.h"

static int
check_state(const struct restore_opts *o, struct err *e)
{
	if (o->target == NULL || o->paths.n > 0)
		return err_set(e, ERR_USAGE, "--%s takes --target DIR, and no PATH",
		    o->status ? "status" : "recover");
	if (o->status && o->recover)
		return err_set(e, ERR_USAGE, "--status and --recover exclude each other");
	return clock_zone_set(o->timezone, e);
}

static int
check_source(const struct restore_opts *o, struct err *e)
{
	if (o->repo == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (o->trust == NULL && !o->untrusted)
		return err_set(e, ERR_USAGE,
		    "which keys are trusted? (--trust FILE or TARSEAL_TRUST; --untrusted for "
		    "none)");
	if (o->backup != NULL && (o->as_of != NULL || o->containing != NULL))
		return err_set(e, ERR_USAGE, "--backup and --%s exclude each other",
		    o->as_of != NULL ? "as-of" : "containing");
	if (o->series != NULL && !seal_name_ok(o->series))
		return err_set(e, ERR_USAGE, "--series %s: is not a series' name", o->series);
	return 0;
}

static int
check_stdout(const struct restore_opts *o, struct err *e)
{
	if (!o->to_stdout)
		return 0;
	if (o->target != NULL)
		return err_set(e, ERR_USAGE, "--target and --stdout exclude each other");
	if (o->mode != INTO_AUTO || o->overwrite != OVERWRITE_ALWAYS || o->force || o->strip > 0)
		return err_set(e, ERR_USAGE,
		    "--stdout excludes --mode, --overwrite, --force, and --strip-components");
	if (o->paths.n == 0)
		return err_set(e, ERR_USAGE, "--stdout needs the PATH of a file");
	if (o->common.json)
		return err_set(e, ERR_USAGE, "--stdout and --json exclude each other");
	return 0;
}

/* A whole tree takes the place of what is there: so it has to be all of it, as it was. */
static int
check_mode(const struct restore_opts *o, struct err *e)
{
	bool part = o->exclude_patterns.n > 0 || o->strip > 0;
	bool merges = o->mode == INTO_MERGE ||
	    (o->mode == INTO_AUTO && (o->paths.n > 0 || part || o->all_versions));

	if (o->overwrite != OVERWRITE_ALWAYS && !merges)
		return err_set(e, ERR_USAGE,
		    "--overwrite is for --mode merge: the others replace all that is there");
	if (!merges && (part || o->all_versions))
		return err_set(e, ERR_USAGE,
		    "--exclude, --strip-components, and --all-versions are for --mode merge: the "
		    "others replace all that is there");
	return 0;
}

static int
check_versions(const struct restore_opts *o, struct err *e)
{
	if (!o->all_versions)
		return 0;
	if (o->paths.n != 1 || path_has_glob(o->paths.items[0]))
		return err_set(e, ERR_USAGE, "--all-versions takes the PATH of one file");
	if (o->to_stdout || o->backup != NULL || o->as_of != NULL || o->containing != NULL ||
	    o->exclude_patterns.n > 0 || o->strip > 0)
		return err_set(e, ERR_USAGE,
		    "--all-versions excludes --stdout, --backup, --as-of, --containing, --exclude, "
		    "and --strip-components");
	return 0;
}

static int
check_where(const struct restore_opts *o, struct err *e)
{
	if (o->target == NULL && !o->to_stdout && !o->dry_run && !o->drill)
		return err_set(e, ERR_USAGE, "where to? (--target DIR, or --stdout)");
	/* A variable that is not set must not mean everything. */
	for (size_t i = 0; i < o->paths.n; i++)
		if (o->paths.items[i][0] == '\0')
			return err_set(
			    e, ERR_USAGE, "an empty PATH (all of the backup is no PATH, or .)");
	return 0;
}

static int
take_excludes(struct restore_opts *o, struct err *e)
{
	if (o->exclude_patterns.n == 0)
		return 0;
	if (exclude_new(&o->exclude, e) != 0)
		return -1;
	for (size_t i = 0; i < o->exclude_patterns.n; i++)
		if (exclude_add(o->exclude, o->exclude_patterns.items[i], e) != 0)
			return err_where(e, "--exclude");
	return 0;
}

/* Who asks for the newest backup that has a file wants the file, not all of an old backup. */
static int
take_containing(struct restore_opts *o, struct err *e)
{
	if (o->containing == NULL || o->paths.n > 0)
		return 0;
	if ((o->paths.items = malloc(sizeof(*o->paths.items))) == NULL)
		return err_nomem(e);
	o->paths.items[o->paths.n++] = o->containing;
	return 0;
}

/* All of a backup, into a place of its own. */
static int
check_drill(const struct restore_opts *o, struct err *e)
{
	if (!o->drill && (o->scratch != NULL || o->check_command != NULL || o->junit != NULL))
		return err_set(
		    e, ERR_USAGE, "--scratch, --check-command, and --junit are for --drill");
	if (!o->drill)
		return 0;
	if (o->target != NULL || o->to_stdout || o->dry_run)
		return err_set(e, ERR_USAGE,
		    "--drill restores into a scratch directory (--scratch DIR): it excludes "
		    "--target, --stdout, and --dry-run");
	if (o->paths.n > 0 || o->exclude_patterns.n > 0 || o->strip > 0 || o->containing != NULL ||
	    o->all_versions || o->mode != INTO_AUTO)
		return err_set(e, ERR_USAGE,
		    "--drill restores all of a backup: it excludes PATHs, --mode, --exclude, "
		    "--strip-components, --containing, and --all-versions");
	return 0;
}

static int
check(struct restore_opts *o, struct err *e)
{
	if (o->status || o->recover)
		return check_state(o, e);
	if (check_drill(o, e) != 0)
		return -1;
	if (check_source(o, e) != 0 || check_where(o, e) != 0 || take_containing(o, e) != 0 ||
	    check_stdout(o, e) != 0 || check_versions(o, e) != 0 || check_mode(o, e) != 0 ||
	    take_excludes(o, e) != 0 || clock_zone_set(o->timezone, e) != 0)
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
	    {"drill", 0, OPT_FLAG, NULL,
		"restore into a scratch directory, compare all of it, say how long it took",
		&o->drill, NULL, 0, 0, NULL},
	    {"scratch", 0, OPT_STRING, "DIR", "drill: where that directory is made (TMPDIR, /tmp)",
		&o->scratch, NULL, 0, 0, NULL},
	    {"check-command", 0, OPT_STRING, "CMD",
		"drill: run by sh in the restored tree, and has to succeed", &o->check_command,
		NULL, 0, 0, NULL},
	    {"junit", 0, OPT_STRING, "FILE", "drill: write the result as JUnit XML, too", &o->junit,
		NULL, 0, 0, NULL},
	    {"stdout", 0, OPT_FLAG, NULL, "write the content of files to standard output",
		&o->to_stdout, NULL, 0, 0, NULL},
	    {"backup", 'b', OPT_STRING, "BACKUP",
		"latest (the default), a name, or a unique leading part", &o->backup, NULL, 0, 0,
		NULL},
	    {"as-of", 0, OPT_STRING, "TIME", "the newest backup that is not younger", &o->as_of,
		NULL, 0, 0, NULL},
	    {"containing", 0, OPT_STRING, "PATH",
		"the newest backup that has PATH; without another PATH that is what is restored",
		&o->containing, NULL, 0, 0, NULL},
	    {"all-versions", 0, OPT_FLAG, NULL,
		"each version of one file, under its name and when it was first backed up",
		&o->all_versions, NULL, 0, 0, NULL},
	    {"exclude", 0, OPT_LIST, "PATTERN", "leave out what matches; may be repeated",
		&o->exclude_patterns, NULL, 0, 0, NULL},
	    {"strip-components", 0, OPT_UINT, "N", "take N components from the front of names",
		&o->strip, NULL, 0, 4096, NULL},
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
	    .synopsis = "--repo DIR --trust FILE (--target DIR | --stdout | --drill) [OPTION...] "
			"[PATH...]",
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
	opt_list_done(&o->exclude_patterns);
	exclude_free(o->exclude);
}
