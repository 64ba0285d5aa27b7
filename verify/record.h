/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_RECORD_H
#define VERIFY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "store/repo.h"

struct verify_report;

/* What the catalog calls one of enum verify_level. */
enum catalog_level verify_record_level(int level);

/* How a check of a backup ended, for the catalog's history. */
struct verify_result {
	const struct repo_backup *backup;
	int level; /* enum verify_level */
	time_t at;
	bool ok;
};

/*
 * Results on their way into the repository's catalog, each as soon as its backup is finished, so
 * that a run that is killed keeps what it has done.  The repository's lock is taken for that alone,
 * and not waited for: what cannot be noted while a backup runs is tried again with the next result,
 * and at the end.
 */
struct verify_record {
	struct repo *repo;
	bool in_turn; /* the next run goes by it: that it is not noted has to be told */
	struct verify_result *waiting; /* owned; those that are not noted yet */
	size_t n;
	struct err why; /* of the last try */
};

/* in_turn: the end waits for a while.  max: how many results there may be. */
int verify_record_begin(
    struct verify_record *rec, struct repo *r, size_t max, bool in_turn, struct err *e);
void verify_record_add(struct verify_record *rec, const struct verify_result *result);
/* The last try.  What is left is told: with a warning when in_turn, else by log_verbose. */
void verify_record_end(struct verify_record *rec);
void verify_record_done(struct verify_record *rec);
/*
 * Is there a catalog that results can be noted in?  For who depends on it: ERR_SYS with what to do
 * about it, or ERR_LOCKED after some seconds.
 */
int verify_record_check(struct repo *r, struct err *e);
/* A note when backups of l are not in the catalog, or that does not answer. */
void verify_catalog_note(struct repo *r, const struct repo_list *l, struct verify_report *report);

#endif
