/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "core/err.h"
#include "core/io.h"
#include "seal/key.h"
#include "seal/key_pem.h"

/* Durable: the file, and the name in its directory. */
static int
sync_dir_of(const char *file, struct err *e)
{
	char *copy = strdup(file);
	int rc = -1, fd = -1;

	if (copy == NULL)
		return err_nomem(e);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		(void)err_sys(e, "open directory");
	else
		rc = io_fsync(fd, e);
	(void)io_close(&fd, NULL);
	free(copy);
	return rc;
}

/*
 * A new file that holds what bio gathered.  On failure there is none, unless it was
 * there before: only what O_EXCL gave us is unlinked.
 */
static int
write_new(const char *file, mode_t mode, BIO *bio, struct err *e)
{
	char *text;
	long len = BIO_get_mem_data(bio, &text);
	int rc, fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd == -1 && errno == EEXIST) {
		(void)err_set(e, ERR_SYS, "%s: is there already; nothing is overwritten", file);
		if (e != NULL)
			e->sys = EEXIST;
		return -1;
	}
	if (fd == -1)
		return err_sys(e, "create %s", file);
	rc = io_write(fd, text, (size_t)len, e);
	if (rc == 0 && fchmod(fd, mode) == -1)
		rc = err_sys(e, "chmod");
	if (rc == 0)
		rc = io_fsync(fd, e);
	if (io_close(&fd, rc == 0 ? e : NULL) == -1)
		rc = -1;
	if (rc == 0)
		rc = sync_dir_of(file, e);
	if (rc == -1) {
		(void)unlink(file);
		return err_where(e, "%s", file);
	}
	return 0;
}

static int
write_pair(EVP_PKEY *pkey, const char *file, const char *pub_file, struct err *e)
{
	BIO *priv = BIO_new(BIO_s_secmem()), *pub = BIO_new(BIO_s_mem());
	int rc = -1;

	if (priv == NULL || pub == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(priv, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_PUBKEY(pub, pkey) != 1) {
		(void)key_pem_fail(e, "cannot encode the new key");
		goto out;
	}
	if (write_new(file, 0600, priv, e) == -1)
		goto out;
	if (write_new(pub_file, 0644, pub, e) == -1) {
		(void)unlink(file);
		goto out;
	}
	rc = 0;
out:
	BIO_free(priv);
	BIO_free(pub);
	return rc;
}

int
key_generate(const char *file, const char *pub_file, uint8_t id[SHA256_LEN], struct err *e)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t new_id[SHA256_LEN];
	int rc = -1;

	if (pkey == NULL)
		return key_pem_fail(e, "cannot make a key");
	if (key_pem_id(pkey, new_id, e) == 0 && write_pair(pkey, file, pub_file, e) == 0)
		rc = 0;
	if (rc == 0 && id != NULL)
		memcpy(id, new_id, SHA256_LEN);
	EVP_PKEY_free(pkey);
	return rc;
}
