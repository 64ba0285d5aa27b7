/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/key.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"

/* A directory, files in it, and keys made once for all tests. */
struct fixture {
	char dir[256];
	char a[300], b[300]; /* two file names in it */
	struct err e;
};

enum { ED, EC, RSA_2048, RSA_1024, P384, X25519, ED448, EC_EXPLICIT, N_KEYS };
static EVP_PKEY *keys[N_KEYS];

static EVP_PKEY *
explicit_ec(void)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
	return pkey;
}

static int
group_setup(void **state)
{
	(void)state;
	keys[ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys[EC] = EVP_EC_gen("P-256");
	keys[RSA_2048] = EVP_RSA_gen(2048);
	keys[RSA_1024] = EVP_RSA_gen(1024);
	keys[P384] = EVP_EC_gen("P-384");
	keys[X25519] = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	keys[ED448] = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	keys[EC_EXPLICIT] = explicit_ec();
	for (int i = 0; i < N_KEYS; i++)
		assert_non_null(keys[i]);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < N_KEYS; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "%s/seal-key-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->a, sizeof(f->a), "%s/a", f->dir);
	(void)snprintf(f->b, sizeof(f->b), "%s/b", f->dir);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->a);
	(void)unlink(f->b);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* ---- PEM texts ---- */

static void
take(BIO *bio, struct buf *out)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	buf_append(out, data, (size_t)len);
	BIO_free(bio);
}

static void
put_private(struct buf *out, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	take(bio, out);
}

static void
put_traditional(struct buf *out, EVP_PKEY *pkey, const EVP_CIPHER *cipher)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char pass[] = "secret";

	assert_int_equal(
	    PEM_write_bio_PrivateKey_traditional(bio, pkey, cipher, NULL, 0, NULL, pass), 1);
	take(bio, out);
}

static void
put_encrypted(struct buf *out, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_128_cbc(), "secret", 6, NULL, NULL),
	    1);
	take(bio, out);
}

static void
put_public(struct buf *out, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	take(bio, out);
}

/* Ended in 1971: dates do not matter. */
static void
put_cert(struct buf *out, EVP_PKEY *pkey)
{
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	assert_non_null(cert);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), 0));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), 365 * 86400));
	assert_int_equal(X509_set_pubkey(cert, pkey), 1);
	assert_true(X509_sign(cert, keys[EC], EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	X509_free(cert);
	take(bio, out);
}

static void
write_file(const char *file, const void *data, size_t len)
{
	struct err e = {.kind = ERR_NONE};
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, data, len, &e), 0);
	assert_int_equal(close(fd), 0);
}

static void
write_buf(const char *file, struct buf *b)
{
	assert_false(b->failed);
	write_file(file, b->data, b->len);
	buf_clear(b);
}

/* ---- asking ---- */

static void
load_is_refused(struct fixture *f, const char *why)
{
	struct key *k = NULL;

	err_clear(&f->e);
	assert_int_equal(key_load(&k, f->a, &f->e), -1);
	assert_null(k);
	assert_int_equal(f->e.kind, ERR_USAGE);
	if (strstr(f->e.msg, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f->e.msg, why);
	assert_non_null(strstr(f->e.msg, f->a));
}

static void
trust_is_refused(struct fixture *f, const char *why)
{
	struct trust *t;

	err_clear(&f->e);
	assert_int_equal(trust_new(&t, &f->e), 0);
	assert_int_equal(trust_load(t, f->a, &f->e), -1);
	assert_int_equal(trust_count(t), 0);
	assert_int_equal(f->e.kind, ERR_USAGE);
	if (strstr(f->e.msg, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f->e.msg, why);
	trust_free(t);
}

static struct key *
load(struct fixture *f, const char *file)
{
	struct key *k = NULL;

	if (key_load(&k, file, &f->e) == -1)
		fail_msg("%s", f->e.msg);
	return k;
}

static struct trust *
trust(struct fixture *f, const char *file)
{
	struct trust *t;

	assert_int_equal(trust_new(&t, &f->e), 0);
	if (trust_load(t, file, &f->e) == -1)
		fail_msg("%s", f->e.msg);
	return t;
}

static void
id_of(EVP_PKEY *pkey, uint8_t id[SHA256_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);

	assert_true(len > 0);
	sha256_of(der, (size_t)len, id);
	OPENSSL_free(der);
}

static void
sign_and_verify(struct fixture *f, const char *key_file, const char *trust_file)
{
	struct key *k = load(f, key_file);
	struct trust *t = trust(f, trust_file);
	uint8_t sig[KEY_SIG_MAX];
	size_t len;

	assert_int_equal(key_sign(k, "text", 4, sig, &len, &f->e), 0);
	assert_int_equal(trust_verify(t, key_id(k), "text", 4, sig, len, &f->e), 0);

	assert_int_equal(trust_verify(t, key_id(k), "texT", 4, sig, len, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	err_clear(&f->e);
	for (size_t i = 0; i < len; i += 7) {
		sig[i] ^= 0x10;
		assert_int_equal(trust_verify(t, key_id(k), "text", 4, sig, len, &f->e), -1);
		assert_int_equal(f->e.kind, ERR_TRUST);
		sig[i] ^= 0x10;
	}
	assert_int_equal(trust_verify(t, key_id(k), "text", 4, sig, len - 1, &f->e), -1);
	sig[len] = 0;
	assert_int_equal(trust_verify(t, key_id(k), "text", 4, sig, len + 1, &f->e), -1);
	assert_int_equal(trust_verify(t, key_id(k), "text", 4, sig, 0, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	trust_free(t);
	key_free(k);
}

/* ---- tests ---- */

static void
each_supported_type_signs_and_verifies(void **state)
{
	static const int types[] = {ED, EC, RSA_2048};
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_private(&b, keys[types[i]]);
		write_buf(f->a, &b);
		put_public(&b, keys[types[i]]);
		write_buf(f->b, &b);
		sign_and_verify(f, f->a, f->b);
	}
	buf_done(&b);
}

static void
traditional_forms_and_leading_parameters_load(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	put_traditional(&b, keys[RSA_2048], NULL);
	write_buf(f->a, &b);
	key_free(load(f, f->a));
	buf_puts(&b,
	    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
	    "-----END EC PARAMETERS-----\n");
	put_traditional(&b, keys[EC], NULL);
	write_buf(f->a, &b);
	key_free(load(f, f->a));
	buf_done(&b);
}

static void
certificates_are_key_containers_whatever_their_dates(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	put_private(&b, keys[ED]);
	write_buf(f->a, &b);
	put_cert(&b, keys[ED]);
	write_buf(f->b, &b);
	sign_and_verify(f, f->a, f->b);
	buf_done(&b);
}

static void
the_id_is_the_digest_of_the_spki(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	uint8_t id[SHA256_LEN];
	struct key *k;
	struct trust *t;

	put_private(&b, keys[RSA_2048]);
	write_buf(f->a, &b);
	put_public(&b, keys[RSA_2048]);
	write_buf(f->b, &b);
	k = load(f, f->a);
	t = trust(f, f->b);
	id_of(keys[RSA_2048], id);
	assert_memory_equal(key_id(k), id, SHA256_LEN);
	assert_true(trust_has(t, id));
	id[31] ^= 1;
	assert_false(trust_has(t, id));
	trust_free(t);
	key_free(k);
	buf_done(&b);
}

static void
a_point_in_short_form_has_the_same_id(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t id[SHA256_LEN], short_id[SHA256_LEN];
	struct trust *t;

	id_of(key, id);
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
			     key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
	    1);
	id_of(key, short_id);
	assert_memory_not_equal(id, short_id, SHA256_LEN);
	put_public(&b, key);
	put_private(&b, key);
	buf_clear(&b);
	put_public(&b, key);
	write_buf(f->b, &b);
	put_private(&b, key);
	write_buf(f->a, &b);
	t = trust(f, f->b);
	assert_true(trust_has(t, id));
	assert_false(trust_has(t, short_id));
	trust_free(t);
	sign_and_verify(f, f->a, f->b);
	EVP_PKEY_free(key);
	buf_done(&b);
}

static void
a_trust_file_holds_several_keys_and_comments(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	struct trust *t;
	uint8_t id[SHA256_LEN];

	buf_puts(&b, "the key of 2025\n");
	put_public(&b, keys[ED]);
	buf_puts(&b, "\nthe key of 2026\n");
	put_cert(&b, keys[EC]);
	put_public(&b, keys[ED]); /* twice */
	put_public(&b, keys[RSA_2048]);
	write_buf(f->a, &b);
	t = trust(f, f->a);
	assert_int_equal(trust_count(t), 3);
	assert_int_equal(trust_load(t, f->a, &f->e), 0);
	assert_int_equal(trust_count(t), 3);
	id_of(keys[EC], id);
	assert_true(trust_has(t, id));
	trust_free(t);
	buf_done(&b);
}

static void
a_trust_file_is_taken_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	put_public(&b, keys[ED]);
	put_public(&b, keys[P384]);
	write_buf(f->a, &b);
	trust_is_refused(f, "P-256");
	put_public(&b, keys[ED]);
	buf_puts(&b, "-----BEGIN PUBLIC KEY-----\nnot base64!\n-----END PUBLIC KEY-----\n");
	write_buf(f->a, &b);
	trust_is_refused(f, "block number 2 is damaged");
	/* A dash too few: PEM readers take it for a comment. */
	put_public(&b, keys[ED]);
	buf_puts(&b, "-----BEGIN PUBLIC KEY----\n");
	write_buf(f->a, &b);
	trust_is_refused(f, "damaged");
	buf_done(&b);
}

static void
a_trust_file_without_keys_is_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	char *large = malloc(1 << 20);

	write_file(f->a, "", 0);
	trust_is_refused(f, "is empty");
	write_file(f->a, "text\n", 5);
	trust_is_refused(f, "no PEM block");
	buf_puts(&b,
	    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
	    "-----END EC PARAMETERS-----\n");
	write_buf(f->a, &b);
	trust_is_refused(f, "holds no public key");
	load_is_refused(f, "holds no key");
	assert_non_null(large);
	memset(large, '\n', 1 << 20);
	write_file(f->a, large, 1 << 20);
	trust_is_refused(f, "too large");
	free(large);
	buf_done(&b);
}

static void
a_private_key_in_a_trust_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	put_public(&b, keys[ED]);
	put_private(&b, keys[ED]);
	write_buf(f->a, &b);
	trust_is_refused(f, "openssl pkey -in KEY -pubout");
	put_encrypted(&b, keys[ED]);
	write_buf(f->a, &b);
	trust_is_refused(f, "private key");
	buf_done(&b);
}

static void
key_load_tells_wrong_kinds_apart(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	write_file(f->a, "", 0);
	load_is_refused(f, "is empty");
	write_file(f->a, "ssh-ed25519 AAAA\n", 17);
	load_is_refused(f, "no PEM block");
	put_public(&b, keys[ED]);
	write_buf(f->a, &b);
	load_is_refused(f, "only a public key");
	put_cert(&b, keys[ED]);
	write_buf(f->a, &b);
	load_is_refused(f, "only a public key or certificate");
	buf_puts(&b,
	    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
	    "-----END OPENSSH PRIVATE KEY-----\n");
	write_buf(f->a, &b);
	load_is_refused(f, "OpenSSH");
	buf_puts(&b,
	    "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
	    "-----END CERTIFICATE REQUEST-----\n");
	write_buf(f->a, &b);
	load_is_refused(f, "CERTIFICATE REQUEST");
	put_private(&b, keys[ED]);
	put_private(&b, keys[EC]);
	write_buf(f->a, &b);
	load_is_refused(f, "more than one");
	put_private(&b, keys[ED]);
	b.data[40] = '!';
	write_buf(f->a, &b);
	load_is_refused(f, "damaged");
	buf_done(&b);
}

static void
encrypted_keys_are_refused_without_a_question(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	char *at;

	put_encrypted(&b, keys[ED]);
	write_buf(f->a, &b);
	load_is_refused(f, "pass phrase");
	put_traditional(&b, keys[RSA_2048], EVP_aes_128_cbc());
	write_buf(f->a, &b);
	load_is_refused(f, "pass phrase");
	/* The same under a label that lies. */
	put_encrypted(&b, keys[ED]);
	(void)buf_str(&b);
	while ((at = memmem(b.data, b.len, "ENCRYPTED ", 10)) != NULL) {
		size_t tail = b.len - (size_t)((uint8_t *)at - b.data) - 10;

		memmove(at, at + 10, tail);
		b.len -= 10;
	}
	write_buf(f->a, &b);
	load_is_refused(f, "does not hold a key");
	buf_done(&b);
}

static void
unsupported_types_and_sizes_are_refused(void **state)
{
	static const struct {
		int key;
		const char *why;
	} cases[] = {{RSA_1024, "1024 bits"}, {P384, "only P-256"}, {X25519, "X25519"},
	    {ED448, "ED448"}, {EC_EXPLICIT, "curve parameters of its own"}};
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_private(&b, keys[cases[i].key]);
		write_buf(f->a, &b);
		load_is_refused(f, cases[i].why);
		put_public(&b, keys[cases[i].key]);
		write_buf(f->a, &b);
		trust_is_refused(f, cases[i].why);
	}
	buf_done(&b);
}

static void
bytes_behind_a_key_are_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(keys[ED], &der);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(len > 0);
	der = OPENSSL_realloc(der, (size_t)len + 1);
	der[len] = 0;
	assert_true(PEM_write_bio(bio, "PUBLIC KEY", "", der, len + 1) > 0);
	take(bio, &b);
	OPENSSL_free(der);
	write_buf(f->a, &b);
	trust_is_refused(f, "does not hold a key");
	buf_done(&b);
}

static void
missing_and_unreadable_files_are_system_errors(void **state)
{
	struct fixture *f = *state;
	struct key *k = NULL;
	struct trust *t;

	assert_int_equal(key_load(&k, f->a, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	assert_int_equal(f->e.sys, ENOENT);
	err_clear(&f->e);
	assert_int_equal(key_load(&k, f->dir, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	assert_non_null(strstr(f->e.msg, "is a directory, not a file"));
	err_clear(&f->e);
	assert_int_equal(trust_new(&t, &f->e), 0);
	assert_int_equal(trust_load(t, f->a, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	trust_free(t);
}

static void
a_key_comes_through_a_pipe(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	char name[64];
	int fds[2];

	put_private(&b, keys[ED]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(io_write(fds[1], b.data, b.len, &f->e), 0);
	assert_int_equal(close(fds[1]), 0);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
	key_free(load(f, name));
	assert_int_equal(close(fds[0]), 0);
	buf_done(&b);
}

static void
an_unknown_id_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	struct trust *t;
	uint8_t id[SHA256_LEN] = {0xab};

	assert_int_equal(trust_new(&t, &f->e), 0);
	assert_int_equal(trust_verify(t, id, "x", 1, id, 32, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	assert_non_null(strstr(f->e.msg, "unknown key ab00"));
	trust_free(t);
}

/* The same id under another key cannot be had; the next best is another key of the set. */
static void
a_signature_counts_only_under_its_own_key(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	uint8_t sig[KEY_SIG_MAX], other[SHA256_LEN];
	struct key *k;
	struct trust *t;
	size_t len;

	put_private(&b, keys[ED]);
	write_buf(f->a, &b);
	k = load(f, f->a);
	put_public(&b, keys[ED]);
	put_public(&b, keys[EC]);
	put_public(&b, keys[RSA_2048]);
	write_buf(f->b, &b);
	t = trust(f, f->b);
	assert_int_equal(key_sign(k, "text", 4, sig, &len, &f->e), 0);
	id_of(keys[EC], other);
	assert_int_equal(trust_verify(t, other, "text", 4, sig, len, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	id_of(keys[RSA_2048], other);
	assert_int_equal(trust_verify(t, other, "text", 4, sig, len, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	trust_free(t);
	key_free(k);
	buf_done(&b);
}

static mode_t
mode_of(const char *file)
{
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	return st.st_mode & 07777;
}

static void
generate_makes_a_pair_that_works(void **state)
{
	struct fixture *f = *state;
	uint8_t id[SHA256_LEN];
	mode_t mask = umask(0);
	struct key *k;

	assert_int_equal(key_generate(f->a, f->b, id, &f->e), 0);
	(void)umask(mask);
	assert_int_equal(mode_of(f->a), 0600);
	assert_int_equal(mode_of(f->b), 0644);
	k = load(f, f->a);
	assert_memory_equal(key_id(k), id, SHA256_LEN);
	key_free(k);
	sign_and_verify(f, f->a, f->b);
}

static void
the_public_file_is_readable_under_a_tight_umask(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(077);

	assert_int_equal(key_generate(f->a, f->b, NULL, &f->e), 0);
	(void)umask(mask);
	assert_int_equal(mode_of(f->a), 0600);
	assert_int_equal(mode_of(f->b), 0644);
}

static void
generate_overwrites_nothing_and_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};

	write_file(f->b, "mine", 4);
	assert_int_equal(key_generate(f->a, f->b, NULL, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	assert_int_equal(f->e.sys, EEXIST);
	assert_int_equal(access(f->a, F_OK), -1);
	assert_int_equal(io_read_file(AT_FDCWD, f->b, 100, &b, &f->e), 0);
	assert_string_equal(buf_str(&b), "mine");
	err_clear(&f->e);

	assert_int_equal(key_generate(f->b, f->a, NULL, &f->e), -1);
	assert_int_equal(f->e.sys, EEXIST);
	assert_int_equal(access(f->a, F_OK), -1);
	err_clear(&f->e);

	assert_int_equal(key_generate(f->a, f->a, NULL, &f->e), -1);
	assert_int_equal(access(f->a, F_OK), -1);
	err_clear(&f->e);

	assert_int_equal(unlink(f->b), 0);
	assert_int_equal(symlink("target", f->b), 0);
	assert_int_equal(key_generate(f->a, f->b, NULL, &f->e), -1);
	assert_int_equal(access(f->a, F_OK), -1);
	buf_done(&b);
}

/* Any change of a byte in a key file: an error, or a key; never a crash. */
static void
damaged_key_files_are_survived(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	struct trust *t;
	struct key *k;

	put_public(&b, keys[EC]);
	put_cert(&b, keys[ED]);
	srandom(4);
	for (int round = 0; round < 300; round++) {
		size_t at = (size_t)random() % b.len;
		uint8_t old = b.data[at];

		b.data[at] = (uint8_t)random();
		write_file(f->a, b.data, b.len);
		b.data[at] = old;
		err_clear(&f->e);
		assert_int_equal(trust_new(&t, &f->e), 0);
		if (trust_load(t, f->a, &f->e) == 0)
			assert_true(trust_count(t) > 0);
		else
			assert_int_equal(trust_count(t), 0);
		trust_free(t);
		if (key_load(&k, f->a, &f->e) == 0)
			fail_msg("a public key was taken for a private one");
	}
	buf_done(&b);
}

static void
ours_are_the_own_key_and_those_of_the_trust_file(void **state)
{
	struct fixture *f = *state;
	struct key *k = NULL;
	struct trust *t = NULL;
	uint8_t other[SHA256_LEN];
	char pub[320], other_pub[320];

	(void)snprintf(pub, sizeof(pub), "%s.pub", f->a);
	(void)snprintf(other_pub, sizeof(other_pub), "%s.pub", f->b);
	assert_int_equal(key_generate(f->a, pub, NULL, &f->e), 0);
	assert_int_equal(key_generate(f->b, other_pub, other, &f->e), 0);
	assert_int_equal(key_load_ours(&k, &t, f->a, other_pub, &f->e), 0);
	assert_int_equal(trust_count(t), 2);
	assert_true(trust_has(t, key_id(k)) && trust_has(t, other));
	key_free(k);
	trust_free(t);
	k = NULL;
	assert_int_equal(key_load_ours(&k, &t, NULL, NULL, &f->e), 0);
	assert_null(k);
	assert_int_equal(trust_count(t), 0);
	trust_free(t);
	assert_int_equal(key_load_ours(&k, &t, f->a, f->dir, &f->e), -1);
	key_free(k);
	trust_free(t);
	assert_int_equal(unlink(pub), 0);
	assert_int_equal(unlink(other_pub), 0);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(each_supported_type_signs_and_verifies),
	    CASE(traditional_forms_and_leading_parameters_load),
	    CASE(certificates_are_key_containers_whatever_their_dates),
	    CASE(the_id_is_the_digest_of_the_spki),
	    CASE(a_point_in_short_form_has_the_same_id),
	    CASE(a_trust_file_holds_several_keys_and_comments),
	    CASE(a_trust_file_is_taken_whole_or_not_at_all),
	    CASE(a_trust_file_without_keys_is_refused),
	    CASE(a_private_key_in_a_trust_file_is_refused),
	    CASE(key_load_tells_wrong_kinds_apart),
	    CASE(encrypted_keys_are_refused_without_a_question),
	    CASE(unsupported_types_and_sizes_are_refused),
	    CASE(bytes_behind_a_key_are_refused),
	    CASE(missing_and_unreadable_files_are_system_errors),
	    CASE(a_key_comes_through_a_pipe),
	    CASE(an_unknown_id_is_not_trusted),
	    CASE(a_signature_counts_only_under_its_own_key),
	    CASE(ours_are_the_own_key_and_those_of_the_trust_file),
	    CASE(generate_makes_a_pair_that_works),
	    CASE(the_public_file_is_readable_under_a_tight_umask),
	    CASE(generate_overwrites_nothing_and_leaves_nothing_behind),
	    CASE(damaged_key_files_are_survived),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
