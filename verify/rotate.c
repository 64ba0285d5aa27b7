/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/rotate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "store/repo.h"
#include "verify/opts.h"
#include "verify/record.h"
#include "verify/report.h"

#define NS_PER_SECOND UINT64_C(1000000000)

bool
verify_rotates(const struct verify_opts *o)
{
	return o->oldest > 0 || o->budget.bytes > 0 || o->budget.seconds > 0;
}

void
verify_rotation_done(struct verify_rotation *rot)
{
	free(rot->turns);
	*rot = (struct verify_rotation){0};
}

/* ---- whose turn it is ---- */

/* A list's order, which is that of the pointers, settles what times leave open. */
static int
compare(const void *a, const void *b)
{
	const struct verify_turn *x = a, *y = b;
	const struct timespec *p = &x->backup->seal.created, *q = &y->backup->seal.created;

	if (x->checked != y->checked)
		return x->checked ? 1 : -1;
	if (x->checked && x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (p->tv_sec != q->tv_sec)
		return p->tv_sec < q->tv_sec ? -1 : 1;
	if (p->tv_nsec != q->tv_nsec)
		return p->tv_nsec < q->tv_nsec ? -1 : 1;
	return (x->backup > y->backup) - (x->backup < y->backup);
}

void
verify_rotation_sort(struct verify_turn *turns, size_t n)
{
	qsort(turns, n, sizeof(*turns), compare);
}

/*
 * What is never noted would come first each night, and keep all others out.  So it is with one that
 * nobody vouches for: it has no history, or none at level deep.
 */
static void
take_picked(struct verify_rotation *rot, const struct repo_list *l, const struct verify_picks *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (!p->picked[i])
			continue;
		if (verify_vouched(b, rot->opts) && repo_counts(b, NULL, true))
			rot->turns[rot->n++] = (struct verify_turn){.backup = b};
		else if (rot->left_out++ == 0)
			rot->first_left_out = b;
	}
}

static int
ask_history(struct verify_rotation *rot, struct repo *r, struct err *e)
{
	struct catalog_verification v;
	struct catalog *c = NULL;
	int rc = catalog_open_history(&c, r, e);

	for (size_t i = 0; i < rot->n && rc >= 0; i++) {
		struct verify_turn *t = &rot->turns[i];

		rc = catalog_checked(
		    c, t->backup->seal.text_digest, verify_record_level(rot->opts->level), &v, e);
		t->checked = rc == 1;
		t->at = t->checked ? v.at : 0;
	}
	catalog_close(c);
	if (rc < 0 && e != NULL && e->kind == ERR_CORRUPT)
		(void)err_where(
		    e, "repository %s: \"manifest rebuild\" makes a new catalog", repo_dir(r));
	return rc < 0 ? -1 : 0;
}

/* ---- how many ---- */

/* What an estimate goes by: a quick look reads no data, and takes much the same for each. */
static uint64_t
work_of(const struct verify_rotation *rot, const struct repo_backup *b)
{
	return rot->opts->level == VERIFY_QUICK ? 1 : b->seal.archive_size + b->seal.manifest_size;
}

/* With the speed so far. */
static bool
fits_time(const struct verify_rotation *rot, uint64_t work)
{
	double each = (double)rot->ns / (double)rot->work;

	return (double)rot->ns + (double)work * each <=
	    (double)rot->opts->budget.seconds * (double)NS_PER_SECOND;
}

/*
 * The first one in any case: else one that is larger than the budget would never be read.  The
 * first that does not fit ends it; a smaller one behind it would only get ahead of its turn.
 */
const struct repo_backup *
verify_rotation_next(const struct verify_rotation *rot)
{
	const struct verify_opts *o = rot->opts;
	const struct repo_backup *b = rot->done < rot->n ? rot->turns[rot->done].backup : NULL;
	uint64_t work;

	if (b == NULL || (o->oldest > 0 && rot->done >= o->oldest))
		return NULL;
	if (rot->work == 0)
		return b;
	work = work_of(rot, b);
	if ((o->budget.bytes > 0 && rot->work + work > o->budget.bytes) ||
	    (o->budget.seconds > 0 && !fits_time(rot, work)))
		return NULL;
	return b;
}

void
verify_rotation_took(struct verify_rotation *rot, uint64_t ns, bool pruned)
{
	const struct verify_budget *budget = &rot->opts->budget;
	const struct repo_backup *b = rot->turns[rot->done++].backup;
	uint64_t work = work_of(rot, b);

	if (pruned)
		return;
	if (rot->work == 0 &&
	    ((budget->bytes > 0 && work > budget->bytes) ||
		(budget->seconds > 0 && ns > budget->seconds * NS_PER_SECOND)))
		rot->over = b;
	rot->work += work;
	rot->ns += ns;
}

/* How long it will take nobody knows: then only the first is certain. */
static void
keep_certain(const struct verify_rotation *rot, const struct repo_list *l, struct verify_picks *p)
{
	struct verify_rotation dry = *rot;
	const struct repo_backup *b;

	memset(p->picked, 0, p->n * sizeof(*p->picked));
	while ((b = verify_rotation_next(&dry)) != NULL) {
		p->picked[b - l->backups] = true;
		verify_rotation_took(&dry, 0, false);
		if (rot->opts->budget.seconds > 0)
			break;
	}
}

int
verify_rotation_make(struct verify_rotation *rot, struct repo *r, const struct repo_list *l,
    const struct verify_opts *o, struct verify_picks *picks, struct err *e)
{
	*rot = (struct verify_rotation){.opts = o};
	if ((rot->turns = calloc(l->n + 1, sizeof(*rot->turns))) == NULL)
		return err_nomem(e);
	take_picked(rot, l, picks);
	if (rot->n == 0 && rot->left_out > 0 && o->untrusted)
		return err_set(e, ERR_USAGE,
		    "--oldest and --budget go by what was found in backups that are signed by a "
		    "trusted key: which ones? (--trust FILE or TARSEAL_TRUST)");
	if (verify_record_check(r, e) < 0)
		return -1;
	if (ask_history(rot, r, e) < 0)
		return -1;
	verify_rotation_sort(rot->turns, rot->n);
	keep_certain(rot, l, picks);
	return 0;
}

/* ---- telling ---- */

void
verify_rotation_tell(const struct verify_rotation *rot, struct verify_report *r)
{
	if (rot->left_out == 0)
		return;
	verify_report_put(r, rot->opts->untrusted ? VERIFY_NOTE : VERIFY_TRUST, "not-in-turn",
	    "%zu backup%s, %s%s, %s not signed by a trusted key, and has no turn (--all checks "
	    "all)",
	    rot->left_out, rot->left_out == 1 ? "" : "s", rot->first_left_out->name,
	    rot->left_out == 1 ? "" : " and on", rot->left_out == 1 ? "is" : "are");
}

void
verify_rotation_end(struct verify_rotation *rot, struct repo *r)
{
	struct catalog *c = NULL;
	struct err why = {0};
	int rc = catalog_open_history(&c, r, &why);

	rot->reads = (struct catalog_reads){0};
	/* What was removed meanwhile has lost its history too. */
	for (size_t i = 0; i < rot->n && rc == 0; i++)
		if (repo_is_sealed(r, rot->turns[i].backup->name))
			rc = catalog_reads_add(&rot->reads, c, rot->turns[i].backup, &why);
	catalog_close(c);
	rot->has_reads = rc == 0;
	if (rc < 0)
		log_warn("when backups were read last is not known: %s", why.msg);
}

bool
verify_rotation_failed(const struct verify_rotation *rot)
{
	return rot->has_reads && rot->reads.failed > 0;
}

void
verify_rotation_text(const struct verify_rotation *rot, FILE *out)
{
	struct buf line = {0};

	if (rot->n == 0)
		return;
	(void)fprintf(
	    out, "%zu of %zu backup%s checked in turn", rot->done, rot->n, rot->n == 1 ? "" : "s");
	if (rot->over != NULL)
		(void)fprintf(out, "; %s alone is more than the budget of %s", rot->over->name,
		    rot->opts->budget_text);
	(void)fputc('\n', out);
	if (!rot->has_reads)
		return;
	catalog_reads_put(&rot->reads, clock_now().tv_sec, &line);
	(void)fprintf(out, "%s\n", buf_str(&line));
	buf_done(&line);
}

void
verify_rotation_json(const struct verify_rotation *rot, struct json *j)
{
	json_object(j, "rotation");
	json_uint(j, "backups", rot->n);
	json_uint(j, "checked", rot->done);
	json_str(j, "over_budget", rot->over != NULL ? rot->over->name : NULL);
	catalog_reads_json(rot->has_reads ? &rot->reads : NULL, j, "reads");
	json_end(j);
}
