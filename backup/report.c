/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backup/opts.h"
#include "backup/survey.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "core/progress.h"
#include "pack/tally.h"
#include "seal/seal.h"

static bool
has_lines(const struct backup_opts *o)
{
	return !o->common.json && !o->common.quiet;
}

/* Each line at once: somebody reads them from a pod's log while the backup runs. */
static void
line(const char *text, const char *path, const char *rest)
{
	struct buf shown = {0};

	progress_hide();
	if (path != NULL)
		path_display(&shown, path, strlen(path));
	(void)printf("%s%s%s\n", text, buf_str(&shown), rest);
	(void)fflush(stdout);
	buf_done(&shown);
}

static void
line_now(const char *text)
{
	char date[64];

	clock_date(clock_now().tv_sec, date);
	line(text, NULL, date);
}

void
report_starting(const struct backup_opts *o)
{
	if (has_lines(o))
		line_now("Starting backup at ");
}

void
report_creating(const struct backup_opts *o, const char *archive)
{
	if (has_lines(o))
		line("Creating backup: ", archive, "");
}

static void
lines_done(const struct report *r)
{
	char size[16], rest[32];

	num_human(r->seal->archive_size, size);
	(void)snprintf(rest, sizeof(rest), " (%s)", size);
	line("Backup completed: ", r->archive, rest);
	if (r->status == CLI_OK)
		line_now("Backup process completed successfully at ");
	else
		line_now("Backup process completed, but not all is well, at ");
}

static void
json_begin(struct json *j, const struct backup_opts *o)
{
	json_init(j, stdout);
	json_object(j, NULL);
	json_str(j, "type", "tarseal-backup");
	json_uint(j, "version", 1);
	json_str(j, "tool", tarseal_version);
	json_path(j, "source", o->source, strlen(o->source));
	if (o->repo != NULL)
		json_path(j, "repository", o->repo, strlen(o->repo));
	json_bool(j, "dry_run", o->dry_run);
}

/* What this run found; an earlier run's is not known any more. */
static void
json_tally(struct json *j, const struct report *r)
{
	const uint64_t *events = r->tally->events;

	json_uint(j, "holds", r->seal->n_holds);
	json_uint(j, "grew", events[TALLY_GREW]);
	json_uint(j, "vanished", events[TALLY_VANISHED]);
	json_uint(j, "skipped", events[TALLY_SKIPPED]);
	json_uint(j, "excluded", r->excluded);
	json_uint(j, "milliseconds", (uint64_t)(r->seconds * 1000));
}

static void
json_seal(struct json *j, const struct seal *s)
{
	char created[64], hex[SHA256_HEX_LEN + 1];

	json_str(j, "name", s->name);
	json_str(j, "series", s->series);
	json_uint(j, "sequence", s->sequence);
	clock_rfc3339(s->created.tv_sec, created);
	json_str(j, "created", created);
	json_str(j, "run_id", s->run_id);
	json_uint(j, "entries", s->entries);
	json_uint(j, "bytes", s->bytes);
	json_uint(j, "archive_size", s->archive_size);
	json_uint(j, "manifest_size", s->manifest_size);
	json_bool(j, "complete", s->unreadable == 0);
	json_uint(j, "unreadable", s->unreadable);
	json_uint(j, "changed", s->changed);
	json_bool(j, "needs_gnu_sparse", s->needs_gnu_sparse);
	sha256_hex(s->key_id, hex);
	json_str(j, "key_id", s->is_signed ? hex : NULL);
	sha256_hex(s->text_digest, hex);
	json_str(j, "seal_sha256", hex);
}

static void
json_done(const struct report *r)
{
	struct json j;

	json_begin(&j, r->opts);
	json_int(&j, "status", r->status);
	json_bool(&j, "made_now", r->tally != NULL);
	json_seal(&j, r->seal);
	if (r->tally != NULL)
		json_tally(&j, r);
	json_uint(&j, "warnings", log_warnings());
	json_end(&j);
}

bool
report_done(const struct report *r)
{
	if (r->opts->common.json)
		json_done(r);
	else if (!r->opts->common.quiet)
		lines_done(r);
	return fflush(stdout) == 0 && ferror(stdout) == 0;
}

static void
json_dry_run(const struct backup_opts *o, const struct survey *s)
{
	struct json j;

	json_begin(&j, o);
	json_uint(&j, "entries", survey_entries(s));
	json_uint(&j, "files", s->files);
	json_uint(&j, "directories", s->dirs);
	json_uint(&j, "symlinks", s->symlinks);
	json_uint(&j, "hardlinks", s->hardlinks);
	json_uint(&j, "others", s->others);
	json_uint(&j, "bytes", s->bytes);
	json_uint(&j, "excluded", s->excluded);
	json_uint(&j, "skipped", s->skipped);
	json_uint(&j, "unreadable", s->unreadable);
	json_end(&j);
}

void
report_dry_run(const struct backup_opts *o, const struct survey *s)
{
	char size[16];

	if (o->common.json) {
		json_dry_run(o, s);
		return;
	}
	num_human(s->bytes, size);
	(void)printf("Would store %" PRIu64 " entries with %s%s of data: files %" PRIu64
		     ", directories %" PRIu64 ", symlinks %" PRIu64 ", hard links %" PRIu64
		     ", others %" PRIu64 "\n",
	    survey_entries(s), size, s->bytes < 1024 ? " bytes" : "", s->files, s->dirs,
	    s->symlinks, s->hardlinks, s->others);
	(void)printf("Would leave out: excluded %" PRIu64 ", sockets %" PRIu64
		     ", unreadable %" PRIu64 "\n",
	    s->excluded, s->skipped, s->unreadable);
}
