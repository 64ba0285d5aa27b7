/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdint.h>

struct err;

/*
 * Where a long job stands.  Workers add to counters; a thread prints, once a
 * second, a line with rate and ETA (plain) or a JSON object a line (json), on
 * stderr.  With PROGRESS_NONE nothing is started and adding costs an atomic add.
 */
enum progress_mode { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_PLAIN, PROGRESS_JSON };

/* AUTO: plain when stderr is a terminal, else none. what: "backup", "verify". */
int progress_start(enum progress_mode mode, const char *what, struct err *e);
void progress_total(uint64_t bytes); /* when known; 0: unknown */
void progress_add(uint64_t bytes, uint64_t entries);
void progress_stop(void); /* removes the line; harmless when not started */
/* For log.c: take the line away before a message, put it back at the next tick. */
void progress_hide(void);

#endif
