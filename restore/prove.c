/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/prove.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/progress.h"
#include "core/stop.h"
#include "seal/seal.h"
#include "store/repo.h"

#define READ_LEN (1u << 20)

/* The digest of what an fd has, and how much that is. */
static int
digest_of(int fd, void *room, uint8_t out[SHA256_LEN], uint64_t *size, struct err *e)
{
	struct sha256 h;
	ssize_t n;

	sha256_init(&h);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (*size = 0; (n = io_pread(fd, room, READ_LEN, *size, e)) > 0; *size += (uint64_t)n) {
		sha256_update(&h, room, (size_t)n);
		progress_add((uint64_t)n, 0);
		if (stop_check(e) != 0)
			return -1;
	}
	sha256_final(&h, out);
	return n < 0 ? -1 : 0;
}

static int
prove_part(const struct repo *r, const char *name, enum repo_part part, uint64_t size,
    const uint8_t digest[SHA256_LEN], void *room, struct err *e)
{
	uint8_t found[SHA256_LEN];
	struct buf path = {0};
	uint64_t has = 0;
	int fd = repo_open_part(r, part, name, e), rc;

	if (fd < 0)
		return -1;
	rc = digest_of(fd, room, found, &has, e);
	(void)close(fd);
	if (rc == 0 && (has != size || memcmp(found, digest, SHA256_LEN) != 0))
		rc = err_set(e, ERR_CORRUPT,
		    has != size ? "has not the length that was sealed"
				: "does not match the digest that was sealed");
	if (rc != 0 && repo_part_path(r, part, name, &path, NULL) == 0)
		(void)err_where(e, "%s", buf_str(&path));
	buf_done(&path);
	return rc;
}

int
prove_packed(const struct repo *r, const struct seal *s, struct err *e)
{
	void *room = malloc(READ_LEN);
	int rc;

	if (room == NULL)
		return err_nomem(e);
	rc = prove_part(r, s->name, REPO_MANIFEST, s->manifest_size, s->manifest_digest, room, e);
	if (rc == 0)
		rc = prove_part(
		    r, s->name, REPO_ARCHIVE, s->archive_size, s->archive_digest, room, e);
	free(room);
	return rc;
}
