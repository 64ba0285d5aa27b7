/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/flush.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* From the end of one sync to the next: enough for a disk to have something to put in order. */
#define PAUSE_NS (500 * 1000 * 1000)
#define SECOND_NS (1000 * 1000 * 1000)

/* False when the pause was cut short by the end. */
static bool
rest(struct restore_flush *f)
{
	struct timespec until;
	bool more;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PAUSE_NS;
	until.tv_sec += until.tv_nsec / SECOND_NS;
	until.tv_nsec %= SECOND_NS;
	(void)pthread_mutex_lock(&f->lock);
	while (!f->ending && pthread_cond_timedwait(&f->end, &f->lock, &until) == 0)
		;
	more = !f->ending;
	(void)pthread_mutex_unlock(&f->lock);
	return more;
}

static void *
run(void *arg)
{
	struct restore_flush *f = arg;

	while (rest(f))
		(void)syncfs(f->fd);
	return NULL;
}

void
restore_flush_begin(struct restore_flush *f, int dirfd)
{
	pthread_condattr_t attr;
	sigset_t all, old;

	f->ending = false;
	if ((f->fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return;
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&f->end, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&f->thread, NULL, run, f) != 0) {
		(void)close(f->fd);
		f->fd = -1;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
restore_flush_end(struct restore_flush *f)
{
	if (f->fd < 0)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->ending = true;
	(void)pthread_cond_signal(&f->end);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	(void)pthread_cond_destroy(&f->end);
	(void)pthread_mutex_destroy(&f->lock);
	(void)close(f->fd);
}
