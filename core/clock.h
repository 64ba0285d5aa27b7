/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct err;

/*
 * Wall clock, zones, and the times that users write.  A zone is set once, at
 * start, for the whole process (tzset(3)).
 */
struct timespec clock_now(void);
/* Nanoseconds since some start, never backwards: for how long something takes.  Signal-safe. */
uint64_t clock_mono_ns(void);

/*
 * Use zone ("Europe/Kyiv", "UTC", ":/path", a POSIX TZ string), or with NULL what
 * $TZ says, or UTC.  ERR_USAGE when no such zone is known: glibc would
 * silently take UTC under the wrong name.
 */
int clock_zone_set(const char *zone, struct err *e);

/* "20260209_000005", local. */
void clock_stamp(time_t t, char out[32]);
/* As date(1) prints in the C locale: "Mon Feb  9 00:00:05 EET 2026". */
void clock_date(time_t t, char out[64]);
/* "2026-02-09 00:00:05 +0200" for tables, local. */
void clock_table(time_t t, char out[64]);
/* "2026-02-08T22:00:05Z" */
void clock_rfc3339(time_t t, char out[64]);
/*
 * RFC 3339 with zone, "2026-02-09" (the end of that local day), or
 * "2026-02-09 00:00[:05]" / with T, local.  ERR_USAGE else.  The result is
 * inclusive: everything up to and with *out.
 */
int clock_parse(const char *s, struct timespec *out, struct err *e);

#endif
