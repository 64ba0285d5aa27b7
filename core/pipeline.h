/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_PIPELINE_H
#define CORE_PIPELINE_H

#include <stddef.h>

struct err;

/*
 * An ordered parallel map over a bounded queue: one thread submits jobs, many
 * work on them, one takes the results in the order of submission.  backup,
 * verify, restore, and rebuild all run on it.
 *
 *	submit() -> [queue] -> work() x workers -> [reorder] -> sink()
 *
 * work() runs in worker threads, sink() in one thread of its own, one job at a
 * time, in the order of submission.  At most depth jobs exist between submit and
 * the end of sink; submit blocks beyond that.  The first error of work or sink
 * (by order of jobs) stops the pipeline: jobs that are left are freed unseen,
 * submit and finish return that error.  A stop request (core/stop.h) counts as
 * an error, ERR_STOPPED, from then on.
 *
 * The sink has seen exactly the jobs before the one that failed, or, when it
 * failed itself, those and that one.  The threads take no signals.  A sink or a
 * worker may run a pipeline of its own, but not submit to the one it serves.
 */
struct pipeline;

struct pipeline_opts {
	unsigned workers; /* at least 1; fewer run where no more can be started */
	unsigned depth; /* 0: as limits_depth() (core/limits.h) says */
	void *ctx;
	/* A worker's own state (packer, scratch), made in its thread; both may be NULL. */
	void *(*worker_new)(void *ctx, struct err *e);
	void (*worker_free)(void *worker);
	int (*work)(void *ctx, void *worker, void *job, struct err *e);
	int (*sink)(void *ctx, void *job, struct err *e); /* may be NULL */
	void (*job_free)(void *job); /* called exactly once for each job that submit took */
};

int pipeline_new(struct pipeline **out, const struct pipeline_opts *opts, struct err *e);
/* Hands over job, also when it fails (it is freed then). */
int pipeline_submit(struct pipeline *p, void *job, struct err *e);
/* Waits until all is through. Frees p in every case. */
int pipeline_finish(struct pipeline *p, struct err *e);
/* Gives up: drops queued jobs, waits for running ones, frees. NULL is harmless. */
void pipeline_abort(struct pipeline *p);

#endif
