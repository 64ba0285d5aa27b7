/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_KEY_PEM_H
#define SEAL_KEY_PEM_H

#include <stdint.h>

#include <openssl/evp.h>

#include "core/hash.h"

struct err;

/* PEM files as keys; within this room only.  Nothing here asks for a pass phrase. */
#define KEY_FILE_MAX (1u << 20)

enum key_pem_kind {
	KEY_PEM_PUBLIC, /* public key, or the one of a certificate */
	KEY_PEM_PRIVATE,
	KEY_PEM_ENCRYPTED, /* a private key behind a pass phrase */
	KEY_PEM_OPENSSH, /* an OpenSSH private key */
	KEY_PEM_PARAMS, /* curve parameters: say nothing */
	KEY_PEM_OTHER,
};

struct key_pem; /* a file, read whole; wiped when freed */

/* ERR_SYS when it cannot be read; ERR_USAGE when it is empty, huge, or holds no PEM block. */
int key_pem_open(struct key_pem **out, const char *file, struct err *e);
void key_pem_free(struct key_pem *p);
/* 1: a block of this kind, named (for messages) *name until the next call; 0: end; -1. */
int key_pem_next(struct key_pem *p, enum key_pem_kind *kind, const char **name, struct err *e);
/*
 * The PUBLIC or PRIVATE block that key_pem_next gave last as a key of a type and size
 * that signs seals, else ERR_USAGE.  The caller frees it.
 */
int key_pem_key(const struct key_pem *p, EVP_PKEY **out, struct err *e);

/* SHA-256 of the SubjectPublicKeyInfo. */
int key_pem_id(EVP_PKEY *pkey, uint8_t id[SHA256_LEN], struct err *e);
/* ERR_SYS with what OpenSSL says last; its queue is emptied. */
int key_pem_fail(struct err *e, const char *what);

#endif
