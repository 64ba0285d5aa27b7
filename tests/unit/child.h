/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_CHILD_H
#define TESTS_UNIT_CHILD_H

/*
 * Run a function in a child process and catch what it writes and how it ends.
 * The texts are cut at the end of their arrays.
 */
struct child {
	char out[32768];
	char err[32768];
	int status; /* exit status, or 256 + the signal that killed it */
};

/* fn's result is the exit status. */
void child_run(struct child *c, int (*fn)(void *ctx), void *ctx);

#endif
