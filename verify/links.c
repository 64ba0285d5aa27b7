/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/links.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "seal/section.h"
#include "verify/finds.h"
#include "verify/report.h"

void
verify_links_done(struct verify_links *l)
{
	buf_done(&l->text);
	*l = (struct verify_links){0};
}

void
verify_links_take(struct verify_links *l, const struct verify_finds *f)
{
	enum verify_kind kind = VERIFY_NOTE;

	for (size_t i = 0; i < f->n; i++) {
		const struct verify_find *item = &f->items[i];
		size_t len;

		if (item->code != NULL)
			kind = item->kind;
		if (kind != VERIFY_DAMAGE || item->path == NULL)
			continue;
		len = strlen(item->path) + 1;
		if (l->text.len + len > VERIFY_LINKS_MAX) {
			l->full = true;
			return;
		}
		buf_append(&l->text, item->path, len);
		l->n++;
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **
sorted(const struct verify_links *l, struct err *e)
{
	const char **paths = calloc(l->n, sizeof(*paths));
	const char *at = (const char *)l->text.data;

	if (paths == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < l->n; i++) {
		paths[i] = at;
		at += strlen(at) + 1;
	}
	qsort(paths, l->n, sizeof(*paths), by_text);
	return paths;
}

static bool
has(const struct verify_links *l, const char **paths, const char *path)
{
	return bsearch(&path, paths, l->n, sizeof(*paths), by_text) != NULL;
}

static int
scan_section(const struct verify_links *l, const char **paths, const struct buf *text, bool *told,
    struct verify_report *report, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;

	if (section_parser_new(&p, text->data, text->len, e) < 0)
		return -1;
	while (section_next(p, &line, NULL) == 1) {
		if (line.is_note || line.type != ENTRY_HARDLINK || !has(l, paths, line.link) ||
		    has(l, paths, line.path))
			continue;
		if (!*told)
			verify_report_found(report,
			    &(struct verify_finding){.kind = VERIFY_DAMAGE,
				.code = "hard-link",
				.text = "hard links to damaged files:"});
		*told = true;
		verify_report_file(report, line.path);
	}
	section_parser_free(p);
	return 0;
}

/* What cannot be read was reported the first time. */
static int
scan_all(const struct verify_links *l, const char **paths, struct manifest_reader *reader,
    struct verify_report *report, struct err *e)
{
	struct manifest_member m;
	struct buf text = {0};
	bool told = false;
	int rc = manifest_seek(reader, 0, e), next;

	while (rc == 0 && (next = manifest_next(reader, &m, NULL)) != 0) {
		if ((rc = stop_check(e)) < 0)
			break;
		if (next == 1 && m.kind == MANIFEST_FILES &&
		    manifest_section(reader, &m, &text, NULL) == 0)
			rc = scan_section(l, paths, &text, &told, report, e);
	}
	buf_done(&text);
	return rc;
}

int
verify_links_report(struct verify_links *l, struct manifest_reader *reader,
    struct verify_report *report, struct err *e)
{
	const char **paths;
	int rc;

	if (l->n == 0 || reader == NULL)
		return 0;
	if (buf_check(&l->text, e) < 0 || (paths = sorted(l, e)) == NULL)
		return -1;
	rc = scan_all(l, paths, reader, report, e);
	free(paths);
	if (rc == 0 && l->full)
		verify_report_found(report,
		    &(struct verify_finding){.kind = VERIFY_NOTE,
			.code = "hard-link",
			.text =
			    "so many files are damaged that not all hard links to them are named"});
	return rc;
}
