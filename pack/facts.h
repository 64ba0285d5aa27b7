/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_FACTS_H
#define PACK_FACTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct entry;

/*
 * What stat(2) says of a file, as far as backup cares: half the size of struct
 * stat, because the planner keeps it for each entry of a member and for each
 * hard-linked file.
 */
struct facts {
	uint64_t dev, ino;
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	int64_t mtime_sec, ctime_sec;
	uint32_t mtime_nsec, ctime_nsec;
	uint32_t mode; /* st_mode, type too */
	uint32_t uid, gid;
	uint32_t nlink;
	uint32_t rdev_major, rdev_minor; /* devices; else 0 */
};
/* ctime_sec of what no stat(2) told: it gives no stat key. */
#define FACTS_NO_CTIME INT64_MAX

void facts_from(struct facts *f, const struct stat *st);
/* Size, mtime and ctime are the same: nobody wrote in between, as far as can be seen. */
bool facts_unmoved(const struct facts *before, const struct facts *after);
/* Mode, owner and mtime (for devices their number) into en; its type, path, size, link are the
 * caller's. */
void facts_entry(const struct facts *f, struct entry *en);

#endif
