/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/priv.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/log.h"

#define ENV_PREFIX "TARSEAL_"

static const char *const shared[] = {"TARSEAL_REPO", "TARSEAL_TRUST", "TARSEAL_KEY",
    "TARSEAL_SERIES", "TARSEAL_TIMEZONE", "TARSEAL_JOBS", NULL};
static const char *const programs[] = {"BACKUP", "VERIFY", "RESTORE", "MANIFEST", NULL};

/* "TARSEAL_MANIFEST_" for "manifest find". */
static void
env_prefix(const struct opt_program *prog, struct buf *out)
{
	buf_puts(out, ENV_PREFIX);
	for (const char *s = prog->name; *s != '\0' && *s != ' '; s++)
		buf_putc(out, (char)toupper((unsigned char)*s));
	buf_putc(out, '_');
}

void
opt_env_name(const struct opt_program *prog, const struct opt *o, struct buf *out)
{
	buf_clear(out);
	if (o->env != NULL) {
		buf_puts(out, o->env);
		return;
	}
	if (strcmp(o->name, "help") == 0 || strcmp(o->name, "version") == 0)
		return;
	env_prefix(prog, out);
	for (const char *s = o->name; *s != '\0'; s++)
		buf_putc(out, *s == '-' ? '_' : (char)toupper((unsigned char)*s));
}

int
opt_env_apply(const struct opt_all *all, const bool *seen, struct err *e)
{
	struct buf name = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < all->n; i++) {
		const struct opt *o = opt_all_at(all, i);

		if (seen[i])
			continue;
		opt_env_name(all->prog, o, &name);
		if ((rc = buf_check(&name, e)) < 0 || name.len == 0)
			continue;
		const char *value = getenv(buf_str(&name));
		if (value == NULL || value[0] == '\0')
			continue;
		if (o->kind == OPT_LIST)
			rc = opt_set_lines(o->value, value, e);
		else
			rc = opt_set(o, value, buf_str(&name), e);
	}
	buf_done(&name);
	return rc;
}

static bool
is_shared(const char *name, size_t len)
{
	for (size_t i = 0; shared[i] != NULL; i++)
		if (strlen(shared[i]) == len && memcmp(shared[i], name, len) == 0)
			return true;
	return false;
}

static bool
is_option_of(const struct opt_program *prog, const char *name, size_t len, struct buf *tmp)
{
	for (const struct opt *o = prog->opts; o->name != NULL; o++) {
		opt_env_name(prog, o, tmp);
		if (tmp->len == len && memcmp(tmp->data, name, len) == 0)
			return true;
	}
	return false;
}

static bool
is_own(const struct opt_all *all, const char *name, size_t len, struct buf *tmp)
{
	for (size_t i = 0; i < OPT_COMMON_N; i++) {
		opt_env_name(all->prog, &all->common[i], tmp);
		if (tmp->len == len && memcmp(tmp->data, name, len) == 0)
			return true;
	}
	if (is_option_of(all->prog, name, len, tmp))
		return true;
	for (size_t i = 0; all->prog->siblings != NULL && all->prog->siblings[i] != NULL; i++)
		if (is_option_of(all->prog->siblings[i], name, len, tmp))
			return true;
	return false;
}

/* A name for a program that we are not, and whose options we do not know. */
static bool
is_others(const struct opt_all *all, const char *name, size_t len, struct buf *tmp)
{
	const struct opt_program *prog = all->prog;
	bool knows_all = prog->siblings != NULL || strchr(prog->name, ' ') == NULL;

	buf_clear(tmp);
	env_prefix(prog, tmp);
	if (len > tmp->len && memcmp(name, tmp->data, tmp->len) == 0)
		return !knows_all;
	name += strlen(ENV_PREFIX);
	len -= strlen(ENV_PREFIX);
	for (size_t i = 0; programs[i] != NULL; i++) {
		size_t n = strlen(programs[i]);
		if (len > n && memcmp(name, programs[i], n) == 0 && name[n] == '_')
			return true;
	}
	return false;
}

/* " (TARSEAL_REPO?)" when a known name is near. */
static void
add_nearest(const struct opt_all *all, const char *name, size_t len, struct buf *out)
{
	struct opt_near near;
	struct buf names[OPT_ALL_MAX] = {0};

	/* The prefix that all have in common may not make everything look alike. */
	opt_near_init(&near, name + strlen(ENV_PREFIX), len - strlen(ENV_PREFIX));
	for (size_t i = 0; shared[i] != NULL; i++)
		opt_near_try(&near, shared[i] + strlen(ENV_PREFIX));
	for (size_t i = 0; i < all->n; i++) {
		opt_env_name(all->prog, opt_all_at(all, i), &names[i]);
		if (names[i].len > strlen(ENV_PREFIX))
			opt_near_try(&near, buf_str(&names[i]) + strlen(ENV_PREFIX));
	}
	if (near.best != NULL)
		buf_printf(out, " (" ENV_PREFIX "%s?)", near.best);
	for (size_t i = 0; i < all->n; i++)
		buf_done(&names[i]);
}

void
opt_env_warn(const struct opt_all *all)
{
	struct buf list = {0}, tmp = {0};

	for (char **p = environ; p != NULL && *p != NULL; p++) {
		const char *name = *p;
		size_t len = strcspn(name, "=");

		if (len <= strlen(ENV_PREFIX) || strncmp(name, ENV_PREFIX, strlen(ENV_PREFIX)) != 0)
			continue;
		if (is_shared(name, len) || is_own(all, name, len, &tmp) ||
		    is_others(all, name, len, &tmp))
			continue;
		if (list.len > 0)
			buf_puts(&list, ", ");
		buf_append(&list, name, len);
		add_nearest(all, name, len, &list);
	}
	if (list.len > 0)
		log_warn("not known, in the environment: %s", buf_str(&list));
	buf_done(&list);
	buf_done(&tmp);
}
