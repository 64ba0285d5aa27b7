/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/drill_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/clock.h"
#include "core/json.h"
#include "restore/drill.h"
#include "restore/opts.h"
#include "restore/report.h"
#include "store/repo.h"

static const char *const outcomes[] = {
    [DRILL_SKIPPED] = "skipped",
    [DRILL_PASSED] = "passed",
    [DRILL_FAILED] = "failed",
};

static uint64_t
compared_entries(const struct drill *d)
{
	uint64_t n = d->compared.unchanged;

	for (int i = 0; i < AUDIT_KINDS; i++)
		n += i == AUDIT_ADDED ? 0 : d->compared.kinds[i];
	return n;
}

/* ---- text ---- */

static double
seconds(const struct drill *d, enum drill_step s)
{
	return (double)d->steps[s].ms / 1000;
}

static void
text_compare(const struct drill *d)
{
	char size[32];

	restore_report_size(d->compared.bytes, size);
	(void)printf("Compared %" PRIu64 " entries (%s) with the manifest in %.1f s: ",
	    compared_entries(d), size, seconds(d, DRILL_COMPARE));
	if (d->n_differences == 0)
		(void)printf("no difference");
	else
		(void)printf("%" PRIu64 " %s", d->n_differences,
		    d->n_differences == 1 ? "difference" : "differences");
	if (d->excused > 0)
		(void)printf(", but for what this user may not do (%" PRIu64 " %s)", d->excused,
		    d->excused == 1 ? "entry" : "entries");
	(void)printf("\n");
}

static void
text(const struct drill *d)
{
	const struct drill_done *steps = d->steps;
	char size[32];

	restore_report_size(d->report->bytes, size);
	/* Why it came to nothing, the error says. */
	if (steps[DRILL_COMPARE].outcome == DRILL_SKIPPED)
		return;
	(void)printf("Restored %" PRIu64 " entries (%s) from %s in %.1f s\n", d->report->entries,
	    size, d->backup->name, seconds(d, DRILL_RESTORE));
	text_compare(d);
	if (steps[DRILL_CHECK].outcome != DRILL_SKIPPED)
		(void)printf("The check command %s in %.1f s\n",
		    steps[DRILL_CHECK].outcome == DRILL_PASSED ? "succeeded" : "failed",
		    seconds(d, DRILL_CHECK));
	if (drill_passed(d))
		(void)printf("Drill passed: %s is back in %.1f s\n", d->backup->name,
		    seconds(d, DRILL_RESTORE));
	else
		(void)printf("Drill FAILED: see the warnings\n");
}

/* ---- JSON ---- */

static void
json_steps(struct json *j, const struct drill *d)
{
	json_array(j, "steps");
	for (int i = 0; i < DRILL_STEPS; i++) {
		const struct drill_done *s = &d->steps[i];

		json_object(j, NULL);
		json_str(j, "name", drill_step_name((enum drill_step)i));
		json_str(j, "outcome", outcomes[s->outcome]);
		json_uint(j, "milliseconds", s->ms);
		if (s->outcome == DRILL_FAILED)
			json_str(j, "why", s->why);
		json_end(j);
	}
	json_end(j);
}

static void
json_compared(struct json *j, const struct drill *d)
{
	const struct audit_totals *t = &d->compared;

	json_object(j, "compared");
	json_uint(j, "bytes", t->bytes);
	json_uint(j, "unchanged", t->unchanged);
	for (int i = 0; i < AUDIT_KINDS; i++)
		json_uint(j, audit_kind_name((enum audit_kind)i), t->kinds[i]);
	json_uint(j, "damaged", t->damaged);
	json_uint(j, "excused", d->excused);
	json_end(j);
	json_uint(j, "differences_total", d->n_differences);
	json_array(j, "differences");
	for (size_t i = 0; i < d->n_kept; i++) {
		const struct drill_difference *v = &d->differences[i];

		json_object(j, NULL);
		json_path(j, "path", v->path_len == 0 ? "." : v->path,
		    v->path_len == 0 ? 1 : v->path_len);
		json_str(j, "how", v->how);
		json_end(j);
	}
	json_end(j);
}

static void
json(const struct drill *d, int status)
{
	const struct restore_report *r = d->report;
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", "tarseal-restore-drill");
	json_uint(&j, "version", 1);
	json_str(&j, "tool", tarseal_version);
	restore_report_json_backup(&j, d->o, d->backup);
	json_path(&j, "scratch", d->scratch, strlen(d->scratch));
	json_bool(&j, "passed", drill_passed(d));
	json_uint(&j, "rto_milliseconds", d->steps[DRILL_RESTORE].ms);
	json_bool(&j, "noted", d->noted);
	json_steps(&j, d);
	json_uint(&j, "entries", r->entries);
	json_uint(&j, "bytes", r->bytes);
	json_compared(&j, d);
	restore_report_json_findings(&j, r);
	json_int(&j, "status", status);
	json_end(&j);
}

void
drill_report(const struct drill *d, int status)
{
	if (d->o->common.json)
		json(d, status);
	else if (!d->o->common.quiet)
		text(d);
}
