/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_STOP_H
#define CORE_STOP_H

#include <stdbool.h>

struct err;

/*
 * The one way in which a signal reaches the work: cli/signal.c sets the number,
 * every long loop asks.  Async-signal-safe.  The first request counts; 0 takes it
 * back (for tests).
 */
void stop_request(int signo);
int stop_signal(void); /* 0, or the signal that asked us to stop */
/* 0, or -1 with ERR_STOPPED. */
int stop_check(struct err *e);

#endif
