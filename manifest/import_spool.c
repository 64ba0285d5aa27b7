/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_spool.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/num.h"
#include "core/stop.h"
#include "pack/holes.h"
#include "store/repo.h"

/*
 *	data     gzip members, one a block, in order; none for a block of zeros
 *	table    for each block where its data ends, eight bytes
 *
 * A small file lies in one block or two, so a block is what is unpacked for it in vain.
 */
#define BLOCK (128u << 10)
#define LEVEL 1
#define TABLE_BUFFER 4096u /* entries that are written at once */
#define ASK_EVERY (32u << 20) /* after so much data: is there room? */

struct import_spool {
	const struct repo *repo;
	int data_fd, table_fd;
	uint64_t blocks; /* that are in the table */
	uint64_t end; /* of data */
	uint64_t flushed; /* table entries on file */
	uint64_t asked;
	struct member_packer *packer;
	struct buf block, packed;
	uint64_t *table;
	size_t n_table;
};

int
import_spool_new(
    struct import_spool **out, const struct repo *repo, const char *name, struct err *e)
{
	struct import_spool *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_nomem(e);
	s->repo = repo;
	s->data_fd = s->table_fd = -1;
	if ((s->table = calloc(TABLE_BUFFER, sizeof(*s->table))) == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	if ((s->data_fd = repo_scratch(repo, name, e)) < 0 ||
	    (s->table_fd = repo_scratch(repo, name, e)) < 0 ||
	    member_packer_new(&s->packer, LEVEL, e) != 0)
		goto fail;
	*out = s;
	return 0;
fail:
	import_spool_free(s);
	return -1;
}

void
import_spool_free(struct import_spool *s)
{
	if (s == NULL)
		return;
	/* Scratch: what becomes of it does not matter any more. */
	if (s->data_fd >= 0)
		(void)close(s->data_fd);
	if (s->table_fd >= 0)
		(void)close(s->table_fd);
	member_packer_free(s->packer);
	buf_done(&s->block);
	buf_done(&s->packed);
	free(s->table);
	free(s);
}

uint64_t
import_spool_pos(const struct import_spool *s)
{
	return s->blocks * BLOCK + s->block.len;
}

uint64_t
import_spool_size(const struct import_spool *s)
{
	return s->end + s->blocks * sizeof(*s->table);
}

/* ---- writing ---- */

/* Names the volume: "write: No space left on device" alone would leave one guessing. */
static int
where(const struct import_spool *s, struct err *e)
{
	return err_where(e, "room for the archive's content, in %s", repo_dir(s->repo));
}

/* What is written here must leave room for the backup that is made of it. */
static int
ask_for_room(struct import_spool *s, struct err *e)
{
	uint64_t bytes, inodes, taken = import_spool_size(s);
	char has[16], wants[16];

	if (taken - s->asked < ASK_EVERY)
		return 0;
	s->asked = taken;
	if (repo_free_space(s->repo, &bytes, &inodes, e) != 0)
		return -1;
	if (bytes >= taken)
		return 0;
	num_human(bytes, has);
	num_human(taken, wants);
	return err_set(e, ERR_SYS,
	    "repository %s: %s is free, and the backup to come may need %s beside what is in work",
	    repo_dir(s->repo), has, wants);
}

static int
flush_table(struct import_spool *s, struct err *e)
{
	if (io_pwrite(s->table_fd, s->table, s->n_table * sizeof(*s->table),
		s->flushed * sizeof(*s->table), e) != 0)
		return where(s, e);
	s->flushed += s->n_table;
	s->n_table = 0;
	return ask_for_room(s, e); /* a sea of zeros takes room as well, in here */
}

/* One more block, with its data, if any, before end. */
static int
add_block(struct import_spool *s, struct err *e)
{
	s->table[s->n_table++] = s->end;
	s->blocks++;
	if (s->n_table == TABLE_BUFFER && (stop_check(e) != 0 || flush_table(s, e) != 0))
		return -1;
	return 0;
}

static int
flush_block(struct import_spool *s, struct err *e)
{
	if (s->block.len == 0)
		return 0;
	if (!holes_is_zero(s->block.data, s->block.len)) {
		buf_clear(&s->packed);
		if (member_pack(s->packer, s->block.data, s->block.len, &s->packed, e) != 0)
			return -1;
		if (io_pwrite(s->data_fd, s->packed.data, s->packed.len, s->end, e) != 0)
			return where(s, e);
		s->end += s->packed.len;
	}
	buf_clear(&s->block);
	return ask_for_room(s, e) != 0 ? -1 : add_block(s, e);
}

/* Up to a full block. */
static int
fill_block(struct import_spool *s, const void *data, size_t len, struct err *e)
{
	if (data != NULL)
		buf_append(&s->block, data, len);
	else
		buf_zeros(&s->block, len);
	if (buf_check(&s->block, e) != 0)
		return -1;
	return s->block.len == BLOCK ? flush_block(s, e) : 0;
}

int
import_spool_put(struct import_spool *s, const void *data, size_t len, struct err *e)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t n = BLOCK - s->block.len < len ? BLOCK - s->block.len : len;
		if (fill_block(s, from, n, e) != 0)
			return -1;
		from += n;
		len -= n;
	}
	return 0;
}

int
import_spool_zeros(struct import_spool *s, uint64_t len, struct err *e)
{
	while (len > 0) {
		size_t n = BLOCK - s->block.len < len ? BLOCK - s->block.len : (size_t)len;
		int rc = n == BLOCK ? add_block(s, e) : fill_block(s, NULL, n, e);
		if (rc != 0)
			return -1;
		len -= n;
	}
	return 0;
}

int
import_spool_finish(struct import_spool *s, struct err *e)
{
	/* The last block, too, is a whole one. */
	if (s->block.len > 0 && import_spool_zeros(s, BLOCK - s->block.len, e) != 0)
		return -1;
	return flush_table(s, e);
}

/* ---- reading ---- */

struct import_reader {
	const struct import_spool *s;
	struct member_unpacker *unpacker;
	struct buf packed, plain;
	uint64_t block; /* that is in plain */
	bool has_block;
};

int
import_reader_new(struct import_reader **out, const struct import_spool *s, struct err *e)
{
	struct import_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(e);
	r->s = s;
	if (member_unpacker_new(&r->unpacker, e) != 0) {
		free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
import_reader_free(struct import_reader *r)
{
	if (r == NULL)
		return;
	member_unpacker_free(r->unpacker);
	buf_done(&r->packed);
	buf_done(&r->plain);
	free(r);
}

static int
load(struct import_reader *r, uint64_t block, struct err *e)
{
	uint64_t at[2] = {0};
	const struct import_spool *s = r->s;

	if (r->has_block && r->block == block)
		return 0;
	r->has_block = false;
	if (io_pread_exact(s->table_fd, block == 0 ? &at[1] : at,
		block == 0 ? sizeof(at[1]) : sizeof(at),
		block == 0 ? 0 : (block - 1) * sizeof(at[0]), e) != 0)
		return -1;
	size_t len = (size_t)(at[1] - at[0]);
	buf_clear(&r->plain);
	if (len == 0) {
		buf_zeros(&r->plain, BLOCK);
		if (buf_check(&r->plain, e) != 0)
			return -1;
	} else {
		buf_clear(&r->packed);
		void *room = buf_reserve(&r->packed, len);
		if (room == NULL)
			return err_nomem(e);
		if (io_pread_exact(s->data_fd, room, len, at[0], e) != 0 ||
		    member_unpack(r->unpacker, room, len, BLOCK, &r->plain, e) != 0)
			return -1;
	}
	r->block = block;
	r->has_block = true;
	return 0;
}

int
import_reader_get(struct import_reader *r, uint64_t pos, void *out, size_t len, struct err *e)
{
	uint8_t *to = out;

	while (len > 0) {
		size_t in = (size_t)(pos % BLOCK);
		size_t n = BLOCK - in < len ? BLOCK - in : len;
		if (load(r, pos / BLOCK, e) != 0) {
			if (e != NULL && e->kind == ERR_CORRUPT)
				e->kind = ERR_SYS; /* the disk's fault, not the archive's */
			return err_where(e, "content that was put aside in %s, at %" PRIu64,
			    repo_dir(r->s->repo), pos);
		}
		memcpy(to, r->plain.data + in, n);
		to += n;
		pos += n;
		len -= n;
	}
	return 0;
}
