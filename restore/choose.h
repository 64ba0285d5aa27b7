/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_CHOOSE_H
#define RESTORE_CHOOSE_H

struct err;
struct repo;
struct repo_backup;
struct repo_list;
struct restore_opts;
struct restore_report;

/*
 * The backup that is asked for: by name, as of a time, the newest that contains a path, or the
 * latest.  Manifests that had to be looked into and are damaged are findings: what was looked for
 * may have been there.
 */
int choose_backup(const struct restore_opts *o, const struct repo *repo,
    const struct repo_list *list, struct restore_report *r, const struct repo_backup **out,
    struct err *e);

#endif
