/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_DIFF_REPORT_H
#define MANIFEST_DIFF_REPORT_H

#include "manifest/diff.h"

struct buf;
struct json;
struct repo_backup;
struct table;

/*
 * How manifest diff tells what it finds, on stdout: to people in a table (diff_text.c), to programs
 * in a document (diff_json.c).  Items come as diff_run() hands them out.
 */
void diff_text_begin(struct table *t);
void diff_text_item(struct table *t, const struct diff_item *d);
void diff_text_totals(const struct diff_totals *t); /* one line */

/* Each a member, or an element, of the object or array that is open. */
void diff_json_backup(struct json *j, const char *key, const struct repo_backup *b);
void diff_json_item(struct json *j, const struct diff_item *d);
void diff_json_totals(struct json *j, const struct diff_totals *t);
/* told: backup, NUL, why, NUL, again and again. */
void diff_json_damage(struct json *j, const struct buf *told);

#endif
