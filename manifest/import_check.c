/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/progress.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "seal/seal.h"
#include "store/repo.h"

struct check {
	int archive_fd, manifest_fd;
	struct manifest_reader *reader;
	struct member_unpacker *unpacker;
	struct buf packed, plain, text;
	struct sha256 whole;
};

static void
check_done(struct check *c)
{
	manifest_reader_free(c->reader);
	member_unpacker_free(c->unpacker);
	buf_done(&c->packed);
	buf_done(&c->plain);
	buf_done(&c->text);
	if (c->archive_fd >= 0)
		(void)close(c->archive_fd);
	if (c->manifest_fd >= 0)
		(void)close(c->manifest_fd);
}

/* From the disk, not from the memory that wrote it, where the kernel can be asked for that. */
static int
open_part(const struct repo *repo, enum repo_part part, const char *name, struct err *e)
{
	int fd = repo_open_part(repo, part, name, e);

	if (fd >= 0)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return fd;
}

static bool
has_digest(const struct buf *b, const uint8_t want[SHA256_LEN])
{
	uint8_t got[SHA256_LEN];

	sha256_of(b->data, b->len, got);
	return memcmp(got, want, sizeof(got)) == 0;
}

static int
check_member(struct check *c, const struct manifest_member *m, struct err *e)
{
	if (m->packed_len > MEMBER_PLAIN_MAX * 2u)
		return err_set(e, ERR_CORRUPT, "a member that is too long");
	buf_clear(&c->packed);
	void *room = buf_reserve(&c->packed, (size_t)m->packed_len);
	if (room == NULL)
		return err_nomem(e);
	if (io_pread_exact(c->archive_fd, room, (size_t)m->packed_len, m->offset, e) != 0)
		return -1;
	c->packed.len = (size_t)m->packed_len;
	sha256_update(&c->whole, c->packed.data, c->packed.len);
	if (!has_digest(&c->packed, m->packed_digest))
		return err_set(e, ERR_CORRUPT, "packed bytes are not as they were written");
	if (member_unpack(c->unpacker, c->packed.data, c->packed.len, (size_t)m->plain_len,
		&c->plain, e) != 0)
		return -1;
	if (!has_digest(&c->plain, m->plain_digest))
		return err_set(e, ERR_CORRUPT, "content is not as it was written");
	return manifest_section(c->reader, m, &c->text, e);
}

static int
check_all(struct check *c, const struct seal *s, struct err *e)
{
	struct manifest_member m;
	uint8_t digest[SHA256_LEN];
	int rc;

	while ((rc = manifest_next(c->reader, &m, e)) == 1) {
		if (stop_check(e) != 0)
			return -1;
		if (check_member(c, &m, e) != 0)
			return err_where(e, "member at %llu", (unsigned long long)m.offset);
		progress_add(m.packed_len, m.entries);
	}
	if (rc < 0)
		return -1;
	sha256_final(&c->whole, digest);
	if (memcmp(digest, s->archive_digest, sizeof(digest)) != 0)
		return err_set(e, ERR_CORRUPT, "the archive is not the one that was sealed");
	return 0;
}

int
import_check(const struct repo *repo, const struct seal *s, struct err *e)
{
	struct check c = {.archive_fd = -1, .manifest_fd = -1};
	int rc = -1;

	sha256_init(&c.whole);
	if ((c.archive_fd = open_part(repo, REPO_ARCHIVE, s->name, e)) >= 0 &&
	    (c.manifest_fd = open_part(repo, REPO_MANIFEST, s->name, e)) >= 0 &&
	    member_unpacker_new(&c.unpacker, e) == 0 &&
	    manifest_reader_new(&c.reader, c.manifest_fd, s, e) == 0 &&
	    manifest_check_head(c.reader, e) == 0)
		rc = check_all(&c, s, e);
	check_done(&c);
	return rc == 0 ? 0 : err_where(e, "backup %s, read back", s->name);
}
