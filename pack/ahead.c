/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pack/job.h"

#define PLACES (AHEAD_MAX + 1)
#define SHARE 8 /* of the limit on open files, for all workers together */

static unsigned
window_for(unsigned workers)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return 0;
	rlim_t each = rl.rlim_cur / SHARE / (workers > 0 ? workers : 1);
	return each < AHEAD_MAX ? (unsigned)each : AHEAD_MAX;
}

void
ahead_init(struct ahead *a, int rootfd, unsigned workers)
{
	*a = (struct ahead){.window = window_for(workers)};
	parent_init(&a->parent, rootfd);
	for (size_t i = 0; i < PLACES; i++)
		a->files[i].fd = -1;
}

void
ahead_done(struct ahead *a)
{
	ahead_end(a);
	parent_done(&a->parent);
}

void
ahead_begin(struct ahead *a, const struct job *j)
{
	a->job = j;
	a->next = 0;
}

void
ahead_end(struct ahead *a)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (a->files[i].fd >= 0)
			(void)close(a->files[i].fd);
		a->files[i].fd = -1;
	}
	a->job = NULL;
}

static bool
by_name(const struct job_item *it)
{
	return it->kind == JOB_ENTRY && it->type == ENTRY_FILE && it->read == NULL;
}

static void
open_item(struct ahead *a, size_t i)
{
	const struct job_item *it = &a->job->items[i];
	struct ahead_file *f = &a->files[i % PLACES];
	const char *base;

	f->fd = -1;
	if (parent_open(&a->parent, job_path(a->job, it), it->path_len, &base) == 0)
		f->result = source_open(a->parent.dirfd, base, &f->fd, &f->facts);
	else
		f->result = source_failure(errno);
	f->error = errno;
}

/*
 * What lacks a descriptor now may have one when its turn comes.  The kernel may do as it
 * likes with the advice: what it does not read now is read later.
 */
static void
look_ahead(struct ahead *a, size_t end)
{
	for (; a->next < end; a->next++) {
		const struct ahead_file *f = &a->files[a->next % PLACES];

		if (!by_name(&a->job->items[a->next]))
			continue;
		open_item(a, a->next);
		if (f->result == SOURCE_FAILED)
			return;
		if (f->result == SOURCE_OK)
			(void)posix_fadvise(f->fd, 0, (off_t)f->facts.size, POSIX_FADV_WILLNEED);
	}
}

enum source_result
ahead_take(struct ahead *a, size_t i, int *fd, struct facts *now)
{
	struct ahead_file *f = &a->files[i % PLACES];

	if (a->next <= i) {
		a->next = i + 1;
		open_item(a, i);
	}
	look_ahead(a, a->job->n_items - i > a->window ? i + 1 + a->window : a->job->n_items);
	*fd = f->fd;
	*now = f->facts;
	f->fd = -1;
	errno = f->error;
	return f->result;
}
