/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/unread.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "seal/section.h"

/* More than that are not worth telling apart. */
#define UNREAD_MAX (1u << 20)

static void
take_notes(struct unread *u, const struct buf *text, bool all)
{
	struct section_parser *p = NULL;
	struct section_line line;
	int rc = section_parser_new(&p, text->data, text->len, NULL);

	while (rc == 0 && (rc = section_next(p, &line, NULL)) == 1) {
		rc = 0;
		if (!line.is_note || (!all && line.note != SECTION_UNREADABLE))
			continue;
		if (u->text.len + line.path_len >= UNREAD_MAX) {
			u->unknown = true;
			break;
		}
		buf_append(&u->text, line.path, line.path_len);
		buf_putc(&u->text, '\0');
		u->n++;
	}
	u->unknown |= rc < 0;
	section_parser_free(p);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
sort_paths(struct unread *u, struct err *e)
{
	const char *at = (const char *)u->text.data;

	if (buf_check(&u->text, e) != 0)
		return -1;
	u->paths = calloc(u->n + 1, sizeof(*u->paths));
	if (u->paths == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < u->n; i++) {
		u->paths[i] = at;
		at += strlen(at) + 1;
	}
	if (u->n > 1)
		qsort(u->paths, u->n, sizeof(*u->paths), by_text);
	return 0;
}

/*
 * Notes stand anywhere, those without an entry beside them in the last section, so all are
 * read; but only of a backup that is not complete.
 */
int
unread_read(struct unread *u, struct manifest_reader *r, bool all_notes, struct err *e)
{
	struct manifest_member m;
	struct buf text = {0};
	int rc = manifest_seek(r, 0, e), next;

	while (rc == 0 && (next = manifest_next(r, &m, NULL)) != 0) {
		if ((rc = stop_check(e)) != 0)
			break;
		/* The way through the entries tells of damage. */
		if (next < 0 || manifest_section(r, &m, &text, NULL) != 0)
			u->unknown = true;
		else
			take_notes(u, &text, all_notes);
	}
	buf_done(&text);
	return rc != 0 ? -1 : sort_paths(u, e);
}

static bool
is_there(const struct unread *u, const char *path, size_t len)
{
	size_t low = 0, high = u->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *other = u->paths[mid];
		int order = strncmp(other, path, len);

		if (order == 0 && other[len] == '\0')
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

void
unread_done(struct unread *u)
{
	buf_done(&u->text);
	free(u->paths);
	*u = (struct unread){0};
}

bool
unread_has(const struct unread *u, const char *path, size_t len)
{
	if (u->unknown || is_there(u, "", 0))
		return true;
	for (size_t i = 1; u->n > 0 && i <= len; i++)
		if ((i == len || path[i] == '/') && is_there(u, path, i))
			return true;
	return false;
}
