/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/child.h"

/* Files and not pipes: a child that writes much never blocks. */
static void
read_back(FILE *f, char *out, size_t size)
{
	rewind(f);
	out[fread(out, 1, size - 1, f)] = '\0';
	(void)fclose(f);
}

void
child_run(struct child *c, int (*fn)(void *ctx), void *ctx)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int status;
	pid_t pid;

	if (out == NULL || err == NULL || fflush(NULL) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		if (dup2(fileno(out), 1) < 0 || dup2(fileno(err), 2) < 0)
			_exit(126);
		int rc = fn(ctx);
		(void)fflush(NULL);
		_exit(rc);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
	read_back(out, c->out, sizeof(c->out));
	read_back(err, c->err, sizeof(c->err));
}
