/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/manifest_text.h"

#include <inttypes.h>
#include <string.h>

#include "archive/member.h"
#include "core/err.h"
#include "core/path.h"

uint64_t
manifest_packed_max(uint64_t plain_len)
{
	return plain_len + plain_len / 512 + 1024;
}

/* ---- order ---- */

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

int
manifest_order_check(const struct manifest_order *o, const struct manifest_member *m, struct err *e)
{
	int cmp;

	if (!o->known)
		return 0;
	if (o->kind == MANIFEST_END)
		return bad(e, "a member behind the end");
	if (m->offset != o->end)
		return bad(e, "members do not lie end to end");
	if (m->kind == MANIFEST_END)
		return 0;
	cmp = path_cmp((const char *)o->path.data, o->path.len, m->path, m->path_len);
	if (m->kind != MANIFEST_CHUNK)
		return cmp < 0 ? 0 : bad(e, "members out of order");
	if (cmp != 0 || o->kind == MANIFEST_FILES)
		return bad(e, "a chunk that does not follow its file");
	if (o->kind == MANIFEST_CHUNK && m->file_offset <= o->file_offset)
		return bad(e, "chunks out of order");
	return 0;
}

int
manifest_order_set(struct manifest_order *o, const struct manifest_member *m, struct err *e)
{
	o->known = true;
	o->kind = m->kind;
	o->end = m->offset + m->packed_len;
	o->file_offset = m->file_offset;
	buf_clear(&o->path);
	if (m->path != NULL)
		buf_append(&o->path, m->path, m->path_len);
	(void)buf_str(&o->path);
	return buf_check(&o->path, e);
}

int
manifest_order_copy(struct manifest_order *to, const struct manifest_order *from, struct err *e)
{
	struct buf path = to->path;

	*to = *from;
	to->path = path;
	buf_clear(&to->path);
	if (from->path.len > 0)
		buf_append(&to->path, from->path.data, from->path.len);
	(void)buf_str(&to->path);
	return buf_check(&to->path, e);
}

/* ---- writing ---- */

static void
put_path(struct buf *text, const char *path, size_t len)
{
	if (path == NULL)
		buf_putc(text, '-');
	else
		path_escape_mtree(text, path, len);
}

void
manifest_put_head(struct buf *text, const char *name)
{
	buf_printf(text, "#mtree\n# tarseal-manifest 1\n# name: %s\n", name);
}

void
manifest_put_member(struct buf *text, const struct manifest_member *m)
{
	buf_printf(text, "#@ %c %" PRIu64 " %" PRIu64 " %" PRIu64 " ", (char)m->kind, m->offset,
	    m->packed_len, m->plain_len);
	sha256_put(text, m->packed_digest);
	buf_putc(text, ' ');
	sha256_put(text, m->plain_digest);
	buf_putc(text, ' ');
	if (m->has_key)
		sha256_put(text, m->key);
	else
		buf_putc(text, '-');
	if (m->section_len > 0) {
		buf_printf(text, " %" PRIu64 " %" PRIu64 " %" PRIu64 " ", m->section_offset,
		    m->section_len, m->section_plain);
		sha256_put(text, m->section_digest);
	} else {
		buf_puts(text, " 0 0 0 -");
	}
	buf_printf(text, " %" PRIu64 " %" PRIu64 " ", m->entries, m->file_offset);
	put_path(text, m->path, m->path_len);
	buf_putc(text, '\n');
}

void
manifest_put_page(struct buf *text, const struct manifest_page *p)
{
	buf_printf(text, "#@ page %" PRIu64 " %" PRIu64 " %" PRIu64 " ", p->at.offset,
	    p->at.packed_len, p->at.plain_len);
	sha256_put(text, p->at.digest);
	buf_printf(text, " %" PRIu64 " ", p->lines);
	put_path(text, p->path, p->path_len);
	buf_putc(text, '\n');
}

void
manifest_put_root(struct buf *text, unsigned version, const struct manifest_totals *t,
    const struct manifest_piece *head, const char *pages, size_t pages_len)
{
	buf_printf(text,
	    "# tarseal-index %u\n"
	    "#@ root %" PRIu64 " %" PRIu64 " %" PRIu64 "\n"
	    "#@ head %" PRIu64 " %" PRIu64 " ",
	    version, t->members, t->entries, t->plain, head->packed_len, head->plain_len);
	sha256_put(text, head->digest);
	buf_putc(text, '\n');
	buf_append(text, pages, pages_len);
}

/* ---- reading ---- */

/* A number and the space behind it. */
static bool
take_number(struct token *c, uint64_t *out)
{
	return token_u64(c, INT64_MAX, out) && token_take(c, " ");
}

static bool
take_digest(struct token *c, uint8_t out[SHA256_LEN])
{
	return token_digest(c, out) && token_take(c, " ");
}

/* OFFSET PACKED PLAIN: inside 2^63, and no length out of proportion. */
static bool
take_place(struct token *c, uint64_t plain_max, uint64_t padding_max, uint64_t *offset,
    uint64_t *packed, uint64_t *plain)
{
	return take_number(c, offset) && take_number(c, packed) && take_number(c, plain) &&
	    *plain <= plain_max && *packed <= manifest_packed_max(*plain) + padding_max &&
	    *packed <= INT64_MAX - *offset;
}

static int
take_last_path(
    struct token *c, struct buf *path, size_t *path_at, size_t *len, bool *is_end, struct err *e)
{
	struct buf one = {.data = NULL};
	int rc = -1;

	*is_end = token_left(c) == 1 && token_take(c, "-");
	*path_at = path->len;
	*len = 0;
	if (*is_end)
		return 0;
	if (token_path(c, &one, e) == -1)
		goto out;
	if (one.len > MANIFEST_PATH_MAX || !token_done(c)) {
		(void)bad(e, "path too long, or something behind it");
		goto out;
	}
	*len = one.len;
	buf_append(path, buf_str(&one), one.len + 1);
	rc = buf_check(path, e);
out:
	buf_done(&one);
	return rc;
}

static bool
take_key(struct token *c, struct manifest_member *m)
{
	m->has_key = !token_take(c, "- ");
	return !m->has_key || take_digest(c, m->key);
}

static bool
take_section(struct token *c, struct manifest_member *m)
{
	if (token_take(c, "0 0 0 - "))
		return true;
	return take_place(c, MEMBER_PLAIN_MAX, 0, &m->section_offset, &m->section_len,
		   &m->section_plain) &&
	    m->section_len > 0 && take_digest(c, m->section_digest);
}

static bool
take_kind(struct token *c, enum manifest_kind *kind)
{
	static const struct {
		const char *word;
		enum manifest_kind kind;
	} kinds[] = {
	    {"#@ f ", MANIFEST_FILES},
	    {"#@ h ", MANIFEST_HEADER},
	    {"#@ c ", MANIFEST_CHUNK},
	    {"#@ e ", MANIFEST_END},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (token_take(c, kinds[i].word)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

int
manifest_parse_member(
    struct token *c, struct manifest_member *m, struct buf *path, size_t *path_at, struct err *e)
{
	bool is_end;

	memset(m, 0, sizeof(*m));
	if (!take_kind(c, &m->kind))
		return bad(e, "not an index line");
	if (!take_place(c, MEMBER_PLAIN_MAX, MANIFEST_PADDING_MAX, &m->offset, &m->packed_len,
		&m->plain_len) ||
	    m->packed_len == 0)
		return bad(e, "impossible place or length of a member");
	if (!take_digest(c, m->packed_digest) || !take_digest(c, m->plain_digest) ||
	    !take_key(c, m))
		return bad(e, "not a digest");
	if (!take_section(c, m))
		return bad(e, "impossible section");
	if (!take_number(c, &m->entries) || (m->entries > 0 && m->section_len == 0))
		return bad(e, "impossible number of entries");
	if (!take_number(c, &m->file_offset) || (m->kind != MANIFEST_CHUNK && m->file_offset != 0))
		return bad(e, "impossible file offset");
	if (take_last_path(c, path, path_at, &m->path_len, &is_end, e) == -1)
		return -1;
	return is_end == (m->kind == MANIFEST_END) ? 0 : bad(e, "member without a path");
}

int
manifest_parse_page(struct token *c, struct manifest_page *p, struct buf *path, size_t *path_at,
    bool *is_end, struct err *e)
{
	memset(p, 0, sizeof(*p));
	if (!token_take(c, "#@ page ") ||
	    !take_place(
		c, MANIFEST_PAGE_MAX, 0, &p->at.offset, &p->at.packed_len, &p->at.plain_len) ||
	    p->at.packed_len == 0 || !take_digest(c, p->at.digest))
		return bad(e, "not a page");
	if (!take_number(c, &p->lines) || p->lines < 1 || p->lines > MANIFEST_PAGE_LINES)
		return bad(e, "impossible number of lines");
	return take_last_path(c, path, path_at, &p->path_len, is_end, e);
}

int
manifest_parse_totals(struct token *c, struct manifest_totals *t, struct err *e)
{
	if (!token_take(c, "#@ root ") || !take_number(c, &t->members) ||
	    !take_number(c, &t->entries) || !token_u64(c, INT64_MAX, &t->plain) || !token_done(c))
		return bad(e, "not the totals");
	return 0;
}

int
manifest_parse_head(struct token *c, struct manifest_piece *head, struct err *e)
{
	memset(head, 0, sizeof(*head));
	if (!token_take(c, "#@ head ") || !take_number(c, &head->packed_len) ||
	    !take_number(c, &head->plain_len) || !token_digest(c, head->digest) || !token_done(c))
		return bad(e, "not the head");
	if (head->plain_len > MANIFEST_PAGE_MAX || head->packed_len == 0 ||
	    head->packed_len > manifest_packed_max(head->plain_len))
		return bad(e, "impossible length of the head");
	return 0;
}
