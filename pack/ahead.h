/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_AHEAD_H
#define PACK_AHEAD_H

#include <stddef.h>

#include "pack/facts.h"
#include "pack/parent.h"
#include "pack/source.h"

struct job;

/*
 * The small files of a job, opened a few before they are read: the kernel is told of each at once,
 * so that a disk, or a server, has several of them to fetch at a time where a worker would else
 * wait for one after the other.
 */
#define AHEAD_MAX 16u

struct ahead {
	struct parent parent;
	unsigned window; /* files that may be open beside the one that is read */
	const struct job *job;
	size_t next; /* item to be opened next */
	struct ahead_file {
		enum source_result result;
		int fd; /* SOURCE_OK: not taken yet */
		int error;
		struct facts facts;
	} files[AHEAD_MAX + 1]; /* item i is in place i % (AHEAD_MAX + 1) */
};

/* For one of so many workers: all of them leave most of the limit on open files to others. */
void ahead_init(struct ahead *a, int rootfd, unsigned workers);
void ahead_done(struct ahead *a);
/* The items of j, which must live until ahead_end(). */
void ahead_begin(struct ahead *a, const struct job *j);
/* Closes what was not taken. */
void ahead_end(struct ahead *a);
/*
 * Item i, a regular file that is opened by name, as from source_open(): *fd is the caller's.  i
 * grows from call to call.
 */
enum source_result ahead_take(struct ahead *a, size_t i, int *fd, struct facts *now);

#endif
