/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/restoring.h"

#include "core/err.h"

int
restoring_refuse(const char *path, struct err *e)
{
	return err_set(e, ERR_SYS,
	    "%s: a restore is going on there, or was cut short (\"restore --status\" tells): its "
	    "target is backed up when that is done",
	    path);
}
