/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/statkey.h"

#include <string.h>

#include "core/num.h"

/*
 * What comes first in every key.  A tool that writes other tar headers or sections for the same
 * facts must change it: else members would be copied that it would not have made.
 */
static const char version[] = "2";

#define FACTS_MAX 256 /* text of the facts of one entry */

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

/* Each takes up to 21 characters of what FACTS_MAX has room for. */
static char *
put_number(char *at, uint64_t n, char end)
{
	at += num_digits(n, at);
	*at = end;
	return at + 1;
}

static char *
put_seconds(char *at, int64_t sec)
{
	if (sec < 0)
		*at++ = '-';
	return put_number(at, sec < 0 ? -(uint64_t)sec : (uint64_t)sec, ' ');
}

void
statkey_add(struct statkey *k, const struct entry *en, const struct facts *f)
{
	char numbers[FACTS_MAX] = {'\0', (char)en->type, ' '}, *at = numbers + 3;

	if (f->ctime_sec >= k->settled)
		k->usable = false;
	sha256_update(&k->hash, en->path, en->path_len);
	at = put_number(at, f->mode & 07777, ' ');
	at = put_number(at, f->uid, ' ');
	at = put_number(at, f->gid, ' ');
	at = put_number(at, f->size, ' ');
	at = put_seconds(at, f->mtime_sec);
	at = put_number(at, f->mtime_nsec, ' ');
	at = put_seconds(at, f->ctime_sec);
	at = put_number(at, f->ctime_nsec, ' ');
	at = put_number(at, f->ino, ' ');
	at = put_number(at, f->rdev_major, ' ');
	at = put_number(at, f->rdev_minor, '\0');
	sha256_update(&k->hash, numbers, (size_t)(at - numbers));
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
