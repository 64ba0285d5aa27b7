/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_look.h"

#include "archive/entry.h"
#include "restore/bare_read.h"
#include "restore/select.h"
#include "seal/section.h"

/* A wanted link whose data is not: it comes under the link's name. */
static int
need_target(struct restore_select *s, const struct entry *en, const char *place, struct err *e)
{
	if (en->type != ENTRY_HARDLINK ||
	    restore_select_place(s, en->link, en->link_len, false) != NULL)
		return 0;
	return restore_select_alias(s, en->link, place, e);
}

static int
take(struct bare_look *l, const struct bare_look_opts *o, const struct entry *en, struct err *e)
{
	bool is_dir = en->type == ENTRY_DIR;
	bool wanted = restore_select_hit(o->select, en->path, en->path_len, is_dir);
	const char *place = restore_select_place(o->select, en->path, en->path_len, is_dir);
	const char *name = restore_select_name(o->select, en->path);
	struct section_line line;

	wanted = wanted && place != NULL;
	if (wanted && restore_select_strips(o->select) &&
	    clash_add(&l->clash, en->path, place, is_dir, e) != 0)
		return -1;
	/* What is wanted may still come in one that is not. */
	if (is_dir && name != NULL && (wanted || en->path_len > 0) &&
	    bare_dirs_add(&l->dirs, en, name, wanted, e) != 0)
		return -1;
	if (!wanted)
		return 0;
	if (bare_dirs_way(&l->dirs, place, e) != 0)
		return -1;
	l->has_root = l->has_root || (is_dir && *place == '\0');
	l->entries++;
	l->bytes += en->type == ENTRY_FILE ? en->size : 0;
	if (o->each != NULL) {
		line = section_line_of(en);
		o->each(o->ctx, place, &line);
	}
	return need_target(o->select, en, place, e);
}

int
bare_look(struct bare_look *l, int fd, const struct bare_look_opts *o, struct err *e)
{
	struct bare_read r;
	struct entry en;
	int rc;

	*l = (struct bare_look){0};
	if ((rc = bare_read_open(&r, fd, e)) == 0)
		while ((rc = bare_read_next(&r, &en, e)) == 1)
			if ((rc = take(l, o, &en, e)) != 0)
				break;
	if (rc == 0) {
		l->whole = true;
		bare_read_digest(&r, l->digest);
	} else if (r.broken) {
		l->why = *e;
		err_clear(e);
		rc = 0;
	}
	bare_read_close(&r);
	bare_dirs_order(&l->dirs);
	return rc;
}

void
bare_look_done(struct bare_look *l)
{
	bare_dirs_done(&l->dirs);
	clash_done(&l->clash);
}
