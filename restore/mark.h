/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_MARK_H
#define RESTORE_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct entry;

/*
 * What the first pass over a member leaves for the last one (finish.h).  A byte for each
 * member of the backup, when all of it is restored; without RESTORE_SEEN it says nothing,
 * and the last pass looks for itself.
 */
enum restore_mark {
	RESTORE_SEEN = 1, /* archive and manifest agreed to the end */
	RESTORE_LINKS = 2, /* there are hard links */
	RESTORE_DIRS = 4, /* there are directories */
	RESTORE_HEADERS = 8, /* of which some need more than their line says */
};

/*
 * Are the attributes of this directory set when it is made?  An ACL has to wait until its
 * content is there (a default one would be inherited, any other lets people in), and the
 * target itself is not made.
 */
bool restore_mark_at_once(const struct entry *dir);
/* The marks that an entry leaves. */
uint8_t restore_mark_of(const struct entry *en);

#endif
