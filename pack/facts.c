/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/facts.h"

#include <sys/sysmacros.h>

#include "archive/entry.h"

void
facts_from(struct facts *f, const struct stat *st)
{
	bool device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);

	*f = (struct facts){
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .blocks = (uint64_t)st->st_blocks,
	    .mtime_sec = st->st_mtim.tv_sec,
	    .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
	    .ctime_sec = st->st_ctim.tv_sec,
	    .ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
	    .mode = st->st_mode,
	    .uid = st->st_uid,
	    .gid = st->st_gid,
	    .nlink = st->st_nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)st->st_nlink,
	    .rdev_major = device ? major(st->st_rdev) : 0,
	    .rdev_minor = device ? minor(st->st_rdev) : 0,
	};
}

bool
facts_unmoved(const struct facts *before, const struct facts *after)
{
	return before->size == after->size && before->mtime_sec == after->mtime_sec &&
	    before->mtime_nsec == after->mtime_nsec && before->ctime_sec == after->ctime_sec &&
	    before->ctime_nsec == after->ctime_nsec;
}

void
facts_entry(const struct facts *f, struct entry *en)
{
	en->mode = f->mode & 07777;
	en->uid = f->uid;
	en->gid = f->gid;
	en->mtime_sec = f->mtime_sec;
	en->mtime_nsec = f->mtime_nsec;
	en->rdev_major = f->rdev_major;
	en->rdev_minor = f->rdev_minor;
}
