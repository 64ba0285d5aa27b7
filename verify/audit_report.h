/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_AUDIT_REPORT_H
#define VERIFY_AUDIT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/json.h"
#include "tree/audit.h"

struct repo_backup;
struct verify_opts;

/*
 * How verify --source tells what it finds, as it comes: to people a line each (audit_text.c), to
 * programs in a document (audit_json.c).
 */

/* What is wrong with the manifest is kept for the end of the document: the first so many. */
#define AUDIT_DAMAGE_KEPT 1000u

struct audit_end {
	const struct audit_totals *totals;
	bool finished;
	uint64_t ms;
	const struct buf *damage; /* texts, each with a NUL behind it */
	int status; /* that the program will exit with */
};

/*
 *	changed: app/orders.db: content (1.1M to 1.2M), mtime (... to ...)
 *	added: new/
 *	NAME: DIFFERS: 1 added, ...
 */
void audit_text_item(FILE *out, const struct audit_finding *f);
void audit_text_end(FILE *out, const char *backup, const struct audit_end *end);

void audit_json_begin(
    struct json *j, FILE *out, const struct verify_opts *o, const struct repo_backup *b);
void audit_json_item(struct json *j, const struct audit_finding *f);
void audit_json_end(struct json *j, const struct audit_end *end);

#endif
