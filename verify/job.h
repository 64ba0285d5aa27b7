/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_JOB_H
#define VERIFY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "seal/manifest.h"
#include "verify/finds.h"
#include "verify/place.h"

struct err;
struct seal;

/*
 * One member of an archive, or a stretch of it that no member is known for, on its
 * way through the pipeline: read and checked by a worker, then taken in order by
 * the sink (sweep.c).
 */
struct verify_job {
	bool is_member; /* else a stretch: only m.offset and m.packed_len count */
	struct manifest_member m;
	char *path; /* m.path points here; NULL for the end member */
	bool next_known; /* where the next member starts: */
	char *next_path; /* NULL: it is the end */
	uint64_t file_size; /* what there is of the archive */
	uint64_t number; /* of the member, from 1 */

	/* Put there by the worker. */
	struct buf packed, plain, section;
	bool unread; /* packed does not hold all of it */
	bool beyond; /* because the archive ends before */
	bool damaged; /* packed or plain bytes are wrong */
	bool lost; /* the packed bytes of a member are: those of another archive may be good */
	struct verify_place place; /* of the damage */
	bool section_bad; /* or none could be read */
	uint64_t lines, files_bytes; /* the section's entries, and the sizes of files among them */
	char *first_path, *last_path; /* NULL: no entries */
	struct verify_finds finds;
};

/* A job for m, whose path is copied. */
struct verify_job *verify_job_new(const struct manifest_member *m, struct err *e);
void verify_job_free(void *arg);

/* Told of a member whose plain bytes are not those of the index. */
void verify_job_plain_differs(struct verify_job *job);

/* What all workers of a backup share; the descriptors are only used with pread. */
struct verify_source {
	int level; /* enum verify_level */
	int archive_fd, manifest_fd; /* -1: missing */
	bool has_index; /* of the manifest, and it could be opened */
	const struct seal *seal;
};

/* What the pipeline's workers do; src must outlive them. */
void *verify_worker_new(const struct verify_source *src, struct err *e);
void verify_worker_free(void *arg);
int verify_worker_work(
    const struct verify_source *src, void *arg, struct verify_job *job, struct err *e);

#endif
