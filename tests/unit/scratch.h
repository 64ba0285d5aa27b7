/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Directories and files for tests.  Anything that fails ends the test program. */
#define SCRATCH_MAX 4096

/* A fresh directory below $TMPDIR. */
void scratch_new(char path[SCRATCH_MAX]);
void scratch_remove(const char *path);
void scratch_put(const char *dir, const char *name, const void *data, size_t len);
void scratch_puts(const char *dir, const char *name, const char *text);
/* The file whole, appended to out. */
void scratch_get(const char *dir, const char *name, struct buf *out);
bool scratch_has(const char *dir, const char *name); /* links are not followed */
/* Names in dir, sorted, each followed by a space; at most size - 1 bytes. */
void scratch_list(const char *dir, char *out, size_t size);

#endif
