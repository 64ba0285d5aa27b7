/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_VERSION_H
#define MANIFEST_VERSION_H

struct buf;
struct catalog_version;
struct json;

/* A version of a path, as ls, find and history print it. */

/* "drwxr-xr-x      0     0         4096  2026-02-09 00:00:05 +0200  " */
void version_put_long(struct buf *out, const struct catalog_version *v);
/* Escaped; a directory with "/" at its end; the source itself as "./". */
void version_put_path(struct buf *out, const struct catalog_version *v);
/* "changed while read" and the like, or "". */
const char *version_flags(const struct catalog_version *v);
/* The facts of a version, without its path, as members of the present object. */
void version_json_facts(struct json *j, const struct catalog_version *v);
/* The same behind its path. */
void version_json(struct json *j, const struct catalog_version *v);
/* The same with series, first and last backup, their number. */
void version_json_span(struct json *j, const struct catalog_version *v);

#endif
