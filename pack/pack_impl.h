/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_PACK_IMPL_H
#define PACK_PACK_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"
#include "pack/ahead.h"
#include "pack/attrs.h"
#include "pack/parent.h"
#include "pack/source.h"
#include "pack/statkey.h"

struct err;
struct job;
struct job_output;
struct manifest_member;
struct member_packer;
struct tar_writer;

/* Between pack.c and pack_big.c only. */

struct packer {
	const struct reuse *older;
	size_t block;
	struct member_packer *gzip;
	struct tar_writer *tar;
	struct parent parent; /* of what is no file */
	struct ahead ahead;
	/* The member in progress. */
	struct buf plain, text;
	struct sha256 plain_hash; /* of the first so many bytes of plain */
	size_t hashed;
	struct statkey key;
	uint64_t entries;
	uint64_t grown;
	const char *first; /* path of its first entry, in the job */
	size_t first_len;
	/* One file at a time. */
	struct source_file file;
	struct attrs attrs;
};

/*
 * Pack data, whose digest o->m has, into o, or where the older member in its place (j->old)
 * inflates to the same, copy that; and pack the section text if there is any.  1 when that older
 * one has the same stat key and other data.
 */
int pack_output(struct packer *p, struct job *j, struct job_output *o, const struct buf *data,
    const struct buf *text, struct err *e);

/* pack_big.c: the two kinds of jobs that a large file comes in. */
int pack_big_header(struct packer *p, struct job *j, struct err *e);
int pack_big_chunk(struct packer *p, struct job *j, struct err *e);

#endif
