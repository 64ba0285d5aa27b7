/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_WRITER_IMPL_H
#define PACK_WRITER_IMPL_H

#include "core/hash.h"
#include "pack/holes.h"
#include "pack/job.h"
#include "pack/writer.h"
#include "seal/section.h"

struct manifest_mark;
struct manifest_writer;
struct member_packer;

/* Between writer.c and writer_big.c only. */

/* A large file in progress. */
struct writer_big {
	struct bigfile *file; /* a reference; NULL: none */
	int tries; /* passes that were judged by what the file did meanwhile */
	/* Where its header stands, to come back to. */
	uint64_t offset;
	struct sha256 archive;
	struct manifest_mark *mark;
	struct writer_members members;
	/* This pass. */
	struct sha256 content;
	uint64_t hashed; /* bytes of the file that are in content */
	struct holes holes;
	bool was_short; /* some read gave less than the size promised */
	bool stale; /* it changed without a trace */
	bool missed; /* of an unchanged file some member is not to be had: the rest is dropped */
	struct section_range *bad;
	size_t n_bad, cap_bad;
	/* Its last member, kept back until the file is known to be good. */
	struct job_output last;
	struct manifest_member older; /* unchanged: what last was copied from, for its section */
};

struct writer {
	struct writer_opts o;
	uint64_t offset; /* length of the archive */
	struct writer_members members;
	uint64_t flushed; /* up to here the kernel was told to write */
	struct sha256 hash; /* of the archive */
	struct manifest_writer *manifest;
	struct member_packer *gzip;
	struct buf notes; /* section text that is left for the end */
	struct tally tally;
	bool needs_sparse;
	struct writer_big big;
	struct reuse_cursor *again; /* for files that are passed again; made when needed */
};

/* Append a member to the archive and its line and section to the manifest. */
int writer_put(struct writer *w, struct job_output *o, struct err *e);
/* Append to o->section, packed, what text says. */
int writer_pack_section(
    struct writer *w, struct job_output *o, const struct buf *text, struct err *e);
/* The header or a chunk of a large file, in order. */
int writer_big_job(struct writer *w, struct job *j, struct err *e);
void writer_big_done(struct writer_big *b);
/* A pipeline with this sink. */
int writer_start(struct writer *w, struct pipeline **out,
    int (*sink)(void *ctx, void *job, struct err *e), struct err *e);

#endif
