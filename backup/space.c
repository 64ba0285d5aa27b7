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

/* What the last one took, and what the source says to that. */
static int
estimate(struct space *s, const struct space_opts *o, struct err *e)
{
	const struct seal *last = o->last;
	struct survey now;

	s->needed = last->archive_size + last->manifest_size;
	if (!o->thorough && s->room >= s->needed)
		return 0;
	if (survey_run(o->source_fd, o->walk, &now, e) != 0)
		return -1;
	if (last->bytes > 0 && (o->thorough || now.bytes < last->bytes))
		s->needed =
		    (uint64_t)((double)s->needed * ((double)now.bytes / (double)last->bytes));
	return 0;
}

int
space_measure(const struct repo *r, const struct space_opts *opts, struct space *out, struct err *e)
{
	struct space s = {0};
	uint64_t inodes;
	char human[16];

	if (repo_free_space(r, &s.room, &inodes, e) != 0)
		return -1;
	if (opts->last != NULL && opts->shares) {
		s.needed = opts->last->manifest_size + SPACE_MIN;
		num_human(s.needed, human);
		log_verbose("%s is needed, and what has changed: the rest of the archive is "
			    "expected to be blocks of the last one",
		    human);
	} else if (opts->last != NULL && estimate(&s, opts, e) != 0) {
		return -1;
	}
	if (s.needed < SPACE_MIN)
		s.needed = SPACE_MIN;
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
