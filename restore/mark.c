/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/mark.h"

#include "archive/entry.h"

bool
restore_mark_at_once(const struct entry *dir)
{
	return dir->path_len > 0 && dir->acl_access == NULL && dir->acl_default == NULL;
}

uint8_t
restore_mark_of(const struct entry *en)
{
	bool has_more = en->n_xattrs > 0 || en->acl_access != NULL || en->acl_default != NULL;

	if (en->type == ENTRY_HARDLINK)
		return RESTORE_LINKS;
	if (en->type != ENTRY_DIR)
		return 0;
	return has_more && !restore_mark_at_once(en) ? RESTORE_DIRS | RESTORE_HEADERS
						     : RESTORE_DIRS;
}
