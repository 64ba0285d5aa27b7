/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/num.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"

static int
digits(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	unsigned d;
	size_t i;

	if (len == 0)
		return -1;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || (d = (unsigned)(s[i] - '0')) >= base)
			return -1;
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, d, &n))
			return -1;
	}
	if (n > max)
		return -1;
	*out = n;
	return 0;
}

int
num_u64(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	if (len > 1 && s[0] == '0')
		return -1;
	return digits(s, len, 10, max, out);
}

int
num_i64(const char *s, size_t len, int64_t *out)
{
	bool minus = len > 0 && s[0] == '-';
	uint64_t n;

	if (num_u64(s + minus, len - minus, (uint64_t)INT64_MAX + minus, &n) != 0)
		return -1;
	if (minus && n == 0)
		return -1;
	/* -INT64_MIN has no int64_t of its own: come to it from -1. */
	*out = minus ? -(int64_t)(n - 1) - 1 : (int64_t)n;
	return 0;
}

int
num_octal(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	return digits(s, len, 8, max, out);
}

size_t
num_digits(uint64_t n, char out[NUM_DIGITS_MAX])
{
	size_t len = 1;

	for (uint64_t rest = n / 10; rest > 0; rest /= 10)
		len++;
	for (size_t i = len; i-- > 0; n /= 10)
		out[i] = (char)('0' + n % 10);
	return len;
}

void
num_human(uint64_t bytes, char out[16])
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024, whole, rest, tenths;
	size_t k = 0;

	if (bytes < 1024) {
		(void)snprintf(out, 16, "%u", (unsigned)bytes);
		return;
	}
	/* The last value that is still shown in this unit is 1023 of it. */
	while (k + 1 < sizeof(units) - 1 && bytes > 1023 * unit) {
		unit *= 1024;
		k++;
	}
	whole = bytes / unit;
	rest = bytes % unit;
	tenths = whole * 10 + (rest * 10 + unit - 1) / unit;
	if (tenths < 100)
		(void)snprintf(
		    out, 16, "%u.%u%c", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[k]);
	else
		(void)snprintf(out, 16, "%u%c", (unsigned)(whole + (rest != 0)), units[k]);
}

int
num_duration(const char *s, uint64_t *seconds, struct err *e)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t len = strlen(s), i;
	uint64_t n, unit = 1;

	for (i = 0; len > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (s[len - 1] == units[i].letter) {
			unit = units[i].seconds;
			len--;
			break;
		}
	}
	if (num_u64(s, len, UINT64_MAX / unit, &n) != 0)
		return err_set(
		    e, ERR_USAGE, "not a duration such as 90s, 15m, 26h, 7d, 2w: '%s'", s);
	*seconds = n * unit;
	return 0;
}

int
num_size(const char *s, uint64_t *bytes, struct err *e)
{
	static const char units[] = "KMGT";
	size_t len = strlen(s);
	uint64_t n, unit = 1, step = 1024;
	const char *letter;

	if (len > 1 && s[len - 1] == 'B') {
		len--;
		if (s[len - 1] == 'i')
			len--;
		else
			step = 1000;
	}
	letter = len > 0 ? memchr(units, s[len - 1], sizeof(units) - 1) : NULL;
	for (const char *u = units; letter != NULL && u <= letter; u++)
		unit *= step;
	if (letter == NULL || num_u64(s, len - 1, UINT64_MAX / unit, &n) != 0)
		return err_set(e, ERR_USAGE, "not a size such as 500M, 5GB, 5GiB, 1T: '%s'", s);
	*bytes = n * unit;
	return 0;
}
