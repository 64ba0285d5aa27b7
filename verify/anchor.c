/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	# tarseal-anchor 1
 *	SERIES SEQUENCE NAME SEEN SHA256-OF-SIGNED-TEXT SHA256-OF-ARCHIVE
 *	...
 */
#include "verify/anchor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "seal/token.h"

#define HEAD "# tarseal-anchor "

/* ---- lines ---- */

/* Where a series stands among the lines, or would. */
static size_t
place_of(const struct verify_anchor *a, const char *series)
{
	size_t i = 0;

	while (i < a->n && strcmp(a->lines[i].series, series) < 0)
		i++;
	return i;
}

struct verify_anchor_line *
verify_anchor_find(const struct verify_anchor *a, const char *series)
{
	size_t i = place_of(a, series);

	return i < a->n && strcmp(a->lines[i].series, series) == 0 ? &a->lines[i] : NULL;
}

static struct verify_anchor_line *
insert(struct verify_anchor *a, const char *series)
{
	size_t at = place_of(a, series);
	struct verify_anchor_line *lines = reallocarray(a->lines, a->n + 1, sizeof(*lines));

	if (lines == NULL)
		return NULL;
	a->lines = lines;
	memmove(&lines[at + 1], &lines[at], (a->n - at) * sizeof(*lines));
	a->n++;
	lines[at] = (struct verify_anchor_line){.state = VERIFY_ANCHOR_NEW};
	(void)strcpy(lines[at].series, series);
	return &lines[at];
}

void
verify_anchor_see(struct verify_anchor *a, const struct seal *s, time_t now)
{
	struct verify_anchor_line *l = verify_anchor_find(a, s->series);

	if (l == NULL && (l = insert(a, s->series)) == NULL) {
		a->failed = true;
		return;
	}
	if (l->sequence != 0)
		l->state = memcmp(l->text_digest, s->text_digest, SHA256_LEN) == 0
		    ? VERIFY_ANCHOR_SAME
		    : VERIFY_ANCHOR_MOVED;
	l->sequence = s->sequence;
	(void)strcpy(l->name, s->name);
	l->seen = now;
	memcpy(l->text_digest, s->text_digest, SHA256_LEN);
	memcpy(l->archive_digest, s->archive_digest, SHA256_LEN);
	a->changed = true;
}

/* ---- text ---- */

void
verify_anchor_put(const struct verify_anchor *a, struct buf *text)
{
	char seen[64];

	buf_puts(text, HEAD "1\n");
	for (size_t i = 0; i < a->n; i++) {
		const struct verify_anchor_line *l = &a->lines[i];

		clock_rfc3339(l->seen, seen);
		buf_printf(text, "%s %" PRIu64 " %s %s ", l->series, l->sequence, l->name, seen);
		sha256_put(text, l->text_digest);
		buf_putc(text, ' ');
		sha256_put(text, l->archive_digest);
		buf_putc(text, '\n');
	}
}

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

static int
parse_head(struct token_text *text, struct err *e)
{
	struct token c;
	int n = token_line(text, &c, e);

	if (n < 0)
		return -1;
	if (n == 0)
		return bad(e, "it is empty (remove it to begin a new one)");
	if (!token_take(&c, HEAD))
		return bad(e, "not an anchor: \"" HEAD "1\" is expected here");
	if (token_left(&c) != 1 || *c.at != '1')
		return err_set(e, ERR_UNSUPPORTED,
		    "an anchor of a version that is not known here (made by a newer verify?)");
	return 0;
}

static bool
take_name(struct token *c, char out[SEAL_NAME_MAX + 1])
{
	struct token w = token_word(c);
	size_t len = token_left(&w);

	if (len > SEAL_NAME_MAX || memchr(w.at, '\0', len) != NULL)
		return false;
	memcpy(out, w.at, len);
	out[len] = '\0';
	return seal_name_ok(out) && token_take(c, " ");
}

/* Whatever a user may write for a time, but it must be written again like this. */
static bool
take_seen(struct token *c, time_t *seen)
{
	struct token w = token_word(c);
	char is[64], want[64];
	struct timespec t;
	size_t len = token_left(&w);

	if (len >= sizeof(is))
		return false;
	memcpy(is, w.at, len);
	is[len] = '\0';
	if (strlen(is) != len || clock_parse(is, &t, NULL) < 0)
		return false;
	clock_rfc3339(t.tv_sec, want);
	*seen = t.tv_sec;
	return strcmp(is, want) == 0 && token_take(c, " ");
}

static int
parse_line(struct verify_anchor *a, struct token *c, struct err *e)
{
	struct verify_anchor_line l = {.sequence = 0}, *to;

	if (!take_name(c, l.series))
		return bad(e, "the name of a series is expected first");
	if (!token_u64(c, INT64_MAX, &l.sequence) || l.sequence == 0 || !token_take(c, " "))
		return bad(e, "not a sequence number");
	if (!take_name(c, l.name))
		return bad(e, "not the name of a backup");
	if (!take_seen(c, &l.seen))
		return bad(e, "not a time such as 2026-02-08T22:00:05Z");
	if (!token_digest(c, l.text_digest) || !token_take(c, " ") ||
	    !token_digest(c, l.archive_digest))
		return bad(e, "not two SHA-256 digests");
	if (!token_done(c))
		return bad(e, "the line goes on after its end");
	if (a->n > 0 && strcmp(a->lines[a->n - 1].series, l.series) >= 0)
		return bad(e, "series out of order, or twice");
	if ((to = insert(a, l.series)) == NULL)
		return err_nomem(e);
	*to = l;
	return 0;
}

int
verify_anchor_parse(struct verify_anchor *a, const void *data, size_t len, struct err *e)
{
	struct token_text text;
	struct token c;
	int n = 1;

	token_text_init(&text, data, len);
	if (parse_head(&text, e) == 0) {
		while ((n = token_line(&text, &c, e)) == 1)
			if (parse_line(a, &c, e) < 0)
				break;
		if (n == 0)
			return 0;
	}
	free(a->lines);
	a->lines = NULL;
	a->n = 0;
	if (len == 0)
		return -1;
	return err_where(e, "line %" PRIu64, text.line_no);
}
