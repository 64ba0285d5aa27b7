/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/json.h"
#include "manifest/cmd.h"
#include "manifest/diff_report.h"
#include "manifest/version.h"

static void
json_side(struct json *j, const char *key, const struct diff_entry *en)
{
	const struct section_line *l = en->line;
	const struct targets_content *c = en->content;
	struct catalog_version v;

	if (l == NULL) {
		json_str(j, key, NULL);
		return;
	}
	v = (struct catalog_version){.type = l->type,
	    .mode = l->mode,
	    .uid = l->uid,
	    .gid = l->gid,
	    .mtime_sec = l->mtime_sec,
	    .mtime_nsec = l->mtime_nsec,
	    .rdev_major = l->rdev_major,
	    .rdev_minor = l->rdev_minor,
	    .link = l->link,
	    .link_len = l->link_len};
	if (c != NULL) {
		v.size = c->size;
		v.has_sha256 = true;
		memcpy(v.sha256, c->sha256, SHA256_LEN);
		v.changed = c->changed;
		v.grew = c->grew;
		v.unreadable = c->unreadable;
	}
	json_object(j, key);
	version_json_facts(j, &v);
	if (c != NULL ? c->has_xattrs : l->has_xattrs)
		cmd_json_digest(j, "xattrs_sha256", c != NULL ? c->xattrs : l->xattrs);
	json_end(j);
}

void
diff_json_item(struct json *j, const struct diff_item *d)
{
	const struct section_line *l = diff_line(d);

	json_object(j, NULL);
	json_str(j, "change", diff_kind_name(d->kind));
	cmd_json_path(j, "path", l->path, l->path_len);
	json_array(j, "what");
	for (unsigned bit = 1; diff_what_name(bit) != NULL; bit <<= 1)
		if ((d->what & bit) != 0)
			json_str(j, NULL, diff_what_name(bit));
	json_end(j);
	json_side(j, "before", &d->before);
	json_side(j, "after", &d->after);
	json_end(j);
}

void
diff_json_backup(struct json *j, const char *key, const struct repo_backup *b)
{
	const struct seal *s = &b->seal;

	json_object(j, key);
	json_str(j, "name", b->name);
	json_str(j, "series", s->series);
	json_uint(j, "sequence", s->sequence);
	cmd_json_time(j, "created", s->created.tv_sec, (uint32_t)s->created.tv_nsec);
	json_uint(j, "entries", s->entries);
	json_uint(j, "bytes", s->bytes);
	json_bool(j, "complete", s->unreadable == 0);
	json_end(j);
}

void
diff_json_totals(struct json *j, const struct diff_totals *t)
{
	json_object(j, "totals");
	for (int i = DIFF_ADDED; i <= DIFF_FACTS; i++) {
		json_object(j, diff_kind_name((enum diff_kind)i));
		json_uint(j, "entries", t->kinds[i].n);
		json_uint(j, "bytes_before", t->kinds[i].before);
		json_uint(j, "bytes_after", t->kinds[i].after);
		json_end(j);
	}
	json_uint(j, "same", t->same);
	json_uint(j, "not_compared", t->unknown);
	json_end(j);
}

void
diff_json_damage(struct json *j, const struct buf *told)
{
	const char *at = (const char *)told->data, *end = at + told->len;

	json_array(j, "damage");
	while (at < end) {
		json_object(j, NULL);
		json_str(j, "backup", at);
		at += strlen(at) + 1;
		json_str(j, "why", at);
		at += strlen(at) + 1;
		json_end(j);
	}
	json_end(j);
}
