/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "core/err.h"
#include "core/io.h"
#include "seal/manifest.h"
#include "seal/manifest_text.h"
#include "seal/seal.h"

/*
 * What a rewind must bring back: struct place is plain memory; the texts are copied
 * into the mark (the page may have been closed since), while the root only grows and
 * is cut to the length it had.
 */
struct place {
	uint64_t offset; /* end of the file */
	struct sha256 digest; /* of all before it */
	struct manifest_totals totals;
	unsigned version; /* of the index: the least that has room for all members */
	uint64_t page_lines; /* in the page being filled */
	bool page_is_end; /* its first line is END's */
	size_t root_len;
};

/* The texts of the page being filled, and what stands before the next member. */
struct texts {
	struct buf page;
	struct buf first_path;
	struct manifest_order before;
};

struct manifest_writer {
	int fd;
	bool broken; /* finished, or a write failed: only a rewind makes it good again */
	struct member_packer *packer;
	struct manifest_piece head;
	struct place at;
	struct texts texts;
	struct buf root; /* page lines */
	struct buf packed; /* scratch */
};

struct manifest_mark {
	struct place at;
	struct texts texts;
};

static void
texts_done(struct texts *t)
{
	buf_done(&t->page);
	buf_done(&t->first_path);
	buf_done(&t->before.path);
}

/* Append to the file. */
static int
emit(struct manifest_writer *w, const void *data, size_t len, struct err *e)
{
	if (io_pwrite(w->fd, data, len, w->at.offset, e) == -1)
		return -1;
	sha256_update(&w->at.digest, data, len);
	w->at.offset += len;
	return 0;
}

/* Append text as a gzip member, and say where it is. */
static int
emit_packed(
    struct manifest_writer *w, const struct buf *text, struct manifest_piece *piece, struct err *e)
{
	buf_clear(&w->packed);
	if (buf_check(text, e) == -1 ||
	    member_pack(w->packer, text->data, text->len, &w->packed, e) == -1 ||
	    buf_check(&w->packed, e) == -1)
		return -1;
	piece->offset = w->at.offset;
	piece->packed_len = w->packed.len;
	piece->plain_len = text->len;
	sha256_of(w->packed.data, w->packed.len, piece->digest);
	return emit(w, w->packed.data, w->packed.len, e);
}

int
manifest_writer_new(
    struct manifest_writer **out, int fd, const char *name, int level, struct err *e)
{
	struct manifest_writer *w = calloc(1, sizeof(*w));
	struct buf head = {.data = NULL};

	if (w == NULL)
		return err_nomem(e);
	w->fd = fd;
	sha256_init(&w->at.digest);
	w->at.version = 1;
	if (member_packer_new(&w->packer, level, e) == -1)
		goto fail;
	manifest_put_head(&head, name);
	if (emit_packed(w, &head, &w->head, e) == -1)
		goto fail;
	buf_done(&head);
	*out = w;
	return 0;
fail:
	buf_done(&head);
	manifest_writer_free(w);
	return -1;
}

void
manifest_writer_free(struct manifest_writer *w)
{
	if (w == NULL)
		return;
	member_packer_free(w->packer);
	texts_done(&w->texts);
	buf_done(&w->root);
	buf_done(&w->packed);
	free(w);
}

/* Write the page that is being filled, if it has lines, and its line in the root. */
static int
close_page(struct manifest_writer *w, struct err *e)
{
	struct manifest_page p = {.lines = w->at.page_lines};

	if (p.lines == 0)
		return 0;
	if (emit_packed(w, &w->texts.page, &p.at, e) == -1)
		return -1;
	if (!w->at.page_is_end) {
		p.path = buf_str(&w->texts.first_path);
		p.path_len = w->texts.first_path.len;
	}
	manifest_put_page(&w->root, &p);
	if (buf_check(&w->root, e) == -1)
		return -1;
	w->at.root_len = w->root.len;
	w->at.page_lines = 0;
	buf_clear(&w->texts.page);
	return 0;
}

static int
add_line(struct manifest_writer *w, const struct manifest_member *m, struct err *e)
{
	struct texts *t = &w->texts;

	if (w->at.page_lines == 0) {
		buf_clear(&t->first_path);
		if (m->path != NULL)
			buf_append(&t->first_path, m->path, m->path_len);
		w->at.page_is_end = m->path == NULL;
	}
	manifest_put_member(&t->page, m);
	if (buf_check(&t->page, e) == -1 || buf_check(&t->first_path, e) == -1 ||
	    manifest_order_set(&t->before, m, e) == -1)
		return -1;
	w->at.page_lines++;
	if (manifest_version_for(m) > w->at.version)
		w->at.version = manifest_version_for(m);
	w->at.totals.members++;
	w->at.totals.entries += m->entries;
	w->at.totals.plain += m->plain_len;
	if (w->at.page_lines < MANIFEST_PAGE_LINES && t->page.len < MANIFEST_PAGE_FULL)
		return 0;
	return close_page(w, e);
}

/* What a reader would refuse is refused here, before it is on disk. */
static int
check_member(const struct manifest_writer *w, const struct manifest_member *m, size_t len,
    size_t plain_len, struct err *e)
{
	struct err why;

	if (m->path_len > MANIFEST_PATH_MAX)
		return err_set(e, ERR_UNSUPPORTED, "path of %zu bytes is too long", m->path_len);
	if (m->plain_len > MEMBER_PLAIN_MAX || plain_len > MEMBER_PLAIN_MAX)
		return err_set(
		    e, ERR_UNSUPPORTED, "a member of more than %u bytes", MEMBER_PLAIN_MAX);
	if ((m->kind == MANIFEST_END) != (m->path == NULL) || (len == 0 && m->entries > 0) ||
	    (m->kind != MANIFEST_CHUNK && m->file_offset != 0) || m->packed_len == 0 ||
	    m->packed_len > manifest_packed_max(m->plain_len) + MANIFEST_PADDING_MAX ||
	    len > manifest_packed_max(plain_len))
		return err_set(e, ERR_UNSUPPORTED, "a member that the manifest cannot describe");
	err_clear(&why);
	if (!w->texts.before.known && (m->offset != 0 || m->kind == MANIFEST_CHUNK))
		(void)err_set(&why, ERR_CORRUPT, "not a first member");
	else
		(void)manifest_order_check(&w->texts.before, m, &why);
	return why.kind == ERR_NONE ? 0 : err_set(e, ERR_UNSUPPORTED, "%s", why.msg);
}

static int
usable(const struct manifest_writer *w, struct err *e)
{
	if (w->broken)
		return err_set(e, ERR_SYS, "manifest ended, or a write to it failed before");
	return 0;
}

int
manifest_write(struct manifest_writer *w, struct manifest_member *m, const void *section,
    size_t len, size_t plain_len, struct err *e)
{
	if (usable(w, e) == -1 || check_member(w, m, len, plain_len, e) == -1)
		return -1;
	m->section_offset = len > 0 ? w->at.offset : 0;
	m->section_len = len;
	m->section_plain = len > 0 ? plain_len : 0;
	memset(m->section_digest, 0, sizeof(m->section_digest));
	w->broken = true; /* until all is done */
	if (len > 0) {
		sha256_of(section, len, m->section_digest);
		if (emit(w, section, len, e) == -1)
			return -1;
	}
	if (add_line(w, m, e) == -1)
		return -1;
	w->broken = false;
	return 0;
}

/* ---- marks ---- */

static int
copy_buf(struct buf *to, const struct buf *from, struct err *e)
{
	buf_clear(to);
	if (from->len > 0)
		buf_append(to, from->data, from->len);
	return buf_check(to, e);
}

static int
copy_texts(struct texts *to, const struct texts *from, struct err *e)
{
	if (copy_buf(&to->page, &from->page, e) == -1 ||
	    copy_buf(&to->first_path, &from->first_path, e) == -1)
		return -1;
	return manifest_order_copy(&to->before, &from->before, e);
}

int
manifest_mark_new(struct manifest_mark **out, const struct manifest_writer *w, struct err *e)
{
	struct manifest_mark *m;

	if (usable(w, e) == -1)
		return -1;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return err_nomem(e);
	m->at = w->at;
	if (copy_texts(&m->texts, &w->texts, e) == -1) {
		manifest_mark_free(m);
		return -1;
	}
	*out = m;
	return 0;
}

int
manifest_rewind(struct manifest_writer *w, const struct manifest_mark *m, struct err *e)
{
	w->broken = true;
	if (ftruncate(w->fd, (off_t)m->at.offset) == -1)
		return err_sys(e, "truncate");
	if (copy_texts(&w->texts, &m->texts, e) == -1)
		return -1;
	w->at = m->at;
	w->root.len = m->at.root_len;
	w->root.failed = false;
	w->broken = false;
	return 0;
}

void
manifest_mark_free(struct manifest_mark *m)
{
	if (m == NULL)
		return;
	texts_done(&m->texts);
	free(m);
}

/* ---- the end ---- */

int
manifest_writer_finish(struct manifest_writer *w, struct seal *s, struct err *e)
{
	struct manifest_piece root;
	struct buf text = {.data = NULL};
	int rc = -1;

	if (usable(w, e) == -1)
		return -1;
	if (!w->texts.before.known || w->texts.before.kind != MANIFEST_END)
		return err_set(e, ERR_UNSUPPORTED, "a manifest without an end");
	w->broken = true; /* nothing may follow; on failure, nothing but a rewind */
	if (close_page(w, e) == -1)
		return -1;
	manifest_put_root(
	    &text, w->at.version, &w->at.totals, &w->head, buf_str(&w->root), w->root.len);
	if (text.len > MEMBER_PLAIN_MAX) {
		(void)err_set(e, ERR_UNSUPPORTED, "the manifest's index would be too large");
		goto out;
	}
	if (emit_packed(w, &text, &root, e) == -1)
		goto out;
	s->root_offset = root.offset;
	s->root_len = root.packed_len;
	memcpy(s->root_digest, root.digest, SHA256_LEN);
	s->manifest_size = w->at.offset;
	s->entries = w->at.totals.entries;
	sha256_final(&w->at.digest, s->manifest_digest);
	rc = 0;
out:
	buf_done(&text);
	return rc;
}
