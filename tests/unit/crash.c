/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* ---- the log ---- */

void
crash_log_done(struct crash_log *log)
{
	for (size_t i = 0; i < log->n; i++)
		buf_done(&log->ops[i].data);
	memset(log, 0, sizeof(*log));
}

void
crash_log_letters(const struct crash_log *log, char out[CRASH_OPS_MAX + 1])
{
	for (size_t i = 0; i < log->n; i++)
		*out++ = "cwsDrlu"[log->ops[i].kind];
	*out = '\0';
}

/* ---- under a tracer ---- */

struct traced {
	pid_t pid;
	char dir[4096]; /* as the kernel calls it */
	struct crash_op op; /* of the call that has been entered, if has_op */
	int has_op;
};

static void
peek(const struct traced *t, uint64_t at, void *to, size_t len)
{
	struct iovec local = {.iov_base = to, .iov_len = len};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)at, .iov_len = len};

	must(process_vm_readv(t->pid, &local, 1, &remote, 1, 0) == (ssize_t)len, "peek");
}

/* A name in the directory: relative, and without a slash; else 0. */
static int
peek_name(const struct traced *t, uint64_t at, char out[256])
{
	for (size_t i = 0; i < 256; i++) {
		peek(t, at + i, &out[i], 1);
		if (out[i] == '/')
			return 0;
		if (out[i] == '\0')
			return i > 0;
	}
	return 0;
}

/* What the descriptor is open on: 0 nothing of ours, 1 the directory, 2 a file of it. */
static int
name_of_fd(const struct traced *t, uint64_t fd, char out[256])
{
	char link[64], path[4096 + 256];
	size_t dir = strlen(t->dir);
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)t->pid, (int)fd);
	if ((n = readlink(link, path, sizeof(path) - 1)) < 0)
		return 0;
	path[n] = '\0';
	if (strcmp(path, t->dir) == 0)
		return 1;
	if (strncmp(path, t->dir, dir) != 0 || path[dir] != '/')
		return 0;
	must((size_t)snprintf(out, 256, "%s", path + dir + 1) < 256, path);
	return 2;
}

static void
enter(struct traced *t, uint64_t nr, const uint64_t *a)
{
	struct crash_op *op = &t->op;
	int what;

	*op = (struct crash_op){.kind = CRASH_CREATE};
	switch (nr) {
	case SYS_openat:
		t->has_op = (a[2] & O_CREAT) != 0 && peek_name(t, a[1], op->name);
		break;
	case SYS_write:
		op->kind = CRASH_WRITE;
		if ((t->has_op = name_of_fd(t, a[0], op->name) == 2)) {
			void *room = buf_reserve(&op->data, a[2]);
			must(room != NULL, "memory");
			peek(t, a[1], room, a[2]);
			op->data.len += a[2];
		}
		break;
	case SYS_fsync:
	case SYS_fdatasync:
		what = name_of_fd(t, a[0], op->name);
		op->kind = what == 1 ? CRASH_SYNC_DIR : CRASH_SYNC;
		t->has_op = what != 0;
		break;
#ifdef SYS_renameat
	case SYS_renameat:
#endif
	case SYS_renameat2:
	case SYS_linkat:
		op->kind = nr == SYS_linkat ? CRASH_LINK : CRASH_RENAME;
		t->has_op = peek_name(t, a[1], op->name) && peek_name(t, a[3], op->other);
		break;
	case SYS_unlinkat:
		op->kind = CRASH_UNLINK;
		t->has_op = peek_name(t, a[1], op->name);
		break;
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_ftruncate:
	case SYS_mkdirat:
	case SYS_symlinkat:
	case SYS_copy_file_range:
	case SYS_sendfile:
		(void)fprintf(stderr, "crash: call %u is not understood here\n", (unsigned)nr);
		abort();
	default:
		break;
	}
}

static void
leave(struct traced *t, int failed, struct crash_log *log)
{
	if (t->has_op && !failed && log != NULL) {
		must(log->n < CRASH_OPS_MAX, "too many operations");
		log->ops[log->n++] = t->op;
	} else {
		buf_done(&t->op.data);
	}
	t->op = (struct crash_op){.kind = CRASH_CREATE};
	t->has_op = 0;
}

static pid_t
start(crash_step step, const char *dir)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid != 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(77);
	(void)raise(SIGSTOP);
	_exit(step(dir));
}

int
crash_trace(crash_step step, const char *dir, unsigned kill_at, struct crash_log *log)
{
	struct __ptrace_syscall_info info;
	struct traced t = {.has_op = 0};
	unsigned n = 0;
	int status;

	must(realpath(dir, t.dir) != NULL, dir);
	t.pid = start(step, dir);
	must(waitpid(t.pid, &status, 0) == t.pid, "waitpid");
	if (WIFEXITED(status))
		return -2;
	must(ptrace(PTRACE_SETOPTIONS, t.pid, NULL,
		 (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0,
	    "ptrace");
	while (ptrace(PTRACE_SYSCALL, t.pid, NULL, NULL) == 0 &&
	    waitpid(t.pid, &status, 0) == t.pid && WIFSTOPPED(status)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, t.pid, (void *)sizeof(info), &info) <= 0)
			continue;
		if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			leave(&t, info.exit.is_error, log);
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		if (++n == kill_at)
			(void)kill(t.pid, SIGKILL);
		else
			enter(&t, info.entry.nr, (const uint64_t *)info.entry.args);
	}
	/* A traced call of a process that is being killed fails before its end can be awaited. */
	if (WIFSTOPPED(status))
		must(waitpid(t.pid, &status, 0) == t.pid, "waitpid");
	leave(&t, 1, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
