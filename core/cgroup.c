/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/num.h"

/*
 * Two files of the kernel tell where a group's directory is:
 *
 *	/proc/self/cgroup      3:cpu,cpuacct:/pods/one      version 1: by controller
 *	                       0::/pods/one                 version 2: one for all
 *	/proc/self/mountinfo   33 31 0:29 /pods /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
 *	                                  root  mount point             type          controllers
 *
 * Its directory is the mount point and what follows root in the group.  A container may be
 * told the path that the host knows, and see none of it: then the mount point is its own group.
 */
#define PROC_MAX (16u << 20)
/* In microseconds; no machine has that much, and a thousand times as many fit. */
#define QUOTA_MAX (UINT64_C(1) << 40)
/* Version 1 says "none" with the greatest multiple of a page. */
#define MEMORY_NONE (UINT64_C(1) << 60)

struct text {
	const char *s;
	size_t len;
};

static bool
is(struct text t, const char *s)
{
	return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

/* What stands in *rest before the next c, or the whole; *rest moves behind it. */
static struct text
take(struct text *rest, char c)
{
	const char *end = rest->len == 0 ? NULL : memchr(rest->s, c, rest->len);
	struct text t = {.s = rest->s, .len = end == NULL ? rest->len : (size_t)(end - rest->s)};
	size_t used = t.len + (end != NULL);

	rest->s += used;
	rest->len -= used;
	return t;
}

static bool
lists(struct text list, const char *word)
{
	while (list.len > 0)
		if (is(take(&list, ','), word))
			return true;
	return false;
}

static void
lower(uint64_t *least, uint64_t n)
{
	if (n != 0 && (*least == 0 || n < *least))
		*least = n;
}

/* ---- the files of one group ---- */

/* Up to two numbers that a file begins with; those that it lacks ("max", "-1") are 0. */
static void
read_numbers(const char *dir, const char *name, uint64_t n[2])
{
	struct buf path = {0}, text = {0};
	struct text rest, line;

	n[0] = n[1] = 0;
	buf_printf(&path, "%s/%s", dir, name);
	if (io_read_file(AT_FDCWD, buf_str(&path), 4096, &text, NULL) == 0) {
		rest = (struct text){.s = buf_str(&text), .len = text.len};
		line = take(&rest, '\n');
		for (int i = 0; i < 2; i++) {
			struct text word = take(&line, ' ');
			(void)num_u64(word.s, word.len, UINT64_MAX, &n[i]);
		}
	}
	buf_done(&path);
	buf_done(&text);
}

/* quota out of each period, in microseconds. */
static uint64_t
milli(uint64_t quota, uint64_t period)
{
	if (period == 0 || period > QUOTA_MAX)
		return 0;
	if (quota > QUOTA_MAX)
		quota = QUOTA_MAX;
	return (quota * 1000 + period - 1) / period;
}

static uint64_t
bytes(uint64_t n)
{
	return n >= MEMORY_NONE ? 0 : n;
}

static void
cpu_v1(const char *dir, struct cgroup *out)
{
	uint64_t quota[2], period[2];

	read_numbers(dir, "cpu.cfs_quota_us", quota);
	read_numbers(dir, "cpu.cfs_period_us", period);
	lower(&out->cpu_milli, milli(quota[0], period[0]));
}

static void
memory_v1(const char *dir, struct cgroup *out)
{
	uint64_t n[2];

	read_numbers(dir, "memory.limit_in_bytes", n);
	lower(&out->memory, bytes(n[0]));
}

/* Above memory.high a group is not killed, but slowed down until it hardly moves. */
static void
both_v2(const char *dir, struct cgroup *out)
{
	uint64_t n[2];

	read_numbers(dir, "cpu.max", n);
	lower(&out->cpu_milli, milli(n[0], n[1]));
	read_numbers(dir, "memory.max", n);
	lower(&out->memory, bytes(n[0]));
	read_numbers(dir, "memory.high", n);
	lower(&out->memory, bytes(n[0]));
}

/* ---- which groups ---- */

struct mount {
	struct text root, point, type, controllers;
};

/* ID PARENT DEVICE ROOT POINT OPTIONS TAG... - TYPE SOURCE OPTIONS */
static bool
take_mount(struct text *rest, struct mount *m)
{
	struct text line = take(rest, '\n');

	for (int i = 0; i < 3; i++)
		(void)take(&line, ' ');
	m->root = take(&line, ' ');
	m->point = take(&line, ' ');
	while (line.len > 0 && !is(take(&line, ' '), "-"))
		;
	m->type = take(&line, ' ');
	(void)take(&line, ' ');
	m->controllers = line;
	return is(m->type, "cgroup") || is(m->type, "cgroup2");
}

/* Spaces and the like stand there as \040. */
static void
put_unescaped(struct buf *b, struct text t)
{
	uint64_t c;

	for (size_t i = 0; i < t.len; i++) {
		if (t.s[i] == '\\' && t.len - i > 3 && num_octal(t.s + i + 1, 3, 0xff, &c) == 0) {
			buf_putc(b, (char)c);
			i += 3;
		} else
			buf_putc(b, t.s[i]);
	}
}

/* The group's path below the mount point, "" for that itself. */
static struct text
below(struct text group, struct text root)
{
	struct text none = {.s = "", .len = 0}, left = group;

	if (is(root, "/"))
		root.len = 0;
	if (group.len < root.len || memcmp(group.s, root.s, root.len) != 0)
		return none;
	group.s += root.len;
	group.len -= root.len;
	if (group.len > 0 && group.s[0] != '/')
		return none;
	while (left.len > 0) /* "/.." is a group outside the namespace */
		if (is(take(&left, '/'), ".."))
			return none;
	return group;
}

typedef void group_reader(const char *dir, struct cgroup *out);

/* The group, and all above it up to the mount point. */
static void
read_up(const struct mount *m, struct text group, group_reader *reader, struct cgroup *out)
{
	struct text path = below(group, m->root);
	struct buf dir = {0};

	put_unescaped(&dir, m->point);
	size_t top = dir.len;
	buf_append(&dir, path.s, path.len);
	for (;;) {
		reader(buf_str(&dir), out);
		while (dir.len > top && dir.data[dir.len - 1] != '/')
			dir.len--;
		if (dir.failed || dir.len <= top)
			break;
		dir.len--;
	}
	buf_done(&dir);
}

/* The mounts where groups of a line of /proc/self/cgroup may be: of version 2 without controllers.
 */
static void
read_mounts(struct text mounts, struct text controllers, struct text group, struct cgroup *out)
{
	struct mount m;

	while (mounts.len > 0) {
		if (!take_mount(&mounts, &m))
			continue;
		if (is(m.type, "cgroup2")) {
			if (controllers.len == 0)
				read_up(&m, group, both_v2, out);
			continue;
		}
		if (lists(controllers, "cpu") && lists(m.controllers, "cpu"))
			read_up(&m, group, cpu_v1, out);
		if (lists(controllers, "memory") && lists(m.controllers, "memory"))
			read_up(&m, group, memory_v1, out);
	}
}

void
cgroup_limits(const char *self, const char *mounts, struct cgroup *out)
{
	struct text rest = {.s = self, .len = strlen(self)};
	const struct text all = {.s = mounts, .len = strlen(mounts)};

	*out = (struct cgroup){0};
	while (rest.len > 0) {
		struct text line = take(&rest, '\n');
		(void)take(&line, ':');
		struct text controllers = take(&line, ':');
		if (line.len > 0 && line.s[0] == '/')
			read_mounts(all, controllers, line, out);
	}
}

void
cgroup_here(struct cgroup *out)
{
	struct buf self = {0}, mounts = {0};

	(void)io_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_MAX, &self, NULL);
	(void)io_read_file(AT_FDCWD, "/proc/self/mountinfo", PROC_MAX, &mounts, NULL);
	cgroup_limits(buf_str(&self), buf_str(&mounts), out);
	buf_done(&self);
	buf_done(&mounts);
}
