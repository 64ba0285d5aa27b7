/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/section.h"

#include <inttypes.h>
#include <string.h>

#include "core/num.h"
#include "core/path.h"

/*
 * Writing the text of a section, and comparing its lines with tar entries.
 * Everything a reader checks is in section_parse.c; what is written here from a
 * sound entry it accepts, and it accepts no other spelling.
 */

static const char *
type_name(enum entry_type type)
{
	switch (type) {
	case ENTRY_FILE:
	case ENTRY_HARDLINK:
		return "file";
	case ENTRY_DIR:
		return "dir";
	case ENTRY_SYMLINK:
		return "link";
	case ENTRY_FIFO:
		return "fifo";
	case ENTRY_CHAR:
		return "char";
	case ENTRY_BLOCK:
		return "block";
	}
	return "";
}

/* What mtree has no word for, in the order that FORMAT.md lists and the parser wants. */
static void
put_comments(struct buf *text, const struct entry *en, const struct section_facts *facts)
{
	uint8_t digest[SHA256_LEN];

	if (en->type == ENTRY_HARDLINK) {
		buf_puts(text, "#: hardlink ");
		path_escape_mtree(text, en->link, en->link_len);
		buf_putc(text, '\n');
	}
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK)
		buf_printf(
		    text, "#: rdev %" PRIu32 " %" PRIu32 "\n", en->rdev_major, en->rdev_minor);
	if (entry_xattr_digest(en, digest)) {
		buf_puts(text, "#: xattrs ");
		sha256_put(text, digest);
		buf_putc(text, '\n');
	}
	if (facts == NULL)
		return;
	if (facts->changed)
		buf_puts(text, "#: changed\n");
	if (facts->grew)
		buf_puts(text, "#: grew\n");
	if (en->type != ENTRY_FILE)
		return;
	for (size_t i = 0; i < facts->n_unreadable; i++)
		buf_printf(text, "#: unreadable %" PRIu64 " %" PRIu64 "\n",
		    facts->unreadable[i].offset, facts->unreadable[i].len);
}

static void
put_number(struct buf *text, const char *keyword, uint64_t n)
{
	char digits[NUM_DIGITS_MAX];

	buf_puts(text, keyword);
	buf_append(text, digits, num_digits(n, digits));
}

static void
put_mode(struct buf *text, uint32_t mode)
{
	char octal[4];

	for (size_t i = sizeof(octal); i-- > 0; mode >>= 3)
		octal[i] = (char)('0' + (mode & 7));
	buf_puts(text, " mode=");
	buf_append(text, octal, sizeof(octal));
}

static void
put_time(struct buf *text, int64_t sec, uint32_t nsec)
{
	char fraction[10];

	for (size_t i = sizeof(fraction); --i > 0; nsec /= 10)
		fraction[i] = (char)('0' + nsec % 10);
	fraction[0] = '.';
	put_number(text, sec < 0 ? " time=-" : " time=", sec < 0 ? -(uint64_t)sec : (uint64_t)sec);
	buf_append(text, fraction, sizeof(fraction));
}

void
section_put_entry(struct buf *text, const struct entry *en, const struct section_facts *facts)
{
	put_comments(text, en, facts);
	path_escape_mtree(text, en->path, en->path_len);
	buf_puts(text, " type=");
	buf_puts(text, type_name(en->type));
	put_mode(text, en->mode);
	put_number(text, " uid=", en->uid);
	put_number(text, " gid=", en->gid);
	if (en->type == ENTRY_FILE)
		put_number(text, " size=", en->size);
	put_time(text, en->mtime_sec, en->mtime_nsec);
	if (en->type == ENTRY_FILE) {
		static const uint8_t none[SHA256_LEN];

		buf_puts(text, " sha256digest=");
		sha256_put(text, facts != NULL ? facts->sha256 : none);
	} else if (en->type == ENTRY_SYMLINK) {
		buf_puts(text, " link=");
		path_escape(text, en->link, en->link_len, false);
	}
	buf_putc(text, '\n');
}

void
section_put_note(
    struct buf *text, enum section_note note, const char *path, size_t len, const char *reason)
{
	static const char *const word[] = {
	    [SECTION_VANISHED] = "vanished",
	    [SECTION_UNREADABLE] = "unreadable",
	    [SECTION_SKIPPED] = "skipped",
	};

	buf_printf(text, "#! %s ", word[note]);
	path_escape_mtree(text, path, len);
	if (note != SECTION_VANISHED) {
		buf_putc(text, ' ');
		if (reason == NULL || *reason == '\0')
			buf_putc(text, '-');
		else
			path_escape(text, reason, strlen(reason), true);
	}
	buf_putc(text, '\n');
}

static bool
same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool
same_xattrs(const struct section_line *line, const struct entry *en)
{
	uint8_t digest[SHA256_LEN];

	if (entry_xattr_digest(en, digest) != line->has_xattrs)
		return false;
	return !line->has_xattrs || memcmp(digest, line->xattrs, SHA256_LEN) == 0;
}

/* The first fact that differs, or NULL. */
static const char *
difference(const struct section_line *line, const struct entry *en)
{
	if (!same_bytes(line->path, line->path_len, en->path, en->path_len))
		return "path";
	if (line->type != en->type)
		return "type";
	if (line->mode != en->mode)
		return "mode";
	if (line->uid != en->uid)
		return "uid";
	if (line->gid != en->gid)
		return "gid";
	if (line->size != (en->type == ENTRY_FILE ? en->size : 0))
		return "size";
	if (line->mtime_sec != en->mtime_sec || line->mtime_nsec != en->mtime_nsec)
		return "time";
	if ((en->type == ENTRY_SYMLINK || en->type == ENTRY_HARDLINK) &&
	    !same_bytes(line->link, line->link_len, en->link, en->link_len))
		return "link";
	if ((en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK) &&
	    (line->rdev_major != en->rdev_major || line->rdev_minor != en->rdev_minor))
		return "device";
	if (!same_xattrs(line, en))
		return "xattrs";
	return NULL;
}

struct section_line
section_line_of(const struct entry *en)
{
	return (struct section_line){.type = en->type,
	    .path = en->path,
	    .path_len = en->path_len,
	    .mode = en->mode,
	    .uid = en->uid,
	    .gid = en->gid,
	    .size = en->size,
	    .mtime_sec = en->mtime_sec,
	    .mtime_nsec = en->mtime_nsec,
	    .rdev_major = en->rdev_major,
	    .rdev_minor = en->rdev_minor,
	    .link = en->link,
	    .link_len = en->link_len};
}

struct entry
section_entry(const struct section_line *line)
{
	return (struct entry){.type = line->type,
	    .path = line->path,
	    .path_len = line->path_len,
	    .mode = line->mode,
	    .uid = line->uid,
	    .gid = line->gid,
	    .size = line->type == ENTRY_FILE ? line->size : 0,
	    .mtime_sec = line->mtime_sec,
	    .mtime_nsec = line->mtime_nsec,
	    .rdev_major = line->rdev_major,
	    .rdev_minor = line->rdev_minor,
	    .link = line->link,
	    .link_len = line->link_len};
}

bool
section_matches(const struct section_line *line, const struct entry *en, const char **what)
{
	const char *diff = line->is_note ? "path" : difference(line, en);

	if (diff != NULL && what != NULL)
		*what = diff;
	return diff == NULL;
}
