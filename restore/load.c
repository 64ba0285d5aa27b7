/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/member.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "store/repo.h"

struct restore_load {
	int archive_fd, manifest_fd;
	struct manifest_reader *index;
	struct member_unpacker *unpacker;
	struct buf packed, plain, section;
};

static int
open_index(struct restore_load *l, const struct seal *s, struct err *e)
{
	if (manifest_reader_new(&l->index, l->manifest_fd, s, e) == 0)
		return 0;
	return err_where(e, "its manifest cannot be used");
}

int
restore_load_open(
    struct restore_load **out, const struct repo *r, const struct seal *s, struct err *e)
{
	struct restore_load *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_nomem(e);
	l->manifest_fd = -1;
	if ((l->archive_fd = repo_open_part(r, REPO_ARCHIVE, s->name, e)) < 0 ||
	    (l->manifest_fd = repo_open_part(r, REPO_MANIFEST, s->name, e)) < 0 ||
	    open_index(l, s, e) != 0 || member_unpacker_new(&l->unpacker, e) != 0) {
		restore_load_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

void
restore_load_close(struct restore_load *l)
{
	if (l == NULL)
		return;
	manifest_reader_free(l->index);
	member_unpacker_free(l->unpacker);
	(void)io_close(&l->archive_fd, NULL); /* read only: nothing to lose */
	(void)io_close(&l->manifest_fd, NULL);
	buf_done(&l->packed);
	buf_done(&l->plain);
	buf_done(&l->section);
	free(l);
}

struct manifest_reader *
restore_load_index(struct restore_load *l)
{
	return l->index;
}

static int
read_packed(struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	void *room;

	/* Lengths are signed, but with --untrusted that says nothing. */
	if (m->packed_len > 2 * (uint64_t)MEMBER_PLAIN_MAX)
		return err_set(e, ERR_CORRUPT, "a member of %" PRIu64 " bytes", m->packed_len);
	buf_clear(&l->packed);
	if ((room = buf_reserve(&l->packed, (size_t)m->packed_len)) == NULL)
		return err_nomem(e);
	if (io_pread_exact(l->archive_fd, room, (size_t)m->packed_len, m->offset, e) != 0)
		return -1;
	l->packed.len = (size_t)m->packed_len;
	sha256_of(room, l->packed.len, digest);
	if (memcmp(digest, m->packed_digest, SHA256_LEN) != 0)
		return err_set(e, ERR_CORRUPT, "does not match its digest");
	return 0;
}

const struct buf *
restore_load_member(struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	if (m->plain_len > MEMBER_PLAIN_MAX)
		(void)err_set(e, ERR_CORRUPT, "a member of %" PRIu64 " plain bytes", m->plain_len);
	else if (read_packed(l, m, e) == 0 &&
	    member_unpack(l->unpacker, l->packed.data, l->packed.len, (size_t)m->plain_len,
		&l->plain, e) == 0)
		return &l->plain;
	(void)err_where(e, "the archive's member at byte %" PRIu64, m->offset);
	return NULL;
}

void
restore_load_take(struct restore_load *l, struct buf *out)
{
	struct buf mine = l->plain;

	l->plain = *out;
	*out = mine;
}

const struct buf *
restore_load_section(struct restore_load *l, const struct manifest_member *m, struct err *e)
{
	return manifest_section(l->index, m, &l->section, e) == 0 ? &l->section : NULL;
}

bool
restore_load_lost(const struct err *e)
{
	return e->kind == ERR_CORRUPT || (e->kind == ERR_SYS && e->sys != ENOMEM);
}
