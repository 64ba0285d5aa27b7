/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_TALLY_H
#define PACK_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/*
 * What a backup found, counted, and what is to be told about single paths.  Workers
 * count by job and the writer adds up in order, so that messages, too, come in the order
 * of paths whatever ran first.
 */
enum tally_event {
	TALLY_CHANGED, /* while it was read, again and again */
	TALLY_GREW,
	TALLY_VANISHED,
	TALLY_UNREADABLE, /* not, or not wholly, in the archive */
	TALLY_SKIPPED,
	TALLY_ATTRS, /* extended attributes that could not be read */
	TALLY_UNCOPIED, /* its older member cannot be copied */
	TALLY_UNTRACED, /* its content is another one, and all that stat(2) tells is as it was */
	TALLY_EVENTS,
};

struct tally {
	uint64_t entries; /* in the archive */
	uint64_t bytes; /* of regular files */
	uint64_t events[TALLY_EVENTS];
	struct buf told; /* messages to come: event, text, NUL */
};

void tally_done(struct tally *t);
/* path happened to meet event; detail is a reason, or NULL. */
void tally_event(
    struct tally *t, enum tally_event event, const char *path, size_t len, const char *detail);
/*
 * Add from to t, and print its messages: what makes a backup worse than it should be as a warning,
 * what is in the nature of a live source only with -v.  After TALLY_TOLD_MAX warnings of a
 * kind, one says that there are more.
 */
#define TALLY_TOLD_MAX 100
void tally_add(struct tally *t, const struct tally *from);

#endif
