/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "backup/ctimes.h"
#include "backup/firsts.h"
#include "backup/links.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "pack/bigfile.h"
#include "pack/feed.h"
#include "pack/source.h"
#include "pack/statkey.h"
#include "tree/walk.h"

struct plan {
	struct feed feed;
	struct walk *walk;
	struct links *links;
	struct firsts firsts;
	struct ctimes ctimes;
	struct timespec before; /* the present entry was looked at after that */
	struct plan_result *result;
};

/* ---- what is fed ---- */

static int
add_note(struct plan *p, const struct walk_item *w, enum job_item_kind kind, const char *reason,
    struct err *e)
{
	return feed_note(&p->feed, kind, w->path, w->path_len, reason, e);
}

static int64_t
margin(struct plan *p, const struct walk_item *w)
{
	return ctimes_margin(&p->ctimes, w->facts.dev, w->dirfd, w->name);
}

/* first is set for a hard link. */
static struct feed_entry
entry_of(
    struct plan *p, const struct walk_item *w, enum entry_type type, const struct links_file *first)
{
	struct feed_entry en = {
	    .type = type,
	    .path = w->path,
	    .path_len = w->path_len,
	    .facts = first != NULL ? &first->facts : &w->facts,
	    .is_first = type == ENTRY_FILE && w->facts.nlink > 1,
	    .settled = statkey_settled(p->before, margin(p, w)),
	};

	if (type == ENTRY_SYMLINK) {
		en.link = w->link;
		en.link_len = w->link_len;
	} else if (first != NULL) {
		en.link = first->path;
		en.link_len = first->path_len;
	}
	return en;
}

/* An entry that shares a member. */
static int
add_entry(struct plan *p, const struct walk_item *w, enum entry_type type, struct err *e)
{
	const struct feed_entry en = entry_of(p, w, type, NULL);

	return feed_add(&p->feed, &en, e);
}

/* ---- files that the planner opens ---- */

/* Takes fd. */
static int
add_big(struct plan *p, const struct walk_item *w, int fd, struct facts *facts, struct err *e)
{
	struct bigfile *b;
	int rc;

	if (bigfile_new(&b, fd, margin(p, w), w->path, w->path_len, e) != 0)
		return -1;
	if (bigfile_look(b) != 0) {
		rc = add_note(p, w, JOB_UNREADABLE, strerrordesc_np(errno), e);
		facts->nlink = 0; /* not stored: no other name can be a link to it */
	} else {
		*facts = b->facts;
		rc = feed_big(&p->feed, b, e);
	}
	bigfile_unref(b);
	return rc;
}

/* The first name that is met of a small file. */
static int
add_small(struct plan *p, const struct walk_item *w, struct err *e)
{
	if (add_entry(p, w, ENTRY_FILE, e) != 0)
		return -1;
	return w->facts.nlink > 1 ? links_add(p->links, &w->facts, w->path, w->path_len, e) : 0;
}

/* A large file is opened at once: from then on it surely can be stored. */
static int
open_and_add(struct plan *p, struct walk_item *w, struct err *e)
{
	struct facts now;
	int fd;

	switch (source_open(w->dirfd, w->name, &fd, &now)) {
	case SOURCE_VANISHED:
		return add_note(p, w, JOB_VANISHED, NULL, e);
	case SOURCE_UNREADABLE:
		return add_note(p, w, JOB_UNREADABLE, strerrordesc_np(errno), e);
	case SOURCE_FAILED:
		return err_sys(e, "source: %s", w->path);
	case SOURCE_OK:
		break;
	}
	w->facts = now; /* it may have become small, or another file */
	if (now.size < CUT_LARGE_MIN) {
		(void)close(fd);
		return add_small(p, w, e);
	}
	int rc = add_big(p, w, fd, &now, e);
	if (rc == 0 && now.nlink > 1 && links_find(p->links, now.dev, now.ino) == NULL)
		rc = links_add(p->links, &now, w->path, w->path_len, e);
	return rc;
}

/*
 * Is this name one of the file that stands in the table?  On a live source that file may
 * be gone meanwhile, and its inode given to a new one (mail servers link and
 * unlink all day).  A file that is as it was is no other; one that differs is the
 * same only if it was born before the first one was looked at.
 */
static bool
is_same_file(const struct walk_item *w, const struct links_file *first)
{
	const struct facts *f = &first->facts;
	struct statx sx;

	if (w->facts.size == f->size && w->facts.mtime_sec == f->mtime_sec &&
	    w->facts.mtime_nsec == f->mtime_nsec)
		return true;
	if (statx(w->dirfd, w->name, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &sx) != 0 ||
	    (sx.stx_mask & STATX_BTIME) == 0)
		return false;
	return sx.stx_btime.tv_sec < f->ctime_sec ||
	    (sx.stx_btime.tv_sec == f->ctime_sec && sx.stx_btime.tv_nsec <= f->ctime_nsec);
}

/* The file that w is a further name of; NULL: it is the first, or has no other. */
static const struct links_file *
first_of(struct plan *p, const struct walk_item *w)
{
	const struct links_file *first = NULL;

	if (w->facts.nlink > 1)
		first = links_find(p->links, w->facts.dev, w->facts.ino);
	if (first == NULL || is_same_file(w, first))
		return first;
	links_drop(p->links, first);
	return NULL;
}

/* 1: w is stored as a link; 0: it is none, or no more; -1. */
static int
add_link(struct plan *p, const struct walk_item *w, struct err *e)
{
	const struct links_file *first = first_of(p, w);

	if (first == NULL)
		return 0;
	struct feed_entry en = entry_of(p, w, ENTRY_HARDLINK, first);
	if (feed_cut(&p->feed, &en, e) != 0)
		return -1;
	/* That may have read the first name, and found it gone, or another one in its place. */
	first = first_of(p, w);
	if (first == NULL)
		return 0;
	en = entry_of(p, w, ENTRY_HARDLINK, first);
	if (feed_add(&p->feed, &en, e) != 0)
		return -1;
	links_seen(p->links, first);
	return 1;
}

static int
add_file(struct plan *p, struct walk_item *w, struct err *e)
{
	int rc = add_link(p, w, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return w->facts.size >= CUT_LARGE_MIN ? open_and_add(p, w, e) : add_small(p, w, e);
}

/* ---- what the walk says ---- */

static int
take(struct plan *p, struct walk_item *w, struct err *e)
{
	switch (w->kind) {
	case WALK_EXCLUDED:
		p->result->excluded++;
		log_verbose("%s: excluded", w->path);
		return 0;
	case WALK_VANISHED:
		return add_note(p, w, JOB_VANISHED, NULL, e);
	case WALK_UNREADABLE:
		return add_note(p, w, JOB_UNREADABLE, w->reason, e);
	case WALK_SKIPPED:
		return add_note(p, w, JOB_SKIPPED, w->reason, e);
	case WALK_ENTRY:
		break;
	}
	if (w->path_len > FEED_PATH_MAX)
		return add_note(p, w, JOB_UNREADABLE, "path too long", e);
	if (w->path_len > 0)
		p->result->entries++;
	enum entry_type type = entry_type_of_mode(w->facts.mode);
	return type == ENTRY_FILE ? add_file(p, w, e) : add_entry(p, w, type, e);
}

int
plan_run(struct pipeline *pipeline, int source_fd, struct reuse_cursor *older,
    const struct walk_opts *opts, struct plan_result *result, struct err *e)
{
	struct plan p = {
	    .feed = {.pipeline = pipeline,
		.older = older,
		.read_firsts = firsts_read,
		.ctx = &p.firsts},
	    .result = result,
	};
	struct walk_item item;
	int rc = -1;

	*result = (struct plan_result){0};
	firsts_init(&p.firsts, source_fd);
	if (links_new(&p.links, e) != 0 || walk_new(&p.walk, source_fd, opts, e) != 0)
		goto out;
	p.firsts.links = p.links;
	do {
		p.before = clock_now();
		rc = walk_next(p.walk, &item, e);
		if (rc == 1 && take(&p, &item, e) != 0)
			rc = -1;
	} while (rc == 1);
	if (rc == 0)
		rc = feed_end(&p.feed, e);
out:
	feed_done(&p.feed);
	firsts_done(&p.firsts);
	walk_free(p.walk);
	links_free(p.links);
	return rc;
}
