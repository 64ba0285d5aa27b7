/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

/*
 * A commit that is killed at each of its system calls in turn.  With
 * arguments ("commit DIR", "recover DIR") this program does one step only:
 * tests/fault/store_errors.sh makes calls of it fail.
 */
#define NAME "n-2"

static int
commit(const char *dir)
{
	struct buf seal = {0};
	struct repo *r = NULL;
	struct repo_txn *t = NULL;
	struct err e = {0};
	int rc = 1;

	stub_seal(NAME, &(struct stub){.sequence = 2}, &seal, NULL);
	if (repo_open(&r, dir, &e) == 0 && repo_lock(r, 0, &e) == 0 && repo_recover(r, &e) == 0 &&
	    repo_txn_begin(&t, r, NAME, &e) == 0) {
		if (io_write(repo_txn_archive_fd(t), STUB_ARCHIVE, strlen(STUB_ARCHIVE), &e) < 0 ||
		    io_write(repo_txn_manifest_fd(t), STUB_MANIFEST, strlen(STUB_MANIFEST), &e) < 0)
			repo_txn_abort(t);
		else if (repo_txn_commit(t, seal.data, seal.len, &e) == 0)
			rc = 0;
	}
	if (rc != 0)
		(void)fprintf(stderr, "%s\n", e.msg);
	repo_close(r);
	buf_done(&seal);
	return rc;
}

static int
recover(const char *dir)
{
	struct repo *r = NULL;
	struct err e = {0};
	int rc = 0;

	if (repo_open(&r, dir, &e) < 0 || repo_lock(r, 0, &e) < 0 || repo_recover(r, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		rc = 1;
	}
	repo_close(r);
	return rc;
}

/* ---- under a tracer ---- */

/*
 * Run commit(dir), and kill it when it enters its system call number kill_at (0: never).
 * Its fsyncs and renames are put down in calls, as letters.  Exit status, or -1: killed; -2: no
 * right to trace.
 */
static int
traced_commit(const char *dir, unsigned kill_at, char *calls, size_t size)
{
	struct __ptrace_syscall_info info;
	unsigned n = 0;
	int status;
	size_t len = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		(void)raise(SIGSTOP);
		_exit(commit(dir));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		return -2;
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
			     (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
	    0);
	while (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid &&
	    WIFSTOPPED(status)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) <= 0 ||
		    info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		if (++n == kill_at)
			(void)kill(pid, SIGKILL);
		if (calls != NULL && len + 1 < size && info.entry.nr == SYS_fsync)
			calls[len++] = 'S';
		if (calls != NULL && len + 1 < size && info.entry.nr == SYS_renameat2)
			calls[len++] = 'r';
	}
	if (calls != NULL)
		calls[len] = '\0';
	/* A traced call of a process that is being killed fails before its end can be awaited. */
	if (WIFSTOPPED(status))
		assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
make_repo(char dir[SCRATCH_MAX])
{
	scratch_new(dir);
	stub_backup(dir, "n-1", &(struct stub){.sequence = 1}, NULL);
	scratch_puts(dir, "old-1.tar.gz", "from before");
	scratch_puts(dir, ".lock", "");
}

#define BEFORE ".lock n-1.manifest.gz n-1.seal n-1.tar.gz "
#define AFTER BEFORE "n-2.manifest.gz n-2.seal n-2.tar.gz "
#define OLD "old-1.tar.gz "

static void
commit_syncs_before_each_step_that_leans_on_it(void **state)
{
	char dir[SCRATCH_MAX], calls[64];
	int rc;

	(void)state;
	make_repo(dir);
	rc = traced_commit(dir, 0, calls, sizeof(calls));
	scratch_remove(dir);
	if (rc == -2)
		skip();
	assert_int_equal(rc, 0);
	/* archive, manifest, seal, directory; two renames, directory; the seal's rename, directory
	 */
	assert_string_equal(calls, "SSSSrrSrS");
}

static void
a_commit_killed_anywhere_is_whole_or_nothing(void **state)
{
	char dir[SCRATCH_MAX], names[1024];
	unsigned nothing = 0, whole = 0;
	int rc = -1;

	(void)state;
	for (unsigned n = 1; rc == -1; n++) {
		make_repo(dir);
		if ((rc = traced_commit(dir, n, NULL, 0)) == -2) {
			scratch_remove(dir);
			skip();
		}
		assert_true(rc == -1 || rc == 0);
		assert_int_equal(recover(dir), 0);
		scratch_list(dir, names, sizeof(names));
		if (strcmp(names, BEFORE OLD) == 0)
			nothing++;
		else if (strcmp(names, AFTER OLD) == 0)
			whole++;
		else
			fail_msg("killed at call %u: %s", n, names);
		/* And the next run succeeds. */
		if (strcmp(names, BEFORE OLD) == 0)
			assert_int_equal(commit(dir), 0);
		scratch_list(dir, names, sizeof(names));
		assert_string_equal(names, AFTER OLD);
		scratch_remove(dir);
	}
	assert_true(nothing > 5);
	assert_true(whole > 5);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commit_syncs_before_each_step_that_leans_on_it),
	    cmocka_unit_test(a_commit_killed_anywhere_is_whole_or_nothing),
	};

	log_init("test_store_crash", LOG_QUIET);
	if (argc == 3 && strcmp(argv[1], "commit") == 0)
		return commit(argv[2]);
	if (argc == 3 && strcmp(argv[1], "recover") == 0)
		return recover(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
