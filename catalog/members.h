/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_MEMBERS_H
#define CATALOG_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct catalog_spans;
struct err;
struct manifest_member;

/*
 * The merge of one backup's archive members into the spans of its series' members, as spans.h has
 * it for paths: a member that the last backup had too writes nothing.  Private to catalog/.
 */
struct catalog_members;

struct catalog_members_opts {
	struct catalog *c;
	struct catalog_spans *spans; /* of the same backup */
	int64_t series;
	int64_t sequence, previous; /* as for catalog_spans_new() */
	bool keep; /* sections that the last backup has too */
};

int catalog_members_new(
    struct catalog_members **out, const struct catalog_members_opts *o, struct err *e);
void catalog_members_free(struct catalog_members *x); /* NULL is harmless */
/*
 * The next member, in order of the archive; the end member ends the merge.  1: its section is that
 * of the last backup, and the spans keep what it says; 0: if it has one, its lines are for the
 * spans; -1.
 */
int catalog_members_add(struct catalog_members *x, const struct manifest_member *m, struct err *e);

#endif
