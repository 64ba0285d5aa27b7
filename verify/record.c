/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/record.h"

#include <stdio.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/log.h"
#include "verify/opts.h"
#include "verify/report.h"

static const enum catalog_level levels[] = {
    [VERIFY_QUICK] = CATALOG_QUICK,
    [VERIFY_STANDARD] = CATALOG_STANDARD,
    [VERIFY_DEEP] = CATALOG_DEEP,
};

static int
add_all(struct catalog *c, const struct verify_result *results, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct catalog_verification v = {
		    .at = results[i].at, .level = levels[results[i].level], .ok = results[i].ok};
		struct err why = {0};

		if (catalog_add_verification(c, results[i].backup->name, &v, &why) == 0)
			continue;
		if (why.kind != ERR_NOTFOUND)
			return err_pass(e, &why);
		log_verbose("not noted in the catalog: %s", why.msg);
	}
	return 0;
}

/*
 * Looked at first without the right to write: verify makes no catalog and repairs
 * none, and one that is open for writing would be made or replaced.
 */
static int
is_there(struct repo *r, struct err *e)
{
	struct catalog *c = NULL;
	int rc = catalog_open_history(&c, r, e);

	catalog_close(c);
	return rc;
}

void
verify_record(struct repo *r, const struct verify_result *results, size_t n)
{
	struct catalog *c = NULL;
	struct err e = {0};

	if (n == 0)
		return;
	if (!repo_writable(r))
		(void)err_set(&e, ERR_SYS, "the repository cannot be written to");
	else if (is_there(r, &e) == 0 && repo_lock(r, 0, &e) == 0 &&
	    catalog_open_write(&c, r, &e) == 0)
		(void)add_all(c, results, n, &e);
	catalog_close(c);
	if (e.kind != ERR_NONE)
		log_verbose("results are not noted in the catalog: %s", e.msg);
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
