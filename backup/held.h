/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_HELD_H
#define BACKUP_HELD_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct repo_backup;
struct repo_list;

/*
 * What a run builds on: the backups of its series that it may believe (repo_counts() in
 * store/repo.h).  Those are the ones that verify under its own or a trusted key; in a run without
 * a key the unsigned ones too.  Others are left alone: not held, not counted.
 */
/* The one that a run with this id made, or NULL. */
const struct repo_backup *held_by_run(
    const struct repo_list *l, const char *series, bool accept_unsigned, const char *run_id);
/*
 * ERR_SYS when a seal of the series may not be read by this user: it has a number that is not
 * known, and two backups with one are a series spoiled.
 */
int held_check_numbers(
    const struct repo_list *l, const char *series, bool accept_unsigned, struct err *e);
/*
 * The sequence of the next backup: one more than that of all others, also of those that are left
 * alone, and one for each bad seal that the newest does not hold: any of them may count one day, by
 * another key that is named, or a file that comes back from a copy.  The first one of a
 * series leaves as many numbers below it as there are archives of the series without a seal
 * (SERIES-STAMP), so that manifest import can give them one each.
 */
uint64_t held_sequence(const struct repo_list *l, const char *series, bool accept_unsigned);
/*
 * Warn of what cannot be built on: seals of the series that are not acceptable, held
 * backups that are gone, archives without a seal.
 */
void held_warn(
    const struct repo_list *l, const char *series, const char *repo_dir, bool accept_unsigned);

#endif
