/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "archive/foreign_impl.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/num.h"
#include "core/path.h"

/* ---- numbers ---- */

/* Octal with blanks in front and behind, nothing at all for zero, or base-256. */
int
foreign_number(const char *field, size_t len, int64_t *v)
{
	uint64_t u = 0;
	size_t i = 0;

	if (((uint8_t)field[0] & 0x80) != 0)
		return ustar_get_number(field, len, v);
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		u = u << 3 | (uint64_t)(field[i] - '0'); /* 12 digits at most */
	for (; i < len; i++)
		if (field[i] != '\0' && field[i] != ' ')
			return -1;
	*v = (int64_t)u;
	return 0;
}

static int
bad_record(const struct pax_record *r, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "pax record %.100s has no such value", r->keyword);
}

/*
 * mtime: python writes as many digits as it has, so what is finer than a nanosecond is
 * cut off.
 */
static int
get_time(const struct pax_record *r, struct foreign_numbers *n, struct err *e)
{
	const char *point = memchr(r->value, '.', r->len);
	size_t len = r->len;

	if (point != NULL && len - (size_t)(point - r->value) > 10) {
		for (const char *s = point + 10; s < r->value + len; s++)
			if (*s < '0' || *s > '9')
				return bad_record(r, e);
		len = (size_t)(point - r->value) + 10;
	} else if (point == r->value + len - 1) {
		len--;
	}
	if (pax_get_time(r->value, len, &n->mtime_sec, &n->mtime_nsec) != 0)
		return bad_record(r, e);
	n->has_mtime = true;
	return 0;
}

/* 1: taken; 0: another record; -1. */
static int
number_record(struct foreign_numbers *n, const struct pax_record *r, struct err *e)
{
	const struct {
		const char *keyword;
		uint64_t max, *to;
		bool *has;
	} rows[] = {
	    {"size", INT64_MAX, &n->size, &n->has_size},
	    {"uid", UINT32_MAX, &n->uid, &n->has_uid},
	    {"gid", UINT32_MAX, &n->gid, &n->has_gid},
	};

	if (strcmp(r->keyword, "mtime") == 0)
		return get_time(r, n, e) == 0 ? 1 : -1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(r->keyword, rows[i].keyword) != 0)
			continue;
		if (num_u64(r->value, r->len, rows[i].max, rows[i].to) != 0)
			return bad_record(r, e);
		*rows[i].has = true;
		return 1;
	}
	return 0;
}

/* ---- records ---- */

/*
 * For all entries to come.  What would give many entries one name or one size is no
 * default but a fault.
 */
int
foreign_global(struct foreign *f, struct buf *records, struct err *e)
{
	char *at = (char *)records->data, *end = at + records->len;
	struct pax_record r;
	int rc;

	while (at < end && (rc = pax_next(&at, end, &r)) != 0) {
		if (rc < 0)
			return foreign_corrupt(f, "a damaged pax header", e);
		if (strcmp(r.keyword, "path") == 0 || strcmp(r.keyword, "linkpath") == 0 ||
		    strcmp(r.keyword, "size") == 0 || strncmp(r.keyword, "GNU.sparse.", 11) == 0 ||
		    strncmp(r.keyword, "SCHILY.xattr.", 13) == 0 ||
		    strncmp(r.keyword, "SCHILY.acl.", 11) == 0)
			return err_set(
			    e, ERR_CORRUPT, "a global pax header has a record %.100s", r.keyword);
		if (number_record(&f->global, &r, e) < 0)
			return -1;
	}
	return 0;
}

static int
take_record(struct foreign *f, struct pax_record *r, struct err *e)
{
	int rc;

	if (strcmp(r->keyword, "path") == 0) {
		f->path_record = r->value;
		f->path_record_len = r->len;
		return 0;
	}
	if (strcmp(r->keyword, "linkpath") == 0) {
		f->link_record = r->value;
		f->link_record_len = r->len;
		return 0;
	}
	if (strcmp(r->keyword, "SCHILY.realsize") == 0)
		return err_set(e, ERR_UNSUPPORTED, "a sparse file in star's own format");
	if ((rc = number_record(&f->numbers, r, e)) != 0 ||
	    (rc = foreign_sparse_record(f, r, e)) != 0 || (rc = foreign_attr(f, r, e)) != 0)
		return rc < 0 ? -1 : 0;
	return 0; /* names of users, times of access, comments: passed over */
}

static int
take_records(struct foreign *f, struct err *e)
{
	char *at = (char *)f->pax.data, *end = at + f->pax.len;
	struct pax_record r;
	int rc;

	while (at < end && (rc = pax_next(&at, end, &r)) != 0) {
		if (rc < 0)
			return err_set(e, ERR_CORRUPT, "a damaged pax header");
		if (take_record(f, &r, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- names ---- */

/* What is wrong with a name, or NULL and *out clean. */
static const char *
make_clean(struct buf *out, const char *s, size_t len)
{
	buf_clear(out);
	if (memchr(s, '\0', len) != NULL)
		return "a NUL in it";
	if (len > 0 && s[0] == '/')
		return "an absolute path";
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (i + n < len && s[i + n] != '/')
			n++;
		if (n == 2 && s[i] == '.' && s[i + 1] == '.')
			return "\"..\" in the path";
		if (n > 0 && !(n == 1 && s[i] == '.')) {
			if (out->len > 0)
				buf_putc(out, '/');
			buf_append(out, s + i, n);
		}
		i += n + 1;
	}
	return NULL;
}

static int
clean(struct buf *out, const char *s, size_t len, const char *of, struct err *e)
{
	const char *wrong = make_clean(out, s, len);

	if (wrong != NULL)
		return err_set(e, ERR_CORRUPT, "%s\"%.*s\" is refused: %s", of,
		    (int)(len > 300 ? 300 : len), s, wrong);
	(void)buf_str(out);
	return buf_check(out, e);
}

static bool
is_posix(const struct ustar *h)
{
	return memcmp(h->magic, "ustar", 6) == 0;
}

/* The name as it stands in the header.  star keeps two times at the end of the prefix. */
static size_t
header_name(const struct ustar *h, char out[sizeof(h->prefix) + sizeof(h->name) + 2])
{
	size_t prefix_max = memcmp(h->pad + 8, "tar", 4) == 0 ? 131 : sizeof(h->prefix);
	size_t n = is_posix(h) ? strnlen(h->prefix, prefix_max) : 0;
	size_t name_len = strnlen(h->name, sizeof(h->name));

	memcpy(out, h->prefix, n);
	if (n > 0)
		out[n++] = '/';
	memcpy(out + n, h->name, name_len);
	return n + name_len;
}

/* *slash: the name ends in one, which marks a directory where types were not known yet. */
static int
take_path(struct foreign *f, const struct ustar *h, bool *slash, struct err *e)
{
	char plain[sizeof(h->prefix) + sizeof(h->name) + 2];
	const char *s = plain;
	size_t len;

	if (f->sparse_name != NULL) {
		s = f->sparse_name;
		len = f->sparse_name_len;
	} else if (f->path_record != NULL) {
		s = f->path_record;
		len = f->path_record_len;
	} else if (f->has_long_name) {
		s = (const char *)f->long_name.data;
		len = f->long_name.len;
	} else {
		len = header_name(h, plain);
	}
	if (len == 0)
		return err_set(e, ERR_CORRUPT, "an entry without a name");
	*slash = s[len - 1] == '/';
	return clean(&f->path, s, len, "", e);
}

static int
take_link(struct foreign *f, const struct ustar *h, struct err *e)
{
	const char *s = h->linkname;
	size_t len = strnlen(h->linkname, sizeof(h->linkname));

	if (f->link_record != NULL) {
		s = f->link_record;
		len = f->link_record_len;
	} else if (f->has_long_link) {
		s = (const char *)f->long_link.data;
		len = f->long_link.len;
	}
	if (len == 0 || memchr(s, '\0', len) != NULL)
		return err_set(e, ERR_CORRUPT, "a link without a target");
	if (f->entry.type == ENTRY_HARDLINK)
		return clean(&f->link, s, len, "a hard link's target ", e);
	buf_clear(&f->link);
	buf_append(&f->link, s, len);
	(void)buf_str(&f->link);
	return buf_check(&f->link, e);
}

/* ---- the whole ---- */

static int
take_type(struct foreign *f, const struct ustar *h, bool slash, struct err *e)
{
	enum entry_type type;

	switch (h->typeflag) {
	case '\0':
	case '0':
	case '7':
		type = slash ? ENTRY_DIR : ENTRY_FILE;
		break;
	case 'S':
		type = ENTRY_FILE;
		f->sparse.old = f->sparse.is_there = true;
		break;
	case '1':
		type = ENTRY_HARDLINK;
		break;
	case '2':
		type = ENTRY_SYMLINK;
		break;
	case '3':
		type = ENTRY_CHAR;
		break;
	case '4':
		type = ENTRY_BLOCK;
		break;
	case '5':
	case 'D': /* GNU, incremental: its data is a list of names */
		type = ENTRY_DIR;
		break;
	case '6':
		type = ENTRY_FIFO;
		break;
	case 'M':
		return err_set(e, ERR_UNSUPPORTED, "a part of an archive of several volumes");
	default:
		return err_set(e, ERR_UNSUPPORTED, "an entry of unknown type 0x%02x",
		    (unsigned)(uint8_t)h->typeflag);
	}
	f->entry.type = type;
	return 0;
}

static int
from_header(const char *field, size_t len, uint64_t max, bool has, uint64_t *to, const char *what,
    struct err *e)
{
	int64_t v;

	if (has)
		return 0;
	if (foreign_number(field, len, &v) != 0 || v < 0 || (uint64_t)v > max)
		return err_set(e, ERR_CORRUPT, "its %s is no such number", what);
	*to = (uint64_t)v;
	return 0;
}

static int
take_owner(struct foreign *f, const struct ustar *h, struct err *e)
{
	struct foreign_numbers *n = &f->numbers;
	int64_t mode;

	if (foreign_number(h->mode, sizeof(h->mode), &mode) != 0)
		return err_set(e, ERR_CORRUPT, "its mode is no number");
	if (from_header(h->uid, sizeof(h->uid), UINT32_MAX, n->has_uid, &n->uid, "owner", e) != 0 ||
	    from_header(h->gid, sizeof(h->gid), UINT32_MAX, n->has_gid, &n->gid, "group", e) != 0)
		return -1;
	if (!n->has_mtime) {
		n->mtime_nsec = 0;
		if (foreign_number(h->mtime, sizeof(h->mtime), &n->mtime_sec) != 0)
			return err_set(e, ERR_CORRUPT, "its time is no number");
	}
	f->entry.mode = (uint32_t)mode & 07777; /* some put the type there, too */
	f->entry.uid = (uint32_t)n->uid;
	f->entry.gid = (uint32_t)n->gid;
	f->entry.mtime_sec = n->mtime_sec;
	f->entry.mtime_nsec = n->mtime_nsec;
	return 0;
}

static int
take_device(struct foreign *f, const struct ustar *h, struct err *e)
{
	uint64_t major = 0, minor = 0;

	if (f->entry.type != ENTRY_CHAR && f->entry.type != ENTRY_BLOCK)
		return 0;
	if (from_header(h->devmajor, sizeof(h->devmajor), UINT32_MAX, false, &major, "device", e) !=
		0 ||
	    from_header(h->devminor, sizeof(h->devminor), UINT32_MAX, false, &minor, "device", e) !=
		0)
		return -1;
	f->entry.rdev_major = (uint32_t)major;
	f->entry.rdev_minor = (uint32_t)minor;
	return 0;
}

/*
 * Links and directories have no data, though some programs give them a size: that of the
 * file a link is to.  Should data follow all the same, no header follows, and that is told.
 */
static int
take_size(struct foreign *f, const struct ustar *h, struct err *e)
{
	struct foreign_numbers *n = &f->numbers;

	if (from_header(h->size, sizeof(h->size), INT64_MAX, n->has_size, &n->size, "size", e) != 0)
		return -1;
	if (f->entry.type != ENTRY_FILE && h->typeflag != 'D')
		return 0;
	f->left = n->size;
	f->pad = tar_pad(n->size);
	if (f->entry.type == ENTRY_FILE)
		f->entry.size = n->size;
	return 0;
}

static int
take_all(struct foreign *f, const struct ustar *h, bool slash, struct err *e)
{
	if (take_type(f, h, slash, e) != 0 || take_owner(f, h, e) != 0 ||
	    take_device(f, h, e) != 0 || take_size(f, h, e) != 0)
		return -1;
	if (f->entry.type == ENTRY_SYMLINK || f->entry.type == ENTRY_HARDLINK) {
		if (take_link(f, h, e) != 0)
			return -1;
		f->entry.link = buf_str(&f->link);
		f->entry.link_len = f->link.len;
	}
	if (f->path.len == 0 && f->entry.type != ENTRY_DIR)
		return err_set(e, ERR_CORRUPT, "it stands for the root, and is no directory");
	if (f->sparse.is_there && f->entry.type != ENTRY_FILE)
		return err_set(e, ERR_CORRUPT, "a map of holes, and no file");
	foreign_attrs_done(f);
	return 0;
}

int
foreign_fields(struct foreign *f, const struct ustar *h, struct err *e)
{
	bool slash;

	f->entry = (struct entry){.type = ENTRY_FILE};
	if (take_records(f, e) != 0 || take_path(f, h, &slash, e) != 0)
		return -1;
	f->entry.path = buf_str(&f->path);
	f->entry.path_len = f->path.len;
	if (take_all(f, h, slash, e) != 0)
		return err_where(e, "%.300s", f->entry.path);
	return 0;
}
