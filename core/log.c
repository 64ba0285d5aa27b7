/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "core/progress.h"

static const char *prog = "tarseal";
static enum log_level level = LOG_NORMAL;
static atomic_ulong warnings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
log_init(const char *program, enum log_level l)
{
	prog = program;
	level = l;
}

enum log_level
log_get_level(void)
{
	return level;
}

unsigned long
log_warnings(void)
{
	return atomic_load(&warnings);
}

/* The line is put together first, so that it reaches stderr by one write. */
static void
put_line(const char *tag, const char *fmt, va_list ap)
{
	struct buf line = {0};
	char text[8192];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	buf_printf(&line, "%s: %s", prog, tag);
	path_display(&line, text, strlen(text));
	buf_putc(&line, '\n');
	(void)pthread_mutex_lock(&lock);
	progress_hide();
	(void)fwrite(line.data, 1, line.len, stderr);
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&lock);
	buf_done(&line);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	(void)atomic_fetch_add(&warnings, 1);
	va_start(ap, fmt);
	put_line("warning: ", fmt, ap);
	va_end(ap);
}

void
log_note(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}

void
log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (level < LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}
