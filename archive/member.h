/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_MEMBER_H
#define ARCHIVE_MEMBER_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * Independent gzip members (RFC 1952), by libdeflate.
 *
 * An archive is a run of members, each holding one slice of the tar stream and
 * none leaning on another: any one can be read, checked, or skipped alone, and
 * gunzip still reads the run as one file.  The same bytes at the same level give
 * the same member.
 *
 * A packer or unpacker serves one thread at a time; give each worker its own.
 * Functions returning int give 0, or -1 with *e filled in.
 */
/* docs/PERFORMANCE.md, "Which level", has what others would cost. */
#define MEMBER_LEVEL_DEFAULT 5
/* No member inflates to more; readers refuse larger claims before allocating. */
#define MEMBER_PLAIN_MAX (64u << 20)

struct member_packer;
struct member_unpacker;

/* Level 1 (fast) to 12 (small). */
int member_packer_new(struct member_packer **out, int level, struct err *e);
void member_packer_free(struct member_packer *p); /* NULL is harmless */
/* Append one member that holds plain[0..len) to packed. */
int member_pack(
    struct member_packer *p, const void *plain, size_t len, struct buf *packed, struct err *e);

/*
 * Make the one member in packed a multiple of block bytes long (a power of two, 512 to
 * MEMBER_BLOCK_MAX), by an extra field in its header; what has one of another length loses that.
 * What it inflates to is the same.
 */
#define MEMBER_BLOCK_MAX (16u << 10) /* busybox fails with fields near their limit of 64 KiB */
int member_align(struct buf *packed, size_t block, struct err *e);

int member_unpacker_new(struct member_unpacker **out, struct err *e);
void member_unpacker_free(struct member_unpacker *u);
/*
 * Inflate the member that fills packed[0..len) exactly, into plain (cleared
 * first), expecting plain_len bytes.  ERR_CORRUPT if header, CRC or either length
 * disagrees, or if bytes follow the member.
 */
int member_unpack(struct member_unpacker *u, const void *packed, size_t len, size_t plain_len,
    struct buf *plain, struct err *e);
/* The length that the member's trailer claims, to be bounded by the caller. len >= 18, else 0. */
uint32_t member_claimed_len(const void *packed, size_t len);

/* "libdeflate 1.14 level 6", for the seal. */
void member_packer_name(int level, char out[64]);

#endif
