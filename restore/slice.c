/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/slice.h"

#include <string.h>

#include "archive/tarread.h"
#include "core/err.h"
#include "restore/report.h"

int
restore_slice_open(struct restore_slice *s, const struct buf *plain, const struct buf *text,
    struct restore_report *r, struct err *e)
{
	*s = (struct restore_slice){.report = r};
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

/* Lines are of no use from here on. */
static void
lose_lines(struct restore_slice *s)
{
	section_parser_free(s->lines);
	s->lines = NULL;
}

static bool
next_line(struct restore_slice *s, const struct entry *en, struct section_line *line)
{
	struct err e = {0};
	const char *what;
	int rc;

	if (s->lines == NULL)
		return false;
	do
		rc = section_next(s->lines, line, &e);
	while (rc == 1 && line->is_note);
	if (rc == 1 && line->path_len == en->path_len &&
	    memcmp(line->path, en->path, en->path_len) == 0) {
		if (!section_matches(line, en, &what))
			restore_found(s->report, en->path, en->path_len,
			    "archive and manifest disagree on its %s", what);
		return true;
	}
	restore_found(s->report, en->path, en->path_len,
	    "not in the manifest where it should be%s%s", rc < 0 ? ": " : "", rc < 0 ? e.msg : "");
	lose_lines(s);
	return false;
}

int
restore_slice_next(struct restore_slice *s, struct entry *en, struct section_line *line,
    bool *has_line, struct err *e)
{
	int rc = tar_read_next(s->tar, en, e);

	*has_line = rc == 1 && next_line(s, en, line);
	return rc;
}
