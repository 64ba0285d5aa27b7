/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "core/progress.h"
#include "tests/unit/child.h"
#include "tests/unit/unit.h"

#define ERASE "\r\033[K"

static struct child child;

struct show {
	enum progress_mode mode;
	unsigned short columns; /* 0: stderr is no terminal */
	uint64_t total;
	enum log_level level;
	useconds_t wait_us; /* between the counting and the end */
	bool chat; /* threads count and talk meanwhile */
};

/* stderr becomes a terminal; its other side, or -1. */
static int
become_terminal(unsigned short columns)
{
	struct winsize size = {.ws_col = columns, .ws_row = 24};
	struct termios raw;
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) < 0 || tcgetattr(slave, &raw) != 0)
		return -1;
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw) != 0 || ioctl(slave, TIOCSWINSZ, &size) != 0 ||
	    dup2(slave, STDERR_FILENO) < 0)
		return -1;
	return master;
}

/* What the terminal got goes to stdout. */
static void
relay(int master)
{
	char data[4096];
	ssize_t n;

	(void)fcntl(master, F_SETFL, O_NONBLOCK);
	while ((n = read(master, data, sizeof(data))) > 0)
		(void)fwrite(data, 1, (size_t)n, stdout);
}

static atomic_bool enough;

static void *
chatter(void *arg)
{
	(void)arg;
	while (!atomic_load(&enough)) {
		progress_add(1000, 1);
		log_note("a message");
		(void)usleep(100000);
	}
	return NULL;
}

static int
run_show(void *ctx)
{
	const struct show *s = ctx;
	int master = s->columns > 0 ? become_terminal(s->columns) : -1;
	struct err e = {0};
	pthread_t t[2];
	size_t i;

	if (s->columns > 0 && master < 0)
		return 77;
	log_init("verify", s->level);
	if (progress_start(s->mode, "verify", &e) != 0)
		return 1;
	progress_total(s->total);
	progress_add(400, 3);
	progress_add(600, 0);
	for (i = 0; s->chat && i < 2; i++)
		if (pthread_create(&t[i], NULL, chatter, NULL) != 0)
			return 1;
	(void)usleep(s->wait_us);
	atomic_store(&enough, true);
	for (i = 0; s->chat && i < 2; i++)
		(void)pthread_join(t[i], NULL);
	log_note("in between");
	progress_stop();
	progress_stop();
	if (master >= 0)
		relay(master);
	return 0;
}

static const char *
show(struct show s)
{
	child_run(&child, run_show, &s);
	if (child.status == 77)
		skip();
	assert_int_equal(child.status, 0);
	return s.columns > 0 ? child.out : child.err;
}

static void
without_a_terminal_auto_is_silent(void **state)
{
	(void)state;
	assert_string_equal(show((struct show){.mode = PROGRESS_AUTO}), "verify: in between\n");
	assert_string_equal(show((struct show){.mode = PROGRESS_NONE}), "verify: in between\n");
}

static void
a_quiet_program_is_silent_on_a_terminal_too(void **state)
{
	(void)state;
	assert_string_equal(
	    show((struct show){.mode = PROGRESS_AUTO, .columns = 80, .level = LOG_QUIET}), "");
}

static void
json_is_a_line_an_object_and_the_last_one_says_so(void **state)
{
	const char *text = show((struct show){.mode = PROGRESS_JSON, .total = 1000});

	(void)state;
	assert_non_null(strstr(text,
	    "verify: in between\n{\"progress\":\"verify\",\"version\":1,"
	    "\"entries\":3,\"bytes\":1000,\"total_bytes\":1000,"));
	assert_non_null(strstr(text, "\"done\":true}\n"));
	assert_null(strstr(text, "\"done\":false"));
}

static void
json_says_null_for_what_nobody_knows(void **state)
{
	const char *text = show((struct show){.mode = PROGRESS_JSON, .wait_us = 1200000});

	(void)state;
	assert_memory_equal(text, "{\"progress\":", 12);
	assert_non_null(strstr(text, "\"total_bytes\":null,"));
	assert_non_null(strstr(text, "\"eta\":null,\"done\":false}\n"));
}

static void
off_a_terminal_plain_lines_have_no_escapes(void **state)
{
	const char *text = show((struct show){.mode = PROGRESS_PLAIN, .total = 1000});

	(void)state;
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "\nverify: 3 entries, 1000 of 1000, "));
	assert_non_null(strstr(text, "100%, ETA 0:00\n"));
}

static void
on_a_terminal_the_line_is_gone_in_the_end(void **state)
{
	const char *text = show((struct show){
	    .mode = PROGRESS_AUTO, .columns = 100, .total = 10000, .wait_us = 1200000});
	const char *line = strstr(text, ERASE "verify: 3 entries, 1000 of 9.8K, ");

	(void)state;
	assert_non_null(line);
	assert_non_null(strstr(line, "/s, 10%, ETA 0:"));
	/* Taken away for the message, and not put back. */
	assert_non_null(strstr(line, ERASE "verify: in between\n"));
	assert_string_equal(strstr(line, "verify: in between\n"), "verify: in between\n");
}

/* Splits what a terminal got into what stood on the line each time. */
static void
a_line_is_never_wider_than_the_terminal(void **state)
{
	char text[sizeof(child.out)], *p = text, *piece;
	unsigned drawn = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "%s",
	    show((struct show){
		.mode = PROGRESS_PLAIN, .columns = 20, .total = 10000, .wait_us = 1200000}));
	while ((piece = strsep(&p, "\r\n")) != NULL) {
		if (strncmp(piece, "\033[K", 3) == 0)
			piece += 3;
		if (strstr(piece, "entr") != NULL) {
			assert_int_equal(strlen(piece), 19);
			drawn++;
		}
	}
	assert_true(drawn > 0);
}

static void
messages_and_the_line_never_share_one(void **state)
{
	char text[sizeof(child.out)], *p = text, *piece;
	unsigned messages = 0, drawn = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "%s",
	    show((struct show){
		.mode = PROGRESS_PLAIN, .columns = 100, .wait_us = 2200000, .chat = true}));
	/* Every piece is one thing: nothing, a message, or the line. */
	while ((piece = strsep(&p, "\r\n")) != NULL) {
		if (strncmp(piece, "\033[K", 3) == 0)
			piece += 3;
		if (strcmp(piece, "verify: a message") == 0)
			messages++;
		else if (strstr(piece, " entries, ") != NULL) {
			assert_null(strstr(piece, "message"));
			drawn++;
		} else if (strcmp(piece, "verify: in between") != 0)
			assert_string_equal(piece, "");
	}
	assert_true(messages >= 20);
	assert_true(drawn >= 1);
}

static int
start_twice(void *ctx)
{
	struct err e = {0};

	(void)ctx;
	progress_add(7, 7);
	if (progress_start(PROGRESS_JSON, "backup", &e) != 0)
		return 1;
	progress_add(1, 1);
	if (progress_start(PROGRESS_JSON, "verify", &e) != 0)
		return 1;
	progress_add(2, 2);
	progress_stop();
	progress_hide();
	return 0;
}

static void
counters_start_at_nothing(void **state)
{
	(void)state;
	child_run(&child, start_twice, NULL);
	assert_int_equal(child.status, 0);
	assert_non_null(strstr(child.err, "\"backup\",\"version\":1,\"entries\":1,\"bytes\":1,"));
	assert_non_null(strstr(child.err, "\"verify\",\"version\":1,\"entries\":2,\"bytes\":2,"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_terminal_auto_is_silent),
	    cmocka_unit_test(a_quiet_program_is_silent_on_a_terminal_too),
	    cmocka_unit_test(json_is_a_line_an_object_and_the_last_one_says_so),
	    cmocka_unit_test(json_says_null_for_what_nobody_knows),
	    cmocka_unit_test(off_a_terminal_plain_lines_have_no_escapes),
	    cmocka_unit_test(on_a_terminal_the_line_is_gone_in_the_end),
	    cmocka_unit_test(a_line_is_never_wider_than_the_terminal),
	    cmocka_unit_test(messages_and_the_line_never_share_one),
	    cmocka_unit_test(counters_start_at_nothing),
	};

	return cmocka_run_group_tests_name("core_progress", tests, NULL, NULL);
}
