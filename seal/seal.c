/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/seal.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "seal/base64.h"
#include "seal/key.h"
#include "seal/seal_text.h"
#include "seal/token.h"

/*
 *	+---------------------------------+
 *	| signed text: lines of "# ..."   |  seal_text.c
 *	| and two of sha256sum's          |
 *	+---------------------------------+
 *	| # signature: KEYID BASE64       |  here
 *	+---------------------------------+
 */

void
seal_done(struct seal *s)
{
	free(s->run_id);
	free(s->source);
	free(s->host);
	free(s->tool);
	free(s->packer);
	free(s->policy);
	free(s->holds);
	memset(s, 0, sizeof(*s));
}

bool
seal_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > SEAL_NAME_MAX || *name == '.' || *name == '-')
		return false;
	for (; *name != '\0'; name++) {
		bool letter = (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z');
		bool digit = *name >= '0' && *name <= '9';

		if (!letter && !digit && *name != '.' && *name != '_' && *name != '-')
			return false;
	}
	return true;
}

int
seal_add_hold(struct seal *s, const struct seal *held, struct err *e)
{
	struct seal_hold *holds = reallocarray(s->holds, s->n_holds + 1, sizeof(*holds));
	size_t at = s->n_holds;

	if (holds == NULL)
		return err_nomem(e);
	s->holds = holds;
	for (; at > 0 && holds[at - 1].sequence > held->sequence; at--)
		holds[at] = holds[at - 1];
	memset(&holds[at], 0, sizeof(holds[at]));
	memcpy(holds[at].name, held->name, sizeof(holds[at].name));
	holds[at].sequence = held->sequence;
	memcpy(holds[at].digest, held->text_digest, SHA256_LEN);
	s->n_holds++;
	return 0;
}

/* ---- writing ---- */

/* A seal that readers would refuse must never get on disk: read it back first. */
static int
prove(const struct buf *text, struct err *e)
{
	struct seal copy = {.sequence = 0};
	int rc = seal_text_parse(&copy, (const char *)text->data, text->len, e);

	seal_done(&copy);
	if (rc == -1)
		return err_where(e, "refusing to write an unsound seal");
	return 0;
}

static int
put_signature(struct seal *s, const struct key *key, struct buf *out, struct err *e)
{
	uint8_t sig[KEY_SIG_MAX];
	char hex[SHA256_HEX_LEN + 1];
	size_t sig_len;

	s->is_signed = key != NULL;
	memset(s->key_id, 0, sizeof(s->key_id));
	if (key == NULL) {
		buf_puts(out, "# signature: none\n");
		return 0;
	}
	if (key_sign(key, out->data, out->len, sig, &sig_len, e) == -1)
		return -1;
	memcpy(s->key_id, key_id(key), SHA256_LEN);
	sha256_hex(s->key_id, hex);
	buf_printf(out, "# signature: %s ", hex);
	base64_put(out, sig, sig_len);
	buf_putc(out, '\n');
	return 0;
}

int
seal_write(struct seal *s, const struct key *key, struct buf *out, struct err *e)
{
	struct buf text = {.data = NULL};
	int rc = -1;

	seal_text_put(&text, s);
	if (buf_check(&text, e) == -1 || prove(&text, e) == -1)
		goto out;
	sha256_of(text.data, text.len, s->text_digest);
	if (put_signature(s, key, &text, e) == -1)
		goto out;
	if (text.len > SEAL_FILE_MAX) {
		(void)err_set(e, ERR_UNSUPPORTED, "the seal would be over %u bytes", SEAL_FILE_MAX);
		goto out;
	}
	buf_append(out, text.data, text.len);
	if (buf_check(&text, e) == 0 && buf_check(out, e) == 0)
		rc = 0;
out:
	buf_done(&text);
	return rc;
}

/* ---- reading ---- */

struct signature {
	size_t len;
	uint8_t bytes[KEY_SIG_MAX];
};

/* Length of the signed text: all but the last line.  0 when there are not two. */
static size_t
text_len(const char *file, size_t len)
{
	const char *nl;

	if (len < 2 || file[len - 1] != '\n')
		return 0;
	nl = memrchr(file, '\n', len - 1);
	return nl != NULL ? (size_t)(nl - file) + 1 : 0;
}

/* line: the last one, with its newline. */
static int
parse_signature(struct seal *s, const char *line, size_t len, struct signature *sig, struct err *e)
{
	struct token c = {line, line + len - 1};

	if (!token_take(&c, "# signature: "))
		return err_set(e, ERR_CORRUPT, "the last line is not a signature");
	if (token_left(&c) == 4 && token_take(&c, "none"))
		return 0;
	if (!token_digest(&c, s->key_id) || !token_take(&c, " ") ||
	    base64_get(c.at, token_left(&c), sig->bytes, sizeof(sig->bytes), &sig->len) == -1)
		return err_set(e, ERR_CORRUPT, "the signature is malformed");
	s->is_signed = true;
	return 0;
}

static int
authenticate(const struct seal *s, const struct trust *trust, const void *text, size_t len,
    const struct signature *sig, struct err *e)
{
	if (!s->is_signed)
		return err_set(e, ERR_TRUST, "not signed");
	return trust_verify(trust, s->key_id, text, len, sig->bytes, sig->len, e);
}

int
seal_parse(struct seal *s, const void *file, size_t len, const struct trust *trust, struct err *e)
{
	struct seal got = {.sequence = 0};
	struct signature sig = {.len = 0};
	const char *text = file;
	size_t n;

	if (len > SEAL_FILE_MAX)
		return err_set(e, ERR_CORRUPT, "larger than a seal can be");
	n = text_len(text, len);
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "not a seal, or cut off");
	if (parse_signature(&got, text + n, len - n, &sig, e) == -1 ||
	    seal_text_parse(&got, text, n, e) == -1 ||
	    (trust != NULL && authenticate(&got, trust, text, n, &sig, e) == -1)) {
		seal_done(&got);
		return -1;
	}
	sha256_of(text, n, got.text_digest);
	*s = got;
	return 0;
}
