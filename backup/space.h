/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_SPACE_H
#define BACKUP_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct repo;
struct seal;
struct walk_opts;

struct space {
	uint64_t room, needed; /* bytes; needed is an estimate */
};

struct space_opts {
	const struct seal *last; /* of the newest backup of the series, or NULL */
	int source_fd;
	const struct walk_opts *walk;
	bool thorough; /* measure the source in any case */
	bool shares; /* most of the archive will be blocks of the last one */
};

/*
 * Is there room for another backup?  Better to say so at once than to fill the volume first.
 * Without a last one nothing is known, and only a volume that is as good as full is refused.
 *
 * The estimate is what the last backup took.  Where that does not fit, the source is
 * measured, and the estimate taken down in proportion: somebody may have made room there.
 * thorough: the estimate goes up as well.
 *
 * One that shares blocks takes what has changed, which nobody knows: times would tell of a chown
 * of everything as of new data, and of a database as of all of it.  So the estimate is what is
 * written in any case.
 */
int space_measure(
    const struct repo *r, const struct space_opts *opts, struct space *out, struct err *e);
bool space_is_short(const struct space *s);
/*
 * Less than the estimate gives a warning, less than half of it ERR_SYS.  It stays an estimate, so
 * only what is far off is refused.
 */
int space_judge(const struct repo *r, const struct space *s, struct err *e);

#endif
