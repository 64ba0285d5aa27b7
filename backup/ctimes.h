/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_CTIMES_H
#define BACKUP_CTIMES_H

#include <stddef.h>
#include <stdint.h>

/*
 * How long a ctime must have stood before it vouches for a file's content, by file system: a
 * source may reach over several.
 */
#define CTIMES_MARGIN_NFS 300 /* seconds: another client's writes, and its cached attributes */

struct ctimes {
	/* Those that were met, by their device number; the last one again and again. */
	struct {
		uint64_t dev;
		int64_t margin;
	} known[8];
	size_t n, last;
};

/*
 * The margin for name in dirfd, which lies on the file system dev: seconds, or -1 where a ctime
 * proves nothing.  All-zero *c at first.
 */
int64_t ctimes_margin(struct ctimes *c, uint64_t dev, int dirfd, const char *name);
/* The same by the type that statfs(2) tells. */
int64_t ctimes_margin_of(uint64_t type);

#endif
