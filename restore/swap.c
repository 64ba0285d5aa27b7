/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/each_name.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "core/restoring.h"
#include "restore/move.h"
#include "restore/root.h"
#include "restore/work.h"

/* mkfs made it, fsck needs it, and what is in it nobody restored. */
static bool
stays(const char *name)
{
	return strcmp(name, RESTORING_DIR) == 0 || strcmp(name, "lost+found") == 0;
}

/* From one directory to another, under a name of its own if that one is taken. */
struct move {
	struct work *w;
	int from, to;
	uint64_t moved; /* by this pass */
};

static int
move_aside(const struct move *m, const char *name, struct err *e)
{
	char other[NAME_MAX + 1];

	for (unsigned i = 1; i < 1000; i++) {
		(void)snprintf(other, sizeof(other), "%.200s.%u", name, i);
		if (move_name(m->from, name, m->to, other) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "move %s/%s aside", m->w->target, name);
}

static int
out_one(void *ctx, const char *name, struct err *e)
{
	struct move *m = ctx;

	if (stays(name))
		return 0;
	m->moved++;
	m->w->moved_out++;
	if (move_name(m->from, name, m->to, name) == 0)
		return 0;
	if (errno == EEXIST) /* somebody made it again, after a run that was cut short */
		return move_aside(m, name, e);
	return err_sys(e, "move %s/%s aside", m->w->target, name);
}

static int
in_one(void *ctx, const char *name, struct err *e)
{
	struct move *m = ctx;
	struct move back = {.w = m->w, .from = m->to, .to = m->w->old_fd};

	if (strcmp(name, "lost+found") == 0 &&
	    faccessat(m->to, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	m->moved++;
	while (move_name(m->from, name, m->to, name) != 0) {
		if (errno != EEXIST)
			return err_sys(e, "move %s into %s", name, m->w->target);
		if (move_aside(&back, name, e) != 0)
			return -1;
	}
	return 0;
}

static int
back_one(void *ctx, const char *name, struct err *e)
{
	struct move *m = ctx;

	m->moved++;
	if (move_name(m->from, name, m->to, name) == 0)
		return 0;
	return err_sys(e, "move %s back into %s", name, m->w->target);
}

/* Of a name that is new: what has it now goes. */
static int
give_way_one(void *ctx, const char *name, struct err *e)
{
	struct move *m = ctx;
	struct move out = {.w = m->w, .from = m->w->target_fd, .to = m->w->old_fd};

	if (strcmp(name, "lost+found") == 0 ||
	    faccessat(out.from, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	m->moved++;
	return out_one(&out, name, e);
}

/* Until a pass meets nothing: names that come while they are listed may be missed. */
static int
move_all(struct move *m, int (*one)(void *, const char *, struct err *), struct err *e)
{
	do {
		m->moved = 0;
		if (each_name(m->from, one, m, e) != 0)
			return -1;
	} while (m->moved > 0);
	return io_fsync(m->to, e) == 0 && io_fsync(m->from, e) == 0 ? 0 : -1;
}

static int
move_out(struct work *w, struct err *e)
{
	struct move all = {.w = w, .from = w->target_fd, .to = w->old_fd};
	struct move some = {.w = w, .from = w->new_fd, .to = w->old_fd};

	return w->whole ? move_all(&all, out_one, e) : move_all(&some, give_way_one, e);
}

/* One did not go: all come back. */
static int
move_back(struct work *w, struct err *e)
{
	struct move m = {.w = w, .from = w->old_fd, .to = w->target_fd};
	struct err why = *e;

	err_clear(e);
	if (move_all(&m, back_one, e) != 0) {
		log_warn("%s", why.msg);
		return -1;
	}
	if (work_set(w, WORK_STAGING, e) != 0)
		return -1;
	return err_pass(e, &why);
}

static int
may_one(void *ctx, const char *name, struct err *e)
{
	const struct move *m = ctx;

	if (stays(name) || move_may(m->from, name) == 0)
		return 0;
	if (errno != EACCES)
		return err_sys(e, "%s", name);
	return err_set(e, ERR_SYS,
	    "%s is somebody else's directory, and cannot be moved: that takes the capability "
	    "DAC_OVERRIDE (--mode merge moves none)",
	    name);
}

/*
 * Root without all rights, in a container, may make directories of others and not move them.  That
 * is told before anything has moved.
 */
static int
may_all(const struct work *w, bool out, struct err *e)
{
	struct move in = {.from = w->new_fd}, there = {.from = w->target_fd};

	if (each_name(in.from, may_one, &in, e) != 0)
		return -1;
	return out && w->whole ? each_name(there.from, may_one, &there, e) : 0;
}

/* ---- the steps from WORK_OUT on ---- */

static int
go_out(struct work *w, struct err *e)
{
	if (w->state != WORK_OUT)
		return 0;
	if (move_out(w, e) != 0)
		return move_back(w, e);
	return work_set(w, WORK_IN, e);
}

static int
go_in(struct work *w, struct err *e)
{
	struct move m = {.w = w, .from = w->new_fd, .to = w->target_fd};

	if (w->state != WORK_IN)
		return 0;
	if (move_all(&m, in_one, e) != 0)
		return -1;
	if (w->whole && root_copy(w->new_fd, w->target_fd, w->target, e) != 0)
		return -1;
	return work_set(w, WORK_DONE, e);
}

static int
finish(struct work *w, struct err *e)
{
	if (work_open_new(w, e) != 0 || work_open_old(w, e) != 0 || go_out(w, e) != 0 ||
	    go_in(w, e) != 0 || work_clear(w, e) != 0 || work_end(w, e) != 0)
		return -1;
	return w->whole ? root_set_time(w->target_fd, &w->root_time, w->target, e) : 0;
}

int
swap_in(struct work *w, struct err *e)
{
	struct stat st;

	if (work_open_new(w, e) != 0)
		return -1;
	if (fstat(w->new_fd, &st) != 0)
		return err_sys(e, "target %s", w->target);
	if (may_all(w, w->state != WORK_WIPING, e) != 0)
		return -1;
	w->root_time = st.st_mtim; /* it goes on as soon as a name leaves */
	if (work_set(w, w->state == WORK_WIPING ? WORK_IN : WORK_OUT, e) != 0)
		return -1;
	return finish(w, e);
}

int
swap_wipe(struct work *w, struct err *e)
{
	struct move all = {.from = w->target_fd};

	if (each_name(all.from, may_one, &all, e) != 0)
		return -1;
	if (work_open_old(w, e) != 0 || move_out(w, e) != 0)
		return -1;
	return work_clear(w, e);
}

int
swap_give_up(struct work *w, struct err *e)
{
	bool untouched = w->state == WORK_STAGING;

	if (work_clear(w, e) != 0 || work_end(w, e) != 0)
		return -1;
	return untouched ? root_set_time(w->target_fd, &w->root_time, w->target, e) : 0;
}

/* ---- after a run that was cut short ---- */

static int
undo(struct work *w, const char *what, struct err *e)
{
	char backup[SEAL_NAME_MAX + 1];

	(void)snprintf(backup, sizeof(backup), "%s", w->backup);
	if (swap_give_up(w, e) != 0)
		return -1;
	log_note("target %s: a restore%s%s was cut short: %s", w->target,
	    *backup != '\0' ? " of " : "", backup, what);
	return 0;
}

int
swap_recover(struct work *w, struct err *e)
{
	switch (w->state) {
	case WORK_STAGING:
		return undo(w, "what was there is as it was", e);
	case WORK_MERGING:
		return undo(w, "what it had restored is there, the rest is not", e);
	case WORK_WIPING:
		log_note(
		    "target %s: a restore of %s was cut short, for which all that was there had "
		    "to go",
		    w->target, w->backup);
		return work_clear(w, e);
	case WORK_OUT:
	case WORK_IN:
	case WORK_DONE:
		if (finish(w, e) != 0)
			return -1;
		log_note("target %s: finished the restore of %s, which was cut short", w->target,
		    w->backup);
		return 0;
	default:
		return 0;
	}
}
