/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/clock.h"
#include "seal/section.h"
#include "store/repo.h"
#include "verify/audit_report.h"
#include "verify/opts.h"

static void
put_path(struct json *j, const char *key, const char *path, size_t len)
{
	json_path(j, key, len > 0 ? path : ".", len > 0 ? len : 1);
}

static void
put_digest(struct json *j, const char *key, const uint8_t digest[SHA256_LEN])
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(digest, hex);
	json_str(j, key, hex);
}

/* ---- begin ---- */

static void
put_backup(struct json *j, const struct repo_backup *b)
{
	static const char *const states[] = {"trusted", "unsigned", "untrusted", "bad"};
	char created[64];

	clock_rfc3339(b->seal.created.tv_sec, created);
	json_object(j, "backup");
	json_str(j, "name", b->name);
	json_str(j, "series", b->seal.series);
	json_uint(j, "sequence", b->seal.sequence);
	json_str(j, "created", created);
	json_str(j, "signature", states[b->state]);
	json_bool(j, "complete", b->seal.unreadable == 0);
	json_end(j);
}

void
audit_json_begin(
    struct json *j, FILE *out, const struct verify_opts *o, const struct repo_backup *b)
{
	json_init(j, out);
	json_object(j, NULL);
	json_str(j, "type", "tarseal-verify-source");
	json_uint(j, "version", 1);
	json_str(j, "tool", tarseal_version);
	json_path(j, "repository", o->repo, strlen(o->repo));
	json_path(j, "source", o->source, strlen(o->source));
	put_backup(j, b);
	json_array(j, "differences");
}

/* ---- one difference ---- */

static void
put_facts(struct json *j, const struct entry *en, bool has_size)
{
	char mode[8];

	json_str(j, "type", en->type != 0 ? entry_type_name(en->type) : "socket");
	(void)snprintf(mode, sizeof(mode), "%04" PRIo32, en->mode);
	json_str(j, "mode", mode);
	json_uint(j, "uid", en->uid);
	json_uint(j, "gid", en->gid);
	if (has_size)
		json_uint(j, "size", en->size);
	json_int(j, "mtime_sec", en->mtime_sec);
	json_uint(j, "mtime_nsec", en->mtime_nsec);
	if (en->link != NULL)
		json_path(j, "link", en->link, en->link_len);
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK) {
		json_uint(j, "rdev_major", en->rdev_major);
		json_uint(j, "rdev_minor", en->rdev_minor);
	}
}

static void
put_before(struct json *j, const struct section_line *line)
{
	struct entry en;

	if (line == NULL) {
		json_str(j, "before", NULL);
		return;
	}
	en = section_entry(line);
	en.size = line->size;
	json_object(j, "before");
	/* What a hard link holds is known only where it was read. */
	put_facts(j, &en, line->type != ENTRY_HARDLINK || line->has_sha256);
	if (line->has_sha256)
		put_digest(j, "sha256", line->sha256);
	if (line->has_xattrs)
		put_digest(j, "xattrs_sha256", line->xattrs);
	json_end(j);
}

static void
put_after(struct json *j, const struct audit_finding *f)
{
	struct entry en = {0};

	if (f->now == NULL) {
		json_str(j, "after", NULL);
		return;
	}
	facts_entry(f->now, &en);
	en.type = entry_type_of_mode(f->now->mode);
	en.size = en.type == ENTRY_FILE ? f->now->size : 0;
	en.link = f->now_link;
	en.link_len = f->now_link != NULL ? strlen(f->now_link) : 0;
	json_object(j, "after");
	put_facts(j, &en, true);
	json_end(j);
}

void
audit_json_item(struct json *j, const struct audit_finding *f)
{
	json_object(j, NULL);
	json_str(j, "change", audit_kind_name(f->kind));
	put_path(j, "path", f->path, f->path_len);
	json_array(j, "what");
	for (unsigned bit = 1; audit_what_name(bit) != NULL; bit <<= 1)
		if ((f->what & bit) != 0)
			json_str(j, NULL, audit_what_name(bit));
	json_end(j);
	if (f->reason != NULL)
		json_str(j, "reason", f->reason);
	put_before(j, f->before);
	put_after(j, f);
	json_end(j);
}

/* ---- end ---- */

static void
put_totals(struct json *j, const struct audit_totals *t)
{
	json_object(j, "totals");
	for (int i = 0; i < AUDIT_KINDS; i++)
		json_uint(j, audit_kind_name((enum audit_kind)i), t->kinds[i]);
	json_uint(j, "same", t->unchanged);
	json_uint(j, "not_compared", t->unknown);
	json_uint(j, "bytes", t->bytes);
	json_end(j);
}

static void
put_damage(struct json *j, const struct buf *damage)
{
	const char *at = (const char *)damage->data, *end = at + damage->len;

	json_array(j, "damage");
	for (; at < end; at += strlen(at) + 1) {
		json_object(j, NULL);
		json_str(j, "why", at);
		json_end(j);
	}
	json_end(j);
}

void
audit_json_end(struct json *j, const struct audit_end *end)
{
	json_end(j);
	put_totals(j, end->totals);
	put_damage(j, end->damage);
	json_bool(j, "finished", end->finished);
	json_uint(j, "milliseconds", end->ms);
	json_int(j, "status", end->status);
	json_end(j);
}
