/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backup/opts.h"
#include "backup/retention.h"
#include "backup/survey.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "core/progress.h"
#include "pack/tally.h"
#include "pack/writer.h"
#include "seal/seal.h"
#include "store/repo.h"

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

void
report_completed(const struct backup_opts *o, const char *archive, uint64_t size)
{
	char human[16], rest[32];

	num_human(size, human);
	(void)snprintf(rest, sizeof(rest), " (%s)", human);
	if (has_lines(o))
		line("Backup completed: ", archive, rest);
}

/* "last 10 backups, 7 daily" or, without the first, "7 daily, 4 weekly backups" */
static void
put_policy(const struct retain_policy *p, struct buf *out)
{
	const struct {
		uint64_t n;
		const char *word;
	} rules[] = {{p->daily, "daily"}, {p->weekly, "weekly"}, {p->monthly, "monthly"},
	    {p->yearly, "yearly"}};
	bool any = p->last > 0;

	if (any)
		buf_printf(out, "last %" PRIu64 " backups", p->last);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].n == 0)
			continue;
		buf_printf(out, "%s%" PRIu64 " %s", any ? ", " : "", rules[i].n, rules[i].word);
		any = true;
	}
	if (p->last == 0)
		buf_puts(out, " backups");
}

static void
policy_line(const char *text, const struct retain_policy *p)
{
	struct buf shown = {0};

	buf_puts(&shown, text);
	buf_puts(&shown, " (keeping ");
	put_policy(p, &shown);
	line(buf_str(&shown), NULL, ")...");
	buf_done(&shown);
}

void
report_cleaning(const struct backup_opts *o, const struct retain_policy *p)
{
	if (has_lines(o))
		policy_line("Cleaning up old backups", p);
}

void
report_making_room(const struct backup_opts *o, const struct retain_policy *p)
{
	if (has_lines(o))
		policy_line("Making room for the new backup", p);
}

static void
removed_line(const struct backup_opts *o, const char *text, const char *name)
{
	struct buf path = {0};
	size_t n = strlen(o->repo);

	buf_printf(
	    &path, "%s%s%s.tar.gz", o->repo, n > 0 && o->repo[n - 1] == '/' ? "" : "/", name);
	line(text, buf_str(&path), "'");
	buf_done(&path);
}

void
report_removed(const struct backup_opts *o, const char *name)
{
	if (has_lines(o))
		removed_line(o, "removed '", name);
}

static void
lines_done(const struct report *r)
{
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
	const uint64_t *events = writer_tally(r->writer)->events;
	struct writer_members members = writer_members(r->writer);

	json_uint(j, "holds", r->seal->n_holds);
	json_uint(j, "grew", events[TALLY_GREW]);
	json_uint(j, "vanished", events[TALLY_VANISHED]);
	json_uint(j, "skipped", events[TALLY_SKIPPED]);
	json_uint(j, "excluded", r->excluded);
	json_str(j, "copied_from", r->older);
	json_uint(j, "members", members.n);
	json_uint(j, "members_copied", members.copied);
	json_uint(j, "bytes_copied", members.copied_bytes);
	json_uint(j, "bytes_shared", members.shared_bytes);
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
json_gone(struct json *j, const char *key, const struct retention *t, bool failed)
{
	json_array(j, key);
	for (size_t i = 0; i < t->n_gone; i++) {
		const struct retention_gone *g = &t->gone[i];

		if ((g->failed != NULL) != failed)
			continue;
		json_object(j, NULL);
		json_str(j, "name", g->name);
		json_str(j, "why", g->why);
		json_bool(j, "for_room", g->for_room);
		if (failed)
			json_str(j, "error", g->failed);
		json_end(j);
	}
	json_end(j);
}

static void
json_kept(struct json *j, const struct retain_set *set, const char *made)
{
	struct buf why = {0};

	json_array(j, "kept");
	for (size_t i = 0; i < set->n; i++) {
		const struct retain_item *it = &set->items[i];

		if (it->why == 0)
			continue;
		buf_clear(&why);
		retain_why_put(it, &why);
		json_object(j, NULL);
		json_str(j, "name", it->backup != NULL ? it->backup->name : made);
		json_str(j, "why", buf_str(&why));
		json_end(j);
	}
	json_end(j);
	buf_done(&why);
}

/* made: the name of the new one; NULL in a dry run, which has none yet. */
static void
json_retention(struct json *j, const struct retention *t, const char *made)
{
	struct buf policy = {0};

	retain_policy_put(&t->policy, &policy);
	json_str(j, "policy", policy.len > 0 ? buf_str(&policy) : NULL);
	json_gone(j, "pruned", t, false);
	json_gone(j, "not_pruned", t, true);
	json_kept(j, &t->set, made);
	buf_done(&policy);
}

static void
json_done(const struct report *r)
{
	struct json j;

	json_begin(&j, r->opts);
	json_int(&j, "status", r->status);
	json_bool(&j, "made_now", r->writer != NULL);
	json_seal(&j, r->seal);
	if (r->writer != NULL)
		json_tally(&j, r);
	json_retention(&j, r->retention, r->seal->name);
	json_uint(&j, "warnings", log_warnings());
	json_end(&j);
}

static void
tell_copied(const struct report *r)
{
	struct writer_members members;
	char human[16];

	if (r->older == NULL)
		return;
	members = writer_members(r->writer);
	num_human(members.copied_bytes, human);
	log_verbose("%" PRIu64 " of %" PRIu64 " members (%s) were copied from %s", members.copied,
	    members.n, human, r->older);
	num_human(members.shared_bytes, human);
	if (members.shared_bytes > 0)
		log_verbose("%s of that is shared with it, and takes no space of its own", human);
}

bool
report_done(const struct report *r)
{
	tell_copied(r);
	if (r->opts->common.json)
		json_done(r);
	else if (!r->opts->common.quiet)
		lines_done(r);
	return fflush(stdout) == 0 && ferror(stdout) == 0;
}

static void
json_dry_run(const struct backup_opts *o, const struct survey *s, const struct retention *t)
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
	json_retention(&j, t, NULL);
	json_end(&j);
}

void
report_dry_run(const struct backup_opts *o, const struct survey *s, const struct retention *t)
{
	char size[16];

	if (o->common.json) {
		json_dry_run(o, s, t);
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
	if (!retain_policy_is_set(&t->policy) || o->repo == NULL)
		return;
	policy_line("Would clean up old backups", &t->policy);
	for (size_t i = 0; i < t->n_gone; i++)
		removed_line(o, "would remove '", t->gone[i].name);
}
