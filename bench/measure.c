/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure -o FILE [-s PATH] [-g FILE]... COMMAND [ARGUMENT...]
 *
 * Run a command, wait for it, and write to FILE what it took, as one line:
 *
 *     SECONDS USER SYSTEM PEAK-RSS-IN-KIB STATUS
 *
 * -s  then sync the file system of PATH; that counts as the command's time
 * -g  the command's process id goes into this cgroup.procs file first
 *
 * A command inherits the peak memory of the process that it was forked from, so that
 * what python3 measures never seems to be smaller than python3: hence this small
 * program. Of a pipeline USER and SYSTEM are the sums, the peak is the largest one's.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { GROUPS = 4 };

static double
now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		err(3, "clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void
join(const char *procs)
{
	FILE *f = fopen(procs, "we");

	if (f == NULL || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0)
		err(3, "%s", procs);
}

static void
sync_fs(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) != 0)
		err(3, "sync %s", path);
	(void)close(fd);
}

/* In groups, a list that NULL ends. */
static pid_t
start(char **argv, const char **groups)
{
	pid_t pid = fork();

	if (pid < 0)
		err(3, "fork");
	if (pid > 0)
		return pid;
	for (; *groups != NULL; groups++)
		join(*groups);
	(void)execvp(argv[0], argv);
	warn("%s", argv[0]);
	_exit(127);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: measure -o FILE [-s PATH] [-g FILE]... COMMAND...\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	const char *out = NULL, *sync_path = NULL, *groups[GROUPS + 1] = {NULL};
	int c, status, n = 0;
	struct rusage u;
	double begin, wall;
	FILE *f;

	while ((c = getopt(argc, argv, "+o:s:g:")) != -1) {
		if (c == 'o')
			out = optarg;
		else if (c == 's')
			sync_path = optarg;
		else if (c == 'g' && n < GROUPS)
			groups[n++] = optarg;
		else
			usage();
	}
	if (out == NULL || optind == argc)
		usage();
	begin = now();
	if (wait4(start(argv + optind, groups), &status, 0, &u) < 0)
		err(3, "wait4");
	if (sync_path != NULL)
		sync_fs(sync_path);
	wall = now() - begin;
	if ((f = fopen(out, "we")) == NULL)
		err(3, "%s", out);
	(void)fprintf(f, "%.6f %.6f %.6f %ld %d\n", wall, seconds(u.ru_utime), seconds(u.ru_stime),
	    u.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (fclose(f) != 0)
		err(3, "%s", out);
	return 0;
}
