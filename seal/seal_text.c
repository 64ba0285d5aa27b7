/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/seal_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/path.h"
#include "seal/token.h"

/* ---- writing ---- */

static void
put_value(struct buf *text, const char *field, const char *value)
{
	buf_printf(text, "# %s: ", field);
	if (value == NULL || *value == '\0')
		buf_putc(text, '-');
	else
		path_escape(text, value, strlen(value), true);
	buf_putc(text, '\n');
}

static void
put_number(struct buf *text, const char *field, uint64_t n)
{
	buf_printf(text, "# %s: %" PRIu64 "\n", field, n);
}

static void
put_index(struct buf *text, const struct seal *s)
{
	buf_printf(text, "# manifest-index: %" PRIu64 " %" PRIu64 " ", s->root_offset, s->root_len);
	sha256_put(text, s->root_digest);
	buf_putc(text, '\n');
}

static void
put_hold(struct buf *text, const struct seal_hold *h)
{
	buf_printf(text, "# holds: %s %" PRIu64 " ", h->name, h->sequence);
	sha256_put(text, h->digest);
	buf_putc(text, '\n');
}

static void
put_file(struct buf *text, const uint8_t digest[SHA256_LEN], const char *name, const char *suffix)
{
	sha256_put(text, digest);
	buf_printf(text, "  %s%s\n", name, suffix);
}

void
seal_text_put(struct buf *text, const struct seal *s)
{
	buf_puts(text, "# tarseal-seal 1\n");
	buf_printf(text, "# name: %s\n# series: %s\n", s->name, s->series);
	put_number(text, "sequence", s->sequence);
	buf_printf(
	    text, "# created: %" PRId64 ".%09ld\n", (int64_t)s->created.tv_sec, s->created.tv_nsec);
	put_value(text, "run-id", s->run_id);
	put_value(text, "source", s->source);
	put_value(text, "host", s->host);
	put_value(text, "tool", s->tool);
	put_value(text, "packer", s->packer);
	put_number(text, "entries", s->entries);
	put_number(text, "bytes", s->bytes);
	put_number(text, "archive-size", s->archive_size);
	put_number(text, "manifest-size", s->manifest_size);
	if (s->unreadable == 0)
		buf_puts(text, "# complete: yes\n");
	else
		buf_printf(text, "# complete: no %" PRIu64 "\n", s->unreadable);
	put_number(text, "changed", s->changed);
	buf_printf(text, "# needs: %s\n", s->needs_gnu_sparse ? "gnu-sparse" : "-");
	put_index(text, s);
	buf_printf(text, "# policy: %s\n", s->policy != NULL ? s->policy : "-");
	for (size_t i = 0; i < s->n_holds; i++)
		put_hold(text, &s->holds[i]);
	put_file(text, s->archive_digest, s->name, ".tar.gz");
	put_file(text, s->manifest_digest, s->name, ".manifest.gz");
}

/* ---- reading ---- */

/* Where parsing stands; a line is taken from the text when its field is asked for. */
struct parse {
	struct seal *s;
	struct token_text text;
	struct token c;
	struct buf value;
	struct err *e;
};

static int
bad(struct parse *p, const char *what)
{
	return err_set(p->e, ERR_CORRUPT, "%s", what);
}

/* The next line, behind its "# field: ". */
static int
field(struct parse *p, const char *name)
{
	int n = token_line(&p->text, &p->c, p->e);

	if (n == -1)
		return -1;
	if (n == 0 || !token_take(&p->c, "# ") || !token_take(&p->c, name) ||
	    !token_take(&p->c, ": "))
		return err_set(p->e, ERR_CORRUPT, "\"# %s: \" is expected here", name);
	return 0;
}

static int
done(struct parse *p)
{
	return token_done(&p->c) ? 0 : bad(p, "the line goes on after its end");
}

/* A word that is a NAME. */
static int
take_name(struct parse *p, char out[SEAL_NAME_MAX + 1])
{
	struct token w = token_word(&p->c);
	size_t len = token_left(&w);

	if (len > SEAL_NAME_MAX || memchr(w.at, '\0', len) != NULL)
		return bad(p, "not a name");
	memcpy(out, w.at, len);
	out[len] = '\0';
	return seal_name_ok(out) ? 0 : bad(p, "not a name");
}

static int
parse_name(struct parse *p, const char *name, char out[SEAL_NAME_MAX + 1])
{
	if (field(p, name) == -1 || take_name(p, out) == -1)
		return -1;
	return done(p);
}

static int
parse_number(struct parse *p, const char *name, uint64_t min, uint64_t *out)
{
	if (field(p, name) == -1)
		return -1;
	if (!token_u64(&p->c, INT64_MAX, out) || *out < min)
		return bad(p, "not a sound number");
	return done(p);
}

/* The rest of the line as a string of its own; NULL for a lone "-". */
static int
parse_value(struct parse *p, const char *name, char **out)
{
	if (field(p, name) == -1)
		return -1;
	if (token_left(&p->c) == 1 && token_take(&p->c, "-"))
		return 0;
	if (token_value(&p->c, &p->value, true, p->e) == -1)
		return -1;
	*out = strndup((const char *)p->value.data, p->value.len);
	return *out != NULL ? 0 : err_nomem(p->e);
}

static int
parse_created(struct parse *p)
{
	int64_t sec;
	uint32_t nsec;

	if (field(p, "created") == -1)
		return -1;
	if (!token_time(&p->c, &sec, &nsec) || sec < 0)
		return bad(p, "not a time");
	p->s->created = (struct timespec){.tv_sec = (time_t)sec, .tv_nsec = (long)nsec};
	return done(p);
}

static int
parse_complete(struct parse *p)
{
	if (field(p, "complete") == -1)
		return -1;
	if (token_take(&p->c, "yes"))
		return done(p);
	if (!token_take(&p->c, "no ") || !token_u64(&p->c, INT64_MAX, &p->s->unreadable) ||
	    p->s->unreadable == 0)
		return bad(p, "neither complete nor incomplete");
	return done(p);
}

static int
parse_needs(struct parse *p)
{
	if (field(p, "needs") == -1)
		return -1;
	if (token_take(&p->c, "-"))
		return done(p);
	if (!token_take(&p->c, "gnu-sparse"))
		return bad(p, "needs something unknown");
	p->s->needs_gnu_sparse = true;
	return done(p);
}

static int
parse_index(struct parse *p)
{
	struct seal *s = p->s;

	if (field(p, "manifest-index") == -1)
		return -1;
	if (!token_u64(&p->c, INT64_MAX, &s->root_offset) || !token_take(&p->c, " ") ||
	    !token_u64(&p->c, INT64_MAX, &s->root_len) || !token_take(&p->c, " ") ||
	    !token_digest(&p->c, s->root_digest))
		return bad(p, "not the place of an index");
	/* Both below 2^63: the sum is exact. */
	if (s->root_len == 0 || s->root_offset + s->root_len != s->manifest_size)
		return bad(p, "the index is not the manifest's end");
	return done(p);
}

/* Words of a-z 0-9 - = . , with one space between them: no escapes are needed. */
static bool
policy_ok(const struct token *c)
{
	char before = ' ';

	for (const char *at = c->at; at < c->end; at++) {
		bool word = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ||
		    *at == '-' || *at == '=' || *at == '.' || *at == ',';

		if (!word && !(*at == ' ' && before != ' '))
			return false;
		before = *at;
	}
	return before != ' ';
}

static int
parse_policy(struct parse *p)
{
	if (field(p, "policy") == -1)
		return -1;
	if (token_left(&p->c) == 1 && token_take(&p->c, "-"))
		return 0;
	if (!policy_ok(&p->c))
		return bad(p, "not a policy");
	p->s->policy = strndup(p->c.at, token_left(&p->c));
	return p->s->policy != NULL ? 0 : err_nomem(p->e);
}

static int
parse_hold(struct parse *p, struct buf *holds)
{
	struct seal_hold h = {.sequence = 0};
	uint64_t before = 0;

	if (holds->len / sizeof(h) == SEAL_HOLDS_MAX)
		return bad(p, "more held backups than a seal can name");
	if (holds->len > 0)
		before =
		    ((const struct seal_hold *)(void *)(holds->data + holds->len))[-1].sequence;
	if (take_name(p, h.name) == -1)
		return -1;
	if (!token_take(&p->c, " ") || !token_u64(&p->c, INT64_MAX, &h.sequence) ||
	    !token_take(&p->c, " ") || !token_digest(&p->c, h.digest))
		return bad(p, "not a held backup");
	if (h.sequence <= before || h.sequence >= p->s->sequence)
		return bad(p, "held backups out of order");
	if (strcmp(h.name, p->s->name) == 0)
		return bad(p, "a backup that holds itself");
	buf_append(holds, &h, sizeof(h));
	return buf_check(holds, p->e) == -1 ? -1 : done(p);
}

/* All "# holds: " lines; the line after them is left in p->c. */
static int
parse_holds(struct parse *p)
{
	struct buf holds = {.data = NULL};
	int n, rc = 0;

	while (rc == 0 && (n = token_line(&p->text, &p->c, p->e)) == 1 &&
	    token_take(&p->c, "# holds: "))
		rc = parse_hold(p, &holds);
	if (rc == 0 && n == 0)
		rc = bad(p, "ends early");
	if (rc == -1 || n == -1) {
		buf_done(&holds);
		return -1;
	}
	if (holds.len > 0) {
		p->s->holds = (struct seal_hold *)(void *)holds.data;
		p->s->n_holds = holds.len / sizeof(struct seal_hold);
	}
	return 0;
}

/* The present line: digest, two spaces, the file's name. */
static int
parse_file(struct parse *p, const char *suffix, uint8_t digest[SHA256_LEN])
{
	if (!token_digest(&p->c, digest) || !token_take(&p->c, "  ") ||
	    !token_take(&p->c, p->s->name) || !token_take(&p->c, suffix))
		return err_set(p->e, ERR_CORRUPT, "not the digest of the backup's %s", suffix);
	return done(p);
}

static int
parse_files(struct parse *p)
{
	int n;

	if (parse_file(p, ".tar.gz", p->s->archive_digest) == -1)
		return -1;
	n = token_line(&p->text, &p->c, p->e);
	if (n == -1)
		return -1;
	if (n == 0)
		return bad(p, "ends early");
	if (parse_file(p, ".manifest.gz", p->s->manifest_digest) == -1)
		return -1;
	return p->text.at == p->text.end ? 0 : bad(p, "more lines than a seal has");
}

static int
parse_version(struct parse *p)
{
	int n = token_line(&p->text, &p->c, p->e);

	if (n == -1)
		return -1;
	if (n == 0 || !token_take(&p->c, "# tarseal-seal "))
		return bad(p, "not a seal");
	if (token_left(&p->c) != 1 || *p->c.at != '1')
		return err_set(p->e, ERR_UNSUPPORTED, "a seal of a version that is not known here");
	return 0;
}

static int
parse_all(struct parse *p)
{
	struct seal *s = p->s;

	if (parse_version(p) == -1 || parse_name(p, "name", s->name) == -1 ||
	    parse_name(p, "series", s->series) == -1 ||
	    parse_number(p, "sequence", 1, &s->sequence) == -1 || parse_created(p) == -1 ||
	    parse_value(p, "run-id", &s->run_id) == -1 ||
	    parse_value(p, "source", &s->source) == -1 || parse_value(p, "host", &s->host) == -1 ||
	    parse_value(p, "tool", &s->tool) == -1 || parse_value(p, "packer", &s->packer) == -1 ||
	    parse_number(p, "entries", 0, &s->entries) == -1 ||
	    parse_number(p, "bytes", 0, &s->bytes) == -1 ||
	    parse_number(p, "archive-size", 1, &s->archive_size) == -1 ||
	    parse_number(p, "manifest-size", 1, &s->manifest_size) == -1 ||
	    parse_complete(p) == -1 || parse_number(p, "changed", 0, &s->changed) == -1 ||
	    parse_needs(p) == -1 || parse_index(p) == -1 || parse_policy(p) == -1 ||
	    parse_holds(p) == -1)
		return -1;
	return parse_files(p);
}

int
seal_text_parse(struct seal *s, const char *text, size_t len, struct err *e)
{
	struct parse p = {.s = s, .e = e};
	int rc;

	token_text_init(&p.text, text, len);
	rc = parse_all(&p);
	buf_done(&p.value);
	if (rc == -1)
		return err_where(e, "line %llu", (unsigned long long)p.text.line_no);
	return 0;
}
