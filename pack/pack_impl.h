/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_PACK_IMPL_H
#define PACK_PACK_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "pack/attrs.h"
#include "pack/source.h"
#include "pack/statkey.h"

struct err;
struct job;
struct job_output;
struct member_packer;
struct tar_writer;

/* Between pack.c and pack_big.c only. */

struct packer {
	int rootfd;
	struct member_packer *gzip;
	struct tar_writer *tar;
	/* The directory that was opened last; siblings follow one another. */
	int dirfd;
	struct buf dir;
	bool has_dir;
	/* The member in progress. */
	struct buf plain, text;
	struct statkey key;
	uint64_t entries;
	uint64_t grown;
	const char *first; /* path of its first entry, in the job */
	size_t first_len;
	/* One file at a time. */
	struct source_file file;
	struct attrs attrs;
};

/* Pack data into o, and the section text if there is any. */
int pack_output(struct packer *p, struct job_output *o, const struct buf *data,
    const struct buf *text, struct err *e);

/* pack_big.c: the two kinds of jobs that a large file comes in. */
int pack_big_header(struct packer *p, struct job *j, struct err *e);
int pack_big_chunk(struct packer *p, struct job *j, struct err *e);

#endif
