/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_SWEEP_H
#define VERIFY_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hash.h"
#include "verify/job.h"

struct err;
struct manifest_reader;
struct verify_copies_of;
struct verify_report;

/*
 * Once over an archive and its manifest, in parallel: each byte of the archive is
 * read once, and memory does not depend on its size.  What is hurt goes to the
 * report, in the archive's order.
 */
struct verify_sweep {
	struct verify_source source;
	struct manifest_reader *reader; /* NULL: no sound index, so the archive is raw bytes */
	uint64_t archive_len; /* the file's */
	unsigned jobs;
	struct verify_report *report;
	const struct verify_copies_of *others; /* to ask for what is damaged */
};

struct verify_swept {
	uint64_t members, entries, bytes; /* gone through */
	uint64_t files_bytes; /* sizes of files, as a seal counts them */
	bool incomplete; /* some byte of the archive was not read, and digest means nothing */
	bool damaged; /* and the report says where */
	bool gap; /* some of it is in no member that is known */
	uint8_t digest[SHA256_LEN]; /* of the archive up to its sealed length */
};

/* -1: it could not be done (memory, a stop). */
int verify_sweep(const struct verify_sweep *o, struct verify_swept *result, struct err *e);

#endif
