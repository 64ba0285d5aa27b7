/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_PRESENT_H
#define VERIFY_PRESENT_H

struct repo;
struct verify_held_set;
struct verify_report;

/*
 * Are archive and manifest there, with the sealed sizes, of the backups that are asked for but not
 * picked?  (Those that are picked are checked one by one.)  Only of those that count: trusted
 * ones, or with --untrusted all.
 */
void verify_present(
    const struct repo *repo, const struct verify_held_set *set, struct verify_report *r);

#endif
