/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/io.h"
#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/crash.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

/*
 * Each thing that changes a repository, killed at each of its system calls in turn, and with the
 * power cut between any two.  After recovery the repository is, to the byte, as it was before or as
 * it is meant to be: so nothing else was touched either.
 *
 * With arguments ("make STEP DIR", "run STEP DIR", "recover DIR") this program does one thing only:
 * tests/fault/store_errors.sh makes calls of it fail.
 */
#define NAME "n-2"

/* ---- the steps ---- */

static int
do_commit(struct repo *r, struct err *e)
{
	struct buf seal = {0};
	struct repo_txn *t = NULL;
	int rc = -1;

	stub_seal(NAME, &(struct stub){.sequence = 2}, &seal, NULL);
	if (repo_txn_begin(&t, r, NAME, e) == 0) {
		if (io_write(repo_txn_archive_fd(t), STUB_ARCHIVE, strlen(STUB_ARCHIVE), e) < 0 ||
		    io_write(repo_txn_manifest_fd(t), STUB_MANIFEST, strlen(STUB_MANIFEST), e) < 0)
			repo_txn_abort(t);
		else
			rc = repo_txn_commit(t, seal.data, seal.len, e);
	}
	buf_done(&seal);
	return rc;
}

static int
do_prune(struct repo *r, struct err *e)
{
	return repo_prune(r, NAME, e);
}

static int
do_hold(struct repo *r, struct err *e)
{
	return repo_hold(r, NAME, "for the audit", e);
}

static int
do_release(struct repo *r, struct err *e)
{
	return repo_release(r, NAME, e);
}

static int
do_reseal(struct repo *r, struct err *e)
{
	struct repo_backup b;
	int rc;

	if (repo_read_seal(r, NAME, NULL, &b, e) < 0)
		return -1;
	free(b.seal.policy);
	if ((b.seal.policy = strdup("keep-last=1")) == NULL)
		rc = err_nomem(e);
	else if (b.state == REPO_BAD) /* could not be read */
		rc = repo_stat_part(r, REPO_SEAL, NAME, &(uint64_t){0}, e) < 0
		    ? -1
		    : err_set(e, ERR_CORRUPT, "%s", b.why->msg);
	else
		rc = repo_reseal(r, &b.seal, NULL, e);
	repo_backup_done(&b);
	return rc;
}

struct step {
	const char *name;
	int (*run)(struct repo *r, struct err *e);
	const char *order, *order_by_link; /* crash_log_letters() */
	bool without_backup; /* n-2 is not there yet */
	const char *marker; /* what n-2.hold says before; NULL: not there */
};

static const struct step steps[] = {
    /* archive, manifest; the seal; the first two get their names; the seal gets its own */
    {.name = "commit",
	.run = do_commit,
	.order = "ccwwsscwsDrrDrD",
	.order_by_link = "ccwwsscwsDlDulDuDlDuD",
	.without_backup = true},
    {.name = "prune", .run = do_prune, .order = "rDuuDu", .order_by_link = "lDuDuuDu"},
    {.name = "hold", .run = do_hold, .order = "cwsrD"},
    {.name = "hold-again", .run = do_hold, .order = "cwsrD", .marker = "another reason\n"},
    {.name = "release", .run = do_release, .order = "uD", .marker = "no more\n"},
    {.name = "reseal", .run = do_reseal, .order = "cwsrD"},
};

static const struct step *step_now; /* a traced step has no other way to know */

static int
work(const char *dir, int (*run)(struct repo *r, struct err *e))
{
	struct repo *r = NULL;
	struct err e = {0};
	int rc = 0;

	if (repo_open(&r, dir, &e) < 0 || repo_lock(r, 0, &e) < 0 || repo_recover(r, &e) < 0 ||
	    (run != NULL && run(r, &e) < 0)) {
		(void)fprintf(stderr, "%s\n", e.msg);
		rc = 1;
	}
	repo_close(r);
	return rc;
}

/*
 * A file system without RENAME_NOREPLACE, as NFS: the kernel is told to say so.  What is never
 * replaced is then moved by link(2) and unlink(2).
 */
static bool only_links;

static void
forget_renameat2(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = COUNT(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(78);
}

/* In a process of its own. */
static int
run_traced(const char *dir)
{
	if (only_links)
		forget_renameat2();
	return work(dir, step_now->run);
}

static int
run_step(const char *dir)
{
	return work(dir, step_now->run);
}

static int
recover_traced(const char *dir)
{
	if (only_links)
		forget_renameat2();
	return work(dir, NULL);
}

static int
recover(const char *dir)
{
	return work(dir, NULL);
}

/* Beside it: backups whose names begin alike, one on hold, and an archive from before. */
static void
make_repo(const struct step *s, const char *dir)
{
	stub_backup(dir, "n-1", &(struct stub){.sequence = 1}, NULL);
	stub_backup(dir, "n-20", &(struct stub){.sequence = 20}, NULL);
	scratch_puts(dir, "n-20.hold", "");
	if (!s->without_backup)
		stub_backup(dir, NAME, &(struct stub){.sequence = 2}, NULL);
	if (s->marker != NULL)
		scratch_puts(dir, NAME ".hold", s->marker);
	scratch_puts(dir, "old-1.tar.gz", "from before");
	scratch_puts(dir, ".lock", "");
}

/* ---- states of a repository ---- */

static void
digest_of(const char *dir, uint8_t out[SHA256_LEN])
{
	char names[4096], *save = NULL;
	struct sha256 h;
	struct buf data = {0};

	scratch_list(dir, names, sizeof(names));
	sha256_init(&h);
	for (char *n = strtok_r(names, " ", &save); n != NULL; n = strtok_r(NULL, " ", &save)) {
		buf_clear(&data);
		scratch_get(dir, n, &data);
		sha256_update(&h, n, strlen(n) + 1);
		sha256_update(&h, &data.len, sizeof(data.len));
		sha256_update(&h, data.data, data.len);
	}
	buf_done(&data);
	sha256_final(&h, out);
}

struct expected {
	uint8_t before[SHA256_LEN], after[SHA256_LEN];
	size_t n_before, n_after;
	bool is_over; /* of the outer of two cuts */
};

/* The step as it should go, and what it did.  -2: nobody may trace. */
static int
expect_step(
    const struct step *s, char before[SCRATCH_MAX], struct crash_log *log, struct expected *x)
{
	char after[SCRATCH_MAX];
	int rc;

	memset(x, 0, sizeof(*x));
	step_now = s;
	scratch_new(before);
	scratch_new(after);
	make_repo(s, before);
	make_repo(s, after);
	rc = crash_trace(run_traced, after, 0, log);
	digest_of(before, x->before);
	digest_of(after, x->after);
	scratch_remove(after);
	if (rc == -2)
		return rc;
	assert_int_equal(rc, 0);
	assert_memory_not_equal(x->before, x->after, SHA256_LEN);
	return 0;
}

/* Recovered, it is one or the other; and from the one the step, done again, leads to the other. */
static void
check(struct expected *x, const char *dir, bool is_over)
{
	uint8_t now[SHA256_LEN];
	char names[4096];

	assert_int_equal(recover(dir), 0);
	digest_of(dir, now);
	if (memcmp(now, x->after, SHA256_LEN) == 0) {
		x->n_after++;
		return;
	}
	if (is_over || memcmp(now, x->before, SHA256_LEN) != 0) {
		scratch_list(dir, names, sizeof(names));
		fail_msg("%s%s: left %s", step_now->name, is_over ? ", done" : "", names);
	}
	x->n_before++;
	assert_int_equal(run_step(dir), 0);
	digest_of(dir, now);
	assert_memory_equal(now, x->after, SHA256_LEN);
}

/* ---- the tests ---- */

static void
check_order(const struct step *s, const char *want)
{
	static struct crash_log log;
	char before[SCRATCH_MAX], order[CRASH_OPS_MAX + 1];
	struct expected x;
	int rc = expect_step(s, before, &log, &x);

	crash_log_letters(&log, order);
	crash_log_done(&log);
	scratch_remove(before);
	if (rc == -2)
		skip();
	if (strcmp(order, want) != 0)
		fail_msg("%s: %s, expected %s", s->name, order, want);
}

static void
each_step_syncs_before_what_leans_on_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++)
		check_order(&steps[i], steps[i].order);
	only_links = true;
	for (size_t i = 0; i < COUNT(steps); i++)
		if (steps[i].order_by_link != NULL)
			check_order(&steps[i], steps[i].order_by_link);
}

static void
kill_everywhere(const struct step *s)
{
	char dir[SCRATCH_MAX];
	struct expected x;
	int rc = expect_step(s, dir, NULL, &x);

	scratch_remove(dir);
	if (rc == -2)
		skip();
	rc = -1;
	for (unsigned n = 1; rc == -1; n++) {
		scratch_new(dir);
		make_repo(s, dir);
		rc = crash_trace(run_traced, dir, n, NULL);
		assert_true(rc == -1 || rc == 0);
		check(&x, dir, rc == 0);
		scratch_remove(dir);
	}
	assert_true(x.n_before > 5);
	assert_true(x.n_after > 1);
}

static void
a_step_killed_anywhere_is_done_or_not_begun(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++)
		kill_everywhere(&steps[i]);
	only_links = true;
	for (size_t i = 0; i < COUNT(steps); i++)
		if (steps[i].order_by_link != NULL)
			kill_everywhere(&steps[i]);
}

static void
check_cut_again(void *ctx, const char *dir, int is_over)
{
	struct expected *x = ctx;

	/* That the recovery was over promises nothing; that the step was, does. */
	(void)is_over;
	check(x, dir, x->is_over);
}

static void
copy_dir(const char *from, const char *to)
{
	char names[4096], *save = NULL, *seen[64], path[2 * SCRATCH_MAX], other[2 * SCRATCH_MAX];
	struct stat st[64];
	size_t n = 0, same;

	scratch_list(from, names, sizeof(names));
	for (char *f = strtok_r(names, " ", &save); f != NULL; f = strtok_r(NULL, " ", &save)) {
		struct buf data = {0};

		assert_true(n < COUNT(seen));
		(void)snprintf(path, sizeof(path), "%s/%s", from, f);
		assert_int_equal(lstat(path, &st[n]), 0);
		for (same = 0; st[same].st_ino != st[n].st_ino; same++)
			;
		seen[n++] = f;
		(void)snprintf(path, sizeof(path), "%s/%s", to, f);
		(void)snprintf(other, sizeof(other), "%s/%s", to, seen[same]);
		if (same < n - 1) {
			assert_int_equal(link(other, path), 0);
			continue;
		}
		scratch_get(from, f, &data);
		scratch_put(to, f, data.len > 0 ? (const void *)data.data : "", data.len);
		buf_done(&data);
	}
}

/* What a cut has left, recovered from: once in peace, and once cut short itself. */
static void
check_cut(void *ctx, const char *dir, int is_over)
{
	struct crash_log log = {.n = 0};
	struct expected *x = ctx;
	char copy[SCRATCH_MAX];

	x->is_over = is_over != 0;
	scratch_new(copy);
	copy_dir(dir, copy);
	assert_int_equal(crash_trace(recover_traced, copy, 0, &log), 0);
	scratch_remove(copy);
	if (log.n > 0)
		(void)crash_cut(dir, &log, check_cut_again, x);
	crash_log_done(&log);
	check(x, dir, x->is_over);
}

static void
cut_everywhere(const struct step *s)
{
	static struct crash_log log;
	char before[SCRATCH_MAX];
	struct expected x;
	size_t n = 0;
	int rc = expect_step(s, before, &log, &x);

	if (rc == 0)
		n = crash_cut(before, &log, check_cut, &x);
	crash_log_done(&log);
	scratch_remove(before);
	if (rc == -2)
		skip();
	assert_true(n > 2);
	assert_true(x.n_before > 0);
	assert_true(x.n_after > 0);
}

static void
a_power_cut_leaves_a_step_done_or_not_begun(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++)
		cut_everywhere(&steps[i]);
	only_links = true;
	for (size_t i = 0; i < COUNT(steps); i++)
		if (steps[i].order_by_link != NULL)
			cut_everywhere(&steps[i]);
}

/*
 * Killed first, and the power goes while the next run recovers: what the one has seen of the
 * other's work need not be on the disk yet.  Killed at `at`; false when the step came to its end.
 */
static bool
cut_after_kill(const struct step *s, unsigned at, size_t *last_n)
{
	static struct crash_log log;
	char before[SCRATCH_MAX], dir[SCRATCH_MAX];
	struct expected x;
	int rc = expect_step(s, before, NULL, &x);

	if (rc == -2) {
		scratch_remove(before);
		skip();
	}
	scratch_new(dir);
	make_repo(s, dir);
	rc = crash_trace(run_traced, dir, at, &log);
	/* Only where it did something more than when it was killed one call earlier. */
	if (rc == -1 && log.n != *last_n) {
		*last_n = log.n;
		assert_int_equal(crash_trace(recover_traced, dir, 0, &log), 0);
		(void)crash_cut(before, &log, check_cut_again, &x);
	}
	crash_log_done(&log);
	scratch_remove(dir);
	scratch_remove(before);
	return rc == -1;
}

static void
a_power_cut_after_a_kill_leaves_a_step_done_or_not_begun(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(steps); i++) {
		const struct step *s = &steps[i % COUNT(steps)];
		size_t last_n = 0;

		only_links = i >= COUNT(steps);
		if (only_links && s->order_by_link == NULL)
			continue;
		for (unsigned n = 1; cut_after_kill(s, n, &last_n); n++)
			;
	}
}

static int
setup(void **state)
{
	(void)state;
	only_links = false;
	return 0;
}

static const struct step *
step_of(const char *name)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (strcmp(steps[i].name, name) == 0)
			return &steps[i];
	(void)fprintf(stderr, "no such step: %s\n", name);
	exit(2);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
	    T(each_step_syncs_before_what_leans_on_it),
	    T(a_step_killed_anywhere_is_done_or_not_begun),
	    T(a_power_cut_leaves_a_step_done_or_not_begun),
	    T(a_power_cut_after_a_kill_leaves_a_step_done_or_not_begun),
	};

	log_init("test_store_crash", LOG_QUIET);
	if (argc == 3 && strcmp(argv[1], "recover") == 0)
		return recover(argv[2]);
	if (argc == 4) {
		step_now = step_of(argv[2]);
		if (strcmp(argv[1], "run") == 0)
			return run_step(argv[3]);
		make_repo(step_now, argv[3]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
