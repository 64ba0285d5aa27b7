/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_MATCH_H
#define PACK_MATCH_H

#include <stdbool.h>

struct bigfile;
struct job;
struct reuse_cursor;

/*
 * Which older member stands where a planned one will, and is it the same by its stat key?  The key
 * is made of what was listed: nothing is opened for it.
 */
/* Set how and old of a JOB_FILES that is complete. */
void match_files(struct reuse_cursor *c, struct job *j);
/*
 * Is the file, as it was looked at, in the older backup, with all its members?  Then b->unchanged
 * and b->sparse are set.
 */
bool match_big(struct reuse_cursor *c, struct bigfile *b);

#endif
