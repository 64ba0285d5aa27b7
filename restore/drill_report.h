/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_DRILL_REPORT_H
#define RESTORE_DRILL_REPORT_H

struct drill;

/* The result of a drill on standard output: text, or with --json one document. */
void drill_report(const struct drill *d, int status);

#endif
