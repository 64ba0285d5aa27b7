/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_CRASH_H
#define TESTS_UNIT_CRASH_H

#include <stddef.h>

#include "core/buf.h"

/*
 * A step that works on one flat directory, watched from outside: killed at a system call, or with
 * the power cut.  Anything that fails ends the test program.
 */
typedef int (*crash_step)(const char *dir); /* the exit status of its process */

/* What a step did to the directory, in order. */
struct crash_op {
	enum crash_kind {
		CRASH_CREATE, /* name */
		CRASH_WRITE, /* data, appended to name */
		CRASH_SYNC, /* fsync of name */
		CRASH_SYNC_DIR,
		CRASH_RENAME, /* name to other, in the place of what was there */
		CRASH_LINK, /* other, too, for name */
		CRASH_UNLINK, /* name */
	} kind;
	char name[256], other[256];
	struct buf data;
	size_t file; /* crash_cut()'s own */
};

#define CRASH_OPS_MAX 64
struct crash_log {
	struct crash_op ops[CRASH_OPS_MAX];
	size_t n;
};
void crash_log_done(struct crash_log *log);
/* "CwSrruD" and so on, by which a test tells their order: c w s D r l u. */
void crash_log_letters(const struct crash_log *log, char out[CRASH_OPS_MAX + 1]);

/*
 * Run the step in a process of its own, and kill it as it enters its system call number kill_at
 * (0: never).  log may be NULL.  Its exit status, -1 when it was killed, -2 when nobody may trace.
 */
int crash_trace(crash_step step, const char *dir, unsigned kill_at, struct crash_log *log);

/*
 * What a power cut can leave of a step that did this to a directory that was as `before` is: at
 * each point between two operations, with any of the names that were not synced since lost, in any
 * combination, and the data of files that were not synced there or lost.  Each different one is
 * made in a fresh directory, and handed on; is_over: the step had returned.  How many there were.
 */
typedef void (*crash_left)(void *ctx, const char *dir, int is_over);
size_t crash_cut(const char *before, struct crash_log *log, crash_left fn, void *ctx);

#endif
