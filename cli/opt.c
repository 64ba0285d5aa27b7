/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "cli/priv.h"
#include "core/err.h"

static const char *const progress_modes[] = {"auto", "none", "plain", "json", NULL};

void
opt_all_init(struct opt_all *all, const struct opt_program *prog, struct opt_common *common)
{
	const struct opt table[OPT_COMMON_N] = {
	    {.name = "json",
		.kind = OPT_FLAG,
		.help = "print the result as one JSON document",
		.value = &common->json},
	    {.name = "progress",
		.kind = OPT_CHOICE,
		.arg = "MODE",
		.help = "how to show progress on standard error",
		.value = &common->progress,
		.choices = progress_modes},
	    {.name = "quiet",
		.letter = 'q',
		.kind = OPT_FLAG,
		.help = "print warnings and errors only",
		.value = &common->quiet},
	    {.name = "verbose",
		.letter = 'v',
		.kind = OPT_FLAG,
		.help = "say more",
		.value = &common->verbose},
	    {.name = "help",
		.letter = 'h',
		.kind = OPT_FLAG,
		.help = "print this text",
		.value = &all->help},
	    {.name = "version",
		.kind = OPT_FLAG,
		.help = "print the version",
		.value = &all->version},
	};

	all->prog = prog;
	all->help = all->version = false;
	for (all->n_prog = 0; prog->opts[all->n_prog].name != NULL; all->n_prog++)
		;
	all->n = all->n_prog + OPT_COMMON_N;
	assert(all->n <= OPT_ALL_MAX);
	memcpy(all->common, table, sizeof(table));
}

const struct opt *
opt_all_at(const struct opt_all *all, size_t i)
{
	return i < all->n_prog ? &all->prog->opts[i] : &all->common[i - all->n_prog];
}

/*
 * The command line, one option or argument at a time.  It is gone through
 * twice: first for errors of form and for --help, which must see the defaults
 * untouched; then values are set.
 */
struct cursor {
	const struct opt_all *all;
	char **argv;
	int argc, at;
	const char *letters; /* rest of "-abc" */
	bool only_args; /* after "--" */
};

struct token {
	size_t index; /* of the option */
	const struct opt *opt; /* NULL: an argument */
	const char *value; /* NULL: a flag without one */
	char name[64]; /* "--jobs" */
};

static int
unknown_option(const struct opt_all *all, const char *typed, size_t len, struct err *e)
{
	struct opt_near near;

	opt_near_init(&near, typed, len);
	for (size_t i = 0; i < all->n; i++)
		opt_near_try(&near, opt_all_at(all, i)->name);
	if (near.best != NULL)
		return err_set(e, ERR_USAGE, "unknown option --%.*s; did you mean --%s?", (int)len,
		    typed, near.best);
	return err_set(e, ERR_USAGE, "unknown option --%.*s (--help lists them)", (int)len, typed);
}

/* The value in the next word. */
static int
take_value(struct cursor *c, struct token *t, struct err *e)
{
	const char *arg = t->opt->arg != NULL ? t->opt->arg : "a value";

	if (c->at >= c->argc)
		return err_set(e, ERR_USAGE, "%s wants %s", t->name, arg);
	t->value = c->argv[c->at++];
	if (strncmp(t->value, "--", 2) != 0)
		return 0;
	return err_set(e, ERR_USAGE,
	    "%s wants %s, and \"%s\" looks like an option (else write --%s=%s)", t->name, arg,
	    t->value, t->opt->name, t->value);
}

static int
next_long(struct cursor *c, const char *word, struct token *t, struct err *e)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < c->all->n; i++) {
		const struct opt *o = opt_all_at(c->all, i);

		if (strlen(o->name) != len || memcmp(o->name, word, len) != 0)
			continue;
		*t = (struct token){.index = i, .opt = o};
		(void)snprintf(t->name, sizeof(t->name), "--%s", o->name);
		if (word[len] == '=')
			t->value = word + len + 1;
		else if (o->kind != OPT_FLAG)
			return take_value(c, t, e);
		return 0;
	}
	return unknown_option(c->all, word, len, e);
}

static int
next_letter(struct cursor *c, struct token *t, struct err *e)
{
	char letter = *c->letters++;

	for (size_t i = 0; i < c->all->n; i++) {
		const struct opt *o = opt_all_at(c->all, i);

		if (o->letter != letter)
			continue;
		*t = (struct token){.index = i, .opt = o};
		(void)snprintf(t->name, sizeof(t->name), "-%c", letter);
		if (o->kind == OPT_FLAG)
			return 0;
		if (c->letters[0] == '\0')
			return take_value(c, t, e);
		t->value = c->letters;
		c->letters = "";
		return 0;
	}
	return err_set(e, ERR_USAGE, "unknown option -%c (--help lists them)", letter);
}

/* 1: a token; 0: the end; -1. */
static int
next_token(struct cursor *c, struct token *t, struct err *e)
{
	if (c->letters != NULL && c->letters[0] != '\0')
		return next_letter(c, t, e) < 0 ? -1 : 1;
	if (c->at >= c->argc)
		return 0;
	const char *word = c->argv[c->at++];
	if (!c->only_args && strcmp(word, "--") == 0) {
		c->only_args = true;
		return next_token(c, t, e);
	}
	if (c->only_args || word[0] != '-' || word[1] == '\0') {
		*t = (struct token){.value = word};
		return 1;
	}
	if (word[1] == '-')
		return next_long(c, word + 2, t, e) < 0 ? -1 : 1;
	c->letters = word + 1;
	return next_letter(c, t, e) < 0 ? -1 : 1;
}

static struct cursor
cursor_at_start(const struct opt_all *all, int argc, char **argv)
{
	return (struct cursor){.all = all, .argv = argv, .argc = argc, .at = 1};
}

/* 1: --help or --version was served. */
static int
check_form(struct opt_all *all, int argc, char **argv, struct err *e)
{
	struct cursor c = cursor_at_start(all, argc, argv);
	struct token t;
	int rc;

	while ((rc = next_token(&c, &t, e)) == 1) {
		if (t.opt == NULL || (t.opt->value != &all->help && t.opt->value != &all->version))
			continue;
		if (t.opt->value == &all->help)
			opt_help(all->prog);
		else
			(void)printf("%s (Tarseal) %s\n", all->prog->name, tarseal_version);
		return 1;
	}
	return rc;
}

static int
set_values(const struct opt_all *all, int argc, char **argv, struct opt_list *args, bool *seen,
    struct err *e)
{
	struct cursor c = cursor_at_start(all, argc, argv);
	struct token t;
	int rc;

	while ((rc = next_token(&c, &t, e)) == 1) {
		if (t.opt == NULL)
			rc = opt_list_add(args, t.value, e);
		else if (seen[t.index] && t.opt->kind != OPT_LIST && t.opt->kind != OPT_FLAG)
			rc = err_set(e, ERR_USAGE, "%s is given twice", t.name);
		else
			rc = opt_set(t.opt, t.value != NULL ? t.value : "yes", t.name, e);
		if (rc < 0)
			return -1;
		if (t.opt != NULL)
			seen[t.index] = true;
	}
	return rc;
}

static int
check_count(const struct opt_program *prog, const struct opt_list *args, struct err *e)
{
	const char *what = prog->args_name != NULL ? prog->args_name : "argument";

	if (args->n < prog->min_args)
		return err_set(e, ERR_USAGE, "%s is missing (see --help)", what);
	if (args->n > prog->max_args)
		return err_set(e, ERR_USAGE, "unexpected argument \"%s\" (see --help)",
		    args->items[prog->max_args]);
	return 0;
}

int
opt_parse(const struct opt_program *prog, struct opt_common *common, int argc, char **argv,
    struct opt_list *args, struct err *e)
{
	struct opt_all all;
	bool seen[OPT_ALL_MAX] = {false};
	int rc;

	*args = (struct opt_list){0};
	opt_all_init(&all, prog, common);
	if ((rc = check_form(&all, argc, argv, e)) != 0)
		return rc;
	if (set_values(&all, argc, argv, args, seen, e) < 0)
		goto fail;
	if (opt_env_apply(&all, seen, e) < 0 || check_count(prog, args, e) < 0)
		goto fail;
	if (common->quiet && common->verbose) {
		(void)err_set(e, ERR_USAGE, "--quiet and --verbose exclude each other");
		goto fail;
	}
	opt_env_warn(&all);
	return 0;
fail:
	opt_list_done(args);
	return -1;
}
