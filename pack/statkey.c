/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/statkey.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * What comes first in every key.  A tool that writes other tar headers or sections for the same
 * facts must change it: else members would be copied that it would not have made.
 */
static const char version[] = "2";

int64_t
statkey_settled(struct timespec now, int64_t margin)
{
	return margin < 0 ? STATKEY_NEVER : now.tv_sec - margin;
}

void
statkey_init(struct statkey *k, int64_t settled)
{
	sha256_init(&k->hash);
	sha256_update(&k->hash, version, sizeof(version));
	k->usable = true;
	k->settled = settled;
}

void
statkey_add(struct statkey *k, const struct entry *en, const struct facts *f)
{
	char numbers[256];

	if (f->ctime_sec >= k->settled)
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
statkey_add_skipped(struct statkey *k, const char *path, size_t len, const char *reason)
{
	sha256_update(&k->hash, path, len);
	sha256_update(&k->hash, "\0s", 3);
	sha256_update(&k->hash, reason, strlen(reason) + 1);
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
