/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/key_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/err.h"
#include "core/io.h"

/*
 * Blocks are taken apart here rather than by PEM_read_bio_PrivateKey(3): that skips
 * blocks it has no use for, and asks for pass phrases on the terminal.  We want to
 * tell the user what the file holds instead of what he needs.
 */
struct key_pem {
	char *text; /* KEY_FILE_MAX bytes */
	size_t len;
	BIO *bio;
	size_t blocks; /* seen so far */
	/* The present block. */
	char *name, *header;
	unsigned char *data;
	long data_len;
	enum key_pem_kind kind;
};

/* ---- reading the file ---- */

/* read(2), not pread(2): the key may come through a pipe. */
static int
read_all(int fd, char *text, size_t max, size_t *len, struct err *e)
{
	size_t n = 0;

	while (n < max) {
		ssize_t got = read(fd, text + n, max - n);

		if (got == 0)
			break;
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 && errno == EISDIR)
			return err_set(e, ERR_SYS, "is a directory, not a file");
		if (got == -1)
			return err_sys(e, "read");
		n += (size_t)got;
	}
	if (n == max)
		return err_set(e, ERR_USAGE, "too large for a key file");
	*len = n;
	return 0;
}

static size_t
count_marks(const struct key_pem *p)
{
	static const char mark[] = "-----BEGIN ";
	const char *at = p->text, *end = p->text + p->len;
	size_t n = 0;

	while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
		at += sizeof(mark) - 1;
		n++;
	}
	return n;
}

static int
fill(struct key_pem *p, const char *file, struct err *e)
{
	int rc, fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return err_sys(e, "cannot be opened");
	rc = read_all(fd, p->text, KEY_FILE_MAX, &p->len, e);
	if (io_close(&fd, rc == 0 ? e : NULL) == -1 || rc == -1)
		return -1;
	if (p->len == 0)
		return err_set(e, ERR_USAGE, "is empty");
	if (count_marks(p) == 0)
		return err_set(e, ERR_USAGE, "holds no PEM block (\"-----BEGIN ...\")");
	p->bio = BIO_new_mem_buf(p->text, (int)p->len);
	return p->bio != NULL ? 0 : err_nomem(e);
}

int
key_pem_open(struct key_pem **out, const char *file, struct err *e)
{
	struct key_pem *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	p->text = malloc(KEY_FILE_MAX);
	if (p->text == NULL) {
		key_pem_free(p);
		return err_nomem(e);
	}
	if (fill(p, file, e) == -1) {
		key_pem_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

static void
drop_block(struct key_pem *p)
{
	OPENSSL_free(p->name);
	OPENSSL_free(p->header);
	if (p->data != NULL)
		OPENSSL_clear_free(p->data, (size_t)p->data_len);
	p->name = p->header = NULL;
	p->data = NULL;
}

void
key_pem_free(struct key_pem *p)
{
	if (p == NULL)
		return;
	drop_block(p);
	BIO_free(p->bio);
	if (p->text != NULL)
		OPENSSL_cleanse(p->text, p->len);
	free(p->text);
	free(p);
}

/* ---- blocks ---- */

static enum key_pem_kind
kind_of(const char *name, const char *header)
{
	static const struct {
		const char *name;
		enum key_pem_kind kind;
	} kinds[] = {
	    {"PUBLIC KEY", KEY_PEM_PUBLIC},
	    {"RSA PUBLIC KEY", KEY_PEM_PUBLIC},
	    {"CERTIFICATE", KEY_PEM_PUBLIC},
	    {"X509 CERTIFICATE", KEY_PEM_PUBLIC},
	    {"TRUSTED CERTIFICATE", KEY_PEM_PUBLIC},
	    {"PRIVATE KEY", KEY_PEM_PRIVATE},
	    {"RSA PRIVATE KEY", KEY_PEM_PRIVATE},
	    {"EC PRIVATE KEY", KEY_PEM_PRIVATE},
	    {"DSA PRIVATE KEY", KEY_PEM_PRIVATE},
	    {"ENCRYPTED PRIVATE KEY", KEY_PEM_ENCRYPTED},
	    {"OPENSSH PRIVATE KEY", KEY_PEM_OPENSSH},
	    {"EC PARAMETERS", KEY_PEM_PARAMS},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		if (kinds[i].kind == KEY_PEM_PRIVATE && strstr(header, "ENCRYPTED") != NULL)
			return KEY_PEM_ENCRYPTED;
		return kinds[i].kind;
	}
	return strstr(name, "ENCRYPTED") != NULL ? KEY_PEM_ENCRYPTED : KEY_PEM_OTHER;
}

int
key_pem_next(struct key_pem *p, enum key_pem_kind *kind, const char **name, struct err *e)
{
	drop_block(p);
	ERR_clear_error();
	if (PEM_read_bio(p->bio, &p->name, &p->header, &p->data, &p->data_len) != 1) {
		bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		ERR_clear_error();
		/* A block whose first line is misspelt would pass for a comment. */
		if (end && p->blocks == count_marks(p))
			return 0;
		return err_set(e, ERR_USAGE, "PEM block number %zu is damaged", p->blocks + 1);
	}
	p->blocks++;
	p->kind = kind_of(p->name, p->header);
	*kind = p->kind;
	*name = p->name;
	return 1;
}

/* ---- keys ---- */

int
key_pem_fail(struct err *e, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;

	(void)err_set(e, ERR_SYS, "%s: OpenSSL: %s", what, why != NULL ? why : "failed");
	ERR_clear_error();
	return -1;
}

/*
 * A SubjectPublicKeyInfo of Ed25519 is these bytes and the key's 32 (RFC 8410).  OpenSSL 3 looks
 * through all that it could encode or decode before it takes it for one, for a millisecond, which
 * is a good part of what a look-up takes.
 */
static const unsigned char ed25519[] = {
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
enum { ED25519_LEN = 32 };

static EVP_PKEY *
decode_public(const unsigned char **at, long len)
{
	const unsigned char *p = *at;

	if (len != (long)sizeof(ed25519) + ED25519_LEN || memcmp(p, ed25519, sizeof(ed25519)) != 0)
		return d2i_PUBKEY(NULL, at, len);
	*at += len;
	return EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, p + sizeof(ed25519), ED25519_LEN);
}

static int
ed25519_id(EVP_PKEY *pkey, uint8_t id[SHA256_LEN], struct err *e)
{
	unsigned char der[sizeof(ed25519) + ED25519_LEN];
	size_t len = ED25519_LEN;

	memcpy(der, ed25519, sizeof(ed25519));
	if (EVP_PKEY_get_raw_public_key(pkey, der + sizeof(ed25519), &len) != 1 ||
	    len != ED25519_LEN)
		return key_pem_fail(e, "cannot encode the public key");
	sha256_of(der, sizeof(der), id);
	return 0;
}

int
key_pem_id(EVP_PKEY *pkey, uint8_t id[SHA256_LEN], struct err *e)
{
	unsigned char *der = NULL;
	int len;

	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519)
		return ed25519_id(pkey, id, e);
	len = i2d_PUBKEY(pkey, &der);
	if (len <= 0)
		return key_pem_fail(e, "cannot encode the public key");
	sha256_of(der, (size_t)len, id);
	OPENSSL_free(der);
	return 0;
}

/*
 * Named P-256 only.  A point has a short form too, and the id is a digest over its
 * bytes: the long one is set, or the same key would have two ids.
 */
static int
check_ec(EVP_PKEY *pkey, struct err *e)
{
	char group[64], encoding[32];
	size_t len;

	if (EVP_PKEY_get_utf8_string_param(
		pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &len) != 1)
		(void)strcpy(group, "unnamed curve");
	if (EVP_PKEY_get_utf8_string_param(
		pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof(encoding), &len) != 1 ||
	    strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
		return err_set(e, ERR_USAGE,
		    "an EC key with curve parameters of its own; "
		    "a named P-256 key is needed");
	if (strcmp(group, "prime256v1") != 0 && strcmp(group, "P-256") != 0)
		return err_set(e, ERR_USAGE, "an EC key on %s; only P-256 is supported", group);
	if (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
		OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1)
		return key_pem_fail(e, "cannot set the point form");
	return 0;
}

static int
check_type(EVP_PKEY *pkey, struct err *e)
{
	const char *name = EVP_PKEY_get0_type_name(pkey);
	int bits = EVP_PKEY_get_bits(pkey);

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
		return 0;
	case EVP_PKEY_EC:
		return check_ec(pkey, e);
	case EVP_PKEY_RSA:
		if (bits < 2048 || bits > 16384)
			return err_set(
			    e, ERR_USAGE, "an RSA key of %d bits; 2048 to 16384 are needed", bits);
		return 0;
	default:
		return err_set(e, ERR_USAGE, "a key of type %s; Ed25519, EC P-256 or RSA is needed",
		    name != NULL ? name : "unknown");
	}
}

static EVP_PKEY *
decode_cert(const struct key_pem *p, const unsigned char **at)
{
	bool aux = strcmp(p->name, "TRUSTED CERTIFICATE") == 0;
	X509 *cert = aux ? d2i_X509_AUX(NULL, at, p->data_len) : d2i_X509(NULL, at, p->data_len);
	EVP_PKEY *pkey = cert != NULL ? X509_get_pubkey(cert) : NULL;

	X509_free(cert);
	return pkey;
}

static EVP_PKEY *
decode(const struct key_pem *p, const unsigned char **at)
{
	if (p->kind == KEY_PEM_PRIVATE)
		return d2i_AutoPrivateKey(NULL, at, p->data_len);
	if (strcmp(p->name, "PUBLIC KEY") == 0)
		return decode_public(at, p->data_len);
	if (strcmp(p->name, "RSA PUBLIC KEY") == 0)
		return d2i_PublicKey(EVP_PKEY_RSA, NULL, at, p->data_len);
	return decode_cert(p, at);
}

int
key_pem_key(const struct key_pem *p, EVP_PKEY **out, struct err *e)
{
	const unsigned char *at = p->data;
	EVP_PKEY *pkey = decode(p, &at);

	ERR_clear_error();
	if (pkey == NULL || at != p->data + p->data_len) {
		EVP_PKEY_free(pkey);
		return err_set(
		    e, ERR_USAGE, "the block \"%s\" does not hold a key we can read", p->name);
	}
	if (check_type(pkey, e) == -1) {
		EVP_PKEY_free(pkey);
		return -1;
	}
	*out = pkey;
	return 0;
}
