/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>

/*
 * Errors: kind + where + why, printed once.
 *
 * The caller owns a struct err, zeroed or after err_clear().  The function that
 * detects a failure fills it in (kind and why); each layer above may add where
 * with err_where(), which puts "where: " in front.  Only cli/ prints it.  Each
 * function here that takes an err returns -1, so that
 * "return err_sys(e, "open")" is one line.  A NULL err is allowed everywhere.
 * Texts hold outside bytes raw; they are escaped once, when printed.
 */
enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE, /* the user asked for what cannot be: exit 2 */
	ERR_SYS, /* a system call or library failed: exit 3 */
	ERR_CORRUPT, /* data is not what it should be: exit 3, or a finding */
	ERR_UNSUPPORTED, /* a newer version or a missing feature: exit 3 */
	ERR_NOTFOUND, /* no such backup, path, file: exit 1 */
	ERR_LOCKED, /* the repository is locked: exit 4 */
	ERR_TRUST, /* signature, unknown key, held backup: exit 5 */
	ERR_STOPPED, /* a signal asked us to stop: exit 128+n */
};

struct err {
	enum err_kind kind;
	int sys; /* errno behind ERR_SYS, else 0 */
	char msg[4096];
};

void err_clear(struct err *e);
/* "why" with a kind of its own. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "what: strerror(errno)", with a hint where that is dark; ERR_SYS. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_nomem(struct err *e);
/* Something did not fit: the volume is full, or a quota is. */
bool err_is_no_space(const struct err *e);
/* Hand on why, which was looked at first: *e becomes it, whole. */
int err_pass(struct err *e, const struct err *why);
/* A stop, or a shortage (see below): it says nothing about what was looked at. */
bool err_is_ours(const struct err *why);
/* Want of descriptors or memory, ours or the system's: it says nothing about the file it met. */
bool err_is_shortage(int sys);
/* Put "where: " before the message.  The kind stays. */
int err_where(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
