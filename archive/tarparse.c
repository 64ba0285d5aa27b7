/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/tarparse.h"

#include <stdlib.h>
#include <string.h>

#include "archive/pax.h"
#include "archive/posixacl.h"
#include "core/err.h"
#include "core/num.h"
#include "core/path.h"

#define XATTR_PREFIX "SCHILY.xattr."

/* Values that only have to be there, and right. */
static int
set_binary(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	(void)t;
	return strcmp(r->value, "BINARY") == 0 ? 0 : err_set(e, ERR_CORRUPT, "unknown charset");
}

static int
set_major(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	(void)t;
	return strcmp(r->value, "1") == 0 ? 0 : err_set(e, ERR_CORRUPT, "unknown sparse format");
}

static int
set_minor(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	(void)t;
	return strcmp(r->value, "0") == 0 ? 0 : err_set(e, ERR_CORRUPT, "unknown sparse format");
}

static int
set_path(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	(void)e;
	t->path = r->value;
	t->path_len = r->len;
	return 0;
}

static int
set_linkpath(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	(void)e;
	t->linkpath = r->value;
	t->linkpath_len = r->len;
	return 0;
}

static int
number(const struct pax_record *r, uint64_t max, uint64_t *out, struct err *e)
{
	if (num_u64(r->value, r->len, max, out) != 0)
		return err_set(e, ERR_CORRUPT, "record %s is no such number", r->keyword);
	return 0;
}

static int
set_size(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	return number(r, INT64_MAX, &t->size, e);
}

static int
set_real_size(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	return number(r, INT64_MAX, &t->real_size, e);
}

static int
set_uid(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	return number(r, UINT32_MAX, &t->uid, e);
}

static int
set_gid(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	return number(r, UINT32_MAX, &t->gid, e);
}

static int
set_mtime(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	if (pax_get_time(r->value, r->len, &t->mtime_sec, &t->mtime_nsec) != 0)
		return err_set(e, ERR_CORRUPT, "record mtime is no time");
	return 0;
}

static int
set_acl(struct buf *acl, const struct pax_record *r, struct err *e)
{
	buf_clear(acl);
	return posixacl_from_text(r->value, r->len, acl, e);
}

static int
set_acl_access(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	if (set_acl(&t->acl[0], r, e) != 0)
		return -1;
	t->entry.acl_access = t->acl[0].data;
	t->entry.acl_access_len = t->acl[0].len;
	return 0;
}

static int
set_acl_default(struct tarparse *t, const struct pax_record *r, struct err *e)
{
	if (set_acl(&t->acl[1], r, e) != 0)
		return -1;
	t->entry.acl_default = t->acl[1].data;
	t->entry.acl_default_len = t->acl[1].len;
	return 0;
}

enum keyword {
	HDRCHARSET,
	SPARSE_MAJOR,
	SPARSE_MINOR,
	SPARSE_NAME,
	SPARSE_REALSIZE,
	PATH,
	LINKPATH,
	SIZE,
	UID,
	GID,
	MTIME,
	ACL_ACCESS,
	ACL_DEFAULT,
};
#define BIT(k) (1u << (k))
#define SPARSE_BITS                                                                                \
	(BIT(SPARSE_MAJOR) | BIT(SPARSE_MINOR) | BIT(SPARSE_NAME) | BIT(SPARSE_REALSIZE))

static const struct {
	const char *keyword;
	int (*set)(struct tarparse *t, const struct pax_record *r, struct err *e);
} keywords[] = {
    [HDRCHARSET] = {"hdrcharset", set_binary},
    [SPARSE_MAJOR] = {"GNU.sparse.major", set_major},
    [SPARSE_MINOR] = {"GNU.sparse.minor", set_minor},
    [SPARSE_NAME] = {"GNU.sparse.name", set_path},
    [SPARSE_REALSIZE] = {"GNU.sparse.realsize", set_real_size},
    [PATH] = {"path", set_path},
    [LINKPATH] = {"linkpath", set_linkpath},
    [SIZE] = {"size", set_size},
    [UID] = {"uid", set_uid},
    [GID] = {"gid", set_gid},
    [MTIME] = {"mtime", set_mtime},
    [ACL_ACCESS] = {"SCHILY.acl.access", set_acl_access},
    [ACL_DEFAULT] = {"SCHILY.acl.default", set_acl_default},
};

static int
add_xattr(struct tarparse *t, struct pax_record *r, struct err *e)
{
	char *name = r->keyword + strlen(XATTR_PREFIX);
	size_t n = t->entry.n_xattrs;

	if (pax_unescape_xattr(name) != 0 || !entry_xattr_name_ok(name))
		return err_set(e, ERR_CORRUPT, "not the name of an extended attribute");
	if (n > 0 && strcmp(t->xattrs[n - 1].name, name) >= 0)
		return err_set(e, ERR_CORRUPT, "extended attributes out of order");
	if (n == t->xattrs_cap) {
		size_t cap = n == 0 ? 8 : n * 2;
		struct entry_xattr *p = reallocarray(t->xattrs, cap, sizeof(*p));

		if (p == NULL)
			return err_nomem(e);
		t->xattrs = p;
		t->xattrs_cap = cap;
	}
	t->xattrs[n] = (struct entry_xattr){.name = name, .value = r->value, .len = r->len};
	t->entry.xattrs = t->xattrs;
	t->entry.n_xattrs = n + 1;
	return 0;
}

static int
parse_record(struct tarparse *t, struct pax_record *r, struct err *e)
{
	if (strncmp(r->keyword, XATTR_PREFIX, strlen(XATTR_PREFIX)) == 0)
		return add_xattr(t, r, e);
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strcmp(r->keyword, keywords[i].keyword) != 0)
			continue;
		if ((t->seen & BIT(i)) != 0)
			return err_set(e, ERR_CORRUPT, "record %s twice", r->keyword);
		t->seen |= BIT(i);
		return keywords[i].set(t, r, e);
	}
	/* Passing over it would restore something else than was backed up. */
	return err_set(e, ERR_CORRUPT, "record %.100s is not known", r->keyword);
}

static int
parse_records(struct tarparse *t, struct err *e)
{
	char *at = (char *)t->pax.data, *end = at;
	struct pax_record r;
	int rc;

	if (t->pax.len > 0)
		end += t->pax.len;
	while (at < end && (rc = pax_next(&at, end, &r)) != 0) {
		if (rc < 0)
			return err_set(e, ERR_CORRUPT, "not a pax record");
		if (parse_record(t, &r, e) != 0)
			return -1;
	}
	return 0;
}

/* A field of the ustar header, unless a record told already. */
static int
field(const struct tarparse *t, enum keyword k, const char *s, size_t len, uint64_t max,
    uint64_t *out, struct err *e)
{
	int64_t v;

	if ((t->seen & BIT(k)) != 0)
		return 0;
	if (ustar_get_number(s, len, &v) != 0 || v < 0 || (uint64_t)v > max)
		return err_set(e, ERR_CORRUPT, "not a number in a tar header");
	*out = (uint64_t)v;
	return 0;
}

static int
parse_numbers(struct tarparse *t, const struct ustar *h, struct err *e)
{
	struct entry *en = &t->entry;
	int64_t mode, major, minor;

	if (field(t, UID, h->uid, sizeof(h->uid), UINT32_MAX, &t->uid, e) != 0 ||
	    field(t, GID, h->gid, sizeof(h->gid), UINT32_MAX, &t->gid, e) != 0 ||
	    field(t, SIZE, h->size, sizeof(h->size), INT64_MAX, &t->size, e) != 0)
		return -1;
	if (ustar_get_number(h->mode, sizeof(h->mode), &mode) != 0 || mode < 0 || mode > 07777)
		return err_set(e, ERR_CORRUPT, "not a mode in a tar header");
	if ((t->seen & BIT(MTIME)) == 0 &&
	    ustar_get_number(h->mtime, sizeof(h->mtime), &t->mtime_sec) != 0)
		return err_set(e, ERR_CORRUPT, "not a time in a tar header");
	en->mode = (uint32_t)mode;
	en->uid = (uint32_t)t->uid;
	en->gid = (uint32_t)t->gid;
	en->mtime_sec = t->mtime_sec;
	en->mtime_nsec = t->mtime_nsec;
	if (en->type != ENTRY_CHAR && en->type != ENTRY_BLOCK)
		return 0;
	if (ustar_get_number(h->devmajor, sizeof(h->devmajor), &major) != 0 || major < 0 ||
	    major > UINT32_MAX || ustar_get_number(h->devminor, sizeof(h->devminor), &minor) != 0 ||
	    minor < 0 || minor > UINT32_MAX)
		return err_set(e, ERR_CORRUPT, "not a device in a tar header");
	en->rdev_major = (uint32_t)major;
	en->rdev_minor = (uint32_t)minor;
	return 0;
}

static int
parse_path(struct tarparse *t, const struct ustar *h, struct err *e)
{
	struct entry *en = &t->entry;
	size_t len = t->path_len;
	char *s = t->path;

	if (s == NULL) {
		s = t->name;
		len = ustar_get_name(h, t->name);
	}
	if (len >= 2 && s[0] == '.' && s[1] == '/') {
		s += 2;
		len -= 2;
	} else if (len == 0) {
		return err_set(e, ERR_CORRUPT, "an entry without a path");
	}
	if (en->type == ENTRY_DIR && len > 1 && s[len - 1] == '/')
		s[--len] = '\0';
	if (!path_is_clean(s, len) || (len == 0 && en->type != ENTRY_DIR))
		return err_set(e, ERR_CORRUPT, "a path that is not clean: %s", s);
	en->path = s;
	en->path_len = len;
	return 0;
}

static int
parse_link(struct tarparse *t, const struct ustar *h, struct err *e)
{
	struct entry *en = &t->entry;
	char *s = t->linkpath;
	size_t len = t->linkpath_len;

	if (s == NULL) {
		s = t->link;
		len = strnlen(h->linkname, sizeof(h->linkname));
		memcpy(s, h->linkname, len);
		s[len] = '\0';
	}
	if (en->type != ENTRY_SYMLINK && en->type != ENTRY_HARDLINK)
		return len == 0 ? 0 : err_set(e, ERR_CORRUPT, "a link target where none belongs");
	if (len == 0 || memchr(s, '\0', len) != NULL)
		return err_set(e, ERR_CORRUPT, "a link without a target");
	if (en->type == ENTRY_HARDLINK && !path_is_clean(s, len))
		return err_set(e, ERR_CORRUPT, "a hard link to a path that is not clean: %s", s);
	en->link = s;
	en->link_len = len;
	return 0;
}

static int
parse_sizes(struct tarparse *t, struct err *e)
{
	struct entry *en = &t->entry;
	unsigned sparse = t->seen & SPARSE_BITS;

	if (en->type != ENTRY_FILE && (t->size > 0 || sparse != 0))
		return err_set(e, ERR_CORRUPT, "data where none belongs");
	if (sparse != 0 && (sparse != SPARSE_BITS || (t->seen & BIT(PATH)) != 0))
		return err_set(e, ERR_CORRUPT, "records of a sparse file that do not fit together");
	t->stored = t->size;
	en->sparse = sparse != 0;
	en->size = en->sparse ? t->real_size : t->size;
	return 0;
}

static int
parse_type(struct tarparse *t, const struct ustar *h, struct err *e)
{
	static const struct {
		char flag;
		enum entry_type type;
	} types[] = {
	    {'0', ENTRY_FILE},
	    {'1', ENTRY_HARDLINK},
	    {'2', ENTRY_SYMLINK},
	    {'3', ENTRY_CHAR},
	    {'4', ENTRY_BLOCK},
	    {'5', ENTRY_DIR},
	    {'6', ENTRY_FIFO},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].flag == h->typeflag) {
			t->entry.type = types[i].type;
			return 0;
		}
	return err_set(e, ERR_CORRUPT, "an entry of unknown type 0x%02x", (uint8_t)h->typeflag);
}

int
tarparse_header(struct tarparse *t, const struct ustar *h, struct err *e)
{
	t->entry = (struct entry){.type = ENTRY_FILE};
	t->seen = 0;
	t->path = t->linkpath = NULL;
	t->path_len = t->linkpath_len = 0;
	t->mtime_nsec = 0;
	if (parse_type(t, h, e) != 0 || parse_records(t, e) != 0 || parse_numbers(t, h, e) != 0 ||
	    parse_path(t, h, e) != 0 || parse_link(t, h, e) != 0 || parse_sizes(t, e) != 0)
		return -1;
	return 0;
}

void
tarparse_done(struct tarparse *t)
{
	buf_done(&t->pax);
	buf_done(&t->acl[0]);
	buf_done(&t->acl[1]);
	free(t->xattrs);
	*t = (struct tarparse){.entry = {.type = ENTRY_FILE}};
}
