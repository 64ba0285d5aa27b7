/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "core/err.h"
#include "manifest/cmd.h"
#include "seal/key.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/child.h"

/* The program as a user sees it, but for its main(). */
#define ARGS_MAX 16

static struct cf_entry tree[] = {
    D(""),
    D("a"),
    F("a/new\nline", 4),
    F("a/one", 1),
    F("b", 2000),
    {.type = ENTRY_SYMLINK, .path = "sym", .link = "a/one"},
};

struct world {
	struct cf f;
	struct child c;
	char names[3][SEAL_NAME_MAX + 1];
	char *argv[ARGS_MAX + 1];
	int argc;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	cf_setup(&w->f);
	for (unsigned i = 0; i < 3; i++) {
		tree[3].version = i < 2 ? 1 : 7;
		cf_backup(&w->f, &(struct cf_opts){.sequence = i + 1}, tree, N(tree), w->names[i]);
	}
	cf_reopen(&w->f); /* without the lock */
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cf_teardown(&w->f);
	free(w);
	return 0;
}

static int
run_child(void *ctx)
{
	struct world *w = ctx;

	cli_init("manifest");
	return cmd_main(w->argc, w->argv);
}

/* "manifest" and these words (the last is NULL), and --repo DIR. */
static int
manifest(struct world *w, const char *first, ...)
{
	static char repo[] = "--repo", program[] = "manifest";
	const char *word = first;
	va_list ap;

	w->argc = 0;
	w->argv[w->argc++] = program;
	va_start(ap, first);
	for (; word != NULL; word = va_arg(ap, const char *)) {
		assert_true(w->argc < ARGS_MAX - 2);
		w->argv[w->argc++] = strdup(word);
	}
	va_end(ap);
	w->argv[w->argc++] = repo;
	w->argv[w->argc++] = w->f.dir;
	w->argv[w->argc] = NULL;
	(void)unsetenv("TARSEAL_REPO");
	(void)unsetenv("TARSEAL_TRUST");
	(void)unsetenv("TARSEAL_SERIES");
	child_run(&w->c, run_child, w);
	for (int i = 1; i < w->argc - 2; i++)
		free(w->argv[i]);
	return w->c.status;
}

#define has(text, part)                                                                            \
	do {                                                                                       \
		if (strstr((text), (part)) == NULL)                                                \
			fail_msg("no \"%s\" in: %s", (part), (text));                              \
	} while (0)
#define has_not(text, part)                                                                        \
	do {                                                                                       \
		if (strstr((text), (part)) != NULL)                                                \
			fail_msg("\"%s\" in: %s", (part), (text));                                 \
	} while (0)

static void
put_file(struct world *w, const char *name, const char *text)
{
	FILE *f = fopen(cf_path(&w->f, name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* ---- list, show ---- */

static void
list_shows_every_backup_oldest_first(void **state)
{
	struct world *w = *state;
	const char *at;

	assert_int_equal(manifest(w, "list", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.err, "");
	at = w->c.out;
	for (int i = 0; i < 3; i++) {
		at = strstr(at, w->names[i]);
		assert_non_null(at);
	}
	has(w->c.out, "complete");
	has(w->c.out, "never");
}

static void
without_trust_it_is_said_once(void **state)
{
	static const char *const commands[] = {"list", "show", "ls", "find", "history"};
	struct world *w = *state;

	for (size_t i = 0; i < N(commands); i++) {
		assert_int_equal(manifest(w, commands[i], i >= 2 ? "a" : NULL, NULL), 0);
		has(w->c.err, "nothing is authenticated");
		assert_null(strstr(strstr(w->c.err, "authenticated") + 1, "authenticated"));
		has_not(w->c.out, "authenticated");
	}
	assert_int_equal(manifest(w, "list", "-q", NULL), 0);
	assert_string_equal(w->c.err, "");
}

static void
list_marks_what_cannot_be_trusted(void **state)
{
	struct world *w = *state;
	struct key *own = w->f.key;
	char file[320], pub[320];
	struct err e = {0};

	/* A seal by a stranger, one by nobody, one that is none. */
	(void)snprintf(file, sizeof(file), "%s/k", w->f.dir);
	(void)snprintf(pub, sizeof(pub), "%s/k.pub", w->f.dir);
	assert_int_equal(key_generate(file, pub, NULL, &e), 0);
	assert_int_equal(key_load(&w->f.key, file, &e), 0);
	assert_int_equal(repo_lock(w->f.repo, 0, &e), 0);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 4}, tree, N(tree), NULL);
	key_free(w->f.key);
	w->f.key = own;
	cf_backup(&w->f, &(struct cf_opts){.sequence = 5, .unsigned_ = true}, tree, N(tree), NULL);
	put_file(w, "data-x.seal", "# not a seal\n");
	cf_reopen(&w->f);

	assert_int_equal(manifest(w, "list", "--trust", w->f.pub, NULL), CLI_UNTRUSTED);
	has(w->c.out, "NOT TRUSTED");
	has(w->c.out, "unsigned");
	has(w->c.out, "BAD SEAL");
	has(w->c.err, "data-x: ");
	/* Nobody can choose for us what latest is; a name is taken at its word. */
	assert_int_equal(unlink(cf_path(&w->f, "data-x.seal")), 0);
	assert_int_equal(manifest(w, "show", "--trust", w->f.pub, NULL), CLI_UNTRUSTED);
	assert_int_equal(manifest(w, "show", w->names[2], "--trust", w->f.pub, NULL), 0);
	has(w->c.out, w->names[2]);
	assert_int_equal(
	    manifest(w, "show", "data-20260206", "--trust", w->f.pub, NULL), CLI_UNTRUSTED);
	has(w->c.out, "NOT TRUSTED");
	assert_int_equal(
	    manifest(w, "ls", "-b", "data-20260206", "--trust", w->f.pub, NULL), CLI_UNTRUSTED);
	assert_string_equal(w->c.out, "");
	assert_int_equal(manifest(w, "history", "b", "--trust", w->f.pub, NULL), 0);
	has(w->c.err, "left out: data-20260206_024000");
	has(w->c.err, "left out: data-20260207_024000: is not signed");
	has_not(w->c.out, "data-20260207");
	has_not(w->c.out, "data-20260206");
}

static void
list_tells_of_archives_without_a_seal_once(void **state)
{
	struct world *w = *state;
	const char *at;

	put_file(w, "data-20250101_000000.tar.gz", "");
	put_file(w, "data-20250102_000000.tar.gz", "");
	assert_int_equal(manifest(w, "list", "--trust", w->f.pub, NULL), 0);
	has(w->c.err, "2 archives without a seal");
	at = strstr(w->c.err, "manifest import");
	assert_non_null(at);
	assert_null(strstr(at + 1, "manifest import"));
}

static void
list_of_an_empty_repository_says_so(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 3; i++)
		cf_remove(&w->f, w->names[i]);
	assert_int_equal(manifest(w, "list", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out, "");
	has(w->c.err, "no sealed backups");
	assert_int_equal(manifest(w, "ls", "--trust", w->f.pub, NULL), CLI_WRONG);
	assert_int_equal(manifest(w, "show", "--trust", w->f.pub, NULL), CLI_WRONG);
	assert_int_equal(manifest(w, "find", "b", "--trust", w->f.pub, NULL), CLI_WRONG);
}

static void
show_tells_when_a_part_is_missing(void **state)
{
	struct world *w = *state;

	assert_int_equal(manifest(w, "show", w->names[1], "--trust", w->f.pub, NULL), 0);
	has(w->c.out, "good, by the trusted key");
	has(w->c.out, "sequence       2\n");
	has(w->c.out, "stand in other backups too");
	assert_int_equal(
	    unlink(strcat(strcpy((char[512]){0}, cf_path(&w->f, w->names[1])), ".tar.gz")), 0);
	assert_int_equal(manifest(w, "show", w->names[1], "--trust", w->f.pub, NULL), CLI_WRONG);
	has(w->c.out, "NOT AS SEALED");
}

/* ---- ls ---- */

static void
ls_lists_the_latest_by_default(void **state)
{
	struct world *w = *state;

	assert_int_equal(manifest(w, "ls", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out, "a/\nb\nsym\n");
	assert_int_equal(manifest(w, "ls", "./a//", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out, "a/new\\012line\na/one\n");
	assert_int_equal(manifest(w, "ls", "-R", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out, "./\na/\na/new\\012line\na/one\nb\nsym\n");
	assert_int_equal(manifest(w, "ls", "b", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out, "b\n");
}

static void
ls_long_has_mode_owner_size_time_and_link(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    manifest(w, "ls", "-l", "--timezone", "UTC", "--trust", w->f.pub, NULL), 0);
	assert_string_equal(w->c.out,
	    "drwxr-xr-x      0      0            0  2001-09-09 01:46:40 +0000  a/\n"
	    "-rw-r--r--      0      0         2000  2001-09-09 02:20:00 +0000  b\n"
	    "lrw-r--r--      0      0            0  2001-09-09 01:46:40 +0000  sym -> a/one\n");
}

static void
ls_shows_an_older_backup(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    manifest(w, "ls", "-l", "a/one", "-b", w->names[0], "--trust", w->f.pub, NULL), 0);
	has(w->c.out, "           1  ");
	assert_int_equal(manifest(w, "ls", "-l", "a/one", "--as-of", "2026-02-04", "--timezone",
			     "UTC", "--trust", w->f.pub, NULL),
	    0);
	has(w->c.out, "           1  ");
	assert_int_equal(
	    manifest(w, "ls", "-l", "a/one", "--as-of", "2026-02-05", "--trust", w->f.pub, NULL),
	    0);
	has(w->c.out, "           7  ");
	/* Nothing that old is an error, and never the latest instead. */
	assert_int_equal(
	    manifest(w, "ls", "--as-of", "2020-01-01", "--trust", w->f.pub, NULL), CLI_WRONG);
	assert_string_equal(w->c.out, "");
	assert_int_equal(
	    manifest(w, "ls", "--as-of", "2020-01-01", "-b", "latest", NULL), CLI_USAGE);
}

static void
ls_of_nothing_is_no_success(void **state)
{
	struct world *w = *state;

	assert_int_equal(manifest(w, "ls", "a/on", "--trust", w->f.pub, NULL), CLI_WRONG);
	assert_string_equal(w->c.out, "");
	has(w->c.err, "a/on: no such path");
	assert_int_equal(manifest(w, "ls", "../x", "--trust", w->f.pub, NULL), CLI_USAGE);
	assert_int_equal(manifest(w, "ls", "-b", "dat", "--trust", w->f.pub, NULL), CLI_USAGE);
	assert_int_equal(manifest(w, "ls", "-b", "nix", "--trust", w->f.pub, NULL), CLI_WRONG);
}

/* ---- find, history ---- */

static void
find_tells_which_backups_have_a_path(void **state)
{
	struct world *w = *state;
	char want[1024];

	assert_int_equal(
	    manifest(w, "find", "o*", "--all", "--timezone", "UTC", "--trust", w->f.pub, NULL), 0);
	(void)snprintf(want, sizeof(want),
	    "SIZE  MODIFIED                   BACKUPS  FIRST                 LAST"
	    "                  PATH\n"
	    "   1  2001-09-09 01:46:41 +0000        2  %s  %s  a/one\n"
	    "   7  2001-09-09 01:46:47 +0000        1  %s  %s  a/one\n",
	    w->names[0], w->names[1], w->names[2], w->names[2]);
	assert_string_equal(w->c.out, want);
	assert_int_equal(
	    manifest(w, "find", "o*", "--timezone", "UTC", "--trust", w->f.pub, NULL), 0);
	(void)snprintf(want, sizeof(want),
	    "SIZE  MODIFIED                   VERSIONS  BACKUPS  FIRST                 LAST"
	    "                  PATH\n"
	    "   7  2001-09-09 01:46:47 +0000         2        1  %s  %s  a/one\n",
	    w->names[2], w->names[2]);
	assert_string_equal(w->c.out, want);
	assert_int_equal(
	    manifest(w, "find", "a/one", "-b", "latest", "--trust", w->f.pub, NULL), 0);
	has(w->c.out, "\n   7  ");
	has_not(w->c.out, "\n   1  ");
	assert_int_equal(manifest(w, "find", "nix*", "--trust", w->f.pub, NULL), CLI_WRONG);
	assert_string_equal(w->c.out, "");
	has(w->c.err, "nix*: no such path");
}

static void
find_null_gives_each_path_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(manifest(w, "find", "a/*", "-0", "--trust", w->f.pub, NULL), 0);
	assert_memory_equal(w->c.out, "a/new\nline\0a/one\0\0", 18);
}

static void
history_tells_each_version(void **state)
{
	struct world *w = *state;
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1];

	assert_int_equal(manifest(w, "history", "a/one", "--trust", w->f.pub, NULL), 0);
	cf_digest(1, digest);
	sha256_hex(digest, hex);
	has(w->c.out, hex);
	cf_digest(7, digest);
	sha256_hex(digest, hex);
	has(w->c.out, hex);
	has(strstr(w->c.out, hex), "current\n");
	assert_int_equal(manifest(w, "history", "a/", "--trust", w->f.pub, NULL), 0);
	has(w->c.out, "  dir ");
	assert_int_equal(manifest(w, "history", "nix", "--trust", w->f.pub, NULL), CLI_WRONG);
}

static void
answers_are_the_same_from_the_manifests(void **state)
{
	static const char *const commands[][2] = {{"ls", "a"}, {"find", "*"}, {"history", "a/one"}};
	struct world *w = *state;
	char before[sizeof(w->c.out)];

	for (size_t i = 0; i < N(commands); i++) {
		assert_int_equal(
		    manifest(w, commands[i][0], commands[i][1], "--trust", w->f.pub, NULL), 0);
		(void)strcpy(before, w->c.out);
		assert_int_equal(manifest(w, commands[i][0], commands[i][1], "--no-catalog",
				     "--trust", w->f.pub, NULL),
		    0);
		assert_string_equal(before, w->c.out);
	}
}

static void
a_lying_catalog_does_not_make_a_backup_good(void **state)
{
	struct world *w = *state;
	struct repo_list l;

	cf_damage(&w->f, REPO_SEAL, w->names[2], 100);
	cf_list(&w->f, &l);
	repo_list_done(&l);
	put_file(w, REPO_CATALOG, "rubbish");
	assert_true(manifest(w, "list", "--trust", w->f.pub, NULL) != 0);
	has(w->c.out, "complete");
	has(w->c.err, w->names[2]);
	put_file(w, REPO_CATALOG, "");
	assert_true(manifest(w, "list", "--trust", w->f.pub, NULL) != 0);
}

/* ---- json ---- */

/* Braces and brackets in pairs, nothing after the last: the rest is json.c's. */
static void
whole_document(const char *text)
{
	int depth = 0;
	bool in_string = false;

	for (; *text != '\0'; text++) {
		if (in_string && *text == '\\')
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			depth++;
		else if (!in_string && (*text == '}' || *text == ']') && --depth == 0)
			break;
	}
	assert_string_equal(text, "}\n");
}

static void
json_is_one_versioned_document(void **state)
{
	static const char *const words[][2] = {{"list", NULL}, {"show", NULL}, {"ls", "a"},
	    {"find", "*"}, {"history", "a/new\nline"}, {"rebuild", NULL}};
	struct world *w = *state;
	char type[64];

	for (size_t i = 0; i < N(words); i++) {
		assert_int_equal(
		    manifest(w, words[i][0], "--json", "--trust", w->f.pub, words[i][1], NULL), 0);
		assert_string_equal(w->c.err, "");
		(void)snprintf(
		    type, sizeof(type), "\"type\": \"tarseal-manifest-%s\"", words[i][0]);
		has(w->c.out, type);
		has(w->c.out, "\"version\": 1");
		whole_document(w->c.out);
	}
}

static void
json_of_no_match_is_a_document_too(void **state)
{
	struct world *w = *state;

	assert_int_equal(
	    manifest(w, "find", "nix", "--json", "--trust", w->f.pub, NULL), CLI_WRONG);
	whole_document(w->c.out);
	has(w->c.out, "\"versions\": []");
}

/* ---- rebuild, keygen, the program ---- */

static void
rebuild_makes_the_catalog_and_needs_the_lock(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	assert_int_equal(manifest(w, "rebuild", "--trust", w->f.pub, NULL), 0);
	has(w->c.out, "catalog.sqlite3: 3 backups");
	assert_int_equal(repo_lock(w->f.repo, 0, &e), 0);
	assert_int_equal(manifest(w, "rebuild", "--trust", w->f.pub, NULL), CLI_LOCKED);
}

static int
keygen_child(void *ctx)
{
	struct world *w = ctx;

	w->argc -= 2; /* without --repo */
	return run_child(ctx);
}

static void
keygen_makes_a_pair_once(void **state)
{
	struct world *w = *state;
	char file[512], pub[600];
	static char words[2][16] = {"manifest", "keygen"};
	struct stat st;

	(void)snprintf(file, sizeof(file), "%s", cf_path(&w->f, "key"));
	(void)snprintf(pub, sizeof(pub), "%s.pub", file);
	for (int round = 0; round < 2; round++) {
		w->argv[0] = words[0];
		w->argv[1] = words[1];
		w->argv[2] = file;
		w->argc = 5;
		child_run(&w->c, keygen_child, w);
		if (round == 0) {
			assert_int_equal(w->c.status, 0);
			has(w->c.out, "key id   ");
			has(w->c.out, pub);
		}
	}
	assert_true(w->c.status == CLI_USAGE || w->c.status == CLI_FAILED);
	assert_string_equal(w->c.out, "");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(pub, &st), 0);
}

static void
the_program_lists_its_commands(void **state)
{
	static char words[2][16] = {"manifest", "--help"};
	struct world *w = *state;

	w->argv[0] = words[0];
	w->argv[1] = words[1];
	w->argc = 4;
	child_run(&w->c, keygen_child, w);
	assert_int_equal(w->c.status, 0);
	for (const struct cmd *const *c = cmd_all; *c != NULL; c++)
		has(w->c.out, (*c)->name);
	has_not(w->c.out, "undelete");
	assert_int_equal(manifest(w, "undelete", NULL), CLI_USAGE);
	has(w->c.err, "undelete");
	w->argc = 3;
	child_run(&w->c, keygen_child, w);
	assert_int_equal(w->c.status, CLI_USAGE);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(list_shows_every_backup_oldest_first),
	    T(without_trust_it_is_said_once),
	    T(list_marks_what_cannot_be_trusted),
	    T(list_tells_of_archives_without_a_seal_once),
	    T(list_of_an_empty_repository_says_so),
	    T(show_tells_when_a_part_is_missing),
	    T(ls_lists_the_latest_by_default),
	    T(ls_long_has_mode_owner_size_time_and_link),
	    T(ls_shows_an_older_backup),
	    T(ls_of_nothing_is_no_success),
	    T(find_tells_which_backups_have_a_path),
	    T(find_null_gives_each_path_once),
	    T(history_tells_each_version),
	    T(answers_are_the_same_from_the_manifests),
	    T(a_lying_catalog_does_not_make_a_backup_good),
	    T(json_is_one_versioned_document),
	    T(json_of_no_match_is_a_document_too),
	    T(rebuild_makes_the_catalog_and_needs_the_lock),
	    T(keygen_makes_a_pair_once),
	    T(the_program_lists_its_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
