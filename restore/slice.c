/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/slice.h"

#include <string.h>

#include "archive/tarread.h"
#include "core/path.h"
#include "restore/report.h"
#include "restore/select.h"

int
restore_slice_open(struct restore_slice *s, const struct buf *plain, const struct buf *text,
    const struct restore_select *select, struct restore_report *r, struct err *e)
{
	*s = (struct restore_slice){.select = select, .report = r, .agree = text != NULL};
	if (tar_reader_new_mem(&s->tar, plain->data, plain->len, e) != 0 ||
	    (text != NULL && section_parser_new(&s->lines, text->data, text->len, e) != 0)) {
		restore_slice_close(s);
		return -1;
	}
	return 0;
}

void
restore_slice_close(struct restore_slice *s)
{
	tar_reader_free(s->tar);
	section_parser_free(s->lines);
	*s = (struct restore_slice){0};
}

/* The next line, in s->line; what cannot be parsed is lost, with all that follows. */
static void
read_line(struct restore_slice *s)
{
	struct err e = {0};
	int rc;

	while ((rc = section_next(s->lines, &s->line, &e)) == 1 && s->line.is_note)
		if (restore_select_all(s->select)) /* else the plan told */
			restore_missing(s->report, &s->line);
	s->has_line = rc == 1;
	s->ended = rc == 0;
	if (rc == 1)
		return;
	section_parser_free(s->lines);
	s->lines = NULL;
	if (rc == 0)
		return;
	s->agree = false;
	restore_found(s->report, NULL, 0, "a section of the manifest: %s", e.msg);
}

static bool
peek_line(struct restore_slice *s)
{
	if (!s->has_line && s->lines != NULL)
		read_line(s);
	return s->has_line;
}

/* The line has no entry.  Directories and hard links need none. */
static void
tell_missing(struct restore_slice *s, const char *why)
{
	const struct section_line *l = &s->line;

	s->has_line = s->agree = false;
	if (l->type != ENTRY_DIR && l->type != ENTRY_HARDLINK &&
	    restore_select_place(s->select, l->path, l->path_len, false) != NULL)
		restore_lost(s->report, l->path, l->path_len, "not restored: %s", why);
}

static int
line_cmp(const struct restore_slice *s, const struct entry *en)
{
	return path_cmp(s->line.path, s->line.path_len, en->path, en->path_len);
}

static const struct section_line *
line_of(struct restore_slice *s, const struct entry *en)
{
	bool wanted =
	    restore_select_place(s->select, en->path, en->path_len, en->type == ENTRY_DIR) != NULL;
	const char *what;

	if (s->lines == NULL && !s->has_line && s->ended == false)
		return NULL;
	while (peek_line(s) && line_cmp(s, en) < 0)
		tell_missing(s, "not in the archive");
	if (!s->has_line || line_cmp(s, en) > 0) {
		s->agree = false;
		if (wanted)
			restore_found(s->report, en->path, en->path_len, "not in the manifest");
		return NULL;
	}
	s->has_line = false; /* used up; its strings stay until the next one is read */
	if (section_matches(&s->line, en, &what))
		return &s->line;
	s->agree = false;
	if (wanted)
		restore_found(s->report, en->path, en->path_len,
		    "archive and manifest disagree on its %s", what);
	return &s->line;
}

static void
tell_rest(struct restore_slice *s, const char *why)
{
	s->told = s->has_line || s->lines != NULL;
	while (peek_line(s))
		tell_missing(s, why);
}

int
restore_slice_next(struct restore_slice *s, struct entry *en, const struct section_line **line,
    bool *told, struct err *e)
{
	int rc = -1;

	*line = NULL;
	if (s->broken.kind == ERR_NONE)
		rc = tar_read_next(s->tar, en, &s->broken);
	if (rc == 1)
		*line = line_of(s, en);
	else
		tell_rest(s, rc == 0 ? "not in the archive" : s->broken.msg);
	*told = s->told;
	if (rc < 0 && e != NULL)
		*e = s->broken;
	return rc;
}

/* The reader hands out what there is where it lies, and has the whole slice. */
int
restore_slice_content(struct restore_slice *s, const void **data, size_t *len, struct err *e)
{
	const void *piece;
	uint64_t offset;
	size_t n;
	int rc;

	*data = NULL;
	*len = 0;
	while ((rc = tar_read_data(s->tar, &piece, &n, &offset, &s->broken)) == 1) {
		if (*len == 0)
			*data = piece;
		*len += n;
	}
	if (rc < 0 && e != NULL)
		*e = s->broken;
	return rc;
}
