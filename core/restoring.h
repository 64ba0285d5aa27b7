/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_RESTORING_H
#define CORE_RESTORING_H

/*
 * The directory that a restore works in, at the top of its target, and which goes when it is done.
 * While it is there the target is not whole (restore/work.h), and is no source of a backup.
 */
#define RESTORING_DIR ".tarseal-restore"

struct err;

/* -1, and *e says why path, which holds it, is not backed up. */
int restoring_refuse(const char *path, struct err *e);

#endif
