/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_H
#define RESTORE_BARE_H

#include <stdbool.h>

#include "store/repo.h"

struct err;
struct restore_opts;
struct restore_report;
struct restore_select;

/*
 * A restore from the archive alone, for who asks for it with --untrusted: of a backup whose
 * manifest is missing or cannot be used, of one whose seal cannot be read, and of an archive that
 * has no seal at all, from before Tarseal or half a copy.
 *
 * The archive is read twice: once before anything is touched (bare_look.h), which tells whether it
 * is sound to its end, and what it holds; then to restore it (bare_put.h), into the target by the
 * same ways as a sealed one (into.h).  Nobody vouches for its content but gzip's checksums, unless
 * there is a trusted seal: that signs the archive's digest, and is compared with it.
 *
 * One thread.  Memory grows with directories (bare_dirs.h) and by some 16 to 32 bytes for each
 * other entry.
 */
struct bare {
	const struct restore_opts *o;
	const struct repo *repo;
	const struct repo_list *list;
	const struct repo_backup *backup; /* that was found; NULL: none was */
	struct restore_select *select;
	bool tops; /* it is of whole names at the top (into.h) */
	struct repo_backup none; /* stands for one without a seal */
};

/*
 * *e says why there is no backup, or why it cannot be opened.  true: it can be restored from its
 * archive, and the user takes that: *e is empty, and a warning told.  Else *e says what to add, if
 * that would do.
 */
bool bare_take(struct bare *b, struct err *e);
/* To be called when bare_take gave true.  b must live until the report ends. */
int bare_run(struct bare *b, struct restore_report *r, struct err *e);

#endif
