/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/stop.h"
#include "store/priv.h"

/*
 * Half a second without a change is the end: XFS under load was seen to pause for 0.15 s.  So are
 * ten seconds, for others may be at work on the volume.
 */
#define STEP_MS 50
#define STEPS_STILL 10
#define STEPS_MAX 200

static void
wait_a_step(void)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

	(void)nanosleep(&step, NULL); /* one that is cut short is followed by another */
}

int
repo_settled_space(const struct repo *r, uint64_t enough, uint64_t *bytes, struct err *e)
{
	uint64_t inodes, now;
	unsigned still = 0, steps = 0;

	if (repo_free_space(r, bytes, &inodes, e) != 0)
		return -1;
	if (*bytes < enough)
		(void)syncfs(r->fd); /* a hint; the writer's own fsync tells of errors */
	while (*bytes < enough && still < STEPS_STILL && steps++ < STEPS_MAX) {
		if (stop_check(e) != 0 || repo_free_space(r, &now, &inodes, e) != 0)
			return -1;
		still = now == *bytes ? still + 1 : 0;
		*bytes = now;
		if (*bytes < enough)
			wait_a_step();
	}
	return 0;
}
