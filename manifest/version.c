/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/version.h"

#include <inttypes.h>
#include <stdio.h>

#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/path.h"
#include "manifest/cmd.h"

void
version_put_long(struct buf *out, const struct catalog_version *v)
{
	char mode[12], time[64], size[32];

	cmd_mode(v->type == ENTRY_HARDLINK ? ENTRY_FILE : (int)v->type, v->mode, mode);
	clock_table((time_t)v->mtime_sec, time);
	if (v->type == ENTRY_CHAR || v->type == ENTRY_BLOCK)
		(void)snprintf(
		    size, sizeof(size), "%" PRIu32 ", %" PRIu32, v->rdev_major, v->rdev_minor);
	else
		(void)snprintf(size, sizeof(size), "%" PRIu64, v->size);
	buf_printf(
	    out, "%s %6" PRIu32 " %6" PRIu32 " %12s  %s  ", mode, v->uid, v->gid, size, time);
}

void
version_put_path(struct buf *out, const struct catalog_version *v)
{
	if (v->path_len == 0)
		buf_putc(out, '.');
	path_display(out, v->path, v->path_len);
	if (v->type == ENTRY_DIR)
		buf_putc(out, '/');
}

const char *
version_flags(const struct catalog_version *v)
{
	if (v->unreadable)
		return "read errors";
	if (v->changed)
		return "changed while read";
	return v->grew ? "grew while read" : "";
}

void
version_json_facts(struct json *j, const struct catalog_version *v)
{
	char mode[8];

	json_str(j, "type", entry_type_name(v->type));
	(void)snprintf(mode, sizeof(mode), "%04" PRIo32, v->mode);
	json_str(j, "mode", mode);
	json_uint(j, "uid", v->uid);
	json_uint(j, "gid", v->gid);
	json_uint(j, "size", v->size);
	json_int(j, "mtime_sec", v->mtime_sec);
	json_uint(j, "mtime_nsec", v->mtime_nsec);
	if (v->link != NULL)
		json_path(j, "link", v->link, v->link_len);
	if (v->type == ENTRY_CHAR || v->type == ENTRY_BLOCK) {
		json_uint(j, "rdev_major", v->rdev_major);
		json_uint(j, "rdev_minor", v->rdev_minor);
	}
	if (v->has_sha256)
		cmd_json_digest(j, "sha256", v->sha256);
	if (v->changed)
		json_bool(j, "changed", true);
	if (v->grew)
		json_bool(j, "grew", true);
	if (v->unreadable)
		json_bool(j, "unreadable", true);
}

void
version_json(struct json *j, const struct catalog_version *v)
{
	cmd_json_path(j, "path", v->path, v->path_len);
	version_json_facts(j, v);
}

void
version_json_span(struct json *j, const struct catalog_version *v)
{
	version_json(j, v);
	json_str(j, "series", v->series);
	json_str(j, "first", v->first_name);
	json_uint(j, "first_sequence", v->first_seq);
	json_str(j, "last", v->last_name);
	json_uint(j, "last_sequence", v->last_seq);
	json_uint(j, "backups", v->backups);
	json_bool(j, "current", v->is_current);
}
