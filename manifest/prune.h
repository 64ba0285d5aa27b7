/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_PRUNE_H
#define MANIFEST_PRUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "manifest/cmd.h"
#include "store/retain.h"

struct key;
struct opt_common;

/*
 * Pruning by hand: the plan (prune_plan.c), its execution (cmd_prune.c), and how it is told
 * (prune_report.c).
 */
enum prune_fate {
	PRUNE_KEEP,
	PRUNE_REMOVE, /* what goes; after the run: what was removed */
	PRUNE_HELD, /* should go, but the newest seal holds it and nobody can seal it anew */
	PRUNE_FAILED, /* could not be removed */
};

struct prune {
	/* Given: */
	const struct cmd_repo *repo;
	const struct key *key; /* NULL: none */
	bool is_unsigned, dry_run;
	struct retain_policy policy; /* by options, or of the newest seal */
	/* The plan: */
	const struct repo_backup *newest; /* of the series; its series and holds count */
	bool policy_of_seal;
	struct retain_set set;
	enum prune_fate *fates; /* of each item */
	char **errors; /* of each that failed */
	bool *goes; /* of each: is to be out of the newest seal */
	size_t n_remove, n_held, n_failed;
	bool needs_seal; /* some that go are held: the newest must be sealed anew first */
	bool can_seal; /* by key, or unsigned */
};

/* Which series, which rules: newest and policy.  All-zero but what is given; prune_done() after. */
int prune_rules(struct prune *p, struct err *e);
/* Then what goes, by what the catalog knows of verify's runs. */
int prune_plan(struct prune *p, struct err *e);
void prune_done(struct prune *p);

/* On stderr, beforehand: by which rules. */
void prune_tell_policy(const struct prune *p);
/* The result, on stdout. */
int prune_report(const struct prune *p, const struct opt_common *common, bool null, struct err *e);

#endif
