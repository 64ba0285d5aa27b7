/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "manifest/copy.h"
#include "seal/key.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

/* One backup on its way: s-1, between the list that was made and the copy. */
static char from_dir[SCRATCH_MAX], to_dir[SCRATCH_MAX], names[4096];
static struct repo *from, *to;
static struct repo_list here;
static struct key *key;
static struct trust *trust;
static struct copy_way way;
static struct copy_item item;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	err_clear(&e);
	log_init("test", LOG_QUIET);
	scratch_new(from_dir);
	scratch_new(to_dir);
	stub_key(to_dir, "key", &key);
	scratch_remove(to_dir);
	scratch_new(to_dir);
	if (trust_new(&trust, &e) < 0 || trust_add_key(trust, key, &e) < 0 ||
	    repo_open(&from, from_dir, &e) < 0 || repo_open(&to, to_dir, &e) < 0 ||
	    repo_lock(to, 0, &e) < 0)
		return -1;
	stub_backup(from_dir, "s-1", &(struct stub){.sequence = 1, .key = key}, NULL);
	if (repo_list(from, trust, &here, &e) < 0)
		return -1;
	way = (struct copy_way){.from = from, .to = to, .trust = trust, .room = malloc(COPY_ROOM)};
	item = (struct copy_item){.backup = &here.backups[0], .state = COPY_TODO};
	return way.room == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	stop_request(0);
	free(way.room);
	buf_done(&item.why);
	repo_list_done(&here);
	repo_close(from);
	repo_close(to);
	trust_free(trust);
	key_free(key);
	scratch_remove(from_dir);
	scratch_remove(to_dir);
	return 0;
}

static void
assert_there(const char *files)
{
	scratch_list(to_dir, names, sizeof(names));
	assert_string_equal(names, files);
}

static void
assert_ends(enum copy_state state, const char *why)
{
	assert_int_equal(copy_one(&way, &item, &e), 0);
	assert_int_equal(item.state, state);
	assert_string_equal(buf_str(&item.why), why);
	assert_there(".lock ");
}

static void
the_three_files_arrive_as_they_are(void **state)
{
	static const char *const files[] = {"s-1.tar.gz", "s-1.manifest.gz", "s-1.seal"};
	struct buf a = {0}, b = {0};

	(void)state;
	assert_int_equal(copy_one(&way, &item, &e), 0);
	assert_int_equal(item.state, COPY_DONE);
	assert_there(".lock s-1.manifest.gz s-1.seal s-1.tar.gz ");
	for (size_t i = 0; i < COUNT(files); i++) {
		buf_clear(&a);
		buf_clear(&b);
		scratch_get(from_dir, files[i], &a);
		scratch_get(to_dir, files[i], &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
	}
	buf_done(&a);
	buf_done(&b);
}

static void
remove_file(const char *name)
{
	char path[SCRATCH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", from_dir, name);
	assert_int_equal(unlink(path), 0);
}

static void
one_that_was_pruned_meanwhile_is_gone(void **state)
{
	(void)state;
	remove_file("s-1.seal");
	assert_ends(COPY_GONE, "s-1.seal: is missing");
}

static void
one_without_its_archive_is_damaged(void **state)
{
	(void)state;
	remove_file("s-1.tar.gz");
	assert_ends(COPY_DAMAGED, "s-1.tar.gz: is missing");
}

static void
a_changed_byte_is_found_on_the_way(void **state)
{
	(void)state;
	scratch_puts(from_dir, "s-1.tar.gz", "archive bites");
	assert_ends(COPY_DAMAGED, "the archive's digest differs from the sealed one");
	scratch_puts(from_dir, "s-1.manifest.gz", "manifesd");
	item.state = COPY_TODO;
	assert_ends(COPY_DAMAGED, "the manifest's digest differs from the sealed one");
}

static void
another_length_is_found_before(void **state)
{
	(void)state;
	scratch_puts(from_dir, "s-1.tar.gz", STUB_ARCHIVE "!");
	assert_ends(COPY_DAMAGED, "the archive has 14 bytes, sealed were 13");
	scratch_puts(from_dir, "s-1.manifest.gz", "");
	item.state = COPY_TODO;
	assert_ends(COPY_DAMAGED, "the manifest has 0 bytes, sealed were 8");
}

static void
a_seal_that_changed_is_judged_again(void **state)
{
	(void)state;
	stub_backup(from_dir, "s-1", &(struct stub){.sequence = 1}, NULL);
	assert_ends(COPY_UNTRUSTED, "not signed");
	scratch_puts(from_dir, "s-1.seal", "x");
	item.state = COPY_TODO;
	assert_ends(COPY_BAD, "not a seal, or cut off");
	stub_backup(from_dir, "s-1", &(struct stub){.sequence = 2, .key = key}, NULL);
	item.state = COPY_TODO;
	assert_ends(COPY_BAD, "its seal is another one than a moment ago");
}

static void
one_that_was_sealed_anew_goes_with_its_new_seal(void **state)
{
	struct seal s = {0}, held = {.name = "s-0", .sequence = 1};
	struct buf a = {0}, b = {0};

	(void)state;
	stub_backup(from_dir, "s-1", &(struct stub){.sequence = 2, .key = key}, NULL);
	repo_list_done(&here);
	assert_int_equal(repo_list(from, trust, &here, &e), 0);
	item.backup = &here.backups[0];
	stub_backup(from_dir, "s-1",
	    &(struct stub){
		.sequence = 2, .key = key, .holds = (const struct seal *const[]){&held, NULL}},
	    &s);
	assert_int_equal(copy_one(&way, &item, &e), 0);
	assert_int_equal(item.state, COPY_DONE);
	scratch_get(from_dir, "s-1.seal", &a);
	scratch_get(to_dir, "s-1.seal", &b);
	assert_string_equal(buf_str(&a), buf_str(&b));
	/* But in place of another seal only what was compared before. */
	item.state = COPY_SEAL_TODO;
	assert_int_equal(copy_one(&way, &item, &e), 0);
	assert_int_equal(item.state, COPY_CONFLICT);
	seal_done(&s);
	buf_done(&a);
	buf_done(&b);
}

static void
a_seal_alone_replaces_the_one_there(void **state)
{
	struct buf a = {0}, b = {0};

	(void)state;
	assert_int_equal(copy_one(&way, &item, &e), 0);
	scratch_puts(to_dir, "s-1.seal", "old");
	item.state = COPY_SEAL_TODO;
	assert_int_equal(copy_one(&way, &item, &e), 0);
	assert_int_equal(item.state, COPY_SEAL_DONE);
	scratch_get(from_dir, "s-1.seal", &a);
	scratch_get(to_dir, "s-1.seal", &b);
	assert_string_equal(buf_str(&a), buf_str(&b));
	buf_done(&a);
	buf_done(&b);
}

static void
a_stop_leaves_nothing_half_done(void **state)
{
	(void)state;
	stop_request(SIGTERM);
	assert_int_equal(copy_one(&way, &item, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	assert_there(".lock ");
}

static void
a_name_that_was_taken_meanwhile_stays_its_owners(void **state)
{
	struct buf b = {0};

	(void)state;
	scratch_puts(to_dir, "s-1.tar.gz", "mine");
	assert_int_equal(copy_one(&way, &item, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	scratch_get(to_dir, "s-1.tar.gz", &b);
	assert_string_equal(buf_str(&b), "mine");
	buf_done(&b);
	err_clear(&e);
	assert_int_equal(repo_recover(to, &e), 0);
	assert_there(".lock s-1.tar.gz ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_three_files_arrive_as_they_are),
	    T(one_that_was_pruned_meanwhile_is_gone),
	    T(one_without_its_archive_is_damaged),
	    T(a_changed_byte_is_found_on_the_way),
	    T(another_length_is_found_before),
	    T(a_seal_that_changed_is_judged_again),
	    T(one_that_was_sealed_anew_goes_with_its_new_seal),
	    T(a_seal_alone_replaces_the_one_there),
	    T(a_stop_leaves_nothing_half_done),
	    T(a_name_that_was_taken_meanwhile_stays_its_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
