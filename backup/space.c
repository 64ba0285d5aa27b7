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

int
space_measure(const struct repo *r, const struct seal *last, int source_fd,
    const struct walk_opts *opts, bool thorough, struct space *out, struct err *e)
{
	struct space s = {.needed = SPACE_MIN};
	uint64_t inodes, before;
	struct survey now;

	if (repo_free_space(r, &s.room, &inodes, e) != 0)
		return -1;
	before = last == NULL ? 0 : last->archive_size + last->manifest_size;
	if (before > s.needed)
		s.needed = before;
	if (last != NULL && (thorough || s.room < s.needed)) {
		if (survey_run(source_fd, opts, &now, e) != 0)
			return -1;
		if (last->bytes > 0 && (thorough || now.bytes < last->bytes))
			s.needed =
			    (uint64_t)((double)before * ((double)now.bytes / (double)last->bytes));
		if (s.needed < SPACE_MIN)
			s.needed = SPACE_MIN;
	}
	*out = s;
	return 0;
}

bool
space_is_short(const struct space *s)
{
	return s->room < s->needed;
}

int
space_judge(const struct repo *r, const struct space *s, struct err *e)
{
	char has[16], wants[16];

	num_human(s->room, has);
	num_human(s->needed, wants);
	if (s->room < SPACE_MIN || s->room < s->needed / 2)
		return err_set(e, ERR_SYS,
		    "%s: no space for another backup: %s is free, about %s is needed", repo_dir(r),
		    has, wants);
	if (space_is_short(s))
		log_warn("%s: space may run out: the backup needs about as much as is free",
		    repo_dir(r));
	return 0;
}
