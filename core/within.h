/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_WITHIN_H
#define CORE_WITHIN_H

struct err;

/*
 * How two open directories lie to each other.  Compared by what they are, not by their names, so
 * that links do not hide it, nor a mount of the whole of one (bind) somewhere else.
 */
enum within { WITHIN_APART, WITHIN_SAME, WITHIN_FIRST_INSIDE, WITHIN_SECOND_INSIDE };
/* First inside the second, or the reverse; or -1. */
int within_compare(int first_fd, int second_fd, struct err *e);

#endif
