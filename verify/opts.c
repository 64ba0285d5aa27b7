/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/opts.h"

#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/num.h"
#include "seal/seal.h"

static const char *const levels[] = {"quick", "standard", "deep", NULL};

const char *
verify_level_name(int level)
{
	return levels[level];
}

int
verify_budget_parse(const char *text, struct verify_budget *out, struct err *e)
{
	struct verify_budget b = {0};
	size_t len = strlen(text);
	/* A number alone might be either. */
	bool is_time = len > 0 && strchr("smhdw", text[len - 1]) != NULL;

	if ((is_time ? num_duration(text, &b.seconds, NULL) : num_size(text, &b.bytes, NULL)) < 0 ||
	    b.seconds > INT64_MAX / 1000000000 || b.seconds + b.bytes == 0)
		return err_set(e, ERR_USAGE,
		    "not a time such as 90s, 10m, 2h, nor a size such as 500M, 5GB, 5GiB: '%s'",
		    text);
	*out = b;
	return 0;
}

#define NO_LEVEL (-1)

static int
check_source(const struct verify_opts *o, struct err *e)
{
	const char *other = o->all   ? "--all"
	    : o->level != NO_LEVEL   ? "--level"
	    : o->anchor != NULL	     ? "--anchor"
	    : o->max_age > 0	     ? "--max-age"
	    : o->oldest > 0	     ? "--oldest"
	    : o->budget_text != NULL ? "--budget"
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

/* In turn means all of them, a few at a time. */
static int
check_turns(struct verify_opts *o, struct err *e)
{
	const char *name = o->budget_text != NULL ? "--budget" : "--oldest";

	if (o->budget_text != NULL && verify_budget_parse(o->budget_text, &o->budget, e) < 0)
		return err_where(e, "--budget");
	if (o->budget_text == NULL && o->oldest == 0)
		return 0;
	if (o->all || o->backups.n > 0)
		return err_set(e, ERR_USAGE,
		    "%s and %s exclude each other: it goes through all backups in turn", name,
		    o->all ? "--all" : "names of backups");
	if (o->budget.bytes > 0 && o->level == VERIFY_QUICK)
		return err_set(e, ERR_USAGE,
		    "--budget in bytes and --level quick exclude each other: quick reads no data");
	return 0;
}

static int
check(struct verify_opts *o, struct err *e)
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
	if (check_source(o, e) != 0 || check_turns(o, e) != 0)
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
	    {"oldest", 0, OPT_UINT, "N", "check the N backups whose last check is longest ago",
		&o->oldest, NULL, 1, 0, NULL},
	    {"budget", 0, OPT_STRING, "BUDGET",
		"check those, as many as a time or a size allows (10m, 5GB)", &o->budget_text, NULL,
		0, 0, NULL},
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
	    .synopsis = "--repo DIR --trust FILE [OPTION...] [BACKUP... | --all | --oldest N | "
			"--source DIR [BACKUP]]",
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
