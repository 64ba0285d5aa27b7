/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/path.h"
#include "core/progress.h"
#include "store/repo.h"
#include "verify/anchor.h"
#include "verify/opts.h"
#include "verify/place.h"
#include "verify/rotate.h"

/*
 *	NAME: ok (standard: 1402 members, 66000 entries, 234M, 0.3 s)
 *	NAME: FAILED
 *	    damage: member of the archive at 1048576, 1041 bytes: digest differs
 *	        app/data/orders.log
 *	    (standard: ...; 1 finding, 1 file)
 *	damage: series autolab: ...
 *
 * A finding opens the backup's block at once, so nothing needs to be kept.
 */
static const char *const kind_words[VERIFY_KINDS] = {"damage", "untrusted", "note"};

/* The source itself has an empty path. */
static const char *
shown(const char *path)
{
	return path[0] != '\0' ? path : ".";
}

static void
put_escaped(struct verify_report *r, const char *text)
{
	struct buf line = {0};

	path_display(&line, text, strlen(text));
	(void)fputs(buf_str(&line), r->out);
	buf_done(&line);
}

/* ---- JSON ---- */

static void
json_close_finding(struct verify_report *r)
{
	if (r->in_files)
		json_end(&r->json);
	if (r->in_finding)
		json_end(&r->json);
	r->in_files = r->in_finding = false;
}

static void
json_found(struct verify_report *r, const struct verify_finding *f)
{
	json_close_finding(r);
	json_object(&r->json, NULL);
	r->in_finding = true;
	json_str(&r->json, "kind", kind_words[f->kind]);
	json_str(&r->json, "code", f->code);
	json_path(&r->json, "text", f->text, strlen(f->text));
	if (f->place != NULL)
		verify_place_json(f->place, &r->json);
	if (f->path != NULL)
		json_path(&r->json, "path", shown(f->path), strlen(shown(f->path)));
}

static void
json_file(struct verify_report *r, const char *path)
{
	if (!r->in_files)
		json_array(&r->json, "files");
	r->in_files = true;
	json_object(&r->json, NULL);
	json_path(&r->json, "path", shown(path), strlen(shown(path)));
	json_end(&r->json);
}

static void
json_backup(struct verify_report *r, const struct repo_backup *b)
{
	static const char *const states[] = {"trusted", "unsigned", "untrusted", "bad"};
	char created[64];

	clock_rfc3339(b->seal.created.tv_sec, created);
	json_object(&r->json, NULL);
	json_str(&r->json, "name", b->name);
	json_str(&r->json, "series", b->seal.series);
	json_uint(&r->json, "sequence", b->seal.sequence);
	json_str(&r->json, "created", created);
	json_str(&r->json, "signature", states[b->state]);
	json_array(&r->json, "findings");
}

/* ---- both ---- */

void
verify_report_begin(struct verify_report *r, const struct verify_opts *o, FILE *out)
{
	*r = (struct verify_report){.out = out, .opts = o};
	if (!o->common.json)
		return;
	json_init(&r->json, out);
	json_object(&r->json, NULL);
	json_str(&r->json, "type", "tarseal-verify");
	json_uint(&r->json, "version", 1);
	json_str(&r->json, "tool", tarseal_version);
	json_path(&r->json, "repository", o->repo, strlen(o->repo));
	json_str(&r->json, "level", verify_level_name(o->level));
	json_array(&r->json, "findings");
}

/* The repository's own findings come before the first backup. */
static void
json_first_backup(struct verify_report *r)
{
	json_close_finding(r);
	json_end(&r->json);
	json_array(&r->json, "backups");
	r->headed = true;
}

void
verify_report_backup(struct verify_report *r, const struct repo_backup *b)
{
	if (r->opts->common.json && !r->headed)
		json_first_backup(r);
	r->backup = b;
	memcpy(r->found_before, r->found, sizeof(r->found));
	r->files = 0;
	if (r->opts->common.json)
		json_backup(r, b);
	else
		r->headed = false;
}

bool
verify_report_ok(const struct verify_report *r)
{
	return r->found[VERIFY_DAMAGE] == r->found_before[VERIFY_DAMAGE] &&
	    r->found[VERIFY_TRUST] == r->found_before[VERIFY_TRUST];
}

static void
put_place(struct verify_report *r, const struct verify_place *p)
{
	struct buf text = {0};

	verify_place_put(p, &text);
	(void)fputs(buf_str(&text), r->out);
	buf_done(&text);
}

static void
text_found(struct verify_report *r, const struct verify_finding *f)
{
	if (r->backup != NULL && !r->headed) {
		(void)fprintf(r->out, "%s: %s\n", r->backup->name,
		    f->kind == VERIFY_NOTE ? "checked" : "FAILED");
		r->headed = true;
	}
	(void)fprintf(r->out, "%s%s: ", r->backup != NULL ? "    " : "", kind_words[f->kind]);
	if (f->path != NULL) {
		put_escaped(r, shown(f->path));
		(void)fputs(": ", r->out);
	}
	put_escaped(r, f->text);
	if (f->place != NULL)
		put_place(r, f->place);
	(void)fputc('\n', r->out);
}

void
verify_report_found(struct verify_report *r, const struct verify_finding *f)
{
	if (f->path != NULL)
		r->files++;
	r->found[f->kind]++;
	buf_clear(&r->last_file);
	progress_hide();
	if (r->opts->common.json)
		json_found(r, f);
	else if (f->kind != VERIFY_NOTE || !r->opts->common.quiet)
		text_found(r, f);
}

void
verify_report_put(
    struct verify_report *r, enum verify_kind kind, const char *code, const char *fmt, ...)
{
	struct verify_finding f = {.kind = kind, .code = code};
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	/* Out of memory: that something was found is what counts. */
	f.text = vasprintf(&text, fmt, ap) < 0 ? code : text;
	va_end(ap);
	verify_report_found(r, &f);
	if (f.text == text)
		free(text);
}

void
verify_report_file(struct verify_report *r, const char *path)
{
	if (r->last_file.len > 0 && strcmp(buf_str(&r->last_file), shown(path)) == 0)
		return;
	buf_clear(&r->last_file);
	buf_puts(&r->last_file, shown(path));
	r->files++;
	progress_hide();
	if (r->opts->common.json) {
		json_file(r, path);
		return;
	}
	(void)fputs("        ", r->out);
	put_escaped(r, shown(path));
	(void)fputc('\n', r->out);
}

/* "1 file", "2 files" */
static void
put_count(
    struct verify_report *r, const char *before, uint64_t n, const char *one, const char *many)
{
	(void)fprintf(r->out, "%s%" PRIu64 " %s", before, n, n == 1 ? one : many);
}

static void
text_counts(struct verify_report *r, const struct verify_counts *c)
{
	char size[16];

	(void)fprintf(r->out, "(%s: ", verify_level_name(c->level));
	if (c->members > 0)
		put_count(r, "", c->members, "member, ", "members, ");
	put_count(r, "", c->entries, "entry, ", "entries, ");
	if (c->bytes > 0) {
		num_human(c->bytes, size);
		(void)fprintf(r->out, "%s, ", size);
	}
	(void)fprintf(r->out, "%" PRIu64 ".%" PRIu64 " s", c->ms / 1000, c->ms / 100 % 10);
}

static void
text_backup_end(struct verify_report *r, const struct verify_counts *c)
{
	uint64_t n = 0;

	for (int i = 0; i < VERIFY_NOTE; i++)
		n += r->found[i] - r->found_before[i];
	progress_hide();
	if (n == 0 && r->opts->common.quiet)
		return;
	if (r->headed)
		(void)fputs("    ", r->out);
	else
		(void)fprintf(r->out, "%s: ", r->backup->name);
	if (n == 0)
		(void)fputs("ok ", r->out);
	text_counts(r, c);
	if (n > 0) {
		put_count(r, "; ", n, "finding", "findings");
		put_count(r, ", ", r->files, "file", "files");
	}
	(void)fputs(")\n", r->out);
}

void
verify_report_backup_end(struct verify_report *r, const struct verify_counts *c)
{
	if (!r->opts->common.json) {
		if (c != NULL)
			text_backup_end(r, c);
		return;
	}
	json_close_finding(r);
	json_end(&r->json);
	json_bool(&r->json, "finished", c != NULL);
	json_bool(&r->json, "ok", c != NULL && verify_report_ok(r));
	if (c == NULL) {
		json_end(&r->json);
		return;
	}
	json_str(&r->json, "level", verify_level_name(c->level));
	json_uint(&r->json, "members", c->members);
	json_uint(&r->json, "entries", c->entries);
	json_uint(&r->json, "bytes", c->bytes);
	json_uint(&r->json, "milliseconds", c->ms);
	json_end(&r->json);
}

static void
json_anchor(struct verify_report *r)
{
	static const char *const states[] = {"unasked", "same", "moved", "new", "kept", "broken"};
	const struct verify_anchor *a = r->anchor;
	char seen[64];

	json_object(&r->json, "anchor");
	json_path(&r->json, "path", a->file, strlen(a->file));
	json_bool(&r->json, "new", a->is_new);
	json_array(&r->json, "series");
	for (size_t i = 0; i < a->n; i++) {
		const struct verify_anchor_line *l = &a->lines[i];

		clock_rfc3339(l->seen, seen);
		json_object(&r->json, NULL);
		json_str(&r->json, "series", l->series);
		json_str(&r->json, "name", l->name);
		json_uint(&r->json, "sequence", l->sequence);
		json_str(&r->json, "seen", seen);
		json_str(&r->json, "state", states[l->state]);
		json_end(&r->json);
	}
	json_end(&r->json);
	json_end(&r->json);
}

void
verify_report_end(struct verify_report *r, int status)
{
	buf_done(&r->last_file);
	if (!r->opts->common.json) {
		if (r->rotation != NULL &&
		    (!r->opts->common.quiet || verify_rotation_failed(r->rotation)))
			verify_rotation_text(r->rotation, r->out);
		return;
	}
	if (!r->headed)
		json_first_backup(r);
	json_end(&r->json);
	if (r->anchor != NULL)
		json_anchor(r);
	if (r->rotation != NULL)
		verify_rotation_json(r->rotation, &r->json);
	json_uint(&r->json, "damage", r->found[VERIFY_DAMAGE]);
	json_uint(&r->json, "untrusted", r->found[VERIFY_TRUST]);
	json_uint(&r->json, "notes", r->found[VERIFY_NOTE]);
	json_int(&r->json, "status", status);
	json_end(&r->json);
}
