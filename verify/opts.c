/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/opts.h"

#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "seal/seal.h"

static const char *const levels[] = {"quick", "standard", "deep", NULL};

const char *
verify_level_name(int level)
{
	return levels[level];
}

#define NO_LEVEL (-1)

static int
check_source(const struct verify_opts *o, struct err *e)
{
	const char *other = o->all ? "--all"
	    : o->level != NO_LEVEL ? "--level"
	    : o->anchor != NULL	   ? "--anchor"
	    : o->max_age > 0	   ? "--max-age"
				   : NULL;

	if (o->source == NULL && (o->exclude.n > 0 || o->one_file_system))
		return err_set(e, ERR_USAGE,
		    "--exclude and --one-file-system are about a tree: which one? (--source DIR)");
	if (o->source == NULL)
		return 0;
	if (other != NULL)
		return err_set(e, ERR_USAGE, "--source and %s exclude each other", other);
	if (o->backups.n > 1)
		return err_set(e, ERR_USAGE, "--source compares with one backup");
	return 0;
}

static int
check(const struct verify_opts *o, struct err *e)
{
	if (o->repo == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (o->trust == NULL && !o->untrusted)
		return err_set(e, ERR_USAGE,
		    "which keys are trusted? (--trust FILE or TARSEAL_TRUST; --untrusted for "
		    "none)");
	if (o->anchor != NULL && o->untrusted)
		return err_set(e, ERR_USAGE,
		    "--anchor and --untrusted exclude each other: an anchor remembers trusted "
		    "backups only");
	if (o->all && o->backups.n > 0)
		return err_set(e, ERR_USAGE, "--all and names of backups exclude each other");
	if (check_source(o, e) != 0)
		return -1;
	if (o->series != NULL && !seal_name_ok(o->series))
		return err_set(e, ERR_USAGE, "--series %s: is not a series' name", o->series);
	return clock_zone_set(o->timezone, e);
}

int
verify_opts_parse(struct verify_opts *o, int argc, char **argv, struct err *e)
{
	const struct opt table[] = {
	    {"repo", 'r', OPT_STRING, "DIR", "the repository", &o->repo, "TARSEAL_REPO", 0, 0,
		NULL},
	    {"trust", 't', OPT_STRING, "FILE", "public keys that seals must be signed with",
		&o->trust, "TARSEAL_TRUST", 0, 0, NULL},
	    {"all", 'a', OPT_FLAG, NULL, "check all backups, not the latest only", &o->all, NULL, 0,
		0, NULL},
	    {"series", 's', OPT_STRING, "NAME", "only backups of this series", &o->series,
		"TARSEAL_SERIES", 0, 0, NULL},
	    {"level", 'l', OPT_CHOICE, "LEVEL",
		"how much is checked: seals and sizes, every stored byte, every file", &o->level,
		NULL, 0, 0, levels},
	    {"max-age", 0, OPT_DURATION, "DURATION",
		"report a series whose newest complete backup is older (26h, 7d)", &o->max_age,
		NULL, 1, 0, NULL},
	    {"anchor", 0, OPT_STRING, "FILE",
		"remember in FILE what was seen, and report what was taken away since", &o->anchor,
		NULL, 0, 0, NULL},
	    {"source", 0, OPT_STRING, "DIR", "compare this tree, file by file, with a backup",
		&o->source, NULL, 0, 0, NULL},
	    {"exclude", 'x', OPT_LIST, "PATTERN", "leave out of that what matches", &o->exclude,
		NULL, 0, 0, NULL},
	    {"one-file-system", 0, OPT_FLAG, NULL, "do not descend into other file systems there",
		&o->one_file_system, NULL, 0, 0, NULL},
	    {"untrusted", 0, OPT_FLAG, NULL,
		"note missing, wrong, and unknown signatures, but do not fail for them",
		&o->untrusted, NULL, 0, 0, NULL},
	    {"jobs", 'j', OPT_UINT, "N", "threads that read and check", &o->jobs, "TARSEAL_JOBS", 1,
		LIMITS_WORKERS_MAX, NULL},
	    {"timezone", 0, OPT_STRING, "ZONE", "zone of the times shown", &o->timezone,
		"TARSEAL_TIMEZONE", 0, 0, NULL},
	    {.name = NULL},
	};
	const struct opt_program prog = {
	    .name = "verify",
	    .synopsis =
		"--repo DIR --trust FILE [OPTION...] [BACKUP... | --all | --source DIR [BACKUP]]",
	    .description = "Checks that backups are whole, signed, and all there, and lists all "
			   "damage by the names of the files that it touches; or compares a "
			   "tree with a backup. BACKUP is \"latest\" (the default), a name, or a "
			   "unique leading part of one.",
	    .opts = table,
	    .max_args = SIZE_MAX,
	    .args_name = "BACKUP",
	};
	int rc;

	memset(o, 0, sizeof(*o));
	o->level = NO_LEVEL;
	o->jobs = limits_workers_here();
	rc = opt_parse(&prog, &o->common, argc, argv, &o->backups, e);
	if (rc == 0)
		rc = check(o, e);
	if (o->level == NO_LEVEL)
		o->level = VERIFY_STANDARD;
	return rc;
}

void
verify_opts_done(struct verify_opts *o)
{
	opt_list_done(&o->backups);
	opt_list_done(&o->exclude);
}
