/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/priv.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/num.h"

static int
set_uint(const struct opt *o, const char *value, const char *source, struct err *e)
{
	uint64_t max = o->max != 0 ? o->max : UINT64_MAX, v;

	if (num_u64(value, strlen(value), UINT64_MAX, &v) < 0) {
		if (o->max == 0)
			return err_set(e, ERR_USAGE, "%s: \"%s\" is not a number", source, value);
		return err_set(e, ERR_USAGE, "%s: \"%s\" is not a number in %llu..%llu", source,
		    value, (unsigned long long)o->min, (unsigned long long)o->max);
	}
	if (v >= o->min && v <= max) {
		*(uint64_t *)o->value = v;
		return 0;
	}
	if (o->max == 0)
		return err_set(e, ERR_USAGE, "%s: %s is less than %llu", source, value,
		    (unsigned long long)o->min);
	return err_set(e, ERR_USAGE, "%s: %s is not in %llu..%llu", source, value,
	    (unsigned long long)o->min, (unsigned long long)o->max);
}

static int
set_choice(const struct opt *o, const char *value, const char *source, struct err *e)
{
	struct buf all = {0};

	for (int i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], value) == 0) {
			buf_done(&all);
			*(int *)o->value = i;
			return 0;
		}
		if (i > 0)
			buf_puts(&all, ", ");
		buf_puts(&all, o->choices[i]);
	}
	(void)err_set(e, ERR_USAGE, "%s: \"%s\" is none of: %s", source, value, buf_str(&all));
	buf_done(&all);
	return -1;
}

static int
set_duration(const struct opt *o, const char *value, const char *source, struct err *e)
{
	uint64_t v;

	if (num_duration(value, &v, e) < 0)
		return err_where(e, "%s", source);
	if (v < o->min)
		return err_set(e, ERR_USAGE, "%s: %s is too short", source, value);
	*(uint64_t *)o->value = v;
	return 0;
}

int
opt_set_flag(const struct opt *o, const char *word, const char *source, struct err *e)
{
	static const char *const yes[] = {"1", "true", "yes"},
				 *const no[] = {"", "0", "false", "no"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcmp(word, yes[i]) == 0) {
			*(bool *)o->value = true;
			return 0;
		}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (strcmp(word, no[i]) == 0) {
			*(bool *)o->value = false;
			return 0;
		}
	return err_set(e, ERR_USAGE, "%s: \"%s\" is neither yes nor no", source, word);
}

int
opt_set(const struct opt *o, const char *value, const char *source, struct err *e)
{
	if (o->kind != OPT_FLAG && value[0] == '\0')
		return err_set(e, ERR_USAGE, "%s: empty", source);
	switch (o->kind) {
	case OPT_FLAG:
		return opt_set_flag(o, value, source, e);
	case OPT_STRING:
		*(const char **)o->value = value;
		return 0;
	case OPT_UINT:
		return set_uint(o, value, source, e);
	case OPT_LIST:
		return opt_list_add(o->value, value, e);
	case OPT_CHOICE:
		return set_choice(o, value, source, e);
	case OPT_DURATION:
		return set_duration(o, value, source, e);
	}
	return err_set(e, ERR_USAGE, "%s: cannot be set", source);
}

int
opt_list_add(struct opt_list *l, const char *item, struct err *e)
{
	const char **items = reallocarray(l->items, l->n + 1, sizeof(*items));

	if (items == NULL)
		return err_nomem(e);
	items[l->n++] = item;
	l->items = items;
	return 0;
}

/* The text behind the array: then one free(3) does, whatever a list was made of. */
int
opt_set_lines(struct opt_list *l, const char *text, struct err *e)
{
	size_t n = 1, len = strlen(text);

	for (const char *s = text; (s = strchr(s, '\n')) != NULL; s++)
		n++;
	const char **items = malloc(n * sizeof(*items) + len + 1);
	if (items == NULL)
		return err_nomem(e);
	char *rest = memcpy(&items[n], text, len + 1), *line;
	n = 0;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			items[n++] = line;
	opt_list_done(l);
	*l = (struct opt_list){.items = items, .n = n};
	return 0;
}

void
opt_list_done(struct opt_list *l)
{
	free(l->items);
	*l = (struct opt_list){0};
}
