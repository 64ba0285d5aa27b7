/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "archive/member.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "seal/manifest.h"
#include "seal/manifest_root.h"
#include "seal/manifest_text.h"
#include "seal/seal.h"

/*
 * Nothing is used before its digest is checked: the root against the seal, a page
 * against the root, a section against its page.  Still all of it is parsed as if it were
 * hostile, because a signer may have been fooled or broken.
 *
 * A page is parsed whole when it is first needed, so that a page is either good to
 * the last line or reported and stepped over; manifest_next then only hands out.
 */
struct manifest_reader {
	int fd;
	char name[SEAL_NAME_MAX + 1];
	uint64_t archive_size, root_offset;
	struct member_unpacker *unpacker;
	struct buf packed, text; /* scratch */
	struct manifest_root root;

	/* The page in memory. */
	bool loaded;
	size_t page; /* its number, loaded or to be loaded next */
	struct manifest_member *members; /* MANIFEST_PAGE_LINES of them */
	size_t n_members;
	struct buf paths;

	/* Where manifest_next stands: before members[at] of page. */
	size_t at;
	uint64_t told;
	struct manifest_order before; /* the last member of the page before, if it was just read */
	bool whole; /* all members since number 0 were handed out: the totals can be checked */
	struct manifest_totals seen;
};

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

/* ---- pieces ---- */

static int
read_packed(struct manifest_reader *r, const struct manifest_piece *p, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	void *to;

	buf_clear(&r->packed);
	to = buf_reserve(&r->packed, p->packed_len);
	if (to == NULL)
		return err_nomem(e);
	if (io_pread_exact(r->fd, to, p->packed_len, p->offset, e) == -1)
		return -1;
	r->packed.len = p->packed_len;
	sha256_of(to, p->packed_len, digest);
	if (memcmp(digest, p->digest, SHA256_LEN) != 0)
		return bad(e, "digest differs");
	return 0;
}

static int
read_piece(
    struct manifest_reader *r, const struct manifest_piece *p, struct buf *text, struct err *e)
{
	if (read_packed(r, p, e) == -1)
		return -1;
	return member_unpack(r->unpacker, r->packed.data, r->packed.len, p->plain_len, text, e);
}

/* ---- opening ---- */

static int
read_root(struct manifest_reader *r, const struct seal *s, struct err *e)
{
	struct manifest_piece p = {.offset = s->root_offset, .packed_len = s->root_len};

	memcpy(p.digest, s->root_digest, SHA256_LEN);
	if (s->root_len > manifest_packed_max(MEMBER_PLAIN_MAX))
		return bad(e, "impossible length");
	if (read_packed(r, &p, e) == -1)
		return -1;
	p.plain_len = member_claimed_len(r->packed.data, r->packed.len);
	if (p.plain_len > MEMBER_PLAIN_MAX)
		return bad(e, "impossible length");
	if (member_unpack(r->unpacker, r->packed.data, r->packed.len, p.plain_len, &r->text, e) ==
	    -1)
		return -1;
	return manifest_root_parse(&r->root, r->text.data, r->text.len, s->root_offset, e);
}

int
manifest_reader_new(struct manifest_reader **out, int fd, const struct seal *s, struct err *e)
{
	struct manifest_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(e);
	r->fd = fd;
	memcpy(r->name, s->name, sizeof(r->name));
	r->archive_size = s->archive_size;
	r->root_offset = s->root_offset;
	r->whole = true;
	r->members = calloc(MANIFEST_PAGE_LINES, sizeof(*r->members));
	if (r->members == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	if (member_unpacker_new(&r->unpacker, e) == -1)
		goto fail;
	if (read_root(r, s, e) == -1) {
		(void)err_where(e, "root of the manifest's index");
		goto fail;
	}
	/* It may have been large, and pages are not. */
	buf_done(&r->packed);
	buf_done(&r->text);
	*out = r;
	return 0;
fail:
	manifest_reader_free(r);
	return -1;
}

void
manifest_reader_free(struct manifest_reader *r)
{
	if (r == NULL)
		return;
	member_unpacker_free(r->unpacker);
	manifest_root_done(&r->root);
	buf_done(&r->packed);
	buf_done(&r->text);
	buf_done(&r->paths);
	buf_done(&r->before.path);
	free(r->members);
	free(r);
}

struct manifest_totals
manifest_totals(const struct manifest_reader *r)
{
	return r->root.totals;
}

int
manifest_check_head(struct manifest_reader *r, struct err *e)
{
	struct buf want = {.data = NULL};
	int rc = read_piece(r, &r->root.head, &r->text, e);

	if (rc == 0) {
		manifest_put_head(&want, r->name);
		rc = buf_check(&want, e);
	}
	if (rc == 0 && (want.len != r->text.len || memcmp(want.data, r->text.data, want.len) != 0))
		rc = bad(e, "does not say what the seal says");
	buf_done(&want);
	return rc == -1 ? err_where(e, "head of the manifest") : 0;
}

/* ---- pages ---- */

/* Sections fill the manifest from where the page before ended up to this page. */
static int
check_sections(const struct manifest_reader *r, const struct manifest_root_page *p, struct err *e)
{
	uint64_t at = p->start;

	for (size_t i = 0; i < r->n_members; i++) {
		const struct manifest_member *m = &r->members[i];

		if (m->section_len == 0)
			continue;
		if (m->section_offset != at)
			return bad(e, "sections do not lie end to end");
		at += m->section_len;
	}
	return at == p->page.at.offset ? 0 : bad(e, "sections do not reach up to their page");
}

/* The first and the last line, against root and seal. */
static int
check_ends(const struct manifest_reader *r, const struct manifest_root_page *p, struct err *e)
{
	const struct manifest_member *first = &r->members[0], *last = &r->members[r->n_members - 1];
	bool last_page = p == &r->root.pages[r->root.n_pages - 1];
	const struct manifest_page *next = last_page ? NULL : &p[1].page;

	if ((first->path == NULL) != (p->page.path == NULL) ||
	    first->path_len != p->page.path_len ||
	    (first->path != NULL && memcmp(first->path, p->page.path, first->path_len) != 0))
		return bad(e, "starts with another path than the root says");
	if (p == r->root.pages && (first->offset != 0 || first->kind == MANIFEST_CHUNK))
		return bad(e, "the first member is not the archive's start");
	if (last_page != (last->kind == MANIFEST_END))
		return bad(e, "the end is not the last member");
	if (last_page && last->offset + last->packed_len != r->archive_size)
		return bad(e, "the last member is not the archive's end");
	if (next != NULL && next->path != NULL &&
	    path_cmp(last->path, last->path_len, next->path, next->path_len) > 0)
		return bad(e, "reaches into the next page");
	return 0;
}

static int
parse_page(struct manifest_reader *r, const struct manifest_root_page *p, struct err *e)
{
	size_t path_at[MANIFEST_PAGE_LINES];
	struct token_text t;
	struct token c;
	size_t n = 0;
	int rc;

	buf_clear(&r->paths);
	token_text_init(&t, r->text.data, r->text.len);
	while ((rc = token_line(&t, &c, e)) == 1) {
		if (n == p->page.lines)
			return bad(e, "more lines than the root says");
		if (manifest_parse_member(&c, &r->members[n], &r->paths, &path_at[n], e) == -1)
			return err_where(e, "line %zu", n + 1);
		if (manifest_version_for(&r->members[n]) > r->root.version)
			return bad(e, "a member longer than its index may tell of");
		n++;
	}
	if (rc == -1)
		return -1;
	if (n != p->page.lines)
		return bad(e, "fewer lines than the root says");
	r->n_members = n;
	for (size_t i = 0; i < n; i++)
		if (r->members[i].kind != MANIFEST_END)
			r->members[i].path = (const char *)r->paths.data + path_at[i];
	return 0;
}

/* Each line against the one before it, from r->before on; leaves that at the last line. */
static int
check_order(struct manifest_reader *r, struct err *e)
{
	for (size_t i = 0; i < r->n_members; i++) {
		const struct manifest_member *m = &r->members[i];

		if (m->offset + m->packed_len > r->archive_size)
			return bad(e, "a member outside the archive");
		if (manifest_order_check(&r->before, m, e) == -1 ||
		    manifest_order_set(&r->before, m, e) == -1)
			return -1;
	}
	return 0;
}

static const char *
shown(const char *path)
{
	return path == NULL ? "the end" : *path == '\0' ? "." : path;
}

/* The path of page number i; NULL for the end of the archive. */
static const char *
page_path(const struct manifest_reader *r, size_t i)
{
	return i < r->root.n_pages ? r->root.pages[i].page.path : NULL;
}

static int
load_page(struct manifest_reader *r, struct err *e)
{
	const struct manifest_root_page *p = &r->root.pages[r->page];

	if (read_piece(r, &p->page.at, &r->text, e) == 0 && parse_page(r, p, e) == 0 &&
	    check_ends(r, p, e) == 0 && check_sections(r, p, e) == 0 && check_order(r, e) == 0) {
		r->loaded = true;
		return 0;
	}
	r->loaded = false;
	return err_where(e, "page %zu of %zu of the manifest's index, from %s up to %s",
	    r->page + 1, r->root.n_pages, shown(p->page.path), shown(page_path(r, r->page + 1)));
}

/* Stand before member at of page. */
static void
go_to(struct manifest_reader *r, size_t page, size_t at)
{
	if (page != r->page) {
		r->loaded = false;
		r->before.known = false;
	}
	r->page = page;
	r->at = at;
	r->whole = page == 0 && at == 0;
	memset(&r->seen, 0, sizeof(r->seen));
}

/* ---- handing out ---- */

static int
check_totals(struct manifest_reader *r, struct err *e)
{
	const struct manifest_totals *a = &r->seen, *b = &r->root.totals;
	bool check = r->whole;

	r->whole = false;
	if (check && (a->members != b->members || a->entries != b->entries || a->plain != b->plain))
		return bad(e, "the manifest's index does not add up to its totals");
	return 0;
}

int
manifest_next(struct manifest_reader *r, struct manifest_member *m, struct err *e)
{
	if (r->loaded && r->at == r->n_members) {
		r->loaded = false;
		r->page++;
		r->at = 0;
	}
	if (r->page == r->root.n_pages)
		return check_totals(r, e);
	if (!r->loaded && load_page(r, e) == -1) {
		go_to(r, r->page + 1, 0);
		return -1;
	}
	*m = r->members[r->at];
	r->told = r->root.pages[r->page].first + r->at;
	r->at++;
	r->seen.members++;
	r->seen.entries += m->entries;
	r->seen.plain += m->plain_len;
	return 1;
}

uint64_t
manifest_tell(const struct manifest_reader *r)
{
	return r->told;
}

int
manifest_seek(struct manifest_reader *r, uint64_t first, struct err *e)
{
	size_t page = manifest_root_find(&r->root, first);

	if (first > r->root.totals.members)
		return err_set(e, ERR_NOTFOUND, "no member %llu", (unsigned long long)first);
	go_to(r, page, page < r->root.n_pages ? (size_t)(first - r->root.pages[page].first) : 0);
	return 0;
}

/* The first member of the page in memory whose path is path or behind it. */
static size_t
lower_member(const struct manifest_reader *r, const char *path, size_t len)
{
	size_t low = 0, high = r->n_members;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct manifest_member *m = &r->members[mid];

		if (m->path != NULL && path_cmp(m->path, m->path_len, path, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Does the place before member i of the page in memory (or of the next one) start with path? */
static bool
starts_with(const struct manifest_reader *r, size_t i, const char *path, size_t len)
{
	const char *first;
	size_t first_len;

	if (i < r->n_members) {
		first = r->members[i].path;
		first_len = r->members[i].path_len;
	} else {
		first = page_path(r, r->page + 1);
		first_len = first != NULL ? r->root.pages[r->page + 1].page.path_len : 0;
	}
	return first != NULL && first_len == len && memcmp(first, path, len) == 0;
}

/*
 * A member that starts with path is the one; of a large file that is its header.  Else
 * path can only be in the member before the first that starts behind it, unless that is
 * of a large file and holds nothing else.  The page to look in is therefore the last
 * that starts before path; so its first member does, too, and i is not 0.
 */
int
manifest_seek_path(struct manifest_reader *r, const char *path, size_t len, struct err *e)
{
	size_t page = manifest_root_lower(&r->root, path, len), i;

	if (page == 0) {
		go_to(r, 0, 0);
		return 0;
	}
	go_to(r, page - 1, 0);
	if (!r->loaded && load_page(r, e) == -1) {
		go_to(r, page, 0);
		return -1;
	}
	i = lower_member(r, path, len);
	if (i > 0 && !starts_with(r, i, path, len) && r->members[i - 1].kind == MANIFEST_FILES)
		i--;
	r->at = i;
	r->whole = false;
	return 0;
}

/* ---- sections ---- */

/* Say which paths a damaged section held: up to the next member's, if that is at hand. */
static int
where_section(const struct manifest_reader *r, const struct manifest_member *m, struct err *e)
{
	size_t i = 0;
	const char *behind;

	while (r->loaded && i < r->n_members && r->members[i].offset != m->offset)
		i++;
	if (m->kind != MANIFEST_FILES || !r->loaded || i == r->n_members)
		return err_where(e, "manifest section of %s", shown(m->path));
	behind = i + 1 < r->n_members ? r->members[i + 1].path : page_path(r, r->page + 1);
	return err_where(e, "manifest section from %s up to %s", shown(m->path), shown(behind));
}

int
manifest_section(
    struct manifest_reader *r, const struct manifest_member *m, struct buf *text, struct err *e)
{
	struct manifest_piece p = {.offset = m->section_offset,
	    .packed_len = m->section_len,
	    .plain_len = m->section_plain};

	buf_clear(text);
	if (m->section_len == 0)
		return 0;
	/* m came through the caller's hands. */
	if (p.plain_len > MEMBER_PLAIN_MAX || p.packed_len > manifest_packed_max(p.plain_len) ||
	    p.packed_len > r->root_offset || p.offset > r->root_offset - p.packed_len)
		return bad(e, "impossible section");
	memcpy(p.digest, m->section_digest, SHA256_LEN);
	if (read_piece(r, &p, text, e) == 0)
		return 0;
	buf_clear(text);
	return where_section(r, m, e);
}
