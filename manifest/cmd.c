/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/entry.h"
#include "catalog/catalog.h"
#include "cli/opt_near.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "seal/key.h"

/* clang-format off: a line for each */
const struct cmd *const cmd_all[] = {
    &cmd_list,
    &cmd_show,
    &cmd_ls,
    &cmd_find,
    &cmd_history,
    &cmd_diff,
    &cmd_stats,
    &cmd_copy,
    &cmd_prune,
    &cmd_hold,
    &cmd_release,
    &cmd_import,
    &cmd_rebuild,
    &cmd_keygen,
    NULL,
};

const struct opt_program *const cmd_programs[] = {
    &cmd_list_program,
    &cmd_show_program,
    &cmd_ls_program,
    &cmd_find_program,
    &cmd_history_program,
    &cmd_diff_program,
    &cmd_stats_program,
    &cmd_copy_program,
    &cmd_prune_program,
    &cmd_hold_program,
    &cmd_release_program,
    &cmd_import_program,
    &cmd_rebuild_program,
    &cmd_keygen_program,
    NULL,
};
/* clang-format on */

/* ---- the program ---- */

static void
help(void)
{
	printf("usage: manifest COMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Asks what is in a repository of sealed backups, copies, prunes and imports\n"
	       "them, and makes keys.\n\n"
	       "Commands (manifest COMMAND --help tells more):\n");
	for (const struct cmd *const *c = cmd_all; *c != NULL; c++)
		printf("  %-9s %s\n", (*c)->name, (*c)->summary);
	printf("\n  -h, --help     this text\n"
	       "      --version  the version\n");
}

/* What other programs call it; by its letters alone "delete" would be near to "release". */
static const char *
other_word(const char *name)
{
	static const char *const remove_words[] = {"delete", "remove", "rm", "forget"};

	for (size_t i = 0; i < sizeof(remove_words) / sizeof(remove_words[0]); i++)
		if (strcmp(name, remove_words[i]) == 0)
			return "prune";
	return NULL;
}

static const struct cmd *
find_command(const char *name, struct err *e)
{
	struct opt_near near;

	opt_near_init(&near, name, strlen(name));
	for (const struct cmd *const *c = cmd_all; *c != NULL; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
		opt_near_try(&near, (*c)->name);
	}
	if (other_word(name) != NULL)
		near.best = other_word(name);
	if (name[0] == '-')
		(void)err_set(
		    e, ERR_USAGE, "the command comes before %s (see manifest --help)", name);
	else if (near.best != NULL)
		(void)err_set(e, ERR_USAGE, "no command \"%s\"; did you mean %s?", name, near.best);
	else
		(void)err_set(e, ERR_USAGE, "no command \"%s\" (see manifest --help)", name);
	return NULL;
}

static void
no_command(struct err *e)
{
	struct buf names = {0};

	for (const struct cmd *const *c = cmd_all; *c != NULL; c++)
		buf_printf(&names, "%s%s", c == cmd_all ? "" : ", ", (*c)->name);
	(void)err_set(e, ERR_USAGE, "which command? %s (see manifest --help)", buf_str(&names));
	buf_done(&names);
}

static int
run(const struct cmd *c, int argc, char **argv, struct err *e)
{
	struct opt_common common = {0};
	struct opt_list args = {0};
	enum cli_status status = CLI_OK;
	int rc = opt_parse(c->program, &common, argc, argv, &args, e);

	if (rc == 0) {
		cli_apply("manifest", &common);
		status = c->run(&common, &args, e);
	}
	opt_list_done(&args);
	return cli_exit("manifest", e, status);
}

/* "manifest help [COMMAND]": many type that first. */
static int
help_about(const char *name, struct err *e)
{
	char option[] = "--help", *words[] = {NULL, option, NULL};
	const struct cmd *c;

	if (name == NULL)
		help();
	else if ((c = find_command(name, e)) != NULL)
		return run(c, 2, words, e);
	return cli_exit("manifest", e, CLI_OK);
}

int
cmd_main(int argc, char **argv)
{
	const struct cmd *c;
	struct err e = {0};

	if (argc < 2)
		no_command(&e);
	else if (strcmp(argv[1], "help") == 0)
		return help_about(argv[2], &e);
	else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		help();
	else if (strcmp(argv[1], "--version") == 0)
		printf("manifest (Tarseal) %s\n", tarseal_version);
	else if ((c = find_command(argv[1], &e)) != NULL)
		return run(c, argc - 1, argv + 1, &e);
	return cli_exit("manifest", &e, CLI_OK);
}

/* ---- the repository ---- */

static int
load_trust(struct cmd_repo *r, struct err *e)
{
	if (r->opts->trust == NULL) {
		if (r->trust == NULL)
			log_note("without --trust nothing is authenticated: "
				 "seals and manifests are taken as they are");
		return 0;
	}
	if ((r->trust == NULL && trust_new(&r->trust, e) != 0) ||
	    trust_load(r->trust, r->opts->trust, e) != 0)
		return -1;
	return 0;
}

int
cmd_repo_open(struct cmd_repo *r, const struct cmd_repo_opts *opts, struct err *e)
{
	r->opts = opts;
	if (opts->repo == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (opts->series != NULL && !seal_name_ok(opts->series))
		return err_set(e, ERR_USAGE, "--series %s: is not a series' name", opts->series);
	if (clock_zone_set(opts->timezone, e) != 0 || repo_open(&r->repo, opts->repo, e) != 0)
		return -1;
	if (load_trust(r, e) != 0)
		return -1;
	return repo_list(r->repo, r->trust, &r->list, e);
}

void
cmd_repo_done(struct cmd_repo *r)
{
	repo_list_done(&r->list);
	trust_free(r->trust);
	repo_close(r->repo);
}

bool
cmd_repo_wanted(const struct cmd_repo *r, const struct repo_backup *b)
{
	/* Nobody knows the series of a bad seal; it concerns everybody. */
	return r->opts->series == NULL || b->state == REPO_BAD ||
	    strcmp(r->opts->series, b->seal.series) == 0;
}

const char *
cmd_signature_name(const struct cmd_repo *r, const struct repo_backup *b)
{
	static const char *const names[] = {"trusted", "unsigned", "untrusted", "bad"};

	if (b->state == REPO_UNTRUSTED && r->trust == NULL)
		return "unchecked";
	return names[b->state];
}

void
cmd_repo_for_queries(struct cmd_repo *r)
{
	if (r->trust == NULL)
		repo_list_unchecked(&r->list);
	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];

		if (!cmd_repo_wanted(r, b))
			continue;
		else if (b->state == REPO_UNTRUSTED || b->state == REPO_BAD)
			log_warn("left out: %s: %s", b->name, b->why != NULL ? b->why->msg : "bad");
		else if (b->state == REPO_UNSIGNED && r->trust != NULL)
			log_warn("left out: %s: is not signed", b->name);
	}
}

int
cmd_repo_pick(const struct cmd_repo *r, const struct cmd_pick_opts *p, bool want_default,
    const struct repo_backup **out, struct err *e)
{
	const struct repo_pick pick = {
	    .series = r->opts->series, .accept_unsigned = r->trust == NULL};
	struct timespec t;
	int rc = 0;

	*out = NULL;
	if (p->backup != NULL && p->as_of != NULL)
		return err_set(e, ERR_USAGE, "--backup and --as-of exclude each other");
	if (p->as_of != NULL) {
		if (clock_parse(p->as_of, &t, e) != 0)
			return err_where(e, "--as-of");
		rc = repo_find_as_of(&r->list, &pick, t, out, e);
	} else if (p->backup != NULL || want_default)
		rc = repo_find(&r->list, &pick, p->backup != NULL ? p->backup : "latest", out, e);
	if (rc != 0 && e->kind == ERR_NOTFOUND)
		return err_where(e, "repository %s", r->opts->repo);
	return rc;
}

int
cmd_repo_none(const struct cmd_repo *r, struct err *e)
{
	(void)repo_find_none(&r->list, r->opts->series, e);
	return err_where(e, "repository %s", r->opts->repo);
}

int
cmd_repo_some(const struct cmd_repo *r, struct err *e)
{
	for (size_t i = 0; i < r->list.n; i++)
		if (r->list.backups[i].state != REPO_BAD && cmd_repo_wanted(r, &r->list.backups[i]))
			return 0;
	return cmd_repo_none(r, e);
}

static int
open_catalog(struct cmd_repo *r, const struct repo_backup *only, bool from_manifests,
    struct catalog **out, struct err *e)
{
	struct repo_list one = {.n = 1};

	if (!from_manifests)
		return catalog_open_query(out, r->repo, &r->list, e);
	if (only == NULL)
		return catalog_open_manifests(out, r->repo, &r->list, e);
	/* A list of one, borrowed for the call. */
	one.backups = &r->list.backups[only - r->list.backups];
	return catalog_open_manifests(out, r->repo, &one, e);
}

int
cmd_repo_catalog(struct cmd_repo *r, const struct repo_backup *only, bool from_manifests,
    struct catalog **out, struct err *e)
{
	cmd_repo_for_queries(r);
	if (open_catalog(r, only, from_manifests, out, e) != 0)
		return -1;
	/* The catalog has them, as backup put them there; here they have no say. */
	for (size_t i = 0; r->trust != NULL && i < r->list.n; i++)
		if (r->list.backups[i].state == REPO_UNSIGNED &&
		    catalog_exclude(*out, r->list.backups[i].name, e) != 0)
			return -1;
	return 0;
}

/* ---- output ---- */

void
cmd_json_begin(struct json *j, const char *name)
{
	char type[64];

	(void)snprintf(type, sizeof(type), "tarseal-manifest-%s", name);
	json_init(j, stdout);
	json_object(j, NULL);
	json_str(j, "type", type);
	json_uint(j, "version", 1);
}

void
cmd_json_time(struct json *j, const char *key, int64_t sec, uint32_t nsec)
{
	char text[64], whole[96];
	size_t len;

	clock_rfc3339((time_t)sec, text);
	len = strlen(text);
	if (nsec == 0 || len == 0 || text[len - 1] != 'Z') {
		json_str(j, key, text);
		return;
	}
	text[len - 1] = '\0';
	(void)snprintf(whole, sizeof(whole), "%s.%09" PRIu32 "Z", text, nsec);
	json_str(j, key, whole);
}

void
cmd_json_path(struct json *j, const char *key, const char *path, size_t len)
{
	json_path(j, key, len > 0 ? path : ".", len > 0 ? len : 1);
}

void
cmd_json_digest(struct json *j, const char *key, const uint8_t *digest)
{
	char hex[SHA256_HEX_LEN + 1];

	if (digest != NULL)
		sha256_hex(digest, hex);
	json_str(j, key, digest != NULL ? hex : NULL);
}

void
cmd_age(time_t then, char out[32])
{
	static const struct {
		int64_t from, unit; /* shown in this unit from so many seconds on */
		char letter;
	} steps[] = {{2 * 86400, 86400, 'd'}, {3600, 3600, 'h'}, {60, 60, 'm'}, {0, 1, 's'}};
	int64_t age = (int64_t)clock_now().tv_sec - (int64_t)then;
	size_t i = 0;

	if (age < 0) {
		(void)snprintf(out, 32, "future");
		return;
	}
	while (age < steps[i].from)
		i++;
	(void)snprintf(out, 32, "%" PRId64 "%c", age / steps[i].unit, steps[i].letter);
}

void
cmd_mode(int type, unsigned mode, char out[12])
{
	const char *letters = "rwxrwxrwx";

	out[0] = type == ENTRY_FILE ? '-' : (char)type;
	for (int i = 0; i < 9; i++)
		out[1 + i] = (mode & (0400u >> i)) != 0 ? letters[i] : '-';
	if ((mode & 04000) != 0)
		out[3] = out[3] == 'x' ? 's' : 'S';
	if ((mode & 02000) != 0)
		out[6] = out[6] == 'x' ? 's' : 'S';
	if ((mode & 01000) != 0)
		out[9] = out[9] == 'x' ? 't' : 'T';
	out[10] = '\0';
}

const char *
cmd_level_name(int level)
{
	static const char *const names[] = {
	    [CATALOG_QUICK] = "quick",
	    [CATALOG_STANDARD] = "standard",
	    [CATALOG_DEEP] = "deep",
	    [CATALOG_DRILL] = "drill",
	};

	return names[level];
}
