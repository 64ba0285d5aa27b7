/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/reuse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "seal/seal.h"

struct reuse {
	struct reuse_opts o;
};

struct reuse_cursor {
	const struct reuse *reuse;
	struct manifest_reader *reader;
	bool has; /* m is a member; its path lives until the reader goes on */
	struct manifest_member m;
	unsigned damaged; /* pages that were stepped over */
	struct err told; /* the last of them */
};

static int
check_size(const struct reuse_opts *o, struct err *e)
{
	struct stat st;

	if (fstat(o->archive_fd, &st) != 0)
		return err_sys(e, "fstat");
	if (st.st_size < 0 || (uint64_t)st.st_size != o->seal->archive_size)
		return err_set(e, ERR_CORRUPT, "the archive has another size than its seal says");
	return 0;
}

int
reuse_new(struct reuse **out, const struct reuse_opts *opts, struct err *e)
{
	struct reuse *r = calloc(1, sizeof(*r));
	struct manifest_reader *reader;

	if (r == NULL) {
		(void)close(opts->archive_fd);
		(void)close(opts->manifest_fd);
		return err_nomem(e);
	}
	r->o = *opts;
	if (check_size(opts, e) != 0 ||
	    manifest_reader_new(&reader, opts->manifest_fd, opts->seal, e) != 0) {
		reuse_free(r);
		return -1;
	}
	manifest_reader_free(reader);
	*out = r;
	return 0;
}

void
reuse_free(struct reuse *r)
{
	if (r == NULL)
		return;
	(void)close(r->o.archive_fd);
	(void)close(r->o.manifest_fd);
	free(r);
}

const char *
reuse_name(const struct reuse *r)
{
	return r->o.seal->name;
}

int
reuse_archive_fd(const struct reuse *r)
{
	return r->o.archive_fd;
}

/* ---- fetching ---- */

/* 0; 1 and *why; -1. */
static int
fetch(int fd, uint64_t offset, uint64_t len, const uint8_t digest[SHA256_LEN], struct buf *out,
    struct err *why, struct err *e)
{
	uint8_t found[SHA256_LEN];

	uint8_t *room = buf_reserve(out, len);
	if (room == NULL)
		return err_nomem(e);
	if (io_pread_exact(fd, room, len, offset, why) != 0)
		return 1;
	sha256_of(room, len, found);
	if (memcmp(found, digest, SHA256_LEN) != 0) {
		(void)err_set(why, ERR_CORRUPT, "digest differs");
		return 1;
	}
	out->len += len;
	return 0;
}

int
reuse_fetch_member(const struct reuse *r, const struct manifest_member *m, struct buf *out,
    struct err *why, struct err *e)
{
	err_clear(why);
	int rc = fetch(r->o.archive_fd, m->offset, m->packed_len, m->packed_digest, out, why, e);
	if (rc == 1)
		(void)err_where(why, "member at %llu of the archive of %s",
		    (unsigned long long)m->offset, reuse_name(r));
	return rc;
}

int
reuse_fetch_section(const struct reuse *r, const struct manifest_member *m, struct buf *out,
    struct err *why, struct err *e)
{
	err_clear(why);
	if (m->section_len == 0)
		return 0;
	int rc = fetch(
	    r->o.manifest_fd, m->section_offset, m->section_len, m->section_digest, out, why, e);
	if (rc == 1)
		(void)err_where(why, "section at %llu of the manifest of %s",
		    (unsigned long long)m->section_offset, reuse_name(r));
	return rc;
}

/* ---- the cursor ---- */

static void
advance(struct reuse_cursor *c)
{
	struct err e = {0};
	int rc;

	while ((rc = manifest_next(c->reader, &c->m, &e)) < 0) {
		c->damaged++;
		if (strcmp(e.msg, c->told.msg) != 0)
			log_warn("%s: manifest: %s; what that lists is packed anew",
			    reuse_name(c->reuse), e.msg);
		c->told = e;
		err_clear(&e);
	}
	c->has = rc == 1 && c->m.kind != MANIFEST_END;
}

int
reuse_cursor_new(struct reuse_cursor **out, const struct reuse *r, struct err *e)
{
	struct reuse_cursor *c = calloc(1, sizeof(*c));
	struct err why = {0};

	*out = NULL;
	if (c == NULL)
		return err_nomem(e);
	c->reuse = r;
	if (manifest_reader_new(&c->reader, r->o.manifest_fd, r->o.seal, &why) != 0) {
		reuse_cursor_free(c);
		if (err_is_ours(&why))
			return err_pass(e, &why);
		log_warn("nothing is copied from %s: %s", reuse_name(r), why.msg);
		return 0;
	}
	advance(c);
	*out = c;
	return 0;
}

void
reuse_cursor_free(struct reuse_cursor *c)
{
	if (c == NULL)
		return;
	manifest_reader_free(c->reader);
	free(c);
}

const struct reuse *
reuse_of(const struct reuse_cursor *c)
{
	return c->reuse;
}

static bool
is_at(const struct reuse_cursor *c, const char *path, size_t len)
{
	return c->m.path_len == len && memcmp(c->m.path, path, len) == 0;
}

/* Is the cursor's member before what is looked for? */
static bool
is_before(const struct reuse_cursor *c, enum manifest_kind kind, const char *path, size_t len,
    uint64_t file_offset)
{
	int cmp = path_cmp(c->m.path, c->m.path_len, path, len);

	if (cmp != 0)
		return cmp < 0;
	return kind == MANIFEST_CHUNK &&
	    (c->m.kind != MANIFEST_CHUNK || c->m.file_offset < file_offset);
}

/* The cursor's member, for somebody who keeps it. */
static bool
give(const struct reuse_cursor *c, struct manifest_member *m)
{
	*m = c->m;
	m->path = NULL;
	m->path_len = 0;
	return true;
}

bool
reuse_find(struct reuse_cursor *c, enum manifest_kind kind, const char *path, size_t len,
    uint64_t file_offset, struct manifest_member *m)
{
	while (c->has && is_before(c, kind, path, len, file_offset))
		advance(c);
	if (!c->has || c->m.kind != kind || c->m.file_offset != file_offset || !is_at(c, path, len))
		return false;
	return give(c, m);
}

bool
reuse_next_chunk(struct reuse_cursor *c, const char *path, size_t len, struct manifest_member *m)
{
	advance(c);
	return c->has && c->m.kind == MANIFEST_CHUNK && is_at(c, path, len) && give(c, m);
}

static bool
key_is(const struct manifest_member *m, const uint8_t *key)
{
	return m->has_key && memcmp(m->key, key, SHA256_LEN) == 0;
}

bool
reuse_has_key(struct reuse_cursor *c, const char *path, size_t len, const uint8_t key[SHA256_LEN],
    uint64_t *plain)
{
	struct manifest_member m;
	struct err e = {0};
	bool all = true;

	if (!reuse_find(c, MANIFEST_HEADER, path, len, 0, &m) || !key_is(&m, key))
		return false;
	uint64_t header = manifest_tell(c->reader);
	unsigned damaged = c->damaged;
	for (*plain = 0; all && reuse_next_chunk(c, path, len, &m); *plain += m.plain_len)
		all = key_is(&m, key);
	all = all && c->damaged == damaged; /* else some chunks may have been stepped over */
	/* A page that could be read a moment ago may not be now; then there is no header either. */
	if (manifest_seek(c->reader, header, &e) != 0)
		return false;
	advance(c);
	return all && c->has && c->m.kind == MANIFEST_HEADER && is_at(c, path, len);
}

void
reuse_seek(struct reuse_cursor *c, const char *path, size_t len)
{
	struct err e = {0};

	/* Damage is told when it is come to. */
	(void)manifest_seek_path(c->reader, path, len, &e);
	advance(c);
}

/* ---- judgement ---- */

enum reuse_how
reuse_judge(const struct reuse *r, const struct manifest_member *old, const uint8_t *key,
    const char *path, size_t len, uint64_t file_offset)
{
	if (!r->o.by_stat || key == NULL || !key_is(old, key))
		return REUSE_CONTENT;
	uint64_t turn = hash_cut(path, len) + file_offset / CUT_CHUNK;
	return turn % REUSE_ROUND == r->o.night % REUSE_ROUND ? REUSE_AGAIN : REUSE_STAT;
}
