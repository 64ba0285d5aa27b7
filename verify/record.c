/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/noting.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "verify/opts.h"
#include "verify/report.h"

/* A backup that seals, prunes and indexes holds the lock for longer; a query for less. */
#define WAIT_SECONDS 5

enum catalog_level
verify_record_level(int level)
{
	static const enum catalog_level levels[] = {
	    [VERIFY_QUICK] = CATALOG_QUICK,
	    [VERIFY_STANDARD] = CATALOG_STANDARD,
	    [VERIFY_DEEP] = CATALOG_DEEP,
	};

	return levels[level];
}

/* Note what waits, from the first on; what was noted waits no more. */
static void
note_waiting(struct verify_record *rec, uint64_t wait_seconds)
{
	struct catalog *c = NULL;
	size_t done = 0;

	err_clear(&rec->why);
	if (rec->n == 0 || catalog_open_noting(&c, rec->repo, wait_seconds, &rec->why) < 0)
		return;
	for (; done < rec->n; done++) {
		const struct verify_result *r = &rec->waiting[done];
		const struct catalog_verification v = {
		    .at = r->at, .level = verify_record_level(r->level), .ok = r->ok};

		if (catalog_add_verification(c, r->backup->seal.text_digest, &v, &rec->why) < 0)
			break;
	}
	catalog_close_noting(c, rec->repo);
	rec->n -= done;
	memmove(rec->waiting, &rec->waiting[done], rec->n * sizeof(rec->waiting[0]));
}

int
verify_record_begin(
    struct verify_record *rec, struct repo *r, size_t max, bool in_turn, struct err *e)
{
	*rec = (struct verify_record){.repo = r, .in_turn = in_turn};
	rec->waiting = calloc(max + 1, sizeof(*rec->waiting));
	return rec->waiting != NULL ? 0 : err_nomem(e);
}

void
verify_record_add(struct verify_record *rec, const struct verify_result *result)
{
	rec->waiting[rec->n++] = *result;
	note_waiting(rec, 0);
}

void
verify_record_end(struct verify_record *rec)
{
	if (rec->n == 0)
		return;
	note_waiting(rec, rec->in_turn && stop_signal() == 0 ? WAIT_SECONDS : 0);
	if (rec->n == 0)
		return;
	if (rec->in_turn)
		log_warn("%zu result%s could not be noted in the catalog, so the next run looks at "
			 "the same again: %s",
		    rec->n, rec->n == 1 ? "" : "s", rec->why.msg);
	else
		log_verbose("results are not noted in the catalog: %s", rec->why.msg);
	rec->n = 0;
}

void
verify_record_done(struct verify_record *rec)
{
	free(rec->waiting);
	*rec = (struct verify_record){0};
}

/* What to do, for who cannot go on without it; a lock is an answer by itself. */
static int
advise(const struct repo *r, const struct err *why, struct err *e)
{
	bool rebuild = why->kind == ERR_NOTFOUND || why->kind == ERR_CORRUPT;

	if (why->kind == ERR_LOCKED || err_is_ours(why))
		return err_pass(e, why);
	return err_set(e, ERR_SYS,
	    "repository %s: --oldest and --budget go by what is noted in the catalog, and nothing "
	    "can be noted: %s (%s)",
	    repo_dir(r), why->msg,
	    rebuild ? "\"manifest rebuild\" makes a catalog"
		    : "let verify write to the repository, or use --all or names of backups");
}

int
verify_record_check(struct repo *r, struct err *e)
{
	struct catalog *c = NULL;
	struct err why = {0};
	int rc = catalog_open_noting(&c, r, WAIT_SECONDS, &why);

	if (rc == 0) {
		rc = catalog_can_add(c, &why);
		catalog_close_noting(c, r);
	}
	return rc == 0 ? 0 : advise(r, &why, e);
}

static void
note(struct verify_report *report, const char *text)
{
	verify_report_found(
	    report, &(struct verify_finding){.kind = VERIFY_NOTE, .code = "catalog", .text = text});
}

void
verify_catalog_note(struct repo *r, const struct repo_list *l, struct verify_report *report)
{
	struct catalog *c = NULL;
	struct catalog_verification v;
	struct err e = {0};
	char text[sizeof(e.msg) + 128];
	size_t missing = 0;

	if (catalog_open_history(&c, r, &e) < 0) {
		(void)snprintf(text, sizeof(text),
		    e.kind == ERR_CORRUPT ? "the catalog cannot be used (manifest rebuild makes a "
					    "new one): %s"
					  : "the catalog cannot be used: %s",
		    e.msg);
		/* Who keeps none, or is writing to it just now, need not be told. */
		if (e.kind != ERR_LOCKED && e.kind != ERR_NOTFOUND)
			note(report, text);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		err_clear(&e);
		if ((b->state == REPO_TRUSTED || b->state == REPO_UNSIGNED) &&
		    catalog_last_verification(c, b->name, &v, &e) < 0 && e.kind == ERR_NOTFOUND)
			missing++;
	}
	catalog_close(c);
	if (missing == 0)
		return;
	(void)snprintf(text, sizeof(text),
	    "the catalog lacks %zu backup%s (manifest rebuild adds them)", missing,
	    missing == 1 ? "" : "s");
	note(report, text);
}
