/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_VERSIONS_H
#define RESTORE_VERSIONS_H

struct err;
struct repo;
struct repo_list;
struct restore_opts;
struct restore_report;

/*
 * restore --all-versions: one path as it was in each backup of the series where it was not as in
 * the one before, oldest first.  conf/site.json becomes site~20260209_000005.json, by the backup
 * that had it first.  Where a version is damaged in one backup, the next one that has it serves;
 * the damage is a finding all the same.  Backups that are not trusted are findings, and left out.
 */
int restore_versions(const struct restore_opts *o, const struct repo *repo,
    const struct repo_list *list, struct restore_report *r, struct err *e);

#endif
