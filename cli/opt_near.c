/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/priv.h"

/*
 * Edit distance with swaps of neighbours, by rows: two rows back, one back, this
 * one.  Names longer than a row are no candidates.
 */
#define NEAR_MAX 63
#define BEGINNING_MIN 3

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NEAR_MAX + 1] = {0};
	size_t *back2 = rows[0], *back = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		back[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t same = a[i - 1] == b[j - 1] ? 0 : 1;

			row[j] = least(back[j] + 1, row[j - 1] + 1, back[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], back2[j - 2] + 1, row[j]);
		}
		spare = back2;
		back2 = back;
		back = row;
		row = spare;
	}
	return back[b_len];
}

void
opt_near_init(struct opt_near *n, const char *typed, size_t len)
{
	/* A third of the letters wrong is still a slip; more is another word. */
	*n = (struct opt_near){.typed = typed, .len = len, .distance = len / 3 + 2};
}

void
opt_near_try(struct opt_near *n, const char *word)
{
	size_t len = strlen(word), d;

	if (n->len == 0 || n->len > NEAR_MAX || len > NEAR_MAX)
		return;
	/* The beginning of a name is nearer than its letters say. */
	if (len >= n->len && memcmp(word, n->typed, n->len) == 0)
		d = len == n->len ? 0 : 1;
	else
		d = distance(n->typed, n->len, word, len);
	/* Nor far: it with more behind it. */
	if (len >= BEGINNING_MIN && n->len > len && memcmp(word, n->typed, len) == 0 && d > 2)
		d = 2;
	if (d < n->distance) {
		n->distance = d;
		n->best = word;
	}
}
