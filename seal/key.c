/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/key.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>

#include "core/err.h"
#include "core/log.h"
#include "seal/key_pem.h"

struct key {
	EVP_PKEY *pkey;
	uint8_t id[SHA256_LEN];
};

struct trust {
	struct key *keys;
	size_t n;
};

/* ---- private keys ---- */

static const char *
refusal(enum key_pem_kind kind)
{
	switch (kind) {
	case KEY_PEM_ENCRYPTED:
		return "which is behind a pass phrase; \"openssl pkey -in FILE -out PLAIN\" "
		       "removes it";
	case KEY_PEM_OPENSSH:
		return "which is OpenSSH's own form; \"manifest keygen\" makes a key in PKCS#8";
	default:
		return "which is no private key";
	}
}

/*
 * The one private key in the file.  Public keys and certificates may accompany it (as
 * in the bundles of web servers); alone they are what the user took for his key.
 */
static int
load_private(struct key_pem *pem, EVP_PKEY **pkey, struct err *e)
{
	enum key_pem_kind kind;
	const char *name;
	bool has_public = false;
	int n;

	while ((n = key_pem_next(pem, &kind, &name, e)) == 1) {
		has_public = has_public || kind == KEY_PEM_PUBLIC;
		if (kind == KEY_PEM_PUBLIC || kind == KEY_PEM_PARAMS)
			continue;
		if (kind != KEY_PEM_PRIVATE)
			return err_set(e, ERR_USAGE, "holds \"%s\", %s", name, refusal(kind));
		if (*pkey != NULL)
			return err_set(e, ERR_USAGE, "holds more than one private key");
		if (key_pem_key(pem, pkey, e) == -1)
			return -1;
	}
	if (n == 0 && *pkey == NULL)
		return err_set(e, ERR_USAGE, "holds %s; signing needs the private key",
		    has_public ? "only a public key or certificate" : "no key");
	return n;
}

/* It works all the same: a Kubernetes Secret is mounted like that unless told. */
static void
warn_if_shared(const char *file)
{
	struct stat st;

	if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
		log_warn("key %s: open to everybody (mode %04o): make it 0600, or 0400 where a "
			 "Secret is mounted",
		    file, (unsigned)st.st_mode & 07777);
}

int
key_load(struct key **out, const char *file, struct err *e)
{
	struct key *k = calloc(1, sizeof(*k));
	struct key_pem *pem = NULL;
	int rc = -1;

	if (k == NULL)
		return err_nomem(e);
	if (key_pem_open(&pem, file, e) == -1 || load_private(pem, &k->pkey, e) == -1 ||
	    key_pem_id(k->pkey, k->id, e) == -1) {
		(void)err_where(e, "key %s", file);
		goto out;
	}
	warn_if_shared(file);
	*out = k;
	k = NULL;
	rc = 0;
out:
	key_pem_free(pem);
	key_free(k);
	return rc;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

const uint8_t *
key_id(const struct key *k)
{
	return k->id;
}

/* Ed25519 hashes by itself; all others sign a SHA-256. */
static const EVP_MD *
digest_for(const EVP_PKEY *pkey)
{
	return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

int
key_sign(const struct key *k, const void *text, size_t len, uint8_t sig[KEY_SIG_MAX],
    size_t *sig_len, struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = KEY_SIG_MAX;
	int ok;

	if (ctx == NULL)
		return err_nomem(e);
	ok = EVP_DigestSignInit(ctx, NULL, digest_for(k->pkey), NULL, k->pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return key_pem_fail(e, "cannot sign");
	*sig_len = n;
	return 0;
}

/* ---- trust ---- */

int
trust_new(struct trust **out, struct err *e)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_nomem(e);
	*out = t;
	return 0;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++)
		EVP_PKEY_free(t->keys[i].pkey);
	free(t->keys);
	free(t);
}

static const struct key *
find(const struct trust *t, const uint8_t id[SHA256_LEN])
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->keys[i].id, id, SHA256_LEN) == 0)
			return &t->keys[i];
	return NULL;
}

/* Takes pkey over, also when it fails. One that is there already is dropped. */
static int
add(struct trust *t, EVP_PKEY *pkey, struct err *e)
{
	struct key k = {.pkey = pkey};
	struct key *keys;

	if (key_pem_id(pkey, k.id, e) == -1) {
		EVP_PKEY_free(pkey);
		return -1;
	}
	if (find(t, k.id) != NULL) {
		EVP_PKEY_free(pkey);
		return 0;
	}
	keys = reallocarray(t->keys, t->n + 1, sizeof(*keys));
	if (keys == NULL) {
		EVP_PKEY_free(pkey);
		return err_nomem(e);
	}
	t->keys = keys;
	t->keys[t->n++] = k;
	return 0;
}

static int
add_block(struct trust *t, const struct key_pem *pem, enum key_pem_kind kind, const char *name,
    struct err *e)
{
	EVP_PKEY *pkey;

	switch (kind) {
	case KEY_PEM_PARAMS:
		return 0;
	case KEY_PEM_PUBLIC:
		return key_pem_key(pem, &pkey, e) == -1 ? -1 : add(t, pkey, e);
	case KEY_PEM_PRIVATE:
	case KEY_PEM_ENCRYPTED:
	case KEY_PEM_OPENSSH:
		return err_set(e, ERR_USAGE,
		    "holds a private key, which has no place where backups are checked; "
		    "\"openssl pkey -in KEY -pubout\" prints its public key");
	case KEY_PEM_OTHER:
		break;
	}
	return err_set(
	    e, ERR_USAGE, "holds \"%s\", which is neither a public key nor a certificate", name);
}

int
trust_load(struct trust *t, const char *file, struct err *e)
{
	struct key_pem *pem = NULL;
	enum key_pem_kind kind;
	const char *name;
	size_t found = 0, before = t->n;
	int n = -1;

	if (key_pem_open(&pem, file, e) == 0) {
		while ((n = key_pem_next(pem, &kind, &name, e)) == 1) {
			found += kind == KEY_PEM_PUBLIC;
			if (add_block(t, pem, kind, name, e) == -1)
				break;
		}
	}
	key_pem_free(pem);
	if (n == 0 && found == 0)
		(void)err_set(e, ERR_USAGE, "holds no public key");
	if (n == 0 && found > 0)
		return 0;
	while (t->n > before)
		EVP_PKEY_free(t->keys[--t->n].pkey);
	return err_where(e, "trust file %s", file);
}

int
trust_add_key(struct trust *t, const struct key *k, struct err *e)
{
	if (EVP_PKEY_up_ref(k->pkey) != 1)
		return key_pem_fail(e, "cannot share the key");
	return add(t, k->pkey, e);
}

int
key_load_ours(struct key **key, struct trust **trust, const char *key_file, const char *trust_file,
    struct err *e)
{
	if (trust_new(trust, e) != 0)
		return -1;
	if (key_file != NULL &&
	    (key_load(key, key_file, e) != 0 || trust_add_key(*trust, *key, e) != 0))
		return -1;
	return trust_file == NULL ? 0 : trust_load(*trust, trust_file, e);
}

size_t
trust_count(const struct trust *t)
{
	return t->n;
}

bool
trust_has(const struct trust *t, const uint8_t id[SHA256_LEN])
{
	return find(t, id) != NULL;
}

int
trust_verify(const struct trust *t, const uint8_t id[SHA256_LEN], const void *text, size_t len,
    const uint8_t *sig, size_t sig_len, struct err *e)
{
	const struct key *k = find(t, id);
	char hex[SHA256_HEX_LEN + 1];
	EVP_MD_CTX *ctx;
	bool init, ok;

	if (k == NULL) {
		sha256_hex(id, hex);
		return err_set(e, ERR_TRUST, "unknown key %s", hex);
	}
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return err_nomem(e);
	init = EVP_DigestVerifyInit(ctx, NULL, digest_for(k->pkey), NULL, k->pkey) == 1;
	ok = init && EVP_DigestVerify(ctx, sig, sig_len, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!init)
		return key_pem_fail(e, "cannot verify");
	ERR_clear_error();
	return ok ? 0 : err_set(e, ERR_TRUST, "signature does not match");
}
