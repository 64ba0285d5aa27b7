/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_OPT_NEAR_H
#define CLI_OPT_NEAR_H

#include <stddef.h>

/*
 * What somebody may have meant: the nearest of several words, given one by one.  best is NULL
 * while none is near enough to be worth a question.
 */
struct opt_near {
	const char *typed;
	size_t len;
	const char *best; /* borrowed */
	size_t distance;
};
void opt_near_init(struct opt_near *n, const char *typed, size_t len);
void opt_near_try(struct opt_near *n, const char *word);

#endif
