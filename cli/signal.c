/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "cli/priv.h"
#include "core/clock.h"
#include "core/stop.h"

/*
 * The first request sets the number that every long loop asks for.  timeout(1)
 * signals its child and then the whole process group, so that one stop arrives
 * twice; only a later second one means that somebody lost patience.  _exit(2)
 * and not the default action, because process 1 has none.
 */
#define SIGNAL_TWICE_NS 200000000

static _Atomic uint64_t first_ns; /* clock_mono_ns() of the first one, 0: none yet */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "used in a signal handler");

static void
on_stop(int signo)
{
	uint64_t none = 0, now = clock_mono_ns();

	if (atomic_compare_exchange_strong(&first_ns, &none, now))
		stop_request(signo);
	else if (now - none >= SIGNAL_TWICE_NS)
		_exit(128 + signo);
}

/*
 * SA_RESTART: stdio and libraries may not take an interrupted write for a failed
 * one.  What sleeps (nanosleep, poll) is interrupted all the same.
 */
static void
install(int signo, bool even_ignored)
{
	struct sigaction sa = {.sa_handler = on_stop, .sa_flags = SA_RESTART}, old;

	(void)sigfillset(&sa.sa_mask);
	if (!even_ignored && sigaction(signo, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
		return;
	(void)sigaction(signo, &sa, NULL);
}

void
cli_signal_install(void)
{
	static const int stops[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a limit on file sizes is an error like others */
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		install(stops[i], stops[i] == SIGTERM);
		(void)sigaddset(&set, stops[i]);
	}
	/* A parent may have left them blocked, and then none would ever arrive. */
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
