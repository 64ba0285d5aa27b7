/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_MARK "..."

/*
 * Put head and tail together into msg.  A text that does not fit loses its
 * beginning: the why stands at the end, and the outermost where matters least.
 * The cut does not split a UTF-8 character.
 */
static void
join(char *msg, size_t size, const char *head, size_t head_len, const char *tail, size_t tail_len)
{
	size_t mark = sizeof(CUT_MARK) - 1;
	size_t room = size - 1;

	if (head_len + tail_len <= room) {
		memcpy(msg, head, head_len);
		memcpy(msg + head_len, tail, tail_len);
		msg[head_len + tail_len] = '\0';
		return;
	}
	room -= mark;
	if (tail_len > room) {
		tail += tail_len - room;
		tail_len = room;
		head_len = 0;
	} else {
		head += head_len - (room - tail_len);
		head_len = room - tail_len;
	}
	while (head_len > 0 && ((unsigned char)*head & 0xC0) == 0x80) {
		head++;
		head_len--;
	}
	while (head_len == 0 && tail_len > 0 && ((unsigned char)*tail & 0xC0) == 0x80) {
		tail++;
		tail_len--;
	}
	memcpy(msg, CUT_MARK, mark);
	memcpy(msg + mark, head, head_len);
	memcpy(msg + mark + head_len, tail, tail_len);
	msg[mark + head_len + tail_len] = '\0';
}

/* msg becomes "TEXT" + tail.  The arguments may point into msg; tail may not. */
static void
vput(char *msg, size_t size, const char *tail, const char *fmt, va_list ap)
{
	char text[4096];
	char *big = NULL;
	const char *head = text;
	va_list again;
	size_t len;
	int n;

	va_copy(again, ap);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	len = strlen(text);
	if (n >= (int)sizeof(text) && (big = malloc((size_t)n + 1)) != NULL &&
	    vsnprintf(big, (size_t)n + 1, fmt, again) == n) {
		head = big;
		len = (size_t)n;
	}
	va_end(again);
	join(msg, size, head, len, tail, strlen(tail));
	free(big);
}

void
err_clear(struct err *e)
{
	if (e == NULL)
		return;
	e->kind = ERR_NONE;
	e->sys = 0;
	e->msg[0] = '\0';
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (e != NULL) {
		va_start(ap, fmt);
		vput(e->msg, sizeof(e->msg), "", fmt, ap);
		va_end(ap);
		e->kind = kind;
		e->sys = 0;
	}
	errno = saved;
	return -1;
}

/* Where the system's words leave open which knob to turn. */
static const char *
hint(int sys)
{
	switch (sys) {
	case EMFILE:
		return " (ulimit -n)";
	case EFBIG:
		return " (ulimit -f, or the file system's limit)";
	case ENOLCK:
		return " (does the file server run its lock service?)";
	case ENOTCONN:
		return " (a FUSE mount whose program is gone?)";
	default:
		return "";
	}
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	char why[256];
	va_list ap;

	if (e != NULL) {
		(void)snprintf(why, sizeof(why), ": %s%s", strerror(saved), hint(saved));
		va_start(ap, fmt);
		vput(e->msg, sizeof(e->msg), why, fmt, ap);
		va_end(ap);
		e->kind = ERR_SYS;
		e->sys = saved;
	}
	errno = saved;
	return -1;
}

int
err_nomem(struct err *e)
{
	(void)err_set(e, ERR_SYS, "out of memory");
	if (e != NULL)
		e->sys = ENOMEM;
	return -1;
}

int
err_pass(struct err *e, const struct err *why)
{
	if (e != NULL)
		*e = *why;
	return -1;
}

bool
err_is_ours(const struct err *why)
{
	return why->kind == ERR_STOPPED ||
	    (why->kind == ERR_SYS && (err_is_shortage(why->sys) || why->sys == EINTR));
}

bool
err_is_shortage(int sys)
{
	return sys == EMFILE || sys == ENFILE || sys == ENOMEM || sys == ENOBUFS;
}

int
err_where(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	char tail[sizeof(((struct err *)0)->msg) + 2];
	va_list ap;

	if (e != NULL) {
		/* A layer that failed to say why must not end as a success. */
		if (e->kind == ERR_NONE)
			(void)err_set(e, ERR_SYS, "failed without a reason");
		(void)snprintf(tail, sizeof(tail), ": %s", e->msg);
		va_start(ap, fmt);
		vput(e->msg, sizeof(e->msg), tail, fmt, ap);
		va_end(ap);
	}
	errno = saved;
	return -1;
}

bool
err_is_no_space(const struct err *e)
{
	return e->sys == ENOSPC || e->sys == EDQUOT;
}
