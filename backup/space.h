/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_SPACE_H
#define BACKUP_SPACE_H

struct err;
struct repo;
struct seal;
struct walk_opts;

/*
 * Is there room for another backup?  Better to say so at once than to fill the volume first.
 * last is the newest backup of the series, or NULL: then nothing is known, and only a volume
 * that is as good as full is refused.
 *
 * The estimate is what the last backup took.  Where that does not fit, the source is
 * measured, and the estimate taken down in proportion: somebody may have made room there.
 * Less than that gives a warning, less than half of it ERR_SYS.  It stays an
 * estimate, so it refuses only what is far off.
 */
int space_check(const struct repo *r, const struct seal *last, int source_fd,
    const struct walk_opts *opts, struct err *e);

#endif
