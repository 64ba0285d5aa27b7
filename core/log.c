/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/path.h"
#include "core/progress.h"

static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static const char *program_name = "tarseal";
static atomic_int level_now = LOG_NORMAL;
static atomic_ulong warnings;

void
log_init(const char *program, enum log_level level)
{
	log_lock();
	program_name = program;
	log_unlock();
	atomic_store(&level_now, level);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load(&level_now);
}

unsigned long
log_warnings(void)
{
	return atomic_load(&warnings);
}

void
log_lock(void)
{
	(void)pthread_mutex_lock(&stderr_lock);
}

void
log_unlock(void)
{
	(void)pthread_mutex_unlock(&stderr_lock);
}

/*
 * The line goes out in one write, so that it stays whole even beside other
 * processes that share our stderr.  Without memory the bare format must do.
 */
static void
put_line(const char *label, const char *fmt, va_list ap)
{
	struct buf line = {0};
	int saved = errno;
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	log_lock();
	progress_erase();
	buf_printf(&line, "%s: %s", program_name, label);
	path_display(&line, text != NULL ? text : fmt, strlen(text != NULL ? text : fmt));
	buf_putc(&line, '\n');
	if (!line.failed)
		(void)fwrite(line.data, 1, line.len, stderr);
	else
		(void)fprintf(stderr, "%s: %s%s\n", program_name, label, fmt);
	(void)fflush(stderr);
	log_unlock();
	buf_done(&line);
	free(text);
	errno = saved;
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	atomic_fetch_add(&warnings, 1);
	va_start(ap, fmt);
	put_line("warning: ", fmt, ap);
	va_end(ap);
}

void
log_note(const char *fmt, ...)
{
	va_list ap;

	if (log_get_level() < LOG_NORMAL)
		return;
	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}

void
log_verbose(const char *fmt, ...)
{
	va_list ap;

	if (log_get_level() < LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	put_line("", fmt, ap);
	va_end(ap);
}
