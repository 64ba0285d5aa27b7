/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_NUM_H
#define CORE_NUM_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Numbers from text, strictly: the whole of s[0..len), decimal, no sign but '-'
 * for num_i64, no leading zeros, no white space.  0, or -1 with nothing written.
 * Octal may have leading zeros: modes are written "0644".
 */
int num_u64(const char *s, size_t len, uint64_t max, uint64_t *out);
int num_i64(const char *s, size_t len, int64_t *out);
int num_octal(const char *s, size_t len, uint64_t max, uint64_t *out);

/*
 * Decimal digits of n, not terminated; how many.  printf takes fifteen times as long, which
 * is a twentieth of a backup of many small files.
 */
#define NUM_DIGITS_MAX 20
size_t num_digits(uint64_t n, char out[NUM_DIGITS_MAX]);

/* 1234567 as "1.2M" (powers of 1024, one digit below 10, rounded up like ls -h). */
void num_human(uint64_t bytes, char out[16]);
/* "90", "90s", "15m", "26h", "7d", "2w" in seconds. ERR_USAGE else. */
int num_duration(const char *s, uint64_t *seconds, struct err *e);
/* "500K", "5GB", "5GiB" in bytes: K, M, G, T alone and with iB are by 1024, with B by 1000.
 * ERR_USAGE else; a unit must be there. */
int num_size(const char *s, uint64_t *bytes, struct err *e);

#endif
