/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_LOOK_H
#define RESTORE_BARE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/hash.h"
#include "restore/bare_dirs.h"
#include "restore/clash.h"

struct restore_select;
struct section_line;

/*
 * The first time that an archive without a manifest is read, before anything is touched: is it
 * sound to its end, what of it is wanted, and how much is that?  Hard links that are wanted without
 * what they are names of become aliases (select.h).
 */
struct bare_look {
	bool whole; /* sound to its last byte, with that digest */
	uint8_t digest[SHA256_LEN];
	struct err why; /* not whole: what ended it */
	uint64_t entries, bytes; /* that are wanted */
	struct bare_dirs dirs; /* all there are */
	struct clash clash; /* of what is wanted, where components are stripped */
	bool has_root; /* among them, the top of the tree */
	bool lost_stays; /* for bare_put(): the target has a lost+found of its own, which stays */
};

struct bare_look_opts {
	struct restore_select *select;
	/* For each entry that is wanted, at its place; may be NULL. */
	void (*each)(void *ctx, const char *place, const struct section_line *line);
	void *ctx;
};

/* 0, also of an archive that is not whole; -1 when the work cannot go on. */
int bare_look(struct bare_look *l, int fd, const struct bare_look_opts *o, struct err *e);
void bare_look_done(struct bare_look *l);

#endif
