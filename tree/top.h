/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_TOP_H
#define TREE_TOP_H

struct err;

/* The directory source, to be walked through: a descriptor, or -1 and ERR_SYS, which names it. */
int top_open(const char *source, struct err *e);

#endif
