/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/num.h"
#include "manifest/diff_report.h"
#include "manifest/table.h"
#include "manifest/version.h"

static const struct table_column columns[] = {
    {.title = "CHANGE"},
    {.title = "BEFORE", .right = true, .drop = 2},
    {.title = "AFTER", .right = true},
    {.title = "WHAT", .drop = 1},
    {.title = "PATH", .elastic = true},
};

void
diff_text_begin(struct table *t)
{
	table_init(t, stdout, columns, sizeof(columns) / sizeof(columns[0]));
}

static void
put_size(struct table *t, const struct diff_entry *en)
{
	char text[16];

	if (en->line == NULL)
		table_cell(t, "-");
	else if (en->content != NULL) {
		num_human(en->content->size, text);
		table_cell(t, text);
	} else
		table_cell(
		    t, en->line->type == ENTRY_HARDLINK ? "?" : entry_type_name(en->line->type));
}

static void
put_what(struct table *t, unsigned what)
{
	struct buf text = {0};

	for (unsigned bit = 1; diff_what_name(bit) != NULL; bit <<= 1)
		if ((what & bit) != 0)
			buf_printf(&text, "%s%s", text.len > 0 ? "," : "", diff_what_name(bit));
	table_cell(t, buf_str(&text));
	buf_done(&text);
}

void
diff_text_item(struct table *t, const struct diff_item *d)
{
	const struct section_line *l = diff_line(d);
	const struct catalog_version v = {
	    .path = l->path, .path_len = l->path_len, .type = l->type};
	struct buf path = {0};

	table_cell(t, diff_kind_name(d->kind));
	put_size(t, &d->before);
	put_size(t, &d->after);
	put_what(t, d->what);
	version_put_path(&path, &v);
	table_cell(t, buf_str(&path));
	buf_done(&path);
}

static void
put_count(const char *what, const struct diff_total *t)
{
	char before[16], after[16];

	num_human(t->before, before);
	num_human(t->after, after);
	printf("%" PRIu64 " %s", t->n, what);
	if (t->before > 0 && t->after > 0)
		printf(" (%s to %s)", before, after);
	else if (t->before > 0 || t->after > 0)
		printf(" (%s)", t->before > 0 ? before : after);
	printf(", ");
}

void
diff_text_totals(const struct diff_totals *t)
{
	put_count("added", &t->kinds[DIFF_ADDED]);
	put_count("removed", &t->kinds[DIFF_REMOVED]);
	put_count("changed", &t->kinds[DIFF_CHANGED]);
	printf(
	    "%" PRIu64 " with other facts, %" PRIu64 " the same", t->kinds[DIFF_FACTS].n, t->same);
	if (t->unknown > 0)
		printf(", %" PRIu64 " not compared", t->unknown);
	printf("\n");
}
