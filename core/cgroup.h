/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

#include <stdint.h>

/*
 * What the control groups that hold this process let it have: of each limit the least that
 * its group or one above states, as far up as is to be seen from here.  Versions 1 and 2, and both
 * at once.
 */
struct cgroup {
	uint64_t cpu_milli; /* thousandths of a processor, rounded up; 0: no quota */
	uint64_t memory; /* bytes; 0: no limit */
};

/*
 * self and mounts are what /proc/self/cgroup and /proc/self/mountinfo say.  What is missing or
 * makes no sense is no limit.
 */
void cgroup_limits(const char *self, const char *mounts, struct cgroup *out);
/* Of this process, now. */
void cgroup_here(struct cgroup *out);

#endif
