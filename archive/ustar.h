/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_USTAR_H
#define ARCHIVE_USTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The 512-byte header block of POSIX.1-1988, with base-256 numbers where octal is too short. */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char typeflag;
	char linkname[100];
	char magic[8];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char pad[12];
};

#define USTAR_UID_MAX 07777777 /* also gid, devices */
#define USTAR_SIZE_MAX 077777777777 /* also mtime */

/* An empty header: type, magic, zeros in all numbers. */
void ustar_init(struct ustar *h, char typeflag);
void ustar_put_number(char *field, size_t len, int64_t v);
/* Put the name, split at a '/' when it is long; false when it does not fit: it is cut off then. */
bool ustar_put_name(struct ustar *h, const char *name, size_t len);
/* The last step. */
void ustar_put_checksum(struct ustar *h);

/* 0, or -1 when the field holds no number, or one beyond int64_t. */
int ustar_get_number(const char *field, size_t len, int64_t *v);
/* Magic and checksum are good. */
bool ustar_is_sound(const struct ustar *h);
/* Prefix and name put together; its length. */
size_t ustar_get_name(const struct ustar *h, char out[257]);
bool ustar_is_zero(const struct ustar *h);

#endif
