/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup/inside.h"
#include "backup/opts.h"
#include "backup/run_impl.h"
#include "core/err.h"
#include "core/log.h"
#include "core/restoring.h"
#include "core/stop.h"
#include "seal/key.h"
#include "tree/exclude.h"
#include "tree/top.h"

static int
load_excludes(struct run *r, struct err *e)
{
	if (exclude_new(&r->exclude, e) != 0)
		return -1;
	for (size_t i = 0; i < r->o->exclude.n; i++) {
		if (exclude_add(r->exclude, r->o->exclude.items[i], e) != 0)
			return err_where(e, "--exclude");
	}
	for (size_t i = 0; i < r->o->exclude_from.n; i++) {
		if (exclude_add_file(r->exclude, r->o->exclude_from.items[i], e) != 0)
			return err_where(e, "--exclude-from");
	}
	r->walk.exclude = r->exclude;
	r->walk.one_file_system = r->o->one_file_system;
	return 0;
}

static int
open_source(struct run *r, struct err *e)
{
	if ((r->source_fd = top_open(r->o->source, e)) < 0)
		return -1;
	/* Seen again by the walk, at any depth; but by then room may have been made for it. */
	if (faccessat(r->source_fd, RESTORING_DIR, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !exclude_match(r->exclude, RESTORING_DIR, strlen(RESTORING_DIR), true))
		return restoring_refuse(r->o->source, e);
	if ((r->source = realpath(r->o->source, NULL)) == NULL)
		return err_sys(e, "source %s: its full path", r->o->source);
	/* Attributes of what is not opened (links, devices) are reached through it. */
	if (access("/proc/self/fd", X_OK) != 0)
		log_warn("/proc is not mounted: extended attributes of directories and links are "
			 "not stored");
	return 0;
}

static int
open_repo(struct run *r, struct err *e)
{
	struct stat st;

	if (repo_open(&r->repo, r->o->repo, e) != 0) {
		if (access(r->o->repo, F_OK) == 0 || errno != ENOENT)
			return -1;
		return err_set(e, ERR_SYS,
		    "repository %s: no such directory: make it, or mount its volume", r->o->repo);
	}
	if (inside_check(r->source_fd, r->o->source, repo_fd(r->repo), r->o->repo, e) != 0)
		return -1;
	if (fstat(repo_fd(r->repo), &st) != 0)
		return err_sys(e, "fstat");
	r->walk.has_forbidden = true; /* a bind mount may still lead to it */
	r->walk.forbidden_dev = st.st_dev;
	r->walk.forbidden_ino = st.st_ino;
	return 0;
}

/*
 * A verify notes each result under the lock, in a moment: no night shall fail for that.  Who told
 * how long to wait waits that long.
 */
static int
lock(struct run *r, struct err *e)
{
	const struct timespec tick = {.tv_nsec = 50000000};

	for (int ticks = 0; r->o->wait_lock == 0 && ticks < 20; ticks++) {
		if (repo_lock(r->repo, 0, e) == 0)
			return 0;
		if (e->kind != ERR_LOCKED || stop_signal() != 0)
			return -1;
		err_clear(e);
		(void)nanosleep(&tick, NULL);
	}
	return repo_lock(r->repo, r->o->wait_lock, e);
}

int
prepare_lock(struct run *r, struct err *e)
{
	if (lock(r, e) != 0 || repo_recover(r->repo, e) != 0)
		return -1;
	return repo_list(r->repo, r->trust, &r->list, e);
}

int
prepare_source(struct run *r, struct err *e)
{
	return load_excludes(r, e) != 0 || open_source(r, e) != 0 ? -1 : 0;
}

int
prepare_repo(struct run *r, struct err *e)
{
	return key_load_ours(&r->key, &r->trust, r->o->key, r->o->trust, e) != 0 ||
		(r->o->repo != NULL && open_repo(r, e) != 0)
	    ? -1
	    : 0;
}
