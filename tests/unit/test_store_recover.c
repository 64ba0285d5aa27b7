/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static char dir[SCRATCH_MAX], names[8192];
static struct repo *repo;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static const char *const parts[] = {"tar.gz", "manifest.gz", "seal"};
/* Where one part is: the states that a cut-short commit, by rename or by link, can leave. */
enum place { NOWHERE, NEW, FINAL, BOTH, NEW_CUT, FINAL_CUT, PLACES };

static void
put(int part, enum place place, const char *name, const struct buf *seal)
{
	const char *data[] = {STUB_ARCHIVE, STUB_MANIFEST, (const char *)seal->data};
	size_t len = part == 2 ? seal->len : strlen(data[part]);
	char new[256], final[256];

	(void)snprintf(new, sizeof(new), ".%s.%s.new", name, parts[part]);
	(void)snprintf(final, sizeof(final), "%s.%s", name, parts[part]);
	if (place == NEW_CUT || place == FINAL_CUT)
		len--;
	if (place == NEW || place == NEW_CUT || place == BOTH)
		scratch_put(dir, new, data[part], len);
	if (place == FINAL || place == FINAL_CUT)
		scratch_put(dir, final, data[part], len);
	if (place == BOTH)
		assert_int_equal(linkat(repo_fd(repo), new, repo_fd(repo), final, 0), 0);
}

static bool
is_at(enum place p, enum place name)
{
	return p == BOTH ? name == NEW || name == FINAL : p == name || p == name + (NEW_CUT - NEW);
}

static bool
is_whole(enum place p)
{
	return p == NEW || p == FINAL || p == BOTH;
}

/* The names that must be there afterwards. */
static void
expect(enum place a, enum place m, enum place s, char *out, size_t size)
{
	enum place at[] = {a, m, s};
	bool forward = is_whole(a) && is_whole(m) && (s == NEW || s == BOTH);
	size_t n = (size_t)snprintf(out, size, ".lock ");

	for (int i = 0; i < 3; i++) {
		static const int sorted[] = {1, 2, 0};
		int part = sorted[i];
		if (forward || is_at(at[part], FINAL))
			n += (size_t)snprintf(out + n, size - n, "n-1.%s ", parts[part]);
	}
}

static void
every_state_that_a_crash_leaves_is_resolved(void **state)
{
	struct buf seal = {0};
	char want[256];

	(void)state;
	stub_seal("n-1", &(struct stub){.sequence = 1}, &seal, NULL);
	for (int i = 0; i < PLACES * PLACES * PLACES; i++) {
		enum place a = i % PLACES, m = i / PLACES % PLACES, s = i / PLACES / PLACES;

		put(0, a, "n-1", &seal);
		put(1, m, "n-1", &seal);
		put(2, s, "n-1", &seal);
		if (repo_recover(repo, &e) != 0)
			fail_msg("state %d %d %d: %s", (int)a, (int)m, (int)s, e.msg);
		scratch_list(dir, names, sizeof(names));
		expect(a, m, s, want, sizeof(want));
		if (strcmp(names, want) != 0)
			fail_msg(
			    "state %d %d %d: %s, expected %s", (int)a, (int)m, (int)s, names, want);
		/* Once more: nothing is left to do. */
		assert_int_equal(repo_recover(repo, &e), 0);
		scratch_list(dir, names, sizeof(names));
		assert_string_equal(names, want);
		for (int p = 0; p < 3; p++) {
			char file[64];
			(void)snprintf(file, sizeof(file), "n-1.%s", parts[p]);
			(void)unlinkat(repo_fd(repo), file, 0);
		}
	}
	buf_done(&seal);
}

static void
what_is_rolled_forward_can_be_read(void **state)
{
	struct buf seal = {0};
	struct repo_backup b;

	(void)state;
	stub_seal("n-1", &(struct stub){.sequence = 7}, &seal, NULL);
	put(0, FINAL, "n-1", &seal);
	put(1, NEW, "n-1", &seal);
	put(2, NEW, "n-1", &seal);
	assert_int_equal(repo_recover(repo, &e), 0);
	assert_int_equal(repo_read_seal(repo, "n-1", NULL, &b, &e), 0);
	assert_int_equal(b.state, REPO_UNSIGNED);
	assert_int_equal(b.seal.sequence, 7);
	repo_backup_done(&b);
	buf_done(&seal);
}

static void
a_seal_of_another_name_is_not_rolled_forward(void **state)
{
	struct buf seal = {0};

	(void)state;
	stub_seal("n-2", &(struct stub){.sequence = 1}, &seal, NULL);
	for (int part = 0; part < 3; part++)
		put(part, NEW, "n-1", &seal);
	assert_int_equal(repo_recover(repo, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock ");
	buf_done(&seal);
}

static void
several_backups_in_progress_are_resolved_each(void **state)
{
	struct buf one = {0}, two = {0};

	(void)state;
	stub_seal("n-1", &(struct stub){.sequence = 1}, &one, NULL);
	stub_seal("n-2", &(struct stub){.sequence = 2}, &two, NULL);
	for (int part = 0; part < 3; part++)
		put(part, NEW, "n-1", &one);
	put(0, NEW, "n-2", &two);
	assert_int_equal(repo_recover(repo, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock n-1.manifest.gz n-1.seal n-1.tar.gz ");
	buf_done(&one);
	buf_done(&two);
}

static void
what_is_not_ours_stays(void **state)
{
	static const char *const others[] = {".a.tar.gz.swp", ".a.seal.gone", ".hidden", ".a.new",
	    "a.tar.gz", "a.manifest.gz", "b.tar.gz", "catalog.sqlite3", "x.new"};
	char before[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		scratch_puts(dir, others[i], "x");
	assert_int_equal(mkdirat(repo_fd(repo), "lost+found", 0700), 0);
	assert_int_equal(mkdirat(repo_fd(repo), ".d.seal.new", 0700), 0);
	assert_int_equal(symlinkat("b.tar.gz", repo_fd(repo), ".l.tar.gz.new"), 0);
	assert_int_equal(symlinkat("b.tar.gz", repo_fd(repo), ".l.seal.new"), 0);
	scratch_list(dir, before, sizeof(before));
	assert_int_equal(repo_recover(repo, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, before);
}

static void
a_name_that_somebody_took_stays_his(void **state)
{
	struct buf seal = {0}, got = {0};

	(void)state;
	stub_seal("n-1", &(struct stub){.sequence = 1}, &seal, NULL);
	for (int part = 0; part < 3; part++)
		put(part, NEW, "n-1", &seal);
	scratch_puts(dir, "n-1.manifest.gz", STUB_MANIFEST);
	assert_int_equal(repo_recover(repo, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock n-1.manifest.gz ");
	scratch_get(dir, "n-1.manifest.gz", &got);
	assert_string_equal(buf_str(&got), STUB_MANIFEST);
	buf_done(&seal);
	buf_done(&got);
}

static void
recovery_needs_the_lock(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_recover(other, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(every_state_that_a_crash_leaves_is_resolved),
	    T(what_is_rolled_forward_can_be_read),
	    T(a_seal_of_another_name_is_not_rolled_forward),
	    T(several_backups_in_progress_are_resolved_each),
	    T(what_is_not_ours_stays),
	    T(a_name_that_somebody_took_stays_his),
	    T(recovery_needs_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
