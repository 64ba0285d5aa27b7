/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_GUNZIP_H
#define ARCHIVE_GUNZIP_H

#include <stdint.h>
#include <sys/types.h>

#include "core/hash.h"

struct err;

/*
 * Other people's gzip, as a stream: one member or many, of any length, in constant memory
 * (zlib; for our own members see archive/member.h).
 *
 * Strict, because what comes out is going to be signed: every member's CRC and length must
 * hold, the file must not break off, and nothing but members may be in it, zeros and padding
 * neither.  Messages tell the place in the file.
 */
struct gunzip;

/* Reads fd (borrowed) with pread(2) from its start. */
int gunzip_new(struct gunzip **out, int fd, struct err *e);
void gunzip_free(struct gunzip *g); /* NULL is harmless */
/*
 * The next piece, valid until the next call; 0 at the end, when all of the file was sound;
 * -1: ERR_CORRUPT, or ERR_SYS.  Has the type of tar_feed (archive/tarread.h).
 */
ssize_t gunzip_read(void *g, const void **data, struct err *e);
/* Bytes of the file that were read so far. */
uint64_t gunzip_taken(const struct gunzip *g);
/* SHA-256 of the whole file, once gunzip_read() gave 0. */
void gunzip_digest(const struct gunzip *g, uint8_t out[SHA256_LEN]);

#endif
