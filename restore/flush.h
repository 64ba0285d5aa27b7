/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FLUSH_H
#define RESTORE_FLUSH_H

#include <pthread.h>
#include <stdbool.h>

/*
 * A thread that has what was written beneath a directory go to its disk while more is being
 * written, so that the sync at the end has little left to do.  It promises nothing: that
 * sync does, and sees errors of its own, because each descriptor is told of them once.
 */
struct restore_flush {
	int fd; /* -1: there is no thread, which is no harm */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t end;
	bool ending;
};

void restore_flush_begin(struct restore_flush *f, int dirfd);
void restore_flush_end(struct restore_flush *f);

#endif
