/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_HISTORY_H
#define TESTS_UNIT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "seal/seal.h"

/*
 * A repository's history as a naive model: every backup with the facts of every path, nothing
 * shared, nothing remembered.  What the catalog is to say of it is worked out from that alone.
 */
enum { HISTORY_PATHS = 7, HISTORY_BACKUPS = 24, HISTORY_SERIES = 2, HISTORY_CHECKS = 8 };

extern const char *const history_paths[HISTORY_PATHS]; /* in order; the first is the root */
extern const char *const history_series[HISTORY_SERIES];

struct history_facts {
	bool is;
	enum entry_type type; /* DIR, FILE, SYMLINK or HARDLINK */
	unsigned version; /* gives content, size, and mtime */
	bool changed;
};

struct history_backup {
	int series; /* in history_series */
	uint64_t sequence;
	char name[SEAL_NAME_MAX + 1];
	bool readable;
	struct history_facts facts[HISTORY_PATHS];
	int checks[HISTORY_CHECKS]; /* when it was verified */
	int n_checks;
};

struct history {
	struct history_backup b[HISTORY_BACKUPS]; /* by series, then sequence */
	int n;
};

/* In its place. */
struct history_backup *history_add(struct history *h, const struct history_backup *b);
void history_remove(struct history *h, int i);
/* What changes overnight. */
void history_edit(struct history_backup *b, unsigned *seed);
const char *history_link(enum entry_type type); /* where links point; NULL for others */

/* The rows that the catalog is to have, as history_sql_* asks for them. */
void history_versions(const struct history *h, struct buf *out);
void history_backups(const struct history *h, struct buf *out);
void history_verifications(const struct history *h, struct buf *out);
extern const char history_sql_versions[], history_sql_backups[], history_sql_verifications[];
/* What a query tells of all paths but hard links: "SERIES PATH FIRST LAST BACKUPS [now]". */
void history_answers(const struct history *h, struct buf *out);

#endif
