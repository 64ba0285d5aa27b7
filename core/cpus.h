/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_CPUS_H
#define CORE_CPUS_H

/*
 * Processors that this process may keep busy, at least 1: those of its affinity
 * mask, and no more than its control group's quota pays for (a container with
 * "limits: cpu: 2" on a node of 64 would else start 64 workers, with the memory of
 * 64).
 */
unsigned cpus_usable(void);
/*
 * The same for a control group file system mounted at root, of which /proc/self/cgroup
 * says what self holds: processors that the quota pays for, rounded up; 0: no quota.
 */
unsigned cpus_quota(const char *root, const char *self);

#endif
