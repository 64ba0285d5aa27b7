/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_OLDER_H
#define BACKUP_OLDER_H

#include <stdint.h>
#include <time.h>

struct err;
struct repo;
struct repo_list;
struct reuse;
struct seal;

/* What may be taken over from the last backup; the names that --reuse takes, in this order. */
enum older_mode { OLDER_STAT, OLDER_CONTENT, OLDER_NONE };
extern const char *const older_modes[];

/*
 * The backup whose members may be copied into a new one: the newest of the series whose seal
 * verifies under our own or a trusted key, and whose files are there.  What was not signed, or by
 * a stranger, is never one: its bytes would get our signature.  Nor is one that was packed
 * at another level.  With a creation time after now the clock has run backwards, and stat keys are
 * not believed.  NULL: there is none (said with -v, or where something is wrong with one, always).
 * seal: of the new one, so far as it is known.  l must outlive *out.  -1 for want of memory.
 */
int older_open(struct reuse **out, const struct repo *repo, const struct repo_list *l,
    const struct seal *seal, enum older_mode mode, struct err *e);

#endif
