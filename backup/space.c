/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/space.h"

#include <stdint.h>

#include "backup/survey.h"
#include "core/err.h"
#include "core/log.h"
#include "core/num.h"
#include "seal/seal.h"
#include "store/repo.h"

#define SPACE_MIN 65536 /* three files and a directory that grows, at the least */

static int
refuse(const struct repo *r, uint64_t room, uint64_t needed, struct err *e)
{
	char has[16], wants[16];

	num_human(room, has);
	num_human(needed, wants);
	(void)err_set(e, ERR_SYS, "%s: no space for another backup: %s is free, about %s is needed",
	    repo_dir(r), has, wants);
	return -1;
}

int
space_check(const struct repo *r, const struct seal *last, int source_fd,
    const struct walk_opts *opts, struct err *e)
{
	uint64_t room, inodes;
	struct survey now;

	if (repo_free_space(r, &room, &inodes, e) != 0)
		return -1;
	if (room < SPACE_MIN)
		return refuse(r, room, SPACE_MIN, e);
	if (last == NULL)
		return 0;
	uint64_t needed = last->archive_size + last->manifest_size;
	if (room >= needed)
		return 0;
	if (survey_run(source_fd, opts, &now, e) != 0)
		return -1;
	if (now.bytes < last->bytes)
		needed = (uint64_t)((double)needed * ((double)now.bytes / (double)last->bytes));
	if (room < needed / 2)
		return refuse(r, room, needed, e);
	if (room < needed)
		log_warn("%s: space may run out: the backup needs about as much as is free",
		    repo_dir(r));
	return 0;
}
