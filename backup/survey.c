/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/survey.h"

#include <sys/stat.h>

#include "backup/links.h"
#include "core/log.h"
#include "tree/walk.h"

static int
count_file(struct survey *s, struct links *links, const struct walk_item *w, struct err *e)
{
	const struct links_file *first = NULL;

	if (w->facts.nlink > 1)
		first = links_find(links, w->facts.dev, w->facts.ino);
	if (first != NULL) {
		s->hardlinks++;
		links_seen(links, first);
		return 0;
	}
	s->files++;
	s->bytes += w->facts.size;
	return w->facts.nlink > 1 ? links_add(links, &w->facts, w->path, w->path_len, e) : 0;
}

static int
count_entry(struct survey *s, struct links *links, const struct walk_item *w, struct err *e)
{
	if (S_ISREG(w->facts.mode))
		return count_file(s, links, w, e);
	if (S_ISLNK(w->facts.mode))
		s->symlinks++;
	else if (!S_ISDIR(w->facts.mode))
		s->others++;
	else if (w->path_len > 0)
		s->dirs++;
	return 0;
}

static int
count(struct survey *s, struct links *links, const struct walk_item *w, struct err *e)
{
	switch (w->kind) {
	case WALK_ENTRY:
		return count_entry(s, links, w, e);
	case WALK_EXCLUDED:
		s->excluded++;
		log_verbose("%s: excluded", w->path);
		break;
	case WALK_SKIPPED:
		s->skipped++;
		log_verbose("%s: skipped: %s", w->path, w->reason);
		break;
	case WALK_UNREADABLE:
		s->unreadable++;
		log_verbose("%s: cannot be read: %s", w->path, w->reason);
		break;
	case WALK_VANISHED:
		break;
	}
	return 0;
}

int
survey_run(int source_fd, const struct walk_opts *opts, struct survey *out, struct err *e)
{
	struct links *links = NULL;
	struct walk *walk = NULL;
	struct walk_item item;
	int rc = -1;

	*out = (struct survey){0};
	if (links_new(&links, e) != 0 || walk_new(&walk, source_fd, opts, e) != 0)
		goto out;
	while ((rc = walk_next(walk, &item, e)) == 1) {
		if (count(out, links, &item, e) != 0) {
			rc = -1;
			break;
		}
	}
out:
	walk_free(walk);
	links_free(links);
	return rc;
}

uint64_t
survey_entries(const struct survey *s)
{
	return s->files + s->dirs + s->symlinks + s->hardlinks + s->others;
}
