/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/diff.h"

#include <string.h>

#include "core/err.h"
#include "core/path.h"

struct run {
	struct side *a, *b;
	const struct diff_opts *o;
	diff_fn fn;
	void *ctx;
	struct diff_totals *totals;
	/*
	 * A file's content or attributes changed, and its time did not.  A link's line has the
	 * time of its target, so up to here a section that both have holds no link whose target
	 * changed; from here on it may, and has to be read.  True from the start where not all
	 * targets are compared.
	 */
	bool unseen;
};

const struct section_line *
diff_line(const struct diff_item *d)
{
	return d->kind == DIFF_REMOVED ? d->before.line : d->after.line;
}

const char *
diff_kind_name(enum diff_kind kind)
{
	static const char *const names[] = {"added", "removed", "changed", "facts"};

	return names[kind];
}

const char *
diff_what_name(unsigned bit)
{
	switch (bit) {
	case DIFF_TYPE:
		return "type";
	case DIFF_CONTENT:
		return "content";
	case DIFF_MODE:
		return "mode";
	case DIFF_OWNER:
		return "owner";
	case DIFF_MTIME:
		return "mtime";
	case DIFF_XATTRS:
		return "xattrs";
	case DIFF_LINK:
		return "link";
	case DIFF_DEVICE:
		return "device";
	default:
		return NULL;
	}
}

/* ---- one entry in two versions ---- */

static bool
is_file(const struct section_line *l)
{
	return l->type == ENTRY_FILE || l->type == ENTRY_HARDLINK;
}

static bool
same_link(const struct section_line *a, const struct section_line *b)
{
	if (a->type != b->type)
		return false; /* a file and a hard link */
	return a->link == NULL || b->link == NULL ||
	    (a->link_len == b->link_len && memcmp(a->link, b->link, a->link_len) == 0);
}

static bool
same_xattrs(bool a_has, const uint8_t *a, bool b_has, const uint8_t *b)
{
	return a_has == b_has && (!a_has || memcmp(a, b, SHA256_LEN) == 0);
}

/* All that the two lines themselves tell. */
static unsigned
compare_lines(const struct section_line *a, const struct section_line *b)
{
	unsigned what = 0;

	if (a->mode != b->mode)
		what |= DIFF_MODE;
	if (a->uid != b->uid || a->gid != b->gid)
		what |= DIFF_OWNER;
	if (a->mtime_sec != b->mtime_sec || a->mtime_nsec != b->mtime_nsec)
		what |= DIFF_MTIME;
	if (!same_link(a, b))
		what |= DIFF_LINK;
	if ((a->type == ENTRY_CHAR || a->type == ENTRY_BLOCK) &&
	    (a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor))
		what |= DIFF_DEVICE;
	if (!is_file(a) && !same_xattrs(a->has_xattrs, a->xattrs, b->has_xattrs, b->xattrs))
		what |= DIFF_XATTRS;
	return what;
}

static unsigned
compare_content(const struct targets_content *a, const struct targets_content *b)
{
	unsigned what = 0;

	if (a->size != b->size || memcmp(a->sha256, b->sha256, SHA256_LEN) != 0)
		what |= DIFF_CONTENT;
	if (!same_xattrs(a->has_xattrs, a->xattrs, b->has_xattrs, b->xattrs))
		what |= DIFF_XATTRS;
	return what;
}

/* ---- telling ---- */

static uint64_t
bytes(const struct diff_entry *en)
{
	return en->line != NULL && en->line->type == ENTRY_FILE ? en->line->size : 0;
}

static int
tell(struct run *x, const struct diff_item *d, struct err *e)
{
	struct diff_total *t = &x->totals->kinds[d->kind];

	if (d->kind == DIFF_FACTS && x->o->content_only) {
		x->totals->same++;
		return 0;
	}
	t->n++;
	t->before += bytes(&d->before);
	t->after += bytes(&d->after);
	return x->fn != NULL ? x->fn(x->ctx, d, e) : 0;
}

/* The entry at which s stands, with its content in *c; -1. */
static int
take(struct side *s, struct diff_entry *en, struct targets_content *c, struct err *e)
{
	int rc = 0;

	en->line = side_line(s);
	if (is_file(en->line) && (rc = side_content(s, c, e)) == 1)
		en->content = c;
	return rc < 0 ? -1 : 0;
}

/* The entry that one side has and the other has not. */
static int
alone(struct run *x, struct side *s, const struct side *other, struct err *e)
{
	struct diff_item d = {.kind = s == x->a ? DIFF_REMOVED : DIFF_ADDED};
	const struct section_line *l = side_line(s);
	struct targets_content c;
	int rc;

	if (side_lost(other) || side_lacks(other, l->path, l->path_len)) {
		x->totals->unknown++;
		return side_next(s, e);
	}
	if (take(s, s == x->a ? &d.before : &d.after, &c, e) != 0)
		return -1;
	if ((rc = tell(x, &d, e)) != 0)
		return rc;
	return side_next(s, e);
}

/* Do two lines of the same link leave no doubt that their targets are the same, too? */
static bool
surely_same(
    const struct run *x, const struct section_line *a, const struct section_line *b, unsigned what)
{
	return !x->unseen && a->type == ENTRY_HARDLINK && b->type == ENTRY_HARDLINK &&
	    (what & (DIFF_LINK | DIFF_MTIME)) == 0;
}

static int
compare(struct run *x, struct diff_item *d, struct targets_content *c, struct err *e)
{
	const struct section_line *a = side_line(x->a), *b = side_line(x->b);

	d->before.line = a;
	d->after.line = b;
	if (is_file(a) != is_file(b) || (!is_file(a) && a->type != b->type))
		d->what = DIFF_TYPE;
	else
		d->what = compare_lines(a, b);
	if (d->what == 0 && is_file(a) && surely_same(x, a, b, d->what))
		return 0;
	if (take(x->a, &d->before, &c[0], e) != 0 || take(x->b, &d->after, &c[1], e) != 0)
		return -1;
	if (d->before.content == NULL || d->after.content == NULL)
		return 0;
	d->what |= compare_content(&c[0], &c[1]);
	if ((d->what & (DIFF_CONTENT | DIFF_XATTRS)) != 0 && (d->what & DIFF_MTIME) == 0)
		x->unseen = true;
	return 0;
}

/* The entry that both have. */
static int
both(struct run *x, struct err *e)
{
	struct diff_item d = {0};
	struct targets_content c[2];
	int rc = compare(x, &d, c, e);

	if (rc != 0)
		return rc;
	if (d.what == 0) {
		/* Links whose targets cannot be read may differ. */
		if (is_file(d.before.line) && d.before.content != d.after.content &&
		    (d.before.content == NULL || d.after.content == NULL))
			x->totals->unknown++;
		else
			x->totals->same++;
	} else {
		d.kind = (d.what & (DIFF_TYPE | DIFF_CONTENT)) != 0 ? DIFF_CHANGED : DIFF_FACTS;
		if ((rc = tell(x, &d, e)) != 0)
			return rc;
	}
	return side_next(x->a, e) != 0 || side_next(x->b, e) != 0 ? -1 : 0;
}

/* ---- the merge ---- */

/* Order of where the two stand; the end is behind everything. */
static int
order(const struct run *x)
{
	const char *a, *b;
	size_t a_len, b_len;

	if (side_at(x->a) == SIDE_END || side_at(x->b) == SIDE_END)
		return (side_at(x->a) == SIDE_END) - (side_at(x->b) == SIDE_END);
	a = side_path(x->a, &a_len);
	b = side_path(x->b, &b_len);
	return path_cmp(a, a_len, b, b_len);
}

static int
step(struct run *x, struct err *e)
{
	enum side_at a = side_at(x->a), b = side_at(x->b);
	int cmp = order(x);

	if (a == SIDE_SECTION && b == SIDE_SECTION && !x->unseen && side_same_section(x->a, x->b)) {
		x->totals->same += side_entries(x->a);
		return side_next(x->a, e) != 0 || side_next(x->b, e) != 0 ? -1 : 0;
	}
	if (cmp <= 0 && a == SIDE_SECTION)
		return side_enter(x->a, e);
	if (cmp >= 0 && b == SIDE_SECTION)
		return side_enter(x->b, e);
	if (cmp == 0)
		return both(x, e);
	return cmp < 0 ? alone(x, x->a, x->b, e) : alone(x, x->b, x->a, e);
}

int
diff_run(struct side *a, struct side *b, const struct diff_opts *o, diff_fn fn, void *ctx,
    struct diff_totals *totals, struct err *e)
{
	struct run x = {
	    .a = a, .b = b, .o = o, .fn = fn, .ctx = ctx, .totals = totals, .unseen = o->limited};
	int rc = 0;

	*totals = (struct diff_totals){0};
	while (rc == 0 && (side_at(a) != SIDE_END || side_at(b) != SIDE_END))
		rc = step(&x, e);
	return rc < 0 ? -1 : 0;
}
