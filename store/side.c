/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "seal/unread.h"
#include "store/repo.h"

struct side {
	const struct seal *seal;
	struct side_opts o;
	size_t below_len;
	int fd;
	struct manifest_reader *reader;

	enum side_at at;
	bool lost;
	struct manifest_member m; /* the section before or in which we stand */
	struct buf text; /* of that section */
	struct section_parser *parser;
	struct section_line line;
	struct buf last; /* path of the last entry */
	bool has_last;

	/* For the targets of hard links, so that the way through the manifest is not disturbed. */
	struct manifest_reader *finder;
	struct targets *targets;

	struct unread unread;
	bool all_notes; /* are in it */
};

/* ---- damage ---- */

/* 0 when the way can go on behind it. */
static int
damage(struct side *s, const struct err *why, struct err *e)
{
	if (why->kind != ERR_CORRUPT && (why->kind != ERR_SYS || why->sys == ENOMEM))
		return err_pass(e, why);
	if (s->o.damaged != NULL)
		s->o.damaged(s->o.ctx, why->msg);
	return 0;
}

static int
lose(struct side *s, const struct err *why, struct err *e)
{
	s->lost = true;
	return damage(s, why, e);
}

/* ---- moving ---- */

static bool
limited(const struct side *s)
{
	return s->below_len > 0;
}

static bool
wanted(const struct side *s, const char *path, size_t len)
{
	return !limited(s) || path_within(path, len, s->o.below, s->below_len);
}

/* Behind all that is wanted? */
static bool
beyond(const struct side *s, const char *path, size_t len)
{
	return !wanted(s, path, len) && path_cmp(path, len, s->o.below, s->below_len) > 0;
}

/* To the next section that may tell of an entry. */
static int
next_section(struct side *s, struct err *e)
{
	struct err why;
	int rc;

	for (;;) {
		if (stop_check(e) != 0)
			return -1;
		err_clear(&why);
		rc = manifest_next(s->reader, &s->m, &why);
		if (rc == 0 || (rc == 1 && s->m.kind == MANIFEST_END))
			break;
		if (rc < 0 && lose(s, &why, e) != 0)
			return -1;
		if (rc < 0 || s->m.section_len == 0)
			continue;
		if (beyond(s, s->m.path, s->m.path_len))
			break;
		s->at = SIDE_SECTION;
		return 0;
	}
	/* Only the end is left, whose notes are of no entry, and the check of the totals. */
	if (rc == 1 && manifest_next(s->reader, &s->m, &why) < 0 && lose(s, &why, e) != 0)
		return -1;
	s->at = SIDE_END;
	return 0;
}

/* Entries ascend, in a section and from section to section: the merge leans on that. */
static int
in_order(struct side *s, struct err *e)
{
	const struct section_line *l = &s->line;

	if (path_cmp(l->path, l->path_len, s->m.path, s->m.path_len) < 0 ||
	    (s->has_last &&
		path_cmp((const char *)s->last.data, s->last.len, l->path, l->path_len) >= 0))
		return err_set(e, ERR_CORRUPT, "the manifest's paths are out of order at %s",
		    l->path_len > 0 ? l->path : ".");
	s->has_last = true;
	buf_clear(&s->last);
	buf_append(&s->last, l->path, l->path_len);
	buf_putc(&s->last, '\0');
	s->last.len -= s->last.len > 0;
	return buf_check(&s->last, e);
}

static void
leave_section(struct side *s)
{
	section_parser_free(s->parser);
	s->parser = NULL;
}

/* To the next entry of this section, or to the next section. */
static int
next_line(struct side *s, struct err *e)
{
	struct err why = {0};
	int rc;

	while ((rc = section_next(s->parser, &s->line, &why)) == 1) {
		if (s->line.is_note)
			continue;
		if ((rc = in_order(s, &why)) != 0)
			break;
		if (beyond(s, s->line.path, s->line.path_len)) {
			leave_section(s);
			s->at = SIDE_END;
			return 0;
		}
		if (wanted(s, s->line.path, s->line.path_len)) {
			s->at = SIDE_LINE;
			return 0;
		}
	}
	leave_section(s);
	if (rc < 0 && lose(s, &why, e) != 0)
		return -1;
	return next_section(s, e);
}

int
side_enter(struct side *s, struct err *e)
{
	struct err why = {0};

	if (manifest_section(s->reader, &s->m, &s->text, &why) != 0 ||
	    section_parser_new(&s->parser, s->text.data, s->text.len, &why) != 0)
		return lose(s, &why, e) != 0 ? -1 : next_section(s, e);
	return next_line(s, e);
}

int
side_next(struct side *s, struct err *e)
{
	if (s->at == SIDE_END)
		return 0;
	s->lost = false;
	return s->at == SIDE_LINE ? next_line(s, e) : next_section(s, e);
}

/* ---- opening ---- */

static int
start(struct side *s, struct err *e)
{
	struct err why = {0};

	if (limited(s) && manifest_seek_path(s->reader, s->o.below, s->below_len, &why) != 0 &&
	    lose(s, &why, e) != 0)
		return -1;
	return next_section(s, e);
}

static int
open_finder(struct side *s, struct err *e)
{
	return s->finder != NULL ? 0 : manifest_reader_new(&s->finder, s->fd, s->seal, e);
}

int
side_open(struct side **out, const struct repo *r, const struct seal *seal,
    const struct side_opts *o, struct err *e)
{
	struct side *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_nomem(e);
	s->seal = seal;
	s->o = *o;
	s->below_len = o->below != NULL ? strlen(o->below) : 0;
	s->fd = repo_open_part(r, REPO_MANIFEST, seal->name, e);
	if (s->fd < 0 || manifest_reader_new(&s->reader, s->fd, seal, e) != 0 ||
	    (seal->unreadable > 0 &&
		(open_finder(s, e) != 0 || unread_read(&s->unread, s->finder, false, e) != 0)) ||
	    start(s, e) != 0) {
		/* That a sealed backup lacks its manifest is damage, and no answer. */
		if (e != NULL && e->kind == ERR_NOTFOUND)
			e->kind = ERR_CORRUPT;
		side_close(s);
		return err_where(e, "%s", seal->name);
	}
	*out = s;
	return 0;
}

void
side_close(struct side *s)
{
	if (s == NULL)
		return;
	leave_section(s);
	manifest_reader_free(s->reader);
	targets_free(s->targets);
	manifest_reader_free(s->finder);
	(void)io_close(&s->fd, NULL); /* read only: nothing to lose */
	buf_done(&s->text);
	buf_done(&s->last);
	unread_done(&s->unread);
	free(s);
}

/* ---- looking ---- */

enum side_at
side_at(const struct side *s)
{
	return s->at;
}

const char *
side_path(const struct side *s, size_t *len)
{
	*len = s->at == SIDE_LINE ? s->line.path_len : s->m.path_len;
	return s->at == SIDE_LINE ? s->line.path : s->m.path;
}

bool
side_lost(const struct side *s)
{
	return s->lost;
}

bool
side_lacks(const struct side *s, const char *path, size_t len)
{
	return unread_has(&s->unread, path, len);
}

int
side_all_notes(struct side *s, struct err *e)
{
	if (s->all_notes)
		return 0;
	unread_done(&s->unread);
	if (open_finder(s, e) != 0 || unread_read(&s->unread, s->finder, true, e) != 0)
		return -1;
	s->all_notes = true;
	return 0;
}

const struct section_line *
side_line(const struct side *s)
{
	return &s->line;
}

bool
side_same_section(const struct side *a, const struct side *b)
{
	const struct manifest_member *m = &a->m, *n = &b->m;

	return m->path_len == n->path_len && memcmp(m->path, n->path, m->path_len) == 0 &&
	    memcmp(m->section_digest, n->section_digest, SHA256_LEN) == 0;
}

uint64_t
side_entries(const struct side *s)
{
	return s->m.entries;
}

/* ---- content ---- */

static int
find(struct side *s, struct targets_content *out, struct err *e)
{
	if (s->targets == NULL &&
	    (open_finder(s, e) != 0 || targets_new(&s->targets, s->finder, e) != 0))
		return -1;
	return targets_find(s->targets, s->line.link, s->line.link_len, out, e);
}

int
side_content(struct side *s, struct targets_content *out, struct err *e)
{
	const struct section_line *l = &s->line;
	struct err why = {0};

	if (l->type != ENTRY_HARDLINK) {
		targets_take(out, l);
		return 1;
	}
	if (find(s, out, &why) == 0)
		return 1;
	(void)err_where(&why, "%s", l->path);
	return damage(s, &why, e);
}
