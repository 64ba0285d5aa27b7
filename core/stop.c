/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/err.h"

#if ATOMIC_INT_LOCK_FREE != 2
#error "a signal handler needs atomics without locks"
#endif

static atomic_int signal_seen;

void
stop_request(int signo)
{
	int none = 0;

	if (signo == 0)
		atomic_store(&signal_seen, 0);
	else
		(void)atomic_compare_exchange_strong(&signal_seen, &none, signo);
}

int
stop_signal(void)
{
	return atomic_load(&signal_seen);
}

int
stop_check(struct err *e)
{
	static const struct {
		int signo;
		const char *name;
	} names[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};
	int signo = stop_signal();
	size_t i;

	if (signo == 0)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].signo == signo)
			return err_set(e, ERR_STOPPED, "stopped by %s", names[i].name);
	return err_set(e, ERR_STOPPED, "stopped by signal %d", signo);
}
