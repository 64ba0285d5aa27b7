/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdint.h>

struct buf;

/*
 * What this process may take of the machine, and what follows: how many workers, and how many
 * jobs of theirs may wait in memory (core/pipeline.h).  A container with "limits: cpu: 2" on a
 * node of 64 would else start 64 workers, with the memory of 64.
 */
struct limits {
	unsigned cpus; /* of the affinity mask; at least 1 */
	uint64_t cpu_milli; /* the control group's quota, in thousandths of one; 0: none */
	uint64_t memory; /* of the control group or ulimit -v, -d, in bytes; 0: none */
};

void limits_here(struct limits *out);

/* As many as --jobs takes. */
#define LIMITS_WORKERS_MAX 256u
/* Those that the quota pays for, rounded up (200m is 1), if there are that many. */
unsigned limits_cpus(const struct limits *l);
/* No more than that, and than the memory limit has room for; 1 to LIMITS_WORKERS_MAX. */
unsigned limits_workers(const struct limits *l);
unsigned limits_workers_here(void);
/*
 * Jobs that may exist at a time with so many workers: 2 * workers + 2, or fewer where memory is
 * short, but one for each worker and one more.
 */
unsigned limits_depth(const struct limits *l, unsigned workers);

/* Appends how many workers there are and why, and how many jobs, which are an archive's members. */
void limits_describe(const struct limits *l, unsigned workers, struct buf *out);
/* What a program with so many workers may take, in bytes. */
uint64_t limits_need(const struct limits *l, unsigned workers);
/*
 * When work begins: with -v that description, and a warning when the memory limit may not do.  Then
 * the kernel may kill the program, which has no chance to tell why.
 */
void limits_tell(unsigned workers);

#endif
