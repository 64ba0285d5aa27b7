/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_SET_H
#define RESTORE_BARE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hashes.h"

struct err;

/*
 * Paths that were met, as eight bytes each of a digest with a salt that nobody else knows: so that
 * an archive cannot be made in which one path is taken for another.  All-zero is empty.
 */
#define BARE_SET_MAX (UINT64_C(1) << 26)

struct bare_set {
	struct hashes paths;
	uint8_t salt[16]; /* random, when there is a path */
};

/* 0, or -1: ERR_UNSUPPORTED beyond BARE_SET_MAX paths. */
int bare_set_add(struct bare_set *s, const char *path, struct err *e);
bool bare_set_has(const struct bare_set *s, const char *path);
void bare_set_done(struct bare_set *s);

#endif
