/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/manifest_root.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/path.h"

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

/* What is being built: paths move while they grow, so pages know theirs by place until the end. */
struct build {
	struct manifest_root *root;
	struct buf pages; /* struct manifest_root_page */
	struct buf path_at; /* size_t each; SIZE_MAX: END's */
	uint64_t members; /* on the pages so far */
	uint64_t end; /* of the last page, in the manifest */
};

static int
add_page(struct build *b, struct token *c, struct err *e)
{
	struct manifest_root_page p = {.first = b->members, .start = b->end};
	size_t at;
	bool is_end;

	if (manifest_parse_page(c, &p.page, &b->root->paths, &at, &is_end, e) == -1)
		return -1;
	if (p.page.at.offset < b->end)
		return bad(e, "pages out of order");
	/* Each place ends below 2^63 and no page has more than 512 lines: neither can wrap. */
	b->end = p.page.at.offset + p.page.at.packed_len;
	b->members += p.page.lines;
	if (is_end)
		at = SIZE_MAX;
	buf_append(&b->pages, &p, sizeof(p));
	buf_append(&b->path_at, &at, sizeof(at));
	return buf_check(&b->pages, e) == -1 ? -1 : buf_check(&b->path_at, e);
}

static int
parse_lines(struct build *b, struct token_text *t, struct err *e)
{
	struct manifest_root *root = b->root;
	struct token c;
	int n = token_line(t, &c, e);

	if (n == 1 && !(token_take(&c, "# tarseal-index ") && token_left(&c) > 0))
		return bad(e, "not an index");
	if (n == 1)
		root->version = token_take(&c, "2") ? 2 : token_take(&c, "1") ? 1 : 0;
	if (n == 1 && (root->version == 0 || !token_done(&c)))
		return err_set(e, ERR_UNSUPPORTED, "an index of a version that is not known here");
	if (n == 1)
		n = token_line(t, &c, e);
	if (n == 1 && manifest_parse_totals(&c, &root->totals, e) == -1)
		return -1;
	if (n == 1)
		n = token_line(t, &c, e);
	if (n == 1 && manifest_parse_head(&c, &root->head, e) == -1)
		return -1;
	if (n != 1)
		return n == 0 ? bad(e, "the index ends early") : -1;
	b->end = root->head.packed_len;
	while ((n = token_line(t, &c, e)) == 1)
		if (add_page(b, &c, e) == -1)
			return -1;
	return n;
}

/* Paths stay where they are now: hand them out, in an order that can be searched. */
static int
set_paths(struct build *b, struct err *e)
{
	struct manifest_root *root = b->root;
	const size_t *at = (const size_t *)(void *)b->path_at.data;

	for (size_t i = 0; i < root->n_pages; i++) {
		struct manifest_page *p = &root->pages[i].page;
		const struct manifest_page *before;

		p->path = at[i] == SIZE_MAX ? NULL : (const char *)root->paths.data + at[i];
		if (p->path == NULL && i + 1 < root->n_pages)
			return bad(e, "a page behind the end");
		if (i == 0 || p->path == NULL)
			continue;
		before = &root->pages[i - 1].page;
		if (path_cmp(before->path, before->path_len, p->path, p->path_len) > 0)
			return bad(e, "pages out of order");
	}
	return 0;
}

int
manifest_root_parse(
    struct manifest_root *root, const void *text, size_t len, uint64_t root_offset, struct err *e)
{
	struct build b = {.root = root};
	struct token_text t;
	int rc;

	memset(root, 0, sizeof(*root));
	token_text_init(&t, text, len);
	rc = parse_lines(&b, &t, e);
	if (rc == -1)
		(void)err_where(e, "line %llu", (unsigned long long)t.line_no);
	root->pages = (struct manifest_root_page *)(void *)b.pages.data;
	root->n_pages = b.pages.len / sizeof(*root->pages);
	if (rc == 0 && (b.members != root->totals.members || b.members == 0))
		rc = bad(e, "the pages do not hold as many members as the root says");
	if (rc == 0 && b.end != root_offset)
		rc = bad(e, "the pages do not fill the manifest");
	if (rc == 0)
		rc = set_paths(&b, e);
	buf_done(&b.path_at);
	if (rc == -1)
		manifest_root_done(root);
	return rc;
}

void
manifest_root_done(struct manifest_root *root)
{
	free(root->pages);
	buf_done(&root->paths);
	memset(root, 0, sizeof(*root));
}

size_t
manifest_root_find(const struct manifest_root *root, uint64_t n)
{
	size_t low = 0, high = root->n_pages;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (root->pages[mid].first + root->pages[mid].page.lines <= n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
manifest_root_lower(const struct manifest_root *root, const char *path, size_t len)
{
	size_t low = 0, high = root->n_pages;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct manifest_page *p = &root->pages[mid].page;

		if (p->path != NULL && path_cmp(p->path, p->path_len, path, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
