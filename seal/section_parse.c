/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/num.h"
#include "core/path.h"
#include "seal/section.h"
#include "seal/token.h"

/*
 * Reading the text of a section.  There is one spelling for each meaning, so
 * whatever is accepted here section.c writes again byte for byte; that is what
 * test_seal_section.c holds it to.
 */
struct section_parser {
	struct token_text text;
	struct buf path, link, reason;
	struct buf last; /* path of the entry before, for the order */
	bool has_last;
	struct buf ranges; /* struct section_range */
};

int
section_parser_new(struct section_parser **out, const void *text, size_t len, struct err *e)
{
	struct section_parser *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	token_text_init(&p->text, text, len);
	*out = p;
	return 0;
}

void
section_parser_free(struct section_parser *p)
{
	if (p == NULL)
		return;
	buf_done(&p->path);
	buf_done(&p->link);
	buf_done(&p->reason);
	buf_done(&p->last);
	buf_done(&p->ranges);
	free(p);
}

static int
bad(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "%s", what);
}

/* ---- "#! ": notes ---- */

static int
parse_reason(struct section_parser *p, struct token *c, struct section_line *line, struct err *e)
{
	if (!token_take(c, " "))
		return bad(e, "note without a reason");
	if (token_left(c) == 1 && token_take(c, "-"))
		return 0;
	if (token_value(c, &p->reason, true, e) == -1)
		return -1;
	line->reason = buf_str(&p->reason);
	return 0;
}

static int
parse_note(struct section_parser *p, struct token *c, struct section_line *line, struct err *e)
{
	if (token_take(c, "vanished "))
		line->note = SECTION_VANISHED;
	else if (token_take(c, "unreadable "))
		line->note = SECTION_UNREADABLE;
	else if (token_take(c, "skipped "))
		line->note = SECTION_SKIPPED;
	else
		return bad(e, "unknown note");
	line->is_note = true;
	line->reason = "";
	if (token_path(c, &p->path, e) == -1)
		return -1;
	line->path = buf_str(&p->path);
	line->path_len = p->path.len;
	if (line->note != SECTION_VANISHED && parse_reason(p, c, line, e) == -1)
		return -1;
	return token_done(c) ? 1 : bad(e, "note goes on after its end");
}

/* ---- "#: ": facts of the entry that follows ---- */

/* In the only order they may come in. */
enum fact {
	FACT_NONE,
	FACT_HARDLINK,
	FACT_RDEV,
	FACT_XATTRS,
	FACT_CHANGED,
	FACT_GREW,
	FACT_UNREADABLE,
};

struct facts {
	enum fact last;
	bool has_hardlink, has_rdev;
};

static struct section_range *
ranges(const struct section_parser *p)
{
	return p->ranges.len > 0 ? (struct section_range *)(void *)p->ranges.data : NULL;
}

static size_t
n_ranges(const struct section_parser *p)
{
	return p->ranges.len / sizeof(struct section_range);
}

static int
parse_range(struct section_parser *p, struct token *c, struct err *e)
{
	const struct section_range *all = ranges(p);
	size_t n = n_ranges(p);
	struct section_range r;

	if (!token_u64(c, INT64_MAX, &r.offset) || !token_take(c, " ") ||
	    !token_u64(c, INT64_MAX, &r.len) || r.len == 0)
		return bad(e, "not a range of bytes");
	if (n > 0 && r.offset < all[n - 1].offset + all[n - 1].len)
		return bad(e, "ranges out of order");
	buf_append(&p->ranges, &r, sizeof(r));
	return buf_check(&p->ranges, e);
}

static enum fact
take_fact(struct token *c)
{
	static const char *const word[] = {
	    [FACT_HARDLINK] = "hardlink ",
	    [FACT_RDEV] = "rdev ",
	    [FACT_XATTRS] = "xattrs ",
	    [FACT_CHANGED] = "changed",
	    [FACT_GREW] = "grew",
	    [FACT_UNREADABLE] = "unreadable ",
	};

	for (size_t i = 1; i < sizeof(word) / sizeof(word[0]); i++)
		if (token_take(c, word[i]))
			return (enum fact)i;
	return FACT_NONE;
}

static int
parse_fact_value(struct section_parser *p, enum fact fact, struct token *c,
    struct section_line *line, struct err *e)
{
	switch (fact) {
	case FACT_HARDLINK:
		return token_path(c, &p->link, e);
	case FACT_RDEV:
		if (!token_u32(c, &line->rdev_major) || !token_take(c, " ") ||
		    !token_u32(c, &line->rdev_minor))
			return bad(e, "not a device number");
		return 0;
	case FACT_XATTRS:
		line->has_xattrs = true;
		return token_digest(c, line->xattrs) ? 0 : bad(e, "not a digest");
	case FACT_CHANGED:
		line->changed = true;
		return 0;
	case FACT_GREW:
		line->grew = true;
		return 0;
	case FACT_UNREADABLE:
		return parse_range(p, c, e);
	case FACT_NONE:
		break;
	}
	return bad(e, "unknown fact");
}

static int
parse_fact(struct section_parser *p, struct token *c, struct facts *f, struct section_line *line,
    struct err *e)
{
	enum fact fact = take_fact(c);

	if (parse_fact_value(p, fact, c, line, e) == -1)
		return -1;
	/* Only ranges come more than once. */
	if (fact < f->last || (fact == f->last && fact != FACT_UNREADABLE))
		return bad(e, "facts repeated or out of order");
	f->last = fact;
	f->has_hardlink = f->has_hardlink || fact == FACT_HARDLINK;
	f->has_rdev = f->has_rdev || fact == FACT_RDEV;
	return token_done(c) ? 0 : bad(e, "fact goes on after its end");
}

/* ---- entries ---- */

static int
parse_type(struct token *c, bool hardlink, enum entry_type *type, struct err *e)
{
	static const struct {
		const char *name;
		enum entry_type type;
	} types[] = {
	    {"file ", ENTRY_FILE},
	    {"dir ", ENTRY_DIR},
	    {"link ", ENTRY_SYMLINK},
	    {"fifo ", ENTRY_FIFO},
	    {"char ", ENTRY_CHAR},
	    {"block ", ENTRY_BLOCK},
	};

	if (!token_take(c, " type="))
		return bad(e, "entry without a type");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!token_take(c, types[i].name))
			continue;
		*type = types[i].type;
		if (hardlink && *type != ENTRY_FILE)
			return bad(e, "a hard link that is not a file");
		if (hardlink)
			*type = ENTRY_HARDLINK;
		return 0;
	}
	return bad(e, "unknown type");
}

/* Exactly four octal digits. */
static bool
take_mode(struct token *c, uint32_t *mode)
{
	uint64_t m;

	if (token_left(c) < 4 || num_octal(c->at, 4, 07777, &m) != 0)
		return false;
	c->at += 4;
	*mode = (uint32_t)m;
	return true;
}

/* The words after the type, which decides what they are. */
static int
parse_words(struct section_parser *p, struct token *c, struct section_line *line, struct err *e)
{
	if (!token_take(c, "mode=") || !take_mode(c, &line->mode))
		return bad(e, "not a mode");
	if (!token_take(c, " uid=") || !token_u32(c, &line->uid))
		return bad(e, "not a uid");
	if (!token_take(c, " gid=") || !token_u32(c, &line->gid))
		return bad(e, "not a gid");
	if (line->type == ENTRY_FILE &&
	    (!token_take(c, " size=") || !token_u64(c, INT64_MAX, &line->size)))
		return bad(e, "not a size");
	if (!token_take(c, " time=") || !token_time(c, &line->mtime_sec, &line->mtime_nsec))
		return bad(e, "not a time");
	if (line->type == ENTRY_FILE) {
		if (!token_take(c, " sha256digest=") || !token_digest(c, line->sha256))
			return bad(e, "not a digest");
		line->has_sha256 = true;
	} else if (line->type == ENTRY_SYMLINK) {
		if (!token_take(c, " link="))
			return bad(e, "link without a target");
		if (token_value(c, &p->link, false, e) == -1)
			return -1;
	}
	return token_done(c) ? 0 : bad(e, "entry goes on after its end");
}

/* What one word alone cannot tell. */
static int
check_entry(const struct section_parser *p, const struct facts *f, const struct section_line *line,
    struct err *e)
{
	bool device = line->type == ENTRY_CHAR || line->type == ENTRY_BLOCK;

	if (line->path_len == 0 && line->type != ENTRY_DIR)
		return bad(e, "the source is not a directory");
	if (f->has_rdev != device)
		return bad(e, device ? "device without a number" : "number of no device");
	if (line->type == ENTRY_HARDLINK &&
	    (line->link_len == 0 ||
		path_cmp(line->link, line->link_len, line->path, line->path_len) >= 0))
		return bad(e, "hard link to what does not stand before it");
	if (line->n_unreadable > 0) {
		const struct section_range *r = &line->unreadable[line->n_unreadable - 1];

		if (line->type != ENTRY_FILE || r->offset + r->len > line->size)
			return bad(e, "unreadable range outside the file");
	}
	if (p->has_last &&
	    path_cmp((const char *)p->last.data, p->last.len, line->path, line->path_len) >= 0)
		return bad(e, "entries out of order");
	return 0;
}

static int
parse_entry(struct section_parser *p, struct token *c, const struct facts *f,
    struct section_line *line, struct err *e)
{
	if (token_path(c, &p->path, e) == -1 ||
	    parse_type(c, f->has_hardlink, &line->type, e) == -1 ||
	    parse_words(p, c, line, e) == -1)
		return -1;
	line->path = buf_str(&p->path);
	line->path_len = p->path.len;
	if (line->type == ENTRY_SYMLINK || line->type == ENTRY_HARDLINK) {
		line->link = buf_str(&p->link);
		line->link_len = p->link.len;
	}
	line->unreadable = ranges(p);
	line->n_unreadable = n_ranges(p);
	if (check_entry(p, f, line, e) == -1)
		return -1;
	buf_clear(&p->last);
	buf_append(&p->last, line->path, line->path_len + 1);
	if (buf_check(&p->last, e) == -1)
		return -1;
	p->last.len = line->path_len;
	p->has_last = true;
	return 1;
}

/* ---- lines ---- */

static int
next(struct section_parser *p, struct section_line *line, struct err *e)
{
	struct facts f = {.last = FACT_NONE};
	struct token c;
	int n;

	buf_clear(&p->ranges);
	while ((n = token_line(&p->text, &c, e)) == 1) {
		if (token_take(&c, "#! ")) {
			if (f.last != FACT_NONE)
				break;
			return parse_note(p, &c, line, e);
		}
		if (!token_take(&c, "#: "))
			return parse_entry(p, &c, &f, line, e);
		if (parse_fact(p, &c, &f, line, e) == -1)
			return -1;
	}
	if (n != -1 && f.last != FACT_NONE)
		return bad(e, "facts without an entry");
	return n;
}

int
section_next(struct section_parser *p, struct section_line *line, struct err *e)
{
	struct section_line l = {.is_note = false};
	int n = next(p, &l, e);

	if (n == -1) {
		/* What follows a line that is not understood cannot be trusted. */
		p->text.at = p->text.end;
		return err_where(e, "line %llu", (unsigned long long)p->text.line_no);
	}
	if (n == 1)
		*line = l;
	return n;
}
