/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/dirs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tarread.h"
#include "core/err.h"
#include "core/path.h"
#include "restore/lines.h"
#include "restore/load.h"
#include "restore/mark.h"
#include "seal/section.h"

void
restore_dirs_done(struct restore_dirs *d)
{
	while (d->n > 0)
		free(d->v[--d->n].store);
	free(d->v);
	buf_done(&d->links);
	*d = (struct restore_dirs){0};
}

/* ---- one directory, on its own memory ---- */

size_t
restore_dir_size(const struct entry *en)
{
	size_t size = en->path_len + 1 + en->acl_access_len + en->acl_default_len +
	    en->n_xattrs * sizeof(struct entry_xattr);

	for (size_t i = 0; i < en->n_xattrs; i++)
		size += strlen(en->xattrs[i].name) + 1 + en->xattrs[i].len;
	return size;
}

/* Copy to where *at points, and move that on. */
static void *
put(char **at, const void *data, size_t len)
{
	char *to = *at;

	if (len > 0)
		memcpy(to, data, len);
	*at += len;
	return to;
}

/* The attributes come first: they are what must be aligned. */
int
restore_dir_own(struct restore_dir *dir, const struct entry *en, struct err *e)
{
	char *store = malloc(restore_dir_size(en)), *at = store;
	struct entry_xattr *x;

	if (store == NULL)
		return err_nomem(e);
	dir->en = *en;
	x = put(&at, en->xattrs, en->n_xattrs * sizeof(*x));
	dir->en.xattrs = en->n_xattrs > 0 ? x : NULL;
	for (size_t i = 0; i < en->n_xattrs; i++) {
		x[i].name = put(&at, en->xattrs[i].name, strlen(en->xattrs[i].name) + 1);
		x[i].value = put(&at, en->xattrs[i].value, en->xattrs[i].len);
	}
	if (en->acl_access != NULL)
		dir->en.acl_access = put(&at, en->acl_access, en->acl_access_len);
	if (en->acl_default != NULL)
		dir->en.acl_default = put(&at, en->acl_default, en->acl_default_len);
	dir->en.path = put(&at, en->path, en->path_len + 1);
	free(dir->store);
	dir->store = store;
	return 0;
}

static struct restore_dir *
grow(struct restore_dirs *d, struct err *e)
{
	size_t cap = d->cap == 0 ? 64 : 2 * d->cap;
	struct restore_dir *more;

	if (d->n == d->cap) {
		if ((more = reallocarray(d->v, cap, sizeof(*more))) == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		d->v = more;
		d->cap = cap;
	}
	d->v[d->n] = (struct restore_dir){.lost = false};
	return &d->v[d->n];
}

/* ---- lines ---- */

static int
add_dir(struct restore_dirs *d, const struct section_line *line, struct err *e)
{
	const struct entry en = section_entry(line);
	struct restore_dir *dir = grow(d, e);

	if (dir == NULL || restore_dir_own(dir, &en, e) != 0)
		return -1;
	dir->lost = line->has_xattrs; /* until they are found */
	d->n++;
	return 0;
}

static int
add_line(struct restore_dirs *d, const struct section_line *line, struct err *e)
{
	if (line->is_note)
		return 0;
	if (line->type == ENTRY_DIR)
		return add_dir(d, line, e);
	if (line->type != ENTRY_HARDLINK)
		return 0;
	buf_append(&d->links, line->path, line->path_len + 1);
	buf_append(&d->links, line->link, line->link_len + 1);
	return buf_check(&d->links, e);
}

static int
add_lines(
    struct restore_dirs *d, struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	struct restore_lines lines;
	struct section_line line;
	int rc = -1, added = 0;

	if (restore_lines_open(&lines, l, m, e) == 0)
		while ((rc = restore_lines_next(&lines, &line, e)) == 1)
			if ((added = add_line(d, &line, e)) != 0)
				break;
	restore_lines_close(&lines);
	if (rc < 0 && restore_load_lost(e)) {
		err_clear(e);
		rc = 0;
	}
	return rc < 0 || added != 0 ? -1 : 0;
}

/* ---- headers ---- */

/* Both come in the same order; what only one side has is passed over. */
static int
add_headers(struct restore_dirs *d, struct tar_reader *tar, struct err *e)
{
	struct entry en;
	size_t i = 0;
	int rc;

	while ((rc = tar_read_next(tar, &en, e)) == 1) {
		if (en.type != ENTRY_DIR)
			continue;
		while (i < d->n &&
		    path_cmp(d->v[i].en.path, d->v[i].en.path_len, en.path, en.path_len) < 0)
			i++;
		if (i == d->n)
			return 0;
		if (!d->v[i].lost || strcmp(d->v[i].en.path, en.path) != 0)
			continue;
		if (restore_dir_own(&d->v[i], &en, e) != 0)
			return -1;
		d->v[i].lost = false;
	}
	return rc;
}

static int
read_headers(
    struct restore_dirs *d, struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	const struct buf *plain = restore_load_member(l, m, e);
	struct tar_reader *tar = NULL;
	int rc = -1;

	if (plain != NULL && tar_reader_new_mem(&tar, plain->data, plain->len, e) == 0)
		rc = add_headers(d, tar, e);
	tar_reader_free(tar);
	if (rc < 0 && restore_load_lost(e)) {
		err_clear(e);
		rc = 0;
	}
	return rc;
}

/* What was set when they were made is not set, nor told of, again. */
static void
drop_what_was_set(struct restore_dirs *d, uint8_t mark)
{
	for (size_t i = 0; i < d->n; i++) {
		struct restore_dir *dir = &d->v[i];

		if ((mark & RESTORE_HEADERS) == 0)
			dir->lost = false;
		if (restore_mark_at_once(&dir->en))
			dir->en.n_xattrs = 0;
	}
}

int
restore_dirs_load(struct restore_dirs *d, struct restore_load *l, const struct manifest_member *m,
    uint8_t mark, struct err *e)
{
	bool seen = (mark & RESTORE_SEEN) != 0, look = !seen || (mark & RESTORE_HEADERS) != 0;
	size_t i;

	restore_dirs_done(d);
	if (add_lines(d, l, m, e) != 0)
		return -1;
	for (i = 0; look && i < d->n && !d->v[i].lost; i++)
		;
	if (look && i < d->n && read_headers(d, l, m, e) != 0)
		return -1;
	if (seen)
		drop_what_was_set(d, mark);
	return 0;
}

const struct restore_dir *
restore_dirs_find(const struct restore_dirs *d, const char *path)
{
	size_t low = 0, high = d->n, len = strlen(path);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct entry *en = &d->v[mid].en;
		int c = path_cmp(en->path, en->path_len, path, len);

		if (c == 0)
			return &d->v[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
