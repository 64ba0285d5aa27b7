/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/lines.h"

#include "archive/tarread.h"
#include "core/err.h"
#include "restore/load.h"
#include "seal/manifest.h"

static int
open_tar(
    struct restore_lines *s, struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	const struct buf *plain;

	if (m->kind == MANIFEST_HEADER || m->kind == MANIFEST_CHUNK) {
		s->one = m;
		return 0;
	}
	if ((plain = restore_load_member(l, m, e)) == NULL)
		return -1;
	return tar_reader_new_mem(&s->tar, plain->data, plain->len, e);
}

int
restore_lines_open(
    struct restore_lines *s, struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	const struct buf *text = restore_load_section(l, m, e);

	*s = (struct restore_lines){0};
	if (text != NULL)
		return section_parser_new(&s->section, text->data, text->len, e);
	if (!restore_load_lost(e))
		return -1;
	err_clear(e);
	return open_tar(s, l, m, e);
}

static void
line_of_entry(const struct entry *en, struct section_line *line)
{
	uint8_t digest[SHA256_LEN];

	*line = section_line_of(en);
	line->has_xattrs = entry_xattr_digest(en, digest);
}

int
restore_lines_next(struct restore_lines *s, struct section_line *line, struct err *e)
{
	int rc = 0;

	if (s->one != NULL) {
		*line = (struct section_line){
		    .type = ENTRY_FILE, .path = s->one->path, .path_len = s->one->path_len};
		s->one = NULL;
		return 1;
	}
	if (s->section != NULL)
		rc = section_next(s->section, line, e);
	else if (s->tar != NULL && (rc = tar_read_next(s->tar, &s->en, e)) == 1)
		line_of_entry(&s->en, line);
	return rc;
}

void
restore_lines_close(struct restore_lines *s)
{
	section_parser_free(s->section);
	tar_reader_free(s->tar);
	*s = (struct restore_lines){0};
}
