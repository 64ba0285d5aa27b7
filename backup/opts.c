/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/opts.h"

#include <string.h>

#include "archive/member.h"
#include "cli/opt_keep.h"
#include "core/err.h"
#include "core/limits.h"
#include "seal/seal.h"

#define RUN_ID_MAX 1024

static int
check(const struct backup_opts *o, struct err *e)
{
	if (o->source == NULL)
		return err_set(
		    e, ERR_USAGE, "which directory? (--source DIR or TARSEAL_BACKUP_SOURCE)");
	if (!seal_name_ok(o->series) || strlen(o->series) > SEAL_NAME_MAX - 24)
		return err_set(e, ERR_USAGE,
		    "--series \"%s\" cannot be a name: 1 to %d of A-Z a-z 0-9 . _ -, and no dot "
		    "or dash in front",
		    o->series, SEAL_NAME_MAX - 24);
	if (o->run_id != NULL && (o->run_id[0] == '\0' || strlen(o->run_id) > RUN_ID_MAX))
		return err_set(e, ERR_USAGE, "--run-id: 1 to %d bytes", RUN_ID_MAX);
	if (o->run_id != NULL && strcmp(o->run_id, "-") == 0)
		return err_set(e, ERR_USAGE, "--run-id: \"-\" stands for none");
	if (o->key != NULL && o->is_unsigned)
		return err_set(e, ERR_USAGE, "--key and --unsigned exclude each other");
	if (o->make_room && !retain_policy_is_set(&o->keep))
		return err_set(e, ERR_USAGE,
		    "--make-room removes old backups by your rules, and there is none: which are "
		    "to be kept? (--keep-last N and the like)");
	if (o->dry_run)
		return 0;
	if (o->repo == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (o->key == NULL && !o->is_unsigned)
		return err_set(e, ERR_USAGE,
		    "no key to sign with: make one with \"manifest keygen --key FILE --public "
		    "FILE\" "
		    "and give it with --key FILE (or write --unsigned)");
	return 0;
}

int
backup_opts_parse(struct backup_opts *o, int argc, char **argv, struct err *e)
{
	*o = (struct backup_opts){
	    .series = "autolab-backup",
	    .compression = MEMBER_LEVEL_DEFAULT,
	    .jobs = limits_workers_here(),
	    .physical_every = 7,
	};
	const struct opt table[] = {
	    {.name = "source",
		.kind = OPT_STRING,
		.arg = "DIR",
		.help = "the directory to back up",
		.value = &o->source},
	    {.name = "repo",
		.letter = 'r',
		.kind = OPT_STRING,
		.arg = "DIR",
		.help = "the repository, outside the source",
		.value = &o->repo,
		.env = "TARSEAL_REPO"},
	    {.name = "key",
		.letter = 'k',
		.kind = OPT_STRING,
		.arg = "FILE",
		.help = "the private key (PEM) that signs the seal",
		.value = &o->key,
		.env = "TARSEAL_KEY"},
	    {.name = "trust",
		.letter = 't',
		.kind = OPT_STRING,
		.arg = "FILE",
		.help = "public keys of earlier backups that are good as well",
		.value = &o->trust,
		.env = "TARSEAL_TRUST"},
	    {.name = "unsigned",
		.kind = OPT_FLAG,
		.help = "sign nothing",
		.value = &o->is_unsigned},
	    {.name = "series",
		.letter = 's',
		.kind = OPT_STRING,
		.arg = "NAME",
		.help = "what the names of the backups begin with",
		.value = &o->series,
		.env = "TARSEAL_SERIES"},
	    {.name = "timezone",
		.kind = OPT_STRING,
		.arg = "ZONE",
		.help = "time zone of names and of times that are printed (else $TZ, else UTC)",
		.value = &o->timezone,
		.env = "TARSEAL_TIMEZONE"},
	    OPT_KEEP_ROWS(&o->keep),
	    {.name = "make-room",
		.kind = OPT_FLAG,
		.help = "when space lacks, remove by these rules before the backup",
		.value = &o->make_room},
	    {.name = "exclude",
		.letter = 'x',
		.kind = OPT_LIST,
		.arg = "PATTERN",
		.help = "leave out what matches",
		.value = &o->exclude},
	    {.name = "exclude-from",
		.kind = OPT_LIST,
		.arg = "FILE",
		.help = "leave out what matches a pattern in the file, one a line",
		.value = &o->exclude_from},
	    {.name = "one-file-system",
		.kind = OPT_FLAG,
		.help = "do not descend into other file systems",
		.value = &o->one_file_system},
	    {.name = "compression",
		.kind = OPT_UINT,
		.arg = "LEVEL",
		.help = "from fast to small",
		.value = &o->compression,
		.min = 1,
		.max = 12},
	    {.name = "jobs",
		.letter = 'j',
		.kind = OPT_UINT,
		.arg = "N",
		.help = "workers that pack",
		.value = &o->jobs,
		.env = "TARSEAL_JOBS",
		.min = 1,
		.max = LIMITS_WORKERS_MAX},
	    {.name = "reuse",
		.kind = OPT_CHOICE,
		.arg = "HOW",
		.help =
		    "copy from the last backup what is the same: untouched by stat, by content, "
		    "or none",
		.value = &o->reuse,
		.choices = older_modes},
	    {.name = "physical-every",
		.kind = OPT_UINT,
		.arg = "N",
		.help = "where files can share blocks (XFS, btrfs), write one backup in N without",
		.value = &o->physical_every,
		.min = 1,
		.max = 1000},
	    {.name = "strict-changed",
		.kind = OPT_FLAG,
		.help = "exit with 1 when a file changed while it was read",
		.value = &o->strict_changed},
	    {.name = "allow-empty",
		.kind = OPT_FLAG,
		.help = "accept an empty source",
		.value = &o->allow_empty},
	    {.name = "run-id",
		.kind = OPT_STRING,
		.arg = "ID",
		.help = "id of this run: with a backup of that id, nothing is done",
		.value = &o->run_id},
	    {.name = "wait-lock",
		.kind = OPT_DURATION,
		.arg = "SECONDS",
		.help = "wait so long for the repository's lock",
		.value = &o->wait_lock},
	    {.name = "dry-run",
		.letter = 'n',
		.kind = OPT_FLAG,
		.help = "say what would be stored, and write nothing",
		.value = &o->dry_run},
	    {0},
	};
	const struct opt_program program = {
	    .name = "backup",
	    .synopsis = "--source DIR --repo DIR --key FILE [OPTION...]",
	    .description = "Back a directory up into a repository of sealed tar archives.",
	    .opts = table,
	};
	struct opt_list none = {0};

	int rc = opt_parse(&program, &o->common, argc, argv, &none, e);
	opt_list_done(&none);
	return rc != 0 ? rc : check(o, e);
}

void
backup_opts_done(struct backup_opts *o)
{
	opt_list_done(&o->exclude);
	opt_list_done(&o->exclude_from);
}
