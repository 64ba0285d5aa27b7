/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/check_command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"

#define TICK_NS 20000000l
/* Ticks between asking it to stop, and making it. */
#define PATIENCE 250
#define CHILDREN_MAX 1024

static const struct timespec tick = {.tv_nsec = TICK_NS};

static void __attribute__((noreturn)) become(const char *command, int dirfd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)umask(077);
	(void)setpgid(0, 0);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 &&
	    fchdir(dirfd) == 0)
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Until it has ended.  -1 when a stop was asked for; it has ended then, too. */
static int
wait_for(pid_t pid, int *status, struct err *e)
{
	int ticks = 0, rc = 0;
	pid_t done;

	while ((done = waitpid(pid, status, WNOHANG)) == 0 || (done < 0 && errno == EINTR)) {
		if (rc == 0 && (rc = stop_check(e)) != 0)
			(void)kill(-pid, SIGTERM);
		if (rc != 0 && ++ticks == PATIENCE)
			(void)kill(-pid, SIGKILL);
		(void)nanosleep(&tick, NULL);
	}
	/* What it has put into the background would write where we remove. */
	(void)kill(-pid, SIGKILL);
	if (rc == 0 && done < 0)
		return err_sys(e, "wait for the check command");
	return rc;
}

/* ---- what has left its process group ---- */

/* timeout(1) and setsid(1) make groups of their own, but their orphans come to a subreaper. */
struct children {
	pid_t pids[CHILDREN_MAX];
	size_t n;
};

/* Without /proc, none. */
static void
list_children(struct children *c)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	char *word = NULL;
	size_t room = 0;

	c->n = 0;
	if (f == NULL)
		return;
	while (c->n < CHILDREN_MAX && getdelim(&word, &room, ' ', f) > 1)
		c->pids[c->n++] = (pid_t)strtol(word, NULL, 10);
	free(word);
	(void)fclose(f);
}

static bool
has_child(const struct children *c, pid_t pid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->pids[i] == pid)
			return true;
	return false;
}

/* All children but those of before; how many there were. */
static size_t
end_children(const struct children *before)
{
	struct children now;
	size_t n = 0;

	list_children(&now);
	for (size_t i = 0; i < now.n; i++) {
		if (has_child(before, now.pids[i]))
			continue;
		(void)kill(now.pids[i], SIGKILL);
		(void)waitpid(now.pids[i], NULL, WNOHANG);
		n++;
	}
	return n;
}

/* With each that ends, its own children come. */
static void
end_orphans(const struct children *before)
{
	int ticks = 0;

	while (end_children(before) > 0) {
		if (++ticks == PATIENCE) {
			log_warn("check command: what it started runs on, and cannot be ended");
			return;
		}
		(void)nanosleep(&tick, NULL);
	}
}

/* ---- all of it ---- */

/* With an end that can be waited for, whatever whoever started us ignores. */
static pid_t
start(const char *command, int dirfd, struct sigaction *was)
{
	const struct sigaction dfl = {.sa_handler = SIG_DFL};
	pid_t pid;

	(void)sigaction(SIGCHLD, &dfl, was);
	if ((pid = fork()) == 0)
		become(command, dirfd);
	return pid;
}

int
check_command(const char *command, int dirfd, char *why, size_t why_size, struct err *e)
{
	struct children before;
	struct sigaction was;
	int status = 0, rc;
	pid_t pid;

	(void)fflush(NULL);
	list_children(&before);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if ((pid = start(command, dirfd, &was)) > 0)
		(void)setpgid(pid, pid); /* whoever is first */
	rc = pid > 0 ? wait_for(pid, &status, e) : err_sys(e, "start the check command");
	end_orphans(&before);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	(void)sigaction(SIGCHLD, &was, NULL);
	if (rc != 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	if (WIFSIGNALED(status))
		(void)snprintf(why, why_size, "it was ended by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(why, why_size, "it ended with status %d", WEXITSTATUS(status));
	return 0;
}
