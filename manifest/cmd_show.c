/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "manifest/checks.h"
#include "manifest/cmd.h"

static struct cmd_repo_opts repo_opts;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {0},
};

const struct opt_program cmd_show_program = {
    .name = "manifest show",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] [BACKUP]",
    .description = "Shows all that the seal of a backup says (of the latest by default), and "
		   "whether its signature is good.",
    .opts = options,
    .max_args = 1,
    .args_name = "BACKUP",
    .siblings = cmd_programs,
};

/* What there is to say of one backup. */
struct facts {
	const struct cmd_repo *r;
	struct repo_backup b;
	bool archive_there, manifest_there; /* with the sealed sizes */
	bool has_members;
	uint64_t members, shared;
	struct buf hold; /* why it is on hold */
	struct checks checks;
};

/* ---- gathering ---- */

/* Any backup may be shown; the default is one that may be believed. */
static int
pick(struct facts *f, const char *which, struct err *e)
{
	const struct repo_pick any = {.series = f->r->opts->series, .accept_unsigned = true};
	const struct repo_backup *b;

	if (which == NULL || strcmp(which, "latest") == 0) {
		if (cmd_repo_pick(f->r, &(struct cmd_pick_opts){0}, true, &b, e) != 0)
			return -1;
	} else if (repo_find(&f->r->list, &any, which, &b, e) != 0)
		return e->kind == ERR_NOTFOUND ? err_where(e, "repository %s", f->r->opts->repo)
					       : -1;
	/* The list does not keep what older seals hold. */
	return repo_read_seal(f->r->repo, b->name, f->r->trust, &f->b, e);
}

static bool
part_there(const struct facts *f, enum repo_part part, uint64_t want)
{
	struct err e = {0};
	uint64_t size;

	if (repo_stat_part(f->r->repo, part, f->b.name, &size, &e) != 0) {
		log_warn("%s", e.msg);
		return false;
	}
	if (size == want)
		return true;
	log_warn("%s: %s has %" PRIu64 " bytes, sealed were %" PRIu64, f->b.name,
	    part == REPO_ARCHIVE ? "the archive" : "the manifest", size, want);
	return false;
}

static void
ask_hold(struct facts *f)
{
	struct err e = {0};

	/* It was released since, or cannot be read: then it has no reason to tell. */
	if (repo_hold_reason(f->r->repo, f->b.name, &f->hold, &e) != 0)
		log_verbose("%s", e.msg);
}

static void
ask_catalog(struct facts *f, struct cmd_repo *r)
{
	struct catalog *c = NULL;
	struct err e = {0};

	cmd_repo_for_queries(r);
	if (catalog_open_query(&c, r->repo, &r->list, &e) == 0) {
		f->has_members =
		    catalog_stats_shared(c, f->b.name, &f->members, &f->shared, &e) == 0;
		if (f->has_members)
			f->checks = checks_of(c, &f->b);
	}
	if (e.kind != ERR_NONE)
		log_verbose("%s", e.msg);
	catalog_close(c);
}

/* ---- for people ---- */

static void field(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Values of a seal come from outside, and go through path_display(). */
static void
field(const char *name, const char *fmt, ...)
{
	struct buf shown = {0};
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len > 0)
		path_display(&shown, text, (size_t)len);
	printf("%-14s %s\n", name, buf_str(&shown));
	buf_done(&shown);
	if (len >= 0)
		free(text);
}

static void
field_size(const char *name, uint64_t size, const char *after)
{
	char human[16];

	num_human(size, human);
	field(name, "%" PRIu64 " bytes (%s)%s", size, human, after);
}

static void
field_digest(const char *name, const uint8_t *digest)
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(digest, hex);
	field(name, "%s", hex);
}

static void
print_signature(const struct facts *f)
{
	const struct repo_backup *b = &f->b;
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(b->seal.key_id, hex);
	if (!b->seal.is_signed)
		field("signature", "none");
	else if (b->state == REPO_TRUSTED)
		field("signature", "good, by the trusted key %s", hex);
	else if (f->r->trust == NULL)
		field("signature", "not checked (no --trust), says key %s", hex);
	else
		field("signature", "NOT TRUSTED: %s", b->why != NULL ? b->why->msg : hex);
}

static void
print_times(const struct seal *s)
{
	char local[64], utc[64], age[32];

	clock_table(s->created.tv_sec, local);
	clock_rfc3339(s->created.tv_sec, utc);
	cmd_age(s->created.tv_sec, age);
	field("created", "%s (%s, age %s)", local, utc, age);
}

static void
print_origin(const struct seal *s)
{
	if (s->run_id != NULL)
		field("run-id", "%s", s->run_id);
	field("source", "%s", s->source);
	field("host", "%s", s->host);
	field("tool", "%s", s->tool);
	field("packer", "%s", s->packer);
}

static void
print_state(const struct seal *s)
{
	if (s->unreadable == 0)
		field("complete", "yes");
	else
		field("complete", "NO: %" PRIu64 " path%s could not be read", s->unreadable,
		    s->unreadable == 1 ? "" : "s");
	field("changed", "%" PRIu64 " file%s changed while being read", s->changed,
	    s->changed == 1 ? "" : "s");
	if (s->needs_gnu_sparse)
		field("needs", "gnu-sparse: busybox tar cannot unpack it rightly");
}

static void
print_catalog(const struct facts *f)
{
	struct buf text = {0};

	if (f->has_members)
		field("members", "%" PRIu64 ", of which %" PRIu64 " stand in other backups too",
		    f->members, f->shared);
	checks_put(&f->checks, &text);
	field("verified", "%s%s", buf_str(&text),
	    f->checks.checked ? " (as the catalog has it)" : ", as far as the catalog knows");
	buf_done(&text);
}

static void
print_human(struct facts *f)
{
	const struct seal *s = &f->b.seal;

	field("name", "%s", s->name);
	field("series", "%s", s->series);
	field("sequence", "%" PRIu64, s->sequence);
	print_times(s);
	print_signature(f);
	print_origin(s);
	field("entries", "%" PRIu64, s->entries);
	field_size("content", s->bytes, "");
	field_size("archive", s->archive_size, f->archive_there ? "" : ": NOT AS SEALED");
	field_digest("  sha256", s->archive_digest);
	field_size("manifest", s->manifest_size, f->manifest_there ? "" : ": NOT AS SEALED");
	field_digest("  sha256", s->manifest_digest);
	print_state(s);
	field_digest("seal-sha256", s->text_digest);
	if (s->policy != NULL)
		field("policy", "%s", s->policy);
	if (f->b.on_hold)
		field("on hold", "%s", f->hold.len > 0 ? buf_str(&f->hold) : "yes");
	print_catalog(f);
	field("holds", "%zu other backups", s->n_holds);
	for (size_t i = 0; i < s->n_holds; i++)
		field("", "%s %" PRIu64, s->holds[i].name, s->holds[i].sequence);
}

/* ---- for programs ---- */

static void
json_part(struct json *j, const char *key, uint64_t size, const uint8_t *digest, bool there)
{
	json_object(j, key);
	json_uint(j, "size", size);
	cmd_json_digest(j, "sha256", digest);
	json_bool(j, "there", there);
	json_end(j);
}

static void
json_signature(struct json *j, const struct facts *f)
{
	const struct repo_backup *b = &f->b;

	json_object(j, "signature");
	json_str(j, "state", cmd_signature_name(f->r, b));
	cmd_json_digest(j, "key_id", b->seal.is_signed ? b->seal.key_id : NULL);
	if (b->why != NULL && f->r->trust != NULL)
		json_str(j, "why", b->why->msg);
	json_end(j);
}

static void
json_holds(struct json *j, const struct seal *s)
{
	json_array(j, "holds");
	for (size_t i = 0; i < s->n_holds; i++) {
		json_object(j, NULL);
		json_str(j, "name", s->holds[i].name);
		json_uint(j, "sequence", s->holds[i].sequence);
		cmd_json_digest(j, "seal_sha256", s->holds[i].digest);
		json_end(j);
	}
	json_end(j);
}

static void
json_catalog(struct json *j, const struct facts *f)
{
	if (f->has_members) {
		json_uint(j, "members", f->members);
		json_uint(j, "members_shared", f->shared);
	}
	checks_json(&f->checks, j);
}

static void
print_json(struct facts *f)
{
	const struct seal *s = &f->b.seal;
	struct json j;

	cmd_json_begin(&j, "show");
	json_str(&j, "name", s->name);
	json_str(&j, "series", s->series);
	json_uint(&j, "sequence", s->sequence);
	cmd_json_time(&j, "created", s->created.tv_sec, (uint32_t)s->created.tv_nsec);
	json_signature(&j, f);
	json_str(&j, "run_id", s->run_id);
	json_path(&j, "source", s->source, strlen(s->source));
	json_str(&j, "host", s->host);
	json_str(&j, "tool", s->tool);
	json_str(&j, "packer", s->packer);
	json_uint(&j, "entries", s->entries);
	json_uint(&j, "bytes", s->bytes);
	json_part(&j, "archive", s->archive_size, s->archive_digest, f->archive_there);
	json_part(&j, "manifest", s->manifest_size, s->manifest_digest, f->manifest_there);
	json_bool(&j, "complete", s->unreadable == 0);
	json_uint(&j, "unreadable", s->unreadable);
	json_uint(&j, "changed", s->changed);
	json_bool(&j, "needs_gnu_sparse", s->needs_gnu_sparse);
	cmd_json_digest(&j, "seal_sha256", s->text_digest);
	json_str(&j, "policy", s->policy);
	json_bool(&j, "on_hold", f->b.on_hold);
	json_str(&j, "hold_reason", f->b.on_hold && f->hold.len > 0 ? buf_str(&f->hold) : NULL);
	json_catalog(&j, f);
	json_holds(&j, s);
	json_end(&j);
}

static enum cli_status
show(struct facts *f, struct cmd_repo *r, bool json, struct err *e)
{
	const struct seal *s = &f->b.seal;

	if (f->b.state == REPO_BAD) {
		(void)err_set(e, ERR_CORRUPT, "%s: %s", f->b.name,
		    f->b.why != NULL ? f->b.why->msg : "bad seal");
		return CLI_FAILED;
	}
	f->archive_there = part_there(f, REPO_ARCHIVE, s->archive_size);
	f->manifest_there = part_there(f, REPO_MANIFEST, s->manifest_size);
	ask_catalog(f, r);
	if (f->b.on_hold)
		ask_hold(f);
	if (json)
		print_json(f);
	else
		print_human(f);
	if (r->trust != NULL && f->b.state != REPO_TRUSTED)
		return CLI_UNTRUSTED;
	return f->archive_there && f->manifest_there ? CLI_OK : CLI_WRONG;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct facts f = {.r = &r};
	enum cli_status status = CLI_OK;

	if (cmd_repo_open(&r, &repo_opts, e) == 0) {
		/* Which backups count is decided before one is looked up. */
		if (pick(&f, args->n > 0 ? args->items[0] : NULL, e) == 0)
			status = show(&f, &r, common->json, e);
	}
	repo_backup_done(&f.b);
	buf_done(&f.hold);
	cmd_repo_done(&r);
	return status;
}

const struct cmd cmd_show = {"show", "all that the seal of a backup says", &cmd_show_program, run};
