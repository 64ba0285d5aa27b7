/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/stale.h"

#include <string.h>

#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "pack/job.h"
#include "pack/reuse.h"
#include "seal/section.h"

static void
tell(struct job *j, const char *path, size_t len)
{
	tally_event(&j->tally, TALLY_UNTRACED, path, len, NULL);
}

/* The next line that is an entry: 1, 0 at the end, -1. */
static int
next_entry(struct section_parser *p, struct section_line *line, struct err *e)
{
	int rc;

	while ((rc = section_next(p, line, e)) == 1 && line->is_note)
		;
	return rc;
}

static bool
same(const struct section_line *a, const struct section_line *b)
{
	return a->has_sha256 == b->has_sha256 && a->has_xattrs == b->has_xattrs &&
	    memcmp(a->sha256, b->sha256, SHA256_LEN) == 0 &&
	    memcmp(a->xattrs, b->xattrs, SHA256_LEN) == 0;
}

/* Both tell of the same entries in the same order: the key has all but the content. */
static int
compare(struct job *j, const struct buf *was, const struct buf *is, size_t *n, struct err *e)
{
	struct section_parser *a = NULL, *b = NULL;
	struct section_line old = {0}, now = {0};
	int rc = -1;

	*n = 0;
	if (section_parser_new(&a, was->data, was->len, e) != 0 ||
	    section_parser_new(&b, is->data, is->len, e) != 0)
		goto out;
	while ((rc = next_entry(a, &old, e)) == 1 && (rc = next_entry(b, &now, e)) == 1) {
		if (same(&old, &now))
			continue;
		tell(j, now.path, now.path_len);
		++*n;
	}
out:
	section_parser_free(a);
	section_parser_free(b);
	return rc;
}

static int
older_text(const struct reuse *r, const struct job *j, struct buf *text, struct err *e)
{
	struct member_unpacker *u = NULL;
	struct buf packed = {0};
	struct err why;

	int rc = reuse_fetch_section(r, &j->old, &packed, &why, e);
	if (rc == 1)
		rc = err_pass(e, &why);
	if (rc == 0)
		rc = member_unpacker_new(&u, e);
	if (rc == 0)
		rc = member_unpack(u, packed.data, packed.len, j->old.section_plain, text, e);
	member_unpacker_free(u);
	buf_done(&packed);
	return rc;
}

int
stale_tell(const struct reuse *r, struct job *j, const struct buf *text, struct err *e)
{
	const struct job_item *first = job_first(j);
	struct buf was = {0};
	struct err why = {0};
	size_t n = 0;

	int rc = older_text(r, j, &was, &why);
	if (rc == 0)
		rc = compare(j, &was, text, &n, &why);
	buf_done(&was);
	if (rc < 0 && err_is_ours(&why))
		return err_pass(e, &why);
	/* Without the older section, or where it names none: it begins with this one. */
	if (n == 0)
		tell(j, job_path(j, first), first->path_len);
	return 0;
}
