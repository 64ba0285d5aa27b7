/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdint.h>

struct err;

/*
 * Where a long job stands.  Workers add to counters; a thread prints, once a
 * second, a line with rate and ETA (plain) or a JSON object a line (json), on
 * stderr.  With PROGRESS_NONE nothing is started and adding costs an atomic add.
 *
 * On a terminal the plain line is drawn over itself and never wider than the
 * terminal; elsewhere it is a line every ten seconds.  Where lines stay (json, or
 * no terminal), progress_stop() writes a last one.
 *
 * {"progress":"verify","version":1,"entries":N,"bytes":N,"total_bytes":N,
 * "seconds":N.N,"rate":N,"eta":N,"done":false}: rate in bytes a second, eta in
 * seconds; total_bytes and eta are null while unknown.
 */
enum progress_mode { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_PLAIN, PROGRESS_JSON };

/*
 * AUTO: plain when stderr is a terminal and log_get_level() is not LOG_QUIET,
 * else none. what: "backup", "verify".  Counters start at 0.
 */
int progress_start(enum progress_mode mode, const char *what, struct err *e);
void progress_total(uint64_t bytes); /* when known; 0: unknown */
void progress_add(uint64_t bytes, uint64_t entries);
void progress_stop(void); /* removes the line; harmless when not started */
/*
 * Take the line away; it comes back at the next tick.  For who writes to stdout
 * meanwhile, which may be the same terminal.  Not under log_lock().
 */
void progress_hide(void);
/* The same, under log_lock(). */
void progress_erase(void);

#endif
