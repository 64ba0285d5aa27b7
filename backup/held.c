/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/held.h"

#include <errno.h>
#include <string.h>

#include "core/log.h"
#include "seal/seal.h"
#include "store/holding.h"
#include "store/repo.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
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

/* Does a name that has no readable seal look like one of the series: SERIES-20260209_000005[-2]? */
static bool
of_series(const char *name, const char *series)
{
	static const char stamp[] = "-dddddddd_dddddd";
	size_t n = strlen(series);

	if (strncmp(name, series, n) != 0)
		return false;
	name += n;
	for (const char *s = stamp; *s != '\0'; s++, name++)
		if (*s == 'd' ? !is_digit(*name) : *name != *s)
			return false;
	if (*name == '-')
		for (name++; is_digit(*name);)
			name++;
	return *name == '\0';
}

/* One of the series, as its name says, whose seal tells nothing, nor the newest of it. */
static bool
is_lost(const struct repo_backup *b, const struct repo_backup *newest, const char *series)
{
	return b->state == REPO_BAD && of_series(b->name, series) &&
	    (newest == NULL || holding_find(&newest->seal, b->name) == NULL);
}

int
held_check_numbers(
    const struct repo_list *l, const char *series, bool accept_unsigned, struct err *e)
{
	const struct repo_backup *newest = repo_newest(l, series, accept_unsigned);

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (is_lost(b, newest, series) && b->why->kind == ERR_SYS &&
		    (b->why->sys == EACCES || b->why->sys == EPERM))
			return err_set(e, ERR_SYS,
			    "%s: so its number is not known, and must not be given twice: it was "
			    "made under another account; chown the repository's files to the one "
			    "that backs up",
			    b->why->msg);
	}
	return 0;
}

/*
 * A stranger may be one of ours as soon as its key is named, the one from before a rotation, and
 * then the newest has to be the newest.  Up to a bound, so that who plants a seal cannot use all
 * numbers up.
 */
#define STRANGER_MAX (UINT64_C(1) << 48)

static uint64_t
last_sequence(const struct repo_list *l, const char *series, const struct repo_backup *newest)
{
	uint64_t last = newest != NULL ? newest->seal.sequence : 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (b->state != REPO_BAD && strcmp(b->seal.series, series) == 0 &&
		    b->seal.sequence > last && b->seal.sequence < STRANGER_MAX)
			last = b->seal.sequence;
	}
	return last;
}

uint64_t
held_sequence(const struct repo_list *l, const char *series, bool accept_unsigned)
{
	const struct repo_backup *newest = repo_newest(l, series, accept_unsigned);
	uint64_t last = last_sequence(l, series, newest), sequence = 1;

	for (size_t i = 0; i < l->n; i++)
		sequence += is_lost(&l->backups[i], newest, series);
	if (last > 0)
		return last + sequence;
	for (size_t i = 0; i < l->n_unsealed; i++)
		sequence += of_series(l->unsealed[i], series);
	return sequence;
}

/* Why a backup of the series, with a seal that can be read, is not built on; NULL: it is, or is
 * none. */
static const char *
stranger(const struct repo_backup *b, const char *series, bool accept_unsigned)
{
	if (b->state == REPO_BAD || strcmp(b->seal.series, series) != 0 ||
	    repo_counts(b, series, accept_unsigned))
		return NULL;
	return b->state == REPO_UNSIGNED ? "not signed" : b->why->msg;
}

static void
warn_strangers(const struct repo_backup *b, size_t n, const char *why)
{
	bool unknown = strncmp(why, "unknown key", 11) == 0;

	if (n == 1)
		log_warn("backup %s is left alone, and not held: %s%s", b->name, why,
		    unknown ? "; --trust with its public key takes it in" : "");
	else
		log_warn("%zu backups, %s to %s, are left alone, and not held: %s%s", n, b->name,
		    b[n - 1].name, why,
		    unknown ? "; --trust with its public key takes them in" : "");
}

/* After a change of keys they are many, one after the other: one line says it. */
static void
warn_backups(const struct repo_list *l, const char *series, bool accept_unsigned)
{
	const char *why, *next;

	for (size_t i = 0, n; i < l->n; i += n) {
		const struct repo_backup *b = &l->backups[i];

		n = 1;
		if (b->state == REPO_BAD && of_series(b->name, series))
			log_warn("backup %s is left alone: %s", b->name, b->why->msg);
		if ((why = stranger(b, series, accept_unsigned)) == NULL)
			continue;
		while (i + n < l->n && (next = stranger(b + n, series, accept_unsigned)) != NULL &&
		    strcmp(next, why) == 0)
			n++;
		warn_strangers(b, n, why);
	}
}

static void
warn_unsealed(const struct repo_list *l, const char *series, const char *repo_dir)
{
	size_t n = 0;
	const char *first = NULL;

	for (size_t i = 0; i < l->n_unsealed; i++) {
		if (!of_series(l->unsealed[i], series) || repo_was_imported(l, l->unsealed[i]))
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
	const struct repo_backup *newest;

	warn_backups(l, series, accept_unsigned);
	if ((newest = repo_newest(l, series, accept_unsigned)) != NULL)
		holding_warn_gone(l, newest);
	warn_unsealed(l, series, repo_dir);
}
