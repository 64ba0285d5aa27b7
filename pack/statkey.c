/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/statkey.h"

#include <inttypes.h>
#include <stdio.h>

void
statkey_init(struct statkey *k, struct timespec now)
{
	sha256_init(&k->hash);
	k->usable = true;
	k->before = now.tv_sec - STATKEY_AGE;
}

void
statkey_add(struct statkey *k, const struct entry *en, const struct facts *f)
{
	char numbers[256];

	/*
	 * A file system's clock ticks coarsely, and a page written through a memory
	 * map reaches ctime only when it is written back: a fresh ctime may stand
	 * for two contents.
	 */
	if (f->ctime_sec >= k->before)
		k->usable = false;
	sha256_update(&k->hash, en->path, en->path_len);
	int n = snprintf(numbers, sizeof(numbers),
	    "%c%c %u %u %u %" PRIu64 " %" PRId64 " %u %" PRId64 " %u %" PRIu64 " %u %u%c", 0,
	    en->type, f->mode & 07777, f->uid, f->gid, f->size, f->mtime_sec, f->mtime_nsec,
	    f->ctime_sec, f->ctime_nsec, f->ino, f->rdev_major, f->rdev_minor, 0);
	sha256_update(&k->hash, numbers, (size_t)n);
	if (en->link != NULL)
		sha256_update(&k->hash, en->link, en->link_len);
	sha256_update(&k->hash, "", 1);
}

void
statkey_spoil(struct statkey *k)
{
	k->usable = false;
}

bool
statkey_final(struct statkey *k, uint8_t out[SHA256_LEN])
{
	if (!k->usable)
		return false;
	sha256_final(&k->hash, out);
	return true;
}
