/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/proven.h"
#include "cli/opt_keep.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "manifest/prune.h"
#include "seal/key.h"
#include "store/holding.h"

static struct cmd_repo_opts repo_opts;
static struct retain_policy keep;
static const char *key_file;
static bool is_unsigned, dry_run, null;
static uint64_t wait_lock;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    OPT_KEEP_ROWS(&keep),
    {"key", 'k', OPT_STRING, "FILE", "the private key that seals the newest backup anew", &key_file,
	"TARSEAL_KEY", 0, 0, NULL},
    {"unsigned", 0, OPT_FLAG, NULL, "unsigned backups count too, and the seal gets no signature",
	&is_unsigned, NULL, 0, 0, NULL},
    {"dry-run", 'n', OPT_FLAG, NULL, "say what would go, and remove nothing", &dry_run, NULL, 0, 0,
	NULL},
    {"null", '0', OPT_FLAG, NULL, "names of what goes, each ended by a NUL", &null, NULL, 0, 0,
	NULL},
    CMD_WAIT_LOCK(&wait_lock),
    {0},
};

const struct opt_program cmd_prune_program = {
    .name = "manifest prune",
    .synopsis = "--repo DIR [--trust FILE] [--key FILE] [--keep-last N] [OPTION...]",
    .description =
	"Removes the backups of a series that the rules do not keep: those given here, "
	"or else those of the newest seal. The newest is sealed anew without them first, "
	"which takes the key.",
    .opts = options,
    .siblings = cmd_programs,
};

static int
check(struct err *e)
{
	if (key_file != NULL && is_unsigned)
		return err_set(e, ERR_USAGE, "--key and --unsigned exclude each other");
	if (key_file == NULL && repo_opts.trust == NULL && !is_unsigned)
		return err_set(e, ERR_USAGE,
		    "which backups count? --trust FILE (public keys), --key FILE, or --unsigned");
	return 0;
}

static int
open_repo(struct cmd_repo *r, struct key **key, struct err *e)
{
	if (key_file != NULL && key_load_ours(key, &r->trust, key_file, NULL, e) != 0)
		return -1;
	if (cmd_repo_open(r, &repo_opts, e) != 0)
		return -1;
	if (dry_run)
		return 0;
	if (repo_lock(r->repo, wait_lock, e) != 0 || repo_recover(r->repo, e) != 0)
		return -1;
	repo_list_done(&r->list); /* it was made without the lock */
	return repo_list(r->repo, r->trust, &r->list, e);
}

/* The catalog can be made again. */
static void
update_catalog(struct cmd_repo *r)
{
	struct repo_list now = {0}; /* the report still looks at the other one */
	struct err why = {0};

	if (repo_list(r->repo, r->trust, &now, &why) != 0 ||
	    catalog_update(r->repo, &now, &why) != 0)
		log_warn("catalog: %s; \"manifest rebuild\" makes it again", why.msg);
	repo_list_done(&now);
}

static void
remove_one(struct prune *p, size_t i)
{
	const struct repo_backup *b = p->set.items[i].backup;
	struct err why = {0};

	if (repo_prune(p->repo->repo, b->name, &why) == 0)
		return;
	log_warn("%s", why.msg);
	p->fates[i] = PRUNE_FAILED;
	p->errors[i] = strdup(why.msg);
	p->n_failed++;
	p->n_remove--;
}

/* Oldest first, so that what is left after a crash is what a shorter pruning would have left. */
static int
execute(struct cmd_repo *r, struct prune *p, struct err *e)
{
	if (p->n_remove == 0)
		return 0;
	holding_warn_gone(&r->list, p->newest);
	if (p->needs_seal &&
	    holding_reseal(r->repo, p->newest, &p->set, p->goes, &p->policy, p->key, e) != 0)
		return -1;
	for (size_t i = 0; i < p->set.n && stop_check(e) == 0; i++)
		if (p->fates[i] == PRUNE_REMOVE)
			remove_one(p, i);
	update_catalog(r);
	return e->kind == ERR_NONE ? 0 : -1;
}

static int
say_what_is_held(const struct prune *p, struct err *e)
{
	bool one = p->n_held == 1;

	if (p->n_held == 0)
		return 0;
	if (p->dry_run) {
		log_note("%zu of them %s held by %s, the newest: removing %s takes %s", p->n_held,
		    one ? "is" : "are", p->newest->name, one ? "it" : "them",
		    p->newest->seal.is_signed ? "--key FILE" : "--unsigned");
		return 0;
	}
	return err_set(e, ERR_USAGE,
	    "%zu backup%s that should go %s held by %s, the newest, which must be sealed anew "
	    "without %s first: add %s, or --dry-run to look only",
	    p->n_held, one ? "" : "s", one ? "is" : "are", p->newest->name, one ? "it" : "them",
	    p->newest->seal.is_signed ? "--key FILE (the private key)" : "--unsigned");
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct key *key = NULL;
	struct prune p = {.policy = keep, .is_unsigned = is_unsigned, .dry_run = dry_run};

	(void)args;
	p.repo = &r;
	if (check(e) != 0 || open_repo(&r, &key, e) != 0)
		goto out;
	p.key = key;
	if (prune_rules(&p, e) != 0)
		goto out;
	prune_tell_policy(&p);
	if (!dry_run && proven_is_behind(r.repo, p.newest->seal.text_digest))
		update_catalog(&r);
	if (prune_plan(&p, e) != 0)
		goto out;
	if (!dry_run && execute(&r, &p, e) != 0)
		goto out;
	if (prune_report(&p, common, null, e) == 0)
		(void)say_what_is_held(&p, e);
out:
	prune_done(&p);
	cmd_repo_done(&r);
	key_free(key);
	return p.n_failed > 0 ? CLI_WRONG : CLI_OK;
}

const struct cmd cmd_prune = {
    "prune", "remove backups that no rule keeps", &cmd_prune_program, run};
