/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "seal/key.h"
#include "store/priv.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], keys[SCRATCH_MAX], names[8192];
static struct repo *repo;
static struct key *key;
static struct trust *trust;
static struct seal first, second;
static struct err e;

#define BACKUPS "s-1.manifest.gz s-1.seal s-1.tar.gz s-2.manifest.gz s-2.seal s-2.tar.gz "

static int
group_setup(void **state)
{
	(void)state;
	scratch_new(keys);
	stub_key(keys, "a", &key);
	return trust_new(&trust, &e) < 0 || trust_add_key(trust, key, &e) < 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	key_free(key);
	trust_free(trust);
	scratch_remove(keys);
	return 0;
}

/* s-2 holds s-1. */
static int
setup(void **state)
{
	const struct seal *const holds[] = {&first, NULL};

	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1, .key = key}, &first);
	stub_backup(dir, "s-2", &(struct stub){.sequence = 2, .key = key, .holds = holds}, &second);
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	seal_done(&first);
	seal_done(&second);
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static void
expect(const char *want)
{
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, want);
}

static void
change(void)
{
	free(second.holds);
	second.holds = NULL;
	second.n_holds = 0;
	assert_null(second.policy);
	second.policy = strdup("keep-last=1");
	assert_non_null(second.policy);
}

/* The seal that stands there: still the old one, or s. */
static void
expect_seal(size_t holds, const char *policy, const uint8_t digest[SHA256_LEN])
{
	struct repo_backup b;

	assert_int_equal(repo_read_seal(repo, "s-2", trust, &b, &e), 0);
	assert_int_equal(b.state, REPO_TRUSTED);
	assert_int_equal(b.seal.n_holds, holds);
	if (policy == NULL)
		assert_null(b.seal.policy);
	else
		assert_string_equal(b.seal.policy, policy);
	assert_memory_equal(b.seal.text_digest, digest, SHA256_LEN);
	repo_backup_done(&b);
}

static void
a_new_seal_takes_the_place_of_the_old_one(void **state)
{
	uint8_t before[SHA256_LEN];

	(void)state;
	memcpy(before, second.text_digest, sizeof(before));
	change();
	assert_int_equal(repo_reseal(repo, &second, key, &e), 0);
	assert_memory_not_equal(second.text_digest, before, sizeof(before));
	assert_true(second.is_signed);
	expect_seal(0, "keep-last=1", second.text_digest);
	expect(".lock " BACKUPS);
	/* And again, by the one just written. */
	free(second.policy);
	second.policy = NULL;
	assert_int_equal(seal_add_hold(&second, &first, &e), 0);
	assert_int_equal(repo_reseal(repo, &second, key, &e), 0);
	assert_memory_equal(second.text_digest, before, sizeof(before));
	expect_seal(1, NULL, before);
}

static void
owner_and_access_stay(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(fchmodat(repo_fd(repo), "s-2.seal", 0640, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(repo_fd(repo), "s-2.seal", 1234, 4321, 0), 0);
	assert_int_equal(fstatat(repo_fd(repo), "s-2.seal", &before, 0), 0);
	change();
	assert_int_equal(repo_reseal(repo, &second, key, &e), 0);
	assert_int_equal(fstatat(repo_fd(repo), "s-2.seal", &after, 0), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
}

static void
a_seal_that_says_otherwise_is_not_written(void **state)
{
	uint8_t before[SHA256_LEN];

	(void)state;
	memcpy(before, second.text_digest, sizeof(before));
	change();
	second.archive_digest[0] ^= 1;
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	second.archive_digest[0] ^= 1;
	second.created.tv_nsec++;
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	second.created.tv_nsec--;
	second.sequence = 3;
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	assert_memory_equal(second.text_digest, before, sizeof(before));
	expect_seal(1, NULL, before);
	expect(".lock " BACKUPS);
}

static void
a_signature_is_not_lost(void **state)
{
	struct buf text = {0};

	(void)state;
	change();
	assert_int_equal(repo_reseal(repo, &second, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_true(second.is_signed);
	/* An unsigned one may stay so, or be signed. */
	stub_backup(dir, "u-1", &(struct stub){.sequence = 1}, NULL);
	seal_done(&second);
	stub_seal("u-1", &(struct stub){.sequence = 1}, &text, &second);
	buf_done(&text);
	second.policy = strdup("keep-last=1");
	assert_int_equal(repo_reseal(repo, &second, NULL, &e), 0);
	assert_false(second.is_signed);
	assert_int_equal(repo_reseal(repo, &second, key, &e), 0);
	assert_true(second.is_signed);
}

static void
what_is_not_there_or_bad_is_not_sealed(void **state)
{
	struct seal none = {0};
	struct buf text = {0};

	(void)state;
	stub_seal("s-9", &(struct stub){.sequence = 9}, &text, &none);
	buf_done(&text);
	assert_int_equal(repo_reseal(repo, &none, key, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	seal_done(&none);
	scratch_puts(dir, "s-2.seal", "no seal");
	change();
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(unlinkat(repo_fd(repo), "s-2.seal", 0), 0);
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), "s-2.seal"), 0);
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	expect(".lock " BACKUPS);
}

static void
a_seal_in_progress_is_dropped_and_the_old_one_stands(void **state)
{
	struct seal copy = {0};
	struct buf text = {0};
	uint8_t before[SHA256_LEN];

	(void)state;
	memcpy(before, second.text_digest, sizeof(before));
	change();
	copy = second;
	assert_int_equal(seal_write(&copy, key, &text, &e), 0);
	scratch_put(dir, ".s-2.seal.new", text.data, text.len);
	assert_int_equal(repo_recover(repo, &e), 0);
	expect(".lock " BACKUPS);
	expect_seal(1, NULL, before);
	scratch_put(dir, ".s-2.seal.new", text.data, text.len / 2);
	assert_int_equal(repo_reseal(repo, &second, key, &e), 0);
	expect(".lock " BACKUPS);
	expect_seal(0, "keep-last=1", second.text_digest);
	buf_done(&text);
}

static void
a_stranger_in_the_place_of_the_new_name_stays(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("s-1.seal", repo_fd(repo), ".s-2.seal.new"), 0);
	change();
	assert_int_equal(repo_reseal(repo, &second, key, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	expect(".lock .s-2.seal.new " BACKUPS);
}

static void
sealing_anew_needs_the_lock(void **state)
{
	struct repo *other;

	(void)state;
	change();
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_reseal(other, &second, key, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
}

static void
a_seal_made_elsewhere_goes_as_it_is(void **state)
{
	struct buf text = {0}, got = {0};

	(void)state;
	stub_seal("s-2", &(struct stub){.sequence = 2, .key = key}, &text, NULL);
	assert_int_equal(repo_put_seal(repo, "s-2", text.data, text.len, &e), 0);
	scratch_get(dir, "s-2.seal", &got);
	assert_string_equal(buf_str(&got), buf_str(&text));
	expect(".lock " BACKUPS);
	/* Only under the lock, in place of one, and where names of backups are. */
	assert_int_equal(repo_put_seal(repo, "s-3", text.data, text.len, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(repo_put_seal(repo, "../s-2", text.data, text.len, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	repo_close(repo);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	assert_int_equal(repo_put_seal(repo, "s-2", text.data, text.len, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	expect(".lock " BACKUPS);
	buf_done(&text);
	buf_done(&got);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_new_seal_takes_the_place_of_the_old_one),
	    T(owner_and_access_stay),
	    T(a_seal_that_says_otherwise_is_not_written),
	    T(a_signature_is_not_lost),
	    T(what_is_not_there_or_bad_is_not_sealed),
	    T(a_seal_in_progress_is_dropped_and_the_old_one_stands),
	    T(a_stranger_in_the_place_of_the_new_name_stays),
	    T(sealing_anew_needs_the_lock),
	    T(a_seal_made_elsewhere_goes_as_it_is),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
