/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "core/log.h"

static struct child child;

static int
say_everything(void *ctx)
{
	log_init("backup", *(enum log_level *)ctx);
	log_warn("vanished: %s", "a\nb\x1b[0m");
	log_note("a note");
	log_verbose("a detail");
	return (int)log_warnings();
}

static const char *
said_at(enum log_level level)
{
	child_run(&child, say_everything, &level);
	assert_int_equal(child.status, 1);
	assert_string_equal(child.out, "");
	return child.err;
}

static void
messages_are_lines_with_outside_bytes_escaped(void **state)
{
	(void)state;
	assert_string_equal(said_at(LOG_VERBOSE),
	    "backup: warning: vanished: a\\012b\\033[0m\nbackup: a note\nbackup: a detail\n");
}

static void
the_level_leaves_out_notes_but_no_warning(void **state)
{
	(void)state;
	assert_string_equal(
	    said_at(LOG_NORMAL), "backup: warning: vanished: a\\012b\\033[0m\nbackup: a note\n");
	assert_string_equal(said_at(LOG_QUIET), "backup: warning: vanished: a\\012b\\033[0m\n");
}

static int
say_something_long(void *ctx)
{
	static char name[20001];

	(void)ctx;
	memset(name, 'n', sizeof(name) - 1);
	log_init("verify", LOG_NORMAL);
	log_warn("%s: 100%% \\ lost", name);
	return 0;
}

static void
a_long_message_keeps_its_end(void **state)
{
	(void)state;
	child_run(&child, say_something_long, NULL);
	assert_int_equal(strlen(child.err), 17 + 20000 + 17);
	assert_memory_equal(child.err, "verify: warning: nnn", 20);
	assert_string_equal(child.err + strlen(child.err) - 18, "n: 100% \\134 lost\n");
}

#define THREADS 4
#define LINES 100

static void *
say_many(void *arg)
{
	unsigned i;

	for (i = 0; i < LINES; i++)
		log_warn("%s", (const char *)arg);
	return NULL;
}

static int
say_from_threads(void *ctx)
{
	static const char *const texts[THREADS] = {
	    "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd"};
	pthread_t t[THREADS];
	size_t i;

	(void)ctx;
	log_init("verify", LOG_QUIET);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, say_many, (void *)(uintptr_t)texts[i]) != 0)
			return 1;
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	return log_warnings() == THREADS * LINES ? 0 : 1;
}

static void
lines_of_many_threads_stay_whole(void **state)
{
	unsigned lines = 0;
	char *line, *p;

	(void)state;
	child_run(&child, say_from_threads, NULL);
	assert_int_equal(child.status, 0);
	for (p = child.err; (line = strsep(&p, "\n")) != NULL && *line != '\0'; lines++) {
		assert_int_equal(strlen(line), 17 + 12);
		assert_memory_equal(line, "verify: warning: ", 17);
		assert_int_equal(strspn(line + 17, (char[]){line[17], '\0'}), 12);
	}
	assert_int_equal(lines, THREADS * LINES);
}

static int
keep_errno(void *ctx)
{
	(void)ctx;
	(void)close(STDERR_FILENO);
	errno = EXDEV;
	log_warn("nobody hears it");
	return errno == EXDEV ? 0 : 1;
}

static void
errno_is_kept_for_the_caller(void **state)
{
	(void)state;
	child_run(&child, keep_errno, NULL);
	assert_int_equal(child.status, 0);
}

/* cli/ sets it a second time, when it knows the level. */
static int
count_over_init(void *ctx)
{
	(void)ctx;
	log_init("verify", LOG_NORMAL);
	log_warn("TARSEAL_NONSENSE means nothing");
	log_init("verify", LOG_QUIET);
	return (int)log_warnings();
}

static void
a_second_init_forgets_no_warning(void **state)
{
	(void)state;
	child_run(&child, count_over_init, NULL);
	assert_int_equal(child.status, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_are_lines_with_outside_bytes_escaped),
	    cmocka_unit_test(the_level_leaves_out_notes_but_no_warning),
	    cmocka_unit_test(a_long_message_keeps_its_end),
	    cmocka_unit_test(lines_of_many_threads_stay_whole),
	    cmocka_unit_test(errno_is_kept_for_the_caller),
	    cmocka_unit_test(a_second_init_forgets_no_warning),
	};

	return cmocka_run_group_tests_name("core_log", tests, NULL, NULL);
}
