/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/cpus.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/io.h"
#include "core/num.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CPUS_MAX 65536

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

/* quota out of each period, in microseconds. */
static unsigned
rounded_up(uint64_t quota, uint64_t period)
{
	uint64_t n;

	if (quota == 0 || period == 0)
		return 0;
	n = (quota - 1) / period + 1;
	return n > CPUS_MAX ? CPUS_MAX : (unsigned)n;
}

/* The number at *s, which moves past it and one space or newline; -1: none. */
static int
take_number(const char **s, uint64_t *n)
{
	size_t len = strspn(*s, "0123456789");

	if (num_u64(*s, len, UINT64_MAX, n) != 0)
		return -1;
	*s += len;
	*s += **s == ' ' || **s == '\n';
	return 0;
}

/* Version 2: "MAX PERIOD", MAX may be "max". */
static unsigned
quota_v2(const char *dir)
{
	struct buf name = {0}, text = {0};
	uint64_t quota, period;
	unsigned n = 0;
	const char *s;

	buf_printf(&name, "%s/cpu.max", dir);
	if (io_read_file(AT_FDCWD, buf_str(&name), 4096, &text, NULL) == 0) {
		s = buf_str(&text);
		if (take_number(&s, &quota) == 0 && take_number(&s, &period) == 0)
			n = rounded_up(quota, period);
	}
	buf_done(&name);
	buf_done(&text);
	return n;
}

/* Version 1: two files; the quota is -1 when there is none. */
static unsigned
quota_v1(const char *dir)
{
	static const char *const files[] = {"cfs_quota_us", "cfs_period_us"};
	struct buf name = {0}, text = {0};
	uint64_t n[2] = {0};
	const char *s;
	size_t i;

	for (i = 0; i < 2; i++) {
		buf_clear(&name);
		buf_clear(&text);
		buf_printf(&name, "%s/cpu.%s", dir, files[i]);
		if (io_read_file(AT_FDCWD, buf_str(&name), 4096, &text, NULL) != 0)
			break;
		s = buf_str(&text);
		if (take_number(&s, &n[i]) != 0)
			break;
	}
	buf_done(&name);
	buf_done(&text);
	return i == 2 ? rounded_up(n[0], n[1]) : 0;
}

static unsigned
lesser(unsigned a, unsigned b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The least quota of the group at root/group and of those that hold it. */
static unsigned
least_quota(const char *root, const char *group, size_t len, unsigned (*quota)(const char *))
{
	struct buf dir = {0};
	unsigned least = 0;

	for (;;) {
		buf_clear(&dir);
		buf_printf(&dir, "%s%.*s", root, (int)len, group);
		least = lesser(least, quota(buf_str(&dir)));
		while (len > 0 && group[len - 1] != '/')
			len--;
		if (len == 0)
			break;
		len--;
	}
	buf_done(&dir);
	return least;
}

/* Is name one of the words of the list that commas separate? */
static int
lists(const char *list, size_t len, const char *name)
{
	size_t n = strlen(name), word;

	for (;; list += word + 1, len -= word + 1) {
		const char *comma = memchr(list, ',', len);

		word = comma == NULL ? len : (size_t)(comma - list);
		if (word == n && memcmp(list, name, n) == 0)
			return 1;
		if (comma == NULL)
			return 0;
	}
}

/*
 * Lines are "ID:CONTROLLERS:/GROUP"; version 2 is the one without controllers.  In
 * a container the path may be one of the host, which is not to be seen there: then
 * only the root is left, which is the container's own group.
 */
unsigned
cpus_quota(const char *root, const char *self)
{
	struct buf v1 = {0};
	const char *line, *list, *group;
	unsigned least = 0;
	size_t end;

	buf_printf(&v1, "%s/cpu", root);
	for (line = self; *line != '\0'; line += end + (line[end] == '\n')) {
		end = strcspn(line, "\n");
		if (end > INT_MAX || (list = memchr(line, ':', end)) == NULL)
			continue;
		list++;
		if ((group = memchr(list, ':', end - (size_t)(list - line))) == NULL)
			continue;
		if (group == list)
			least = lesser(least,
			    least_quota(
				root, group + 1, end - (size_t)(group + 1 - line), quota_v2));
		else if (lists(list, (size_t)(group - list), "cpu"))
			least = lesser(least,
			    least_quota(buf_str(&v1), group + 1, end - (size_t)(group + 1 - line),
				quota_v1));
	}
	buf_done(&v1);
	return least;
}

unsigned
cpus_usable(void)
{
	struct buf self = {0};
	unsigned n = in_affinity(), quota;

	(void)io_read_file(AT_FDCWD, "/proc/self/cgroup", 1 << 20, &self, NULL);
	quota = cpus_quota(CGROUP_ROOT, buf_str(&self));
	buf_done(&self);
	return quota > 0 && quota < n ? quota : n;
}
