/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/priv.h"
#include "core/buf.h"
#include "core/num.h"

/*
 *   -j, --jobs N        worker threads (1..256, default: 2) [TARSEAL_JOBS]
 *       --level LEVEL   how much to check (...)
 *
 * wrapped at a fixed width, so that the text is the same everywhere.
 */
#define HELP_WIDTH 80
#define HELP_COLUMN_MAX 30

static void
left_part(const struct opt *o, struct buf *out)
{
	buf_clear(out);
	if (o->letter != 0)
		buf_printf(out, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(out, "      --%s", o->name);
	if (o->kind != OPT_FLAG)
		buf_printf(out, " %s", o->arg != NULL ? o->arg : "VALUE");
}

/* The largest unit that divides it: 93600 is "26h". */
static void
put_duration(struct buf *out, uint64_t s)
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (s % units[i].seconds != 0)
		i++;
	buf_printf(out, "%llu%c", (unsigned long long)(s / units[i].seconds), units[i].unit);
}

/* What the value may be, without the parentheses. */
static void
put_bounds(const struct opt *o, struct buf *out)
{
	if (o->kind == OPT_CHOICE)
		for (size_t i = 0; o->choices[i] != NULL; i++)
			buf_printf(out, "%s%s", i > 0 ? "|" : "", o->choices[i]);
	else if (o->kind == OPT_UINT && o->max != 0)
		buf_printf(
		    out, "%llu..%llu", (unsigned long long)o->min, (unsigned long long)o->max);
	else if (o->kind == OPT_LIST)
		buf_puts(out, "may be given again");
}

/* Zero and NULL say "not set", which the help text itself explains where it matters. */
static void
put_default(const struct opt *o, struct buf *out)
{
	const char *s;

	switch (o->kind) {
	case OPT_STRING:
		s = *(const char **)o->value;
		if (s != NULL)
			buf_puts(out, s);
		break;
	case OPT_UINT:
		if (*(uint64_t *)o->value != 0)
			buf_printf(out, "%llu", (unsigned long long)*(uint64_t *)o->value);
		break;
	case OPT_CHOICE:
		if (*(int *)o->value >= 0)
			buf_puts(out, o->choices[*(int *)o->value]);
		break;
	case OPT_DURATION:
		if (*(uint64_t *)o->value != 0)
			put_duration(out, *(uint64_t *)o->value);
		break;
	case OPT_FLAG:
	case OPT_LIST:
		break;
	}
}

static void
right_part(const struct opt_program *prog, const struct opt *o, struct buf *out)
{
	struct buf bounds = {0}, def = {0}, env = {0};

	put_bounds(o, &bounds);
	put_default(o, &def);
	opt_env_name(prog, o, &env);
	buf_clear(out);
	buf_puts(out, o->help);
	if (bounds.len > 0 || def.len > 0) {
		buf_printf(out, " (%s", buf_str(&bounds));
		if (def.len > 0)
			buf_printf(out, "%sdefault: %s", bounds.len > 0 ? ", " : "", buf_str(&def));
		buf_puts(out, ")");
	}
	if (env.len > 0)
		buf_printf(out, " [%s]", buf_str(&env));
	buf_done(&bounds);
	buf_done(&def);
	buf_done(&env);
}

/* Words of text from column on; the cursor stands at column already. */
static void
put_wrapped(const char *text, size_t column)
{
	size_t at = column;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (at > column && at + 1 + len > HELP_WIDTH) {
			(void)printf("\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			(void)putchar(' ');
			at++;
		}
		(void)fwrite(text, 1, len, stdout);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

static size_t
help_column(const struct opt_all *all, struct buf *left)
{
	size_t column = 0;

	for (size_t i = 0; i < all->n; i++) {
		left_part(opt_all_at(all, i), left);
		if (left->len + 2 > column && left->len + 2 <= HELP_COLUMN_MAX)
			column = left->len + 2;
	}
	return column;
}

void
opt_help(const struct opt_program *prog)
{
	struct opt_common common = {0};
	struct opt_all all;
	struct buf left = {0}, right = {0};

	opt_all_init(&all, prog, &common);
	(void)printf("Usage: %s %s\n\n", prog->name, prog->synopsis);
	put_wrapped(prog->description, 0);
	(void)printf("\nOptions:\n");
	size_t column = help_column(&all, &left);
	for (size_t i = 0; i < all.n; i++) {
		left_part(opt_all_at(&all, i), &left);
		right_part(prog, opt_all_at(&all, i), &right);
		(void)fputs(buf_str(&left), stdout);
		if (left.len + 2 > column)
			(void)printf("\n%*s", (int)column, "");
		else
			(void)printf("%*s", (int)(column - left.len), "");
		put_wrapped(buf_str(&right), column);
	}
	buf_done(&left);
	buf_done(&right);
}
