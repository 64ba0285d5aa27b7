/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/num.h"

static struct {
	enum progress_mode mode;
	const char *what;
	atomic_uint_fast64_t bytes, entries, total;
	struct timespec began;
	pthread_t thread;
	bool running, ending;
	bool shown; /* a line stands on the terminal */
	pthread_mutex_t lock;
	pthread_cond_t tick;
} pg = {.mode = PROGRESS_NONE, .lock = PTHREAD_MUTEX_INITIALIZER};

static double
elapsed(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - pg.began.tv_sec) +
	    (double)(now.tv_nsec - pg.began.tv_nsec) / 1e9;
}

static int
width(void)
{
	struct winsize ws;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 ? ws.ws_col : 80;
}

/* ", 42%, ETA 1:05" once there is something to reckon from. */
static void
put_eta(char *out, size_t size, uint64_t bytes, uint64_t total, double seconds)
{
	uint64_t left;

	out[0] = '\0';
	if (total == 0 || bytes == 0 || bytes > total || seconds < 1)
		return;
	left = (uint64_t)((double)(total - bytes) / ((double)bytes / seconds));
	(void)snprintf(out, size, ", %u%%, ETA %" PRIu64 ":%02u", (unsigned)(bytes * 100 / total),
	    left / 60, (unsigned)(left % 60));
}

static void
print_plain(uint64_t bytes, uint64_t entries, uint64_t total, double seconds)
{
	char done[16], rate[16], eta[64], line[256];

	num_human(bytes, done);
	num_human(seconds > 0 ? (uint64_t)((double)bytes / seconds) : 0, rate);
	put_eta(eta, sizeof(eta), bytes, total, seconds);
	(void)snprintf(line, sizeof(line), "%s: %" PRIu64 " entries, %s, %s/s%s", pg.what, entries,
	    done, rate, eta);
	/* One column stays free: a full line would wrap, and could not be taken back. */
	(void)fprintf(stderr, "\r\033[K%.*s", width() - 1, line);
	pg.shown = true;
}

static void
print_json(uint64_t bytes, uint64_t entries, uint64_t total, double seconds)
{
	(void)fprintf(stderr,
	    "{\"progress\":\"%s\",\"version\":1,\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"total_bytes\":%" PRIu64 ",\"seconds\":%.1f}\n",
	    pg.what, entries, bytes, total, seconds);
}

static void
print_now(void)
{
	uint64_t bytes = atomic_load(&pg.bytes), entries = atomic_load(&pg.entries);
	uint64_t total = atomic_load(&pg.total);

	(pg.mode == PROGRESS_PLAIN ? print_plain : print_json)(bytes, entries, total, elapsed());
	(void)fflush(stderr);
}

static void *
ticker(void *arg)
{
	struct timespec until;

	(void)arg;
	(void)pthread_mutex_lock(&pg.lock);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	while (!pg.ending) {
		until.tv_sec++;
		while (
		    !pg.ending && pthread_cond_timedwait(&pg.tick, &pg.lock, &until) != ETIMEDOUT)
			;
		if (!pg.ending)
			print_now();
	}
	(void)pthread_mutex_unlock(&pg.lock);
	return NULL;
}

int
progress_start(enum progress_mode mode, const char *what, struct err *e)
{
	pthread_condattr_t attr;
	int rc;

	if (mode == PROGRESS_AUTO)
		mode = isatty(STDERR_FILENO) ? PROGRESS_PLAIN : PROGRESS_NONE;
	pg.mode = mode;
	pg.what = what;
	if (mode == PROGRESS_NONE)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &pg.began);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pg.tick, &attr);
	(void)pthread_condattr_destroy(&attr);
	pg.ending = false;
	rc = pthread_create(&pg.thread, NULL, ticker, NULL);
	if (rc != 0) {
		pg.mode = PROGRESS_NONE;
		errno = rc;
		return err_sys(e, "start the progress thread");
	}
	pg.running = true;
	return 0;
}

void
progress_total(uint64_t bytes)
{
	atomic_store(&pg.total, bytes);
}

void
progress_add(uint64_t bytes, uint64_t entries)
{
	(void)atomic_fetch_add_explicit(&pg.bytes, bytes, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&pg.entries, entries, memory_order_relaxed);
}

/* Under the lock. */
static void
take_away(void)
{
	if (!pg.shown)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	pg.shown = false;
}

void
progress_hide(void)
{
	(void)pthread_mutex_lock(&pg.lock);
	take_away();
	(void)pthread_mutex_unlock(&pg.lock);
}

void
progress_stop(void)
{
	if (!pg.running)
		return;
	(void)pthread_mutex_lock(&pg.lock);
	pg.ending = true;
	(void)pthread_cond_signal(&pg.tick);
	(void)pthread_mutex_unlock(&pg.lock);
	(void)pthread_join(pg.thread, NULL);
	pg.running = false;
	if (pg.mode == PROGRESS_JSON)
		print_now();
	take_away();
	(void)pthread_cond_destroy(&pg.tick);
}
