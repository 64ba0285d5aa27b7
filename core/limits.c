/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/limits.h"

#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>

#include "core/buf.h"
#include "core/cgroup.h"
#include "core/log.h"
#include "core/num.h"

/*
 * What the programs take, as measured (docs/PERFORMANCE.md, "Memory"), of trees that are
 * unkind to them: a base, and on top for each worker and each job.  Half of what the limit leaves
 * above the base is given to these.  The other half is for what grows with the tree (the names of
 * one large directory, hard links), and for the kernel, which charges page cache to the same
 * account.
 */
#define BASE (16u << 20)
#define WORKER (6u << 20)
#define JOB (3u << 20)
/* Below this many jobs beyond its workers a pipeline often has to wait: then rather fewer workers.
 */
#define SPARE_JOBS 2u

#define CPUS_MAX 65536u

/* The mask's size is the kernel's to know: grow until it is content. */
static unsigned
in_affinity(void)
{
	unsigned count = 0;
	size_t n, size;
	cpu_set_t *set;

	for (n = 1024; n <= CPUS_MAX && count == 0; n *= 2) {
		if ((set = CPU_ALLOC(n)) == NULL)
			break;
		size = CPU_ALLOC_SIZE(n);
		if (sched_getaffinity(0, size, set) == 0)
			count = (unsigned)CPU_COUNT_S(size, set);
		CPU_FREE(set);
	}
	return count > 0 ? count : 1;
}

static uint64_t
with_ulimit(uint64_t memory, __rlimit_resource_t which)
{
	struct rlimit rl;

	if (getrlimit(which, &rl) != 0 || rl.rlim_cur == RLIM_INFINITY)
		return memory;
	return memory == 0 || rl.rlim_cur < memory ? rl.rlim_cur : memory;
}

void
limits_here(struct limits *out)
{
	struct cgroup group;

	cgroup_here(&group);
	out->cpus = in_affinity();
	out->cpu_milli = group.cpu_milli;
	out->memory = with_ulimit(with_ulimit(group.memory, RLIMIT_AS), RLIMIT_DATA);
}

unsigned
limits_cpus(const struct limits *l)
{
	uint64_t paid = l->cpu_milli / 1000 + (l->cpu_milli % 1000 != 0);

	return paid != 0 && paid < l->cpus ? (unsigned)paid : l->cpus;
}

/* For workers and jobs. */
static uint64_t
room(const struct limits *l)
{
	return l->memory > BASE ? (l->memory - BASE) / 2 : 0;
}

static unsigned
within(uint64_t n, unsigned min, unsigned max)
{
	return n < min ? min : n > max ? max : (unsigned)n;
}

unsigned
limits_workers(const struct limits *l)
{
	unsigned n = within(limits_cpus(l), 1, LIMITS_WORKERS_MAX);
	uint64_t spare = (uint64_t)SPARE_JOBS * JOB;

	if (l->memory == 0)
		return n;
	return within(room(l) > spare ? (room(l) - spare) / (WORKER + JOB) : 0, 1, n);
}

unsigned
limits_workers_here(void)
{
	struct limits l;

	limits_here(&l);
	return limits_workers(&l);
}

unsigned
limits_depth(const struct limits *l, unsigned workers)
{
	uint64_t taken = (uint64_t)workers * WORKER;

	if (l->memory == 0)
		return 2 * workers + 2;
	return within(room(l) > taken ? (room(l) - taken) / JOB : 0, workers + 1, 2 * workers + 2);
}

uint64_t
limits_need(const struct limits *l, unsigned workers)
{
	return BASE + (uint64_t)workers * WORKER + (uint64_t)limits_depth(l, workers) * JOB;
}

/* ---- what is said ---- */

/* As Kubernetes writes it. */
static void
put_quota(const struct limits *l, struct buf *out)
{
	if (l->cpu_milli % 1000 == 0)
		buf_printf(out, "%llu", (unsigned long long)(l->cpu_milli / 1000));
	else
		buf_printf(out, "%llum", (unsigned long long)l->cpu_milli);
}

static void
put_reason(const struct limits *l, unsigned workers, struct buf *out)
{
	if (workers != limits_workers(l)) {
		buf_puts(out, "as --jobs says");
	} else if (l->memory != 0 && workers < limits_cpus(l) && workers < LIMITS_WORKERS_MAX) {
		buf_puts(out, "because of the memory limit");
	} else if (limits_cpus(l) < l->cpus) {
		buf_puts(out, "for a CPU quota of ");
		put_quota(l, out);
	} else {
		buf_printf(out, "for %u processor%s", l->cpus, l->cpus == 1 ? "" : "s");
	}
}

void
limits_describe(const struct limits *l, unsigned workers, struct buf *out)
{
	char memory[16] = "";

	if (l->memory != 0)
		num_human(l->memory, memory);
	buf_printf(out, "%u worker%s, ", workers, workers == 1 ? "" : "s");
	put_reason(l, workers, out);
	buf_printf(out, "; up to %u members in memory at a time", limits_depth(l, workers));
	if (l->memory == 0)
		buf_puts(out, ", without a memory limit");
	else
		buf_printf(out, ", for a memory limit of %s", memory);
}

void
limits_tell(unsigned workers)
{
	struct buf text = {0};
	char need[16], memory[16];
	struct limits l;

	limits_here(&l);
	limits_describe(&l, workers, &text);
	log_verbose("%s", buf_str(&text));
	buf_done(&text);
	if (l.memory != 0 && limits_need(&l, workers) > l.memory) {
		num_human(limits_need(&l, workers), need);
		num_human(l.memory, memory);
		log_warn("with %u worker%s this may take %s of memory, and the limit is %s: the "
			 "kernel may end it",
		    workers, workers == 1 ? "" : "s", need, memory);
	}
}
