/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_RETENTION_H
#define BACKUP_RETENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "seal/seal.h"
#include "store/retain.h"

/* A backup that was to go. */
struct retention_gone {
	char name[SEAL_NAME_MAX + 1];
	char *why; /* "no rule keeps it" */
	char *failed; /* why it is still there; NULL: it is not */
	bool for_room; /* removed before the backup, by --make-room */
};

/* What retention decided and did in a run, for its report.  All-zero: nothing yet. */
struct retention {
	struct retain_policy policy;
	struct retain_set set; /* points into the list of backups */
	struct retention_gone *gone;
	size_t n_gone, failures;
};

void retention_done(struct retention *t);

#endif
