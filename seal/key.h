/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_KEY_H
#define SEAL_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

struct buf;
struct err;

/*
 * Signing and trust, by OpenSSL 3.  Ed25519, EC P-256, RSA (2048 bits and up), as
 * PEM (PKCS#8 or the older forms of each type).  A key's id is the SHA-256 of its
 * public SubjectPublicKeyInfo in DER, EC points uncompressed.
 *
 * A trust is not changed by trust_verify; several threads may share one.
 */
#define KEY_SIG_MAX 2048

struct key; /* a private key */
struct trust; /* a set of public keys */

/*
 * Messages tell apart: file missing, empty, not PEM, a public key or certificate
 * instead of a private key, encrypted (never prompts), unsupported type or size.
 * ERR_USAGE for wrong content, ERR_SYS for a file that cannot be read.  A file that everybody
 * may read or write is warned of.
 */
int key_load(struct key **out, const char *file, struct err *e);
void key_free(struct key *k);
const uint8_t *key_id(const struct key *k); /* SHA256_LEN bytes */
int key_sign(const struct key *k, const void *text, size_t len, uint8_t sig[KEY_SIG_MAX],
    size_t *sig_len, struct err *e);
/*
 * A new Ed25519 pair, durable when this returns: private into file (0600, never overwrites), public
 * into pub_file (0644).  Both or neither.  id may be NULL.
 */
int key_generate(const char *file, const char *pub_file, uint8_t id[SHA256_LEN], struct err *e);

int trust_new(struct trust **out, struct err *e);
void trust_free(struct trust *t);
/*
 * Add every public key and certificate in file; at least one, else ERR_USAGE.  All or
 * none.  The same key twice counts once.  A certificate is nothing but the container of
 * its key: dates, names and issuers are not looked at.  A private key is refused.
 */
int trust_load(struct trust *t, const char *file, struct err *e);
int trust_add_key(struct trust *t, const struct key *k, struct err *e);
/*
 * The keys of who seals: its own from key_file (NULL: none, and *key stays as it is), and trust in
 * that one and in those of trust_file (NULL: no others).  Also on failure, what is there by then is
 * the caller's to free.
 */
int key_load_ours(struct key **key, struct trust **trust, const char *key_file,
    const char *trust_file, struct err *e);
size_t trust_count(const struct trust *t);
bool trust_has(const struct trust *t, const uint8_t id[SHA256_LEN]);
/* ERR_TRUST: "unknown key ID" or "signature does not match". */
int trust_verify(const struct trust *t, const uint8_t id[SHA256_LEN], const void *text, size_t len,
    const uint8_t *sig, size_t sig_len, struct err *e);

#endif
