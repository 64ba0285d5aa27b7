/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/held.h"

#include <string.h>

#include "core/err.h"
#include "core/log.h"
#include "seal/seal.h"
#include "store/repo.h"

const struct repo_backup *
held_newest(const struct repo_list *l, const char *series, bool accept_unsigned)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (repo_counts(b, series, accept_unsigned) &&
		    (newest == NULL || b->seal.sequence > newest->seal.sequence))
			newest = b;
	}
	return newest;
}

const struct repo_backup *
held_by_run(const struct repo_list *l, const char *series, bool accept_unsigned, const char *run_id)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (repo_counts(b, series, accept_unsigned) && b->seal.run_id != NULL &&
		    strcmp(b->seal.run_id, run_id) == 0)
			return b;
	}
	return NULL;
}

/*
 * Two with one sequence come about when repositories that were written apart, with
 * the same key, are put together.  A seal can hold one of them.
 */
static bool
is_held(const struct seal *s, uint64_t sequence)
{
	for (size_t i = 0; i < s->n_holds; i++) {
		if (s->holds[i].sequence == sequence)
			return true;
	}
	return false;
}

static int
hold_all(struct seal *s, const struct repo_list *l, enum repo_state state, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (b->state != state || !repo_counts(b, s->series, true))
			continue;
		if (is_held(s, b->seal.sequence))
			log_warn("backup %s has the sequence of another one: not held", b->name);
		else if (seal_add_hold(s, &b->seal, e) != 0)
			return -1;
	}
	return 0;
}

int
held_fill(struct seal *s, const struct repo_list *l, bool accept_unsigned, struct err *e)
{
	const struct repo_backup *newest = held_newest(l, s->series, accept_unsigned);

	s->sequence = newest == NULL ? 1 : newest->seal.sequence + 1;
	if (hold_all(s, l, REPO_TRUSTED, e) != 0)
		return -1;
	return accept_unsigned ? hold_all(s, l, REPO_UNSIGNED, e) : 0;
}

static bool
is_there(const struct repo_list *l, const struct seal_hold *h)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (b->state != REPO_BAD && strcmp(b->name, h->name) == 0 &&
		    memcmp(b->seal.text_digest, h->digest, sizeof(h->digest)) == 0)
			return true;
	}
	return false;
}

/*
 * The last moment to see it: the new seal holds what is there now, and from then on
 * nobody can tell that there was more.
 */
static void
warn_gone(const struct repo_list *l, const struct repo_backup *newest)
{
	for (size_t i = 0; newest != NULL && i < newest->seal.n_holds; i++) {
		const struct seal_hold *h = &newest->seal.holds[i];
		if (!is_there(l, h))
			log_warn("backup %s, which %s holds, is gone or was replaced", h->name,
			    newest->name);
	}
}

/* Does a name that has no readable seal look like one of the series? */
static bool
of_series(const char *name, const char *series)
{
	size_t n = strlen(series);

	return strncmp(name, series, n) == 0 && name[n] == '-';
}

static void
warn_backup(const struct repo_backup *b, const char *series, bool accept_unsigned)
{
	if (b->state == REPO_BAD) {
		if (of_series(b->name, series))
			log_warn("backup %s is left alone: %s", b->name, b->why->msg);
		return;
	}
	if (strcmp(b->seal.series, series) != 0 || repo_counts(b, series, accept_unsigned))
		return;
	if (b->state == REPO_UNSIGNED)
		log_warn("backup %s is not signed: left alone, and not held", b->name);
	else
		log_warn("backup %s is left alone, and not held: %s", b->name, b->why->msg);
}

static void
warn_unsealed(const struct repo_list *l, const char *series, const char *repo_dir)
{
	size_t n = 0;
	const char *first = NULL;

	for (size_t i = 0; i < l->n_unsealed; i++) {
		if (!of_series(l->unsealed[i], series))
			continue;
		if (n++ == 0)
			first = l->unsealed[i];
	}
	if (n > 0)
		log_note("%zu archive%s without a seal (%s.tar.gz%s) %s left alone; to adopt: "
			 "manifest import --repo %s",
		    n, n == 1 ? "" : "s", first, n == 1 ? "" : ", ...", n == 1 ? "is" : "are",
		    repo_dir);
}

void
held_warn(const struct repo_list *l, const char *series, const char *repo_dir, bool accept_unsigned)
{
	for (size_t i = 0; i < l->n; i++)
		warn_backup(&l->backups[i], series, accept_unsigned);
	warn_gone(l, held_newest(l, series, accept_unsigned));
	warn_unsealed(l, series, repo_dir);
}
