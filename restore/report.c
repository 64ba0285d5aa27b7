/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "restore/opts.h"
#include "seal/section.h"
#include "store/repo.h"

/* A restore of a shredded archive must not fill memory with its complaints. */
#define KEEP_MAX 10000

static const struct {
	const char *name, *key;
} lacks[RESTORE_LACKS] = {
    [RESTORE_OWNER] = {"owner", "owners"},
    [RESTORE_SETID] = {"set-id bits", "set_id"},
    [RESTORE_DEVICE] = {"device", "devices"},
    [RESTORE_XATTR] = {"extended attributes", "xattrs"},
    [RESTORE_LABEL] = {"SELinux label", "labels"},
    [RESTORE_NO_XATTR] = {"extended attributes", "no_xattrs"},
};

void
restore_report_init(struct restore_report *r)
{
	memset(r, 0, sizeof(*r));
	(void)pthread_mutex_init(&r->lock, NULL);
	r->began_ns = clock_mono_ns();
}

void
restore_report_done(struct restore_report *r)
{
	size_t i;

	for (i = 0; i < r->n_kept; i++) {
		free(r->kept[i].path);
		free(r->kept[i].why);
	}
	free(r->kept);
	(void)pthread_mutex_destroy(&r->lock);
}

/* Under the lock.  Out of memory costs a line of the JSON document, not the count. */
static void
keep(struct restore_report *r, const char *path, size_t len, const char *why)
{
	struct restore_finding *more, *f;

	if (r->n_kept >= KEEP_MAX)
		return;
	if ((r->n_kept & (r->n_kept - 1)) == 0) {
		more = realloc(r->kept, (r->n_kept == 0 ? 1 : 2 * r->n_kept) * sizeof(*more));
		if (more == NULL)
			return;
		r->kept = more;
	}
	f = &r->kept[r->n_kept];
	f->path = path == NULL ? NULL : strndup(path, len);
	f->path_len = len;
	f->why = strdup(why);
	if (f->why != NULL && (path == NULL || f->path != NULL))
		r->n_kept++;
	else {
		free(f->path);
		free(f->why);
	}
}

static const char *
shown(const char *path)
{
	return *path == '\0' ? "." : path;
}

static void
found(
    struct restore_report *r, const char *path, size_t len, bool lost, const char *fmt, va_list ap)
{
	char why[2048];

	(void)vsnprintf(why, sizeof(why), fmt, ap);
	if (path == NULL)
		log_warn("%s", why);
	else
		log_warn("%.*s: %s", (int)(len == 0 ? 1 : len), shown(path), why);
	(void)pthread_mutex_lock(&r->lock);
	r->findings++;
	r->lost += lost;
	keep(r, path, len, why);
	(void)pthread_mutex_unlock(&r->lock);
}

void
restore_found(struct restore_report *r, const char *path, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(r, path, len, false, fmt, ap);
	va_end(ap);
}

void
restore_lost(struct restore_report *r, const char *path, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(r, path, len, true, fmt, ap);
	va_end(ap);
}

void
restore_found_err(struct restore_report *r, const char *path, size_t len, const struct err *e)
{
	restore_found(r, path, len, "%s", e->msg);
}

void
restore_count(struct restore_report *r, uint64_t bytes)
{
	(void)pthread_mutex_lock(&r->lock);
	r->entries++;
	r->bytes += bytes;
	(void)pthread_mutex_unlock(&r->lock);
}

static void
flagged(struct restore_report *r, const char *path, const char *how)
{
	log_note("%s: %s", shown(path), how);
	(void)pthread_mutex_lock(&r->lock);
	r->flagged++;
	(void)pthread_mutex_unlock(&r->lock);
}

void
restore_flags(struct restore_report *r, const char *path, const struct section_line *line)
{
	if (line->n_unreadable > 0)
		flagged(r, path, "a part could not be read when it was backed up: zeros");
	else if (line->changed)
		flagged(r, path, "it changed while it was backed up");
}

void
restore_missing(struct restore_report *r, const struct section_line *note)
{
	if (note->note == SECTION_SKIPPED)
		log_note("%s: not in this backup: %s", shown(note->path), note->reason);
	if (note->note != SECTION_UNREADABLE)
		return;
	log_warn("%s: not in this backup: it could not be read then (%s)", shown(note->path),
	    note->reason);
	(void)pthread_mutex_lock(&r->lock);
	r->missing++;
	(void)pthread_mutex_unlock(&r->lock);
}

void
restore_lacks(struct restore_report *r, enum restore_lack what, const char *path)
{
	log_verbose("%s: %s not restored", shown(path), lacks[what].name);
	(void)pthread_mutex_lock(&r->lock);
	r->lacks[what]++;
	(void)pthread_mutex_unlock(&r->lock);
}

static bool
is_wrong(enum restore_lack what)
{
	return what == RESTORE_NO_XATTR || (what != RESTORE_LABEL && geteuid() == 0);
}

static uint64_t
wrong(const struct restore_report *r)
{
	uint64_t n = r->findings;

	for (int i = 0; i < RESTORE_LACKS; i++)
		n += r->lacks[i] > 0 && is_wrong((enum restore_lack)i);
	return n;
}

bool
restore_report_wrong(const struct restore_report *r)
{
	return wrong(r) > 0;
}

static const char *
reason(enum restore_lack what)
{
	switch (what) {
	case RESTORE_LABEL:
		return "the host gives its own";
	case RESTORE_NO_XATTR:
		return "the file system takes none";
	default:
		return geteuid() == 0 ? "root may not do that here" : "that needs root";
	}
}

/* One warning for all that have the same reason. */
void
restore_report_tell_lacks(const struct restore_report *r)
{
	const char *why = "";
	struct buf text = {0};

	for (int i = 0; i <= RESTORE_LACKS; i++) {
		const char *next = i < RESTORE_LACKS ? reason((enum restore_lack)i) : NULL;

		if (text.len > 0 && (next == NULL || strcmp(next, why) != 0)) {
			log_warn(
			    "not restored, because %s: %s (-v names them)", why, buf_str(&text));
			buf_clear(&text);
		}
		why = next;
		if (i < RESTORE_LACKS && r->lacks[i] > 0)
			buf_printf(&text, "%s%s of %" PRIu64, text.len > 0 ? ", " : "",
			    lacks[i].name, r->lacks[i]);
	}
	buf_done(&text);
}

void
restore_report_size(uint64_t bytes, char out[32])
{
	char human[16];

	num_human(bytes, human);
	(void)snprintf(out, 32, "%s%s", human, bytes < 1024 ? " bytes" : "");
}

/* Goes on with the list, or ends that before it. */
static void
begin_list(struct restore_report *r, int list, const char *key)
{
	if ((int)r->list == list)
		return;
	if (r->list != REPORT_NO_LIST)
		json_end(&r->json);
	json_array(&r->json, key);
	r->list = list;
}

void
restore_report_json_backup(
    struct json *j, const struct restore_opts *o, const struct repo_backup *b)
{
	static const char *const states[] = {
	    [REPO_TRUSTED] = "trusted",
	    [REPO_UNSIGNED] = "unsigned",
	    [REPO_UNTRUSTED] = "untrusted",
	    [REPO_BAD] = "bad",
	};
	const struct seal *s = &b->seal;
	bool has_seal = s->sequence > 0;
	char created[64];

	clock_rfc3339(s->created.tv_sec, created);
	json_path(j, "repository", o->repo, strlen(o->repo));
	json_str(j, "backup", b->name);
	if (has_seal) {
		json_str(j, "series", s->series);
		json_uint(j, "sequence", s->sequence);
		json_str(j, "created", created);
	}
	json_str(j, "signature", has_seal ? states[b->state] : "none");
	if (has_seal)
		json_bool(j, "complete", s->unreadable == 0);
}

static void
begin_json(struct restore_report *r)
{
	const struct restore_opts *o = r->opts;
	struct json *j = &r->json;

	json_init(j, stdout);
	json_object(j, NULL);
	json_str(j, "type", "tarseal-restore");
	json_uint(j, "version", 1);
	json_str(j, "tool", tarseal_version);
	restore_report_json_backup(j, o, r->backup);
	if (o->target != NULL)
		json_path(j, "target", o->target, strlen(o->target));
	else
		json_str(j, "target", NULL);
	json_bool(j, "dry_run", o->dry_run);
	if (o->dry_run)
		begin_list(r, REPORT_PLANNED, "planned");
}

void
restore_report_begin(
    struct restore_report *r, const struct restore_opts *o, const struct repo_backup *b)
{
	r->opts = o;
	r->backup = b;
	if (o->common.json)
		begin_json(r);
}

static void
planned_json(struct json *j, const char *path, const struct section_line *line, const char *action)
{
	json_object(j, NULL);
	json_str(j, "action", action);
	json_path(j, "path", shown(path), strlen(shown(path)));
	json_str(j, "type", entry_type_name(line->type));
	if (line->type == ENTRY_FILE)
		json_uint(j, "size", line->size);
	if (line->link != NULL)
		json_path(j, "link", line->link, line->link_len);
	json_end(j);
}

void
restore_report_planned(
    struct restore_report *r, const char *path, const struct section_line *line, const char *action)
{
	struct buf b = {0};
	char size[16];
	bool is_dir = line->type == ENTRY_DIR;

	if (r->opts->common.json) {
		planned_json(&r->json, path, line, action);
		return;
	}
	num_human(line->size, size);
	path_display(&b, shown(path), strlen(shown(path)));
	(void)printf("%6s  %s%s%s\n", line->type == ENTRY_FILE ? size : "-", buf_str(&b),
	    is_dir ? "/" : "",
	    is_dir || strcmp(action, "create") == 0 ? ""
		: strcmp(action, "replace") == 0    ? "  (in place of what is there)"
						    : "  (what is there stays)");
	buf_done(&b);
}

void
restore_report_gone(struct restore_report *r, const char *name, bool comes)
{
	struct json *j = &r->json;
	struct buf b = {0};

	if (comes)
		r->replaced++;
	if (r->opts->common.json) {
		begin_list(r, REPORT_GONE, "gone");
		json_object(j, NULL);
		json_path(j, "path", name, strlen(name));
		json_bool(j, "replaced", comes);
		json_end(j);
	} else if (!r->opts->common.quiet) {
		path_display(&b, name, strlen(name));
		(void)printf("%6s  %s  (%s)\n", "-", buf_str(&b),
		    comes ? "what is there would go, for the new one" : "would go");
	}
	buf_done(&b);
}

static void
version_json(struct restore_report *r, const struct restore_version *v)
{
	struct json *j = &r->json;
	char modified[64];

	clock_rfc3339(v->mtime_sec, modified);
	begin_list(r, REPORT_VERSIONS, "versions");
	json_object(j, NULL);
	json_path(j, "name", v->name, strlen(v->name));
	json_str(j, "backup", v->backup);
	if (v->size != UINT64_MAX)
		json_uint(j, "size", v->size);
	json_str(j, "modified", modified);
	json_bool(j, "restored", v->back);
	json_end(j);
}

void
restore_report_version(struct restore_report *r, const struct restore_version *v)
{
	struct buf b = {0};
	char size[16], modified[64];

	if (r->opts->common.json) {
		version_json(r, v);
		return;
	}
	if (r->opts->common.quiet)
		return;
	num_human(v->size, size);
	clock_table(v->mtime_sec, modified);
	path_display(&b, v->name, strlen(v->name));
	(void)printf("%6s  %s  %s  (%s%s)\n", v->size == UINT64_MAX ? "-" : size, modified,
	    buf_str(&b), v->backup, v->back || r->opts->dry_run ? "" : ", not restored");
	buf_done(&b);
}

void
restore_report_json_findings(struct json *j, const struct restore_report *r)
{
	json_object(j, "not_restored");
	for (int i = 0; i < RESTORE_LACKS; i++)
		json_uint(j, lacks[i].key, r->lacks[i]);
	json_end(j);
	json_uint(j, "findings_total", r->findings);
	json_array(j, "findings");
	for (size_t i = 0; i < r->n_kept; i++) {
		json_object(j, NULL);
		if (r->kept[i].path != NULL)
			json_path(j, "path", r->kept[i].path, r->kept[i].path_len);
		json_str(j, "why", r->kept[i].why);
		json_end(j);
	}
	json_end(j);
}

static void
end_json(struct restore_report *r, int status)
{
	struct json *j = &r->json;

	if (r->list != REPORT_NO_LIST)
		json_end(j);
	json_uint(j, "entries", r->entries);
	json_uint(j, "bytes", r->bytes);
	json_uint(j, "milliseconds", (clock_mono_ns() - r->began_ns) / 1000000);
	if (r->alone != NULL)
		json_str(j, "alone", r->alone);
	json_str(j, "mode", r->mode);
	json_uint(j, "replaced", r->replaced);
	json_uint(j, "stayed", r->stayed);
	if (r->opts->dry_run && r->opts->target != NULL) {
		json_uint(j, "needed", r->needed);
		if (r->room != UINT64_MAX)
			json_uint(j, "room", r->room);
	}
	json_uint(j, "flagged", r->flagged);
	json_uint(j, "missing", r->missing);
	restore_report_json_findings(j, r);
	json_int(j, "status", status);
	json_end(j);
}

static void
put_planned(const struct restore_report *r, const char *noun, const char *size)
{
	char needed[32], room[32];

	(void)printf("%" PRIu64 " %s (%s) would be restored", r->entries, noun, size);
	if (!r->opts->all_versions)
		(void)printf(" from %s", r->backup->name);
	if (r->opts->target != NULL && r->room != UINT64_MAX) {
		restore_report_size(r->needed, needed);
		restore_report_size(r->room, room);
		(void)printf(" (%s): %s of space, %s is free", r->mode, needed, room);
	}
	(void)printf("\n");
}

/* What became of what was there. */
static void
put_there(const struct restore_report *r)
{
	if (r->opts->dry_run || r->mode == NULL)
		return;
	if (strcmp(r->mode, "merge") != 0 && r->replaced > 0)
		(void)printf("It took the place of all that was there (%" PRIu64
			     " %s at the top)\n",
		    r->replaced, r->replaced == 1 ? "name" : "names");
	else if (r->replaced > 0 || r->stayed > 0)
		(void)printf("Of what was there %" PRIu64 " %s replaced, %" PRIu64 " stayed\n",
		    r->replaced, r->replaced == 1 ? "was" : "were", r->stayed);
}

static void
end_text(const struct restore_report *r)
{
	const struct restore_opts *o = r->opts;
	struct buf target = {0};
	const char *noun = o->all_versions ? (r->entries == 1 ? "version" : "versions")
	    : r->entries == 1		   ? "entry"
					   : "entries";
	char size[32];

	restore_report_size(r->bytes, size);
	if (o->target != NULL)
		path_display(&target, o->target, strlen(o->target));
	if (o->dry_run)
		put_planned(r, noun, size);
	else
		(void)printf("Restored %" PRIu64 " %s (%s)%s%s to %s in %.1f s\n", r->entries, noun,
		    size, o->all_versions ? "" : " from ", o->all_versions ? "" : r->backup->name,
		    buf_str(&target), (double)(clock_mono_ns() - r->began_ns) / 1e9);
	put_there(r);
	if (restore_report_wrong(r))
		(void)printf(
		    "Not everything is as it should be: see the warnings (%lu)\n", log_warnings());
	buf_done(&target);
}

void
restore_report_end(struct restore_report *r, int status)
{
	const struct restore_opts *o = r->opts;

	if (o == NULL)
		return;
	restore_report_tell_lacks(r);
	if (o->common.json)
		end_json(r, status);
	else if (!o->to_stdout && !o->common.quiet && status <= 1)
		end_text(r);
}
