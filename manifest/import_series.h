/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_SERIES_H
#define MANIFEST_IMPORT_SERIES_H

struct err;
struct import_run;
struct seal;

/*
 * The series that an import adds to: what may be added to it, and how its seals come to hold what
 * was added below them.
 */

/*
 * Can backups be put into the series at all, and can its newest be sealed anew?  ERR_TRUST: what is
 * there is not signed by a key that is known here.
 */
int import_series_ok(const struct import_run *r, const char *series, struct err *e);
/* Let s, a new backup's, hold all of its series that count and have a lower sequence. */
int import_series_fill(const struct import_run *r, struct seal *s, struct err *e);
/*
 * Let the newest backup of the series hold all imported ones that count: after each, and after a
 * run that was cut short between one's commit and that.
 */
int import_series_hold(struct import_run *r, const char *series, struct err *e);
/* Make r->list anew, after what changed the repository. */
int import_series_reload(struct import_run *r, struct err *e);

#endif
