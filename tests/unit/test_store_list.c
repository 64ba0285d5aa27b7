/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "core/stop.h"
#include "seal/key.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static char dir[SCRATCH_MAX], keys[SCRATCH_MAX];
static struct repo *repo;
static struct repo_list list;
static struct key *key, *strange_key;
static struct trust *trust;
static struct err e;

static int
group_setup(void **state)
{
	(void)state;
	scratch_new(keys);
	stub_key(keys, "a", &key);
	stub_key(keys, "b", &strange_key);
	return trust_new(&trust, &e) < 0 || trust_add_key(trust, key, &e) < 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	key_free(key);
	key_free(strange_key);
	trust_free(trust);
	scratch_remove(keys);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&list, 0, sizeof(list));
	scratch_new(dir);
	return repo_open(&repo, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	repo_list_done(&list);
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static void
an_empty_directory_has_none(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(repo_fd(repo), "lost+found", 0), 0);
	scratch_puts(dir, "catalog.sqlite3", "");
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(list.n_unsealed, 0);
}

static void
backups_come_by_series_and_sequence(void **state)
{
	static const char *const want[] = {"x-9", "x-1", "y-5", "y-4"};

	(void)state;
	stub_backup(dir, "y-4", &(struct stub){.series = "y", .sequence = 10, .key = key}, NULL);
	stub_backup(dir, "x-1", &(struct stub){.series = "x", .sequence = 3, .key = key}, NULL);
	stub_backup(dir, "x-9", &(struct stub){.series = "x", .sequence = 2, .key = key}, NULL);
	stub_backup(dir, "y-5", &(struct stub){.series = "y", .sequence = 9, .key = key}, NULL);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_int_equal(list.n, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(list.backups[i].name, want[i]);
		assert_int_equal(list.backups[i].state, REPO_TRUSTED);
		assert_null(list.backups[i].why);
	}
}

static enum repo_state
state_of(const char *name, const struct trust *t)
{
	struct repo_backup b;
	enum repo_state s;

	assert_int_equal(repo_read_seal(repo, name, t, &b, &e), 0);
	s = b.state;
	assert_true((b.why != NULL) == (s == REPO_UNTRUSTED || s == REPO_BAD));
	repo_backup_done(&b);
	return s;
}

static void
states_tell_who_signed(void **state)
{
	(void)state;
	stub_backup(dir, "ours", &(struct stub){.sequence = 1, .key = key}, NULL);
	stub_backup(dir, "theirs", &(struct stub){.sequence = 2, .key = strange_key}, NULL);
	stub_backup(dir, "nobodys", &(struct stub){.sequence = 3}, NULL);
	assert_int_equal(state_of("ours", trust), REPO_TRUSTED);
	assert_int_equal(state_of("theirs", trust), REPO_UNTRUSTED);
	assert_int_equal(state_of("nobodys", trust), REPO_UNSIGNED);
	assert_int_equal(state_of("ours", NULL), REPO_UNTRUSTED);
	assert_int_equal(state_of("nobodys", NULL), REPO_UNSIGNED);
}

static void
an_untrusted_seal_tells_what_it_claims(void **state)
{
	struct repo_backup b;

	(void)state;
	stub_backup(dir, "theirs", &(struct stub){.sequence = 2, .key = strange_key}, NULL);
	assert_int_equal(repo_read_seal(repo, "theirs", trust, &b, &e), 0);
	assert_int_equal(b.seal.sequence, 2);
	assert_string_equal(b.seal.source, "/src");
	assert_int_equal(b.why->kind, ERR_TRUST);
	repo_backup_done(&b);
}

static void
seals_that_cannot_be_read_are_bad(void **state)
{
	struct buf text = {0};

	(void)state;
	stub_seal("right", &(struct stub){.sequence = 1}, &text, NULL);
	scratch_put(dir, "wrong.seal", text.data, text.len);
	scratch_put(dir, "cut.seal", text.data, text.len - 1);
	scratch_puts(dir, "empty.seal", "");
	assert_int_equal(symlinkat("right.seal", repo_fd(repo), "link.seal"), 0);
	assert_int_equal(mkfifoat(repo_fd(repo), "fifo.seal", 0600), 0);
	assert_int_equal(mkdirat(repo_fd(repo), "dir.seal", 0700), 0);
	buf_clear(&text);
	buf_zeros(&text, SEAL_FILE_MAX + 1);
	scratch_put(dir, "huge.seal", text.data, text.len);
	buf_done(&text);
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_int_equal(list.n, 7);
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(list.backups[i].state, REPO_BAD);
		assert_true(list.backups[i].why->msg[0] != '\0');
		assert_string_equal(list.backups[i].seal.series, "");
	}
}

static void
a_missing_seal_is_not_found(void **state)
{
	struct repo_backup b;

	(void)state;
	assert_int_equal(repo_read_seal(repo, "none", NULL, &b, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(repo_read_seal(repo, "../none", NULL, &b, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
archives_without_a_seal_are_named(void **state)
{
	(void)state;
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1}, NULL);
	scratch_puts(dir, "old-3.tar.gz", "");
	scratch_puts(dir, "old-1.tar.gz", "");
	scratch_puts(dir, "old-2.tar.gz", "");
	scratch_puts(dir, "alone.manifest.gz", "");
	scratch_puts(dir, ".s-2.tar.gz.new", "");
	scratch_puts(dir, "other file.tar.gz", "");
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.n_unsealed, 3);
	assert_string_equal(list.unsealed[0], "old-1");
	assert_string_equal(list.unsealed[1], "old-2");
	assert_string_equal(list.unsealed[2], "old-3");
}

static void
removals_that_were_begun_are_named(void **state)
{
	(void)state;
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1}, NULL);
	scratch_puts(dir, ".s-1.seal.gone", "");
	scratch_puts(dir, ".t-2.seal.gone", "");
	scratch_puts(dir, "t-2.tar.gz", "");
	scratch_puts(dir, ".a-9.seal.gone", "");
	scratch_puts(dir, ".a-8.tar.gz.gone", "");
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_int_equal(list.n_gone, 2);
	assert_string_equal(list.gone[0], "a-9");
	assert_string_equal(list.gone[1], "t-2");
	assert_int_equal(list.n_unsealed, 0);
}

static void
only_the_newest_of_a_series_keeps_its_holds(void **state)
{
	struct seal first = {0}, second = {0};
	const struct seal *const one[] = {&first, NULL}, *const both[] = {&first, &second, NULL};
	struct repo_backup b;

	(void)state;
	/* Names that sort against the sequence. */
	stub_backup(dir, "c", &(struct stub){.sequence = 1, .key = key}, &first);
	stub_backup(dir, "b", &(struct stub){.sequence = 2, .key = key, .holds = one}, &second);
	stub_backup(dir, "a", &(struct stub){.sequence = 3, .key = key, .holds = both}, NULL);
	stub_backup(
	    dir, "o", &(struct stub){.series = "o", .sequence = 2, .key = key, .holds = one}, NULL);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_int_equal(list.n, 4);
	assert_string_equal(list.backups[0].name, "o");
	assert_int_equal(list.backups[0].seal.n_holds, 1);
	assert_int_equal(list.backups[1].seal.n_holds, 0);
	assert_int_equal(list.backups[2].seal.n_holds, 0);
	assert_int_equal(list.backups[3].seal.n_holds, 2);
	assert_int_equal(repo_read_seal(repo, "b", trust, &b, &e), 0);
	assert_int_equal(b.seal.n_holds, 1);
	repo_backup_done(&b);
	seal_done(&first);
	seal_done(&second);
}

/* As all who write take it: the first by name. */
static void
of_two_newest_the_first_keeps_its_holds(void **state)
{
	struct seal first = {0}, second = {0};
	const struct seal *const one[] = {&first, NULL}, *const both[] = {&first, &second, NULL};

	(void)state;
	stub_backup(dir, "a", &(struct stub){.sequence = 1, .key = key}, &first);
	stub_backup(dir, "b", &(struct stub){.sequence = 2, .key = key, .holds = one}, &second);
	stub_backup(dir, "c", &(struct stub){.sequence = 3, .key = key, .holds = both}, NULL);
	stub_backup(dir, "d", &(struct stub){.sequence = 3, .key = key, .holds = one}, NULL);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.backups[2].seal.n_holds, 2);
	assert_int_equal(list.backups[3].seal.n_holds, 0);
	seal_done(&first);
	seal_done(&second);
}

static void
many_backups_are_listed(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		(void)snprintf(name, sizeof(name), "s-%u", i);
		stub_backup(dir, name, &(struct stub){.sequence = 70 - i}, NULL);
		(void)snprintf(name, sizeof(name), "old-%u.tar.gz", i);
		scratch_puts(dir, name, "");
	}
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_int_equal(list.n, 70);
	assert_int_equal(list.n_unsealed, 70);
	for (size_t i = 0; i < list.n; i++)
		assert_int_equal(list.backups[i].seal.sequence, i + 1);
}

/* A writer that makes and removes the same backup again and again. */
static void
write_for_a_while(void)
{
	struct buf seal = {0};
	struct repo *r = NULL;
	bool ok;

	stub_seal("n-1", &(struct stub){.sequence = 1}, &seal, NULL);
	ok = repo_open(&r, dir, &e) == 0 && repo_lock(r, 0, &e) == 0;
	for (int i = 0; ok && i < 150; i++) {
		struct repo_txn *t = NULL;

		ok = repo_txn_begin(&t, r, "n-1", &e) == 0 &&
		    io_write(repo_txn_archive_fd(t), STUB_ARCHIVE, strlen(STUB_ARCHIVE), &e) == 0 &&
		    io_write(repo_txn_manifest_fd(t), STUB_MANIFEST, strlen(STUB_MANIFEST), &e) ==
			0 &&
		    repo_txn_commit(t, seal.data, seal.len, &e) == 0 &&
		    repo_prune(r, "n-1", &e) == 0;
	}
	repo_close(r);
	buf_done(&seal);
	_exit(ok ? 0 : 1);
}

static void
what_is_made_and_removed_meanwhile_is_never_a_stray(void **state)
{
	pid_t pid = fork();
	unsigned strays = 0, odd = 0, failed = 0;
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		write_for_a_while();
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (repo_list(repo, NULL, &list, &e) != 0) {
			failed++;
			continue;
		}
		strays += list.n_unsealed > 0;
		odd += list.n > 1 || (list.n == 1 && list.backups[0].state != REPO_UNSIGNED);
		repo_list_done(&list);
	}
	assert_int_equal(failed, 0);
	assert_int_equal(strays, 0);
	assert_int_equal(odd, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const char *
newest(const char *series, bool accept_unsigned)
{
	const struct repo_backup *b = repo_newest(&list, series, accept_unsigned);

	return b != NULL ? b->name : "none";
}

static void
the_newest_is_that_of_the_sequence_among_those_that_count(void **state)
{
	(void)state;
	stub_backup(dir, "s-9", &(struct stub){.series = "s", .sequence = 1, .key = key}, NULL);
	stub_backup(dir, "s-1", &(struct stub){.series = "s", .sequence = 3, .key = key}, NULL);
	stub_backup(dir, "s-2", &(struct stub){.series = "s", .sequence = 4}, NULL);
	stub_backup(
	    dir, "s-3", &(struct stub){.series = "s", .sequence = 5, .key = strange_key}, NULL);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_string_equal(newest("s", false), "s-1");
	assert_string_equal(newest("s", true), "s-2");
	assert_string_equal(newest(NULL, true), "s-2");
	assert_string_equal(newest("t", true), "none");
	assert_string_equal(repo_find_name(&list, "s-3")->name, "s-3");
	assert_null(repo_find_name(&list, "s"));
}

static void
of_two_with_one_sequence_the_trusted_one_is_the_newest(void **state)
{
	(void)state;
	stub_backup(dir, "s-1", &(struct stub){.series = "s", .sequence = 3}, NULL);
	stub_backup(dir, "s-2", &(struct stub){.series = "s", .sequence = 3, .key = key}, NULL);
	stub_backup(dir, "s-3", &(struct stub){.series = "s", .sequence = 3, .key = key}, NULL);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_string_equal(newest("s", true), "s-2");
}

static void
unchecked_seals_count_as_unsigned_ones(void **state)
{
	(void)state;
	stub_backup(dir, "s-1", &(struct stub){.series = "s", .sequence = 1, .key = key}, NULL);
	scratch_puts(dir, "s-2.seal", "nonsense");
	assert_int_equal(repo_list(repo, NULL, &list, &e), 0);
	assert_string_equal(newest("s", true), "none");
	repo_list_unchecked(&list);
	assert_string_equal(newest("s", true), "s-1");
	assert_string_equal(newest("s", false), "none");
	assert_int_equal(repo_find_name(&list, "s-2")->state, REPO_BAD);
}

static void
a_seals_bytes_are_given_as_they_are(void **state)
{
	struct buf text = {0};

	(void)state;
	scratch_puts(dir, "s-1.seal", "any bytes\n");
	assert_int_equal(repo_seal_text(repo, "s-1", &text, &e), 0);
	assert_string_equal(buf_str(&text), "any bytes\n");
	assert_int_equal(repo_seal_text(repo, "s-2", &text, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	buf_done(&text);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(an_empty_directory_has_none),
	    T(backups_come_by_series_and_sequence),
	    T(states_tell_who_signed),
	    T(an_untrusted_seal_tells_what_it_claims),
	    T(seals_that_cannot_be_read_are_bad),
	    T(a_missing_seal_is_not_found),
	    T(archives_without_a_seal_are_named),
	    T(removals_that_were_begun_are_named),
	    T(only_the_newest_of_a_series_keeps_its_holds),
	    T(of_two_newest_the_first_keeps_its_holds),
	    T(the_newest_is_that_of_the_sequence_among_those_that_count),
	    T(of_two_with_one_sequence_the_trusted_one_is_the_newest),
	    T(unchecked_seals_count_as_unsigned_ones),
	    T(a_seals_bytes_are_given_as_they_are),
	    T(many_backups_are_listed),
	    T(what_is_made_and_removed_meanwhile_is_never_a_stray),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
