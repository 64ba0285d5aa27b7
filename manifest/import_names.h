/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_NAMES_H
#define MANIFEST_IMPORT_NAMES_H

#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"

struct err;
struct repo;

/*
 * The entries of an archive: put in as they come, in whatever order, and given back as a backup
 * stores them.
 *
 * It does with names what tar does on a file system: an entry is a new thing under its name, and
 * takes the place of what had the name before; a hard link is one more name of what its
 * target is at that moment.  So the last of several entries with one name wins, and a name that
 * was linked to an earlier one keeps that.  In the end each thing is given under the first of its
 * names, in our order, and the others are hard links to that one, whichever of them the archive
 * had first.  (Only files: a symlink, a device or a fifo with several names is given under each, as
 * backup does.)
 *
 * Directories that the archive does not have, but has something in, are made up: mode 0755, owner
 * and group 0, the time given.  A name below something that is no directory is ERR_CORRUPT.
 *
 * All of it is in a database without a name on the repository's volume (with repo NULL: where
 * temporary files go); memory is constant.
 */
struct import_names;

/* name: of the backup to be made. made_up: time of directories that are not in the archive. */
int import_names_new(struct import_names **out, const struct repo *repo, const char *name,
    int64_t made_up, struct err *e);
void import_names_free(struct import_names *n); /* NULL is harmless */

/*
 * data: where the content of a FILE lies.  ERR_CORRUPT for a hard link to what is not there, or is
 * a directory.
 */
int import_names_add(struct import_names *n, const struct entry *en, uint64_t data, struct err *e);

/* Valid until the next call. */
struct import_entry {
	struct entry en; /* without attributes; the link of a HARDLINK is a path given before */
	uint64_t data;
	const void *attrs; /* as attrs_pack() made it; NULL: none, or a HARDLINK */
	size_t attrs_len;
	bool has_links; /* a FILE: other names of it follow */
};
/* 1, 0 at the end, -1.  Nothing can be added after the first. */
int import_names_next(struct import_names *n, struct import_entry *out, struct err *e);

#endif
