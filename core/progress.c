/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "core/num.h"

#define ERASE "\r\033[K"
#define SLOW_TICKS 10 /* seconds between plain lines that stay */
#define SMOOTH 0.2 /* weight of the last second in the rate shown */

static atomic_uint_fast64_t bytes_done, entries_done, bytes_total;

/* Set by progress_start and progress_stop, which are called from one thread. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool running;
	bool quit; /* under lock */
	bool terminal;
	enum progress_mode mode;
	char what[32];
	struct timespec start;
} state;

/* Is the line on the screen?  Under log_lock(). */
static bool shown;

struct sample {
	uint64_t bytes, entries, total;
	double seconds; /* since the start */
	double rate; /* bytes a second, smoothed */
	bool done;
};

static double
seconds_since(const struct timespec *t)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

static void
take_sample(struct sample *s)
{
	uint64_t before = s->bytes;
	double then = s->seconds, now;

	s->bytes = atomic_load(&bytes_done);
	s->entries = atomic_load(&entries_done);
	s->total = atomic_load(&bytes_total);
	s->seconds = seconds_since(&state.start);
	if (s->seconds - then < 0.001)
		return;
	now = (double)(s->bytes - before) / (s->seconds - then);
	s->rate = then == 0 ? now : s->rate + SMOOTH * (now - s->rate);
}

/* Seconds to go, or -1 when nobody can know. */
static int64_t
eta(const struct sample *s)
{
	double left;

	if (s->total == 0)
		return -1;
	if (s->bytes >= s->total)
		return 0;
	if (s->rate < 1)
		return -1;
	left = (double)(s->total - s->bytes) / s->rate;
	return left < 1e9 ? (int64_t)(left + 0.5) : -1;
}

static void
format_seconds(int64_t s, char out[32])
{
	if (s < 0)
		(void)snprintf(out, 32, "-:--");
	else if (s < 3600)
		(void)snprintf(out, 32, "%d:%02d", (int)(s / 60), (int)(s % 60));
	else
		(void)snprintf(
		    out, 32, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

static void
format_plain(const struct sample *s, char *out, size_t size)
{
	char done[16], total[16], rate[16], left[32];
	uint64_t percent = 100;

	num_human(s->bytes, done);
	num_human(s->total, total);
	num_human((uint64_t)s->rate, rate);
	if (s->total == 0) {
		format_seconds((int64_t)s->seconds, left);
		(void)snprintf(out, size, "%s: %" PRIu64 " entries, %s, %s/s, %s", state.what,
		    s->entries, done, rate, left);
		return;
	}
	/* A live source may grow beyond what was announced. */
	if (s->bytes < s->total)
		percent = (uint64_t)(100 * ((double)s->bytes / (double)s->total));
	format_seconds(eta(s), left);
	(void)snprintf(out, size, "%s: %" PRIu64 " entries, %s of %s, %s/s, %" PRIu64 "%%, ETA %s",
	    state.what, s->entries, done, total, rate, percent, left);
}

static size_t
columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

static void
print_plain(const struct sample *s)
{
	char line[256], out[sizeof(line) + 16];
	size_t room = columns();

	format_plain(s, line, sizeof(line));
	if (!state.terminal) {
		(void)snprintf(out, sizeof(out), "%s\n", line);
		(void)fputs(out, stderr);
		return;
	}
	/* The last column stays free: a cursor behind it may wrap to the next line. */
	if (room > 0 && strlen(line) > room - 1)
		line[room - 1] = '\0';
	(void)snprintf(out, sizeof(out), ERASE "%s", line);
	(void)fputs(out, stderr);
	shown = true;
}

/* A number, or null: -1 is "unknown". */
static void
format_known(int64_t n, char out[32])
{
	if (n < 0)
		(void)snprintf(out, 32, "null");
	else
		(void)snprintf(out, 32, "%" PRId64, n);
}

/* core/json.h writes documents for people too; this has to be one line. */
static void
print_json(const struct sample *s)
{
	char total[32], left[32], line[512];

	format_known(s->total == 0 || s->total > INT64_MAX ? -1 : (int64_t)s->total, total);
	format_known(eta(s), left);
	(void)snprintf(line, sizeof(line),
	    "{\"progress\":\"%s\",\"version\":1,\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"total_bytes\":%s,\"seconds\":%.1f,\"rate\":%.0f,\"eta\":%s,\"done\":%s}\n",
	    state.what, s->entries, s->bytes, total, s->seconds, s->rate, left,
	    s->done ? "true" : "false");
	(void)fputs(line, stderr);
}

static void
print(const struct sample *s)
{
	log_lock();
	if (state.mode == PROGRESS_JSON)
		print_json(s);
	else
		print_plain(s);
	(void)fflush(stderr);
	log_unlock();
}

static bool
lines_stay(void)
{
	return state.mode == PROGRESS_JSON || !state.terminal;
}

/*
 * Sleeps until the next full second since the start; true when it is time to go.
 * Seconds that went by while the process was stopped are not made up for.
 */
static bool
wait_tick(struct timespec *next)
{
	struct timespec now;
	bool quit;
	int rc = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > next->tv_sec)
		next->tv_sec = now.tv_sec;
	next->tv_sec++;
	(void)pthread_mutex_lock(&state.lock);
	while (!state.quit && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&state.wake, &state.lock, next);
	quit = state.quit;
	(void)pthread_mutex_unlock(&state.lock);
	return quit;
}

static void *
ticker(void *unused)
{
	struct timespec next = state.start;
	struct sample s = {0};
	unsigned ticks = 0;

	(void)unused;
	while (!wait_tick(&next)) {
		take_sample(&s);
		ticks++;
		if (state.mode == PROGRESS_JSON || state.terminal || ticks % SLOW_TICKS == 0)
			print(&s);
	}
	take_sample(&s);
	s.done = true;
	/* The last line tells the whole: its rate is the mean. */
	if (s.seconds >= 0.001)
		s.rate = (double)s.bytes / s.seconds;
	if (lines_stay())
		print(&s);
	return NULL;
}

static int
start_thread(struct err *e)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	(void)pthread_mutex_init(&state.lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&state.wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	/* Signals are for the main thread: there they interrupt what waits. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&state.thread, NULL, ticker, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return 0;
	(void)pthread_cond_destroy(&state.wake);
	(void)pthread_mutex_destroy(&state.lock);
	errno = rc;
	return err_sys(e, "cannot start a thread (a limit on processes, or memory?)");
}

int
progress_start(enum progress_mode mode, const char *what, struct err *e)
{
	progress_stop();
	atomic_store(&bytes_done, 0);
	atomic_store(&entries_done, 0);
	atomic_store(&bytes_total, 0);
	state.terminal = isatty(STDERR_FILENO) == 1;
	if (mode == PROGRESS_AUTO)
		mode =
		    state.terminal && log_get_level() != LOG_QUIET ? PROGRESS_PLAIN : PROGRESS_NONE;
	if (mode == PROGRESS_NONE)
		return 0;
	state.mode = mode;
	state.quit = false;
	(void)snprintf(state.what, sizeof(state.what), "%s", what);
	(void)clock_gettime(CLOCK_MONOTONIC, &state.start);
	if (start_thread(e) != 0)
		return -1;
	state.running = true;
	return 0;
}

void
progress_total(uint64_t bytes)
{
	atomic_store(&bytes_total, bytes);
}

void
progress_add(uint64_t bytes, uint64_t entries)
{
	atomic_fetch_add_explicit(&bytes_done, bytes, memory_order_relaxed);
	if (entries > 0)
		atomic_fetch_add_explicit(&entries_done, entries, memory_order_relaxed);
}

void
progress_stop(void)
{
	if (!state.running)
		return;
	(void)pthread_mutex_lock(&state.lock);
	state.quit = true;
	(void)pthread_cond_signal(&state.wake);
	(void)pthread_mutex_unlock(&state.lock);
	(void)pthread_join(state.thread, NULL);
	(void)pthread_cond_destroy(&state.wake);
	(void)pthread_mutex_destroy(&state.lock);
	state.running = false;
	progress_hide();
}

void
progress_erase(void)
{
	if (!shown)
		return;
	(void)fputs(ERASE, stderr);
	(void)fflush(stderr);
	shown = false;
}

void
progress_hide(void)
{
	log_lock();
	progress_erase();
	log_unlock();
}
