/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/tarwrite.h"

#include <stdlib.h>
#include <string.h>

#include "archive/entry.h"
#include "archive/pax.h"
#include "archive/posixacl.h"
#include "archive/ustar.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "core/utf8.h"

/*
 * Not libarchive: the stream is hashed, signed, and compared with older archives byte
 * for byte, so it must not change with a library; and 3.6.2 writes fractions of times
 * before 1970 a second off, turns names in CESU-8 into other names, and makes GNU tar
 * warn about each attribute.  docs/INTEROP.md tells more.  The tests read with it.
 */
struct tar_writer {
	struct buf name; /* as it stands in the header: "a/", "./" */
	struct buf pax; /* records */
	struct buf map; /* of a sparse file */
	struct buf acl;
};

static bool
text_is(const char *s, size_t len)
{
	return s != NULL && len > 0 && memchr(s, '\0', len) == NULL && s[len] == '\0';
}

static bool
link_is_good(const struct entry *en)
{
	switch (en->type) {
	case ENTRY_SYMLINK:
		return text_is(en->link, en->link_len);
	case ENTRY_HARDLINK:
		return text_is(en->link, en->link_len) && path_is_clean(en->link, en->link_len);
	default:
		return en->link == NULL;
	}
}

static bool
extents_are_good(const struct entry *en)
{
	uint64_t end = 0;
	bool odd = false;

	if (!en->sparse)
		return en->n_extents == 0;
	if (en->type != ENTRY_FILE || en->n_extents >= TAR_EXTENTS_MAX)
		return false;
	for (size_t i = 0; i < en->n_extents; i++) {
		const struct entry_extent *x = &en->extents[i];

		if (x->len == 0 || x->offset < end || (i > 0 && x->offset == end) || odd ||
		    x->offset > en->size || x->len > en->size - x->offset)
			return false;
		end = x->offset + x->len;
		odd = x->len % TAR_BLOCK != 0; /* GNU tar would go on at the next block */
	}
	return true;
}

static bool
xattrs_are_good(const struct entry *en)
{
	for (size_t i = 0; i < en->n_xattrs; i++)
		if (!entry_xattr_name_ok(en->xattrs[i].name) ||
		    (i > 0 && strcmp(en->xattrs[i - 1].name, en->xattrs[i].name) >= 0))
			return false;
	return true;
}

static bool
type_is_good(enum entry_type t)
{
	return t == ENTRY_FILE || t == ENTRY_DIR || t == ENTRY_SYMLINK || t == ENTRY_HARDLINK ||
	    t == ENTRY_FIFO || t == ENTRY_CHAR || t == ENTRY_BLOCK;
}

static int
check(const struct entry *en, struct err *e)
{
	const char *what = NULL;

	if (!type_is_good(en->type))
		what = "type";
	else if (en->path[en->path_len] != '\0' || !path_is_clean(en->path, en->path_len) ||
	    (en->path_len == 0 && en->type != ENTRY_DIR))
		what = "path";
	else if (!link_is_good(en))
		what = "link target";
	else if (en->mode > 07777)
		what = "mode";
	else if (en->size > INT64_MAX || (en->size > 0 && en->type != ENTRY_FILE))
		what = "size";
	else if (en->mtime_nsec > 999999999)
		what = "time";
	else if (!extents_are_good(en))
		what = "map of holes";
	else if (!xattrs_are_good(en))
		what = "list of extended attributes";
	if (what == NULL)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "its %s is none that tar can hold", what);
}

/* Names in records are UTF-8, unless hdrcharset says otherwise. */
static bool
is_utf8(const char *s, size_t len)
{
	uint32_t c;

	while (len > 0) {
		size_t n = utf8_next(s, len, &c);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static bool
is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

static void
put_name(struct buf *name, const struct entry *en)
{
	buf_clear(name);
	if (en->path_len == 0) {
		buf_puts(name, "./");
		return;
	}
	buf_append(name, en->path, en->path_len);
	if (en->type == ENTRY_DIR)
		buf_putc(name, '/');
}

/*
 * What a reader that knows nothing of sparse files makes of one must not pass for the
 * file itself: it goes beside it, under GNU tar's name for that.
 */
static void
put_sparse_name(struct ustar *h, const struct entry *en, struct buf *tmp)
{
	const char *slash = memrchr(en->path, '/', en->path_len);
	size_t dir_len = slash != NULL ? (size_t)(slash - en->path) + 1 : 0;

	buf_clear(tmp);
	buf_append(tmp, en->path, dir_len);
	buf_puts(tmp, "GNUSparseFile.0/");
	buf_append(tmp, en->path + dir_len, en->path_len - dir_len);
	(void)ustar_put_name(h, (const char *)tmp->data, tmp->len);
}

static void
put_names(struct tar_writer *w, const struct entry *en, struct ustar *h)
{
	const char *name = (const char *)w->name.data;
	size_t len = w->name.len, link_len = en->link != NULL ? en->link_len : 0;
	bool name_ascii = is_ascii(name, len), link_ascii = is_ascii(en->link, link_len);

	if ((!name_ascii && !is_utf8(name, len)) || (!link_ascii && !is_utf8(en->link, link_len)))
		pax_put_string(&w->pax, "hdrcharset", "BINARY");
	if (en->sparse) {
		pax_put_string(&w->pax, "GNU.sparse.major", "1");
		pax_put_string(&w->pax, "GNU.sparse.minor", "0");
		pax_put(&w->pax, "GNU.sparse.name", name, len);
		pax_put_number(&w->pax, "GNU.sparse.realsize", en->size);
	} else if (!ustar_put_name(h, name, len) || !name_ascii) {
		pax_put(&w->pax, "path", name, len);
	}
	if (link_len > sizeof(h->linkname) || !link_ascii)
		pax_put(&w->pax, "linkpath", en->link, link_len);
	if (link_len > 0)
		memcpy(h->linkname, en->link,
		    link_len < sizeof(h->linkname) ? link_len : sizeof(h->linkname));
}

static void
put_numbers(struct tar_writer *w, const struct entry *en, uint64_t stored, struct ustar *h)
{
	/*
	 * Python takes the record for a sparse file's real size; who knows sparse files also knows
	 * base-256.
	 */
	if (stored > USTAR_SIZE_MAX && !en->sparse)
		pax_put_number(&w->pax, "size", stored);
	if (en->uid > USTAR_UID_MAX)
		pax_put_number(&w->pax, "uid", en->uid);
	if (en->gid > USTAR_UID_MAX)
		pax_put_number(&w->pax, "gid", en->gid);
	if (en->mtime_nsec != 0 || en->mtime_sec < 0 || en->mtime_sec > USTAR_SIZE_MAX)
		pax_put_time(&w->pax, "mtime", en->mtime_sec, en->mtime_nsec);
	ustar_put_number(h->mode, sizeof(h->mode), en->mode);
	ustar_put_number(h->uid, sizeof(h->uid), en->uid);
	ustar_put_number(h->gid, sizeof(h->gid), en->gid);
	ustar_put_number(h->size, sizeof(h->size), (int64_t)stored);
	ustar_put_number(h->mtime, sizeof(h->mtime), en->mtime_sec);
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK) {
		ustar_put_number(h->devmajor, sizeof(h->devmajor), en->rdev_major);
		ustar_put_number(h->devminor, sizeof(h->devminor), en->rdev_minor);
	}
}

static int
put_acl(struct tar_writer *w, const char *keyword, const void *acl, size_t len, struct err *e)
{
	if (acl == NULL)
		return 0;
	buf_clear(&w->acl);
	if (posixacl_to_text(acl, len, &w->acl, e) != 0) {
		if (e != NULL && e->kind == ERR_CORRUPT)
			e->kind = ERR_UNSUPPORTED;
		return -1;
	}
	pax_put(&w->pax, keyword, w->acl.data, w->acl.len);
	return 0;
}

static int
too_much(struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "its names and extended attributes come to over 1 MiB");
}

static int
put_attributes(struct tar_writer *w, const struct entry *en, struct err *e)
{
	if (put_acl(w, "SCHILY.acl.access", en->acl_access, en->acl_access_len, e) != 0 ||
	    put_acl(w, "SCHILY.acl.default", en->acl_default, en->acl_default_len, e) != 0)
		return -1;
	for (size_t i = 0; i < en->n_xattrs; i++) {
		const struct entry_xattr *x = &en->xattrs[i];

		/* Before gathering what is refused in the end. */
		if (x->len > TAR_PAX_MAX || w->pax.len > TAR_PAX_MAX)
			return too_much(e);
		pax_put_xattr(&w->pax, x->name, x->value, x->len);
	}
	return 0;
}

static uint64_t
last_end(const struct entry *en)
{
	const struct entry_extent *x;

	if (en->n_extents == 0)
		return 0;
	x = &en->extents[en->n_extents - 1];
	return x->offset + x->len;
}

/* GNU sparse format 1.0: numbers in lines, closed by an empty extent when a hole comes last. */
static void
put_map(struct buf *map, const struct entry *en)
{
	bool close = en->n_extents == 0 || last_end(en) < en->size;

	buf_clear(map);
	if (!en->sparse)
		return;
	buf_printf(map, "%zu\n", en->n_extents + close);
	for (size_t i = 0; i < en->n_extents; i++)
		buf_printf(map, "%llu\n%llu\n", (unsigned long long)en->extents[i].offset,
		    (unsigned long long)en->extents[i].len);
	if (close)
		buf_printf(map, "%llu\n0\n", (unsigned long long)en->size);
	buf_zeros(map, tar_pad(map->len));
}

static char
typeflag_of(enum entry_type t)
{
	switch (t) {
	case ENTRY_DIR:
		return '5';
	case ENTRY_SYMLINK:
		return '2';
	case ENTRY_HARDLINK:
		return '1';
	case ENTRY_FIFO:
		return '6';
	case ENTRY_CHAR:
		return '3';
	case ENTRY_BLOCK:
		return '4';
	default:
		return '0';
	}
}

/* All the same but for the length, so that it packs to almost nothing. */
static void
put_pax_header(struct buf *out, const struct buf *pax)
{
	static const char name[] = "././@PaxHeader";
	struct ustar h;

	ustar_init(&h, 'x');
	memcpy(h.name, name, sizeof(name));
	ustar_put_number(h.mode, sizeof(h.mode), 0644);
	ustar_put_number(h.size, sizeof(h.size), (int64_t)pax->len);
	ustar_put_checksum(&h);
	buf_append(out, &h, sizeof(h));
	buf_append(out, pax->data, pax->len);
	buf_zeros(out, tar_pad(pax->len));
}

int
tar_write_header(struct tar_writer *w, const struct entry *en, struct buf *out, struct err *e)
{
	size_t start = out->len;
	uint64_t stored;
	struct ustar h;

	if (check(en, e) != 0)
		return -1;
	buf_clear(&w->pax);
	put_name(&w->name, en);
	put_map(&w->map, en);
	if (buf_check(&w->name, e) != 0 || buf_check(&w->map, e) != 0)
		return -1;
	if ((stored = w->map.len + tar_data_len(en)) > INT64_MAX)
		return err_set(e, ERR_UNSUPPORTED, "too large for tar");
	ustar_init(&h, typeflag_of(en->type));
	put_names(w, en, &h);
	put_numbers(w, en, stored, &h);
	if (put_attributes(w, en, e) != 0)
		return -1;
	if (en->sparse)
		put_sparse_name(&h, en, &w->name);
	if (buf_check(&w->pax, e) != 0 || buf_check(&w->name, e) != 0)
		return -1;
	if (w->pax.len > TAR_PAX_MAX)
		return too_much(e);
	ustar_put_checksum(&h);
	if (w->pax.len > 0)
		put_pax_header(out, &w->pax);
	buf_append(out, &h, sizeof(h));
	buf_append(out, w->map.data, w->map.len);
	if (buf_check(out, e) != 0) {
		out->len = start;
		return -1;
	}
	return 0;
}

uint64_t
tar_data_len(const struct entry *en)
{
	uint64_t sum = 0;

	if (en->type != ENTRY_FILE)
		return 0;
	if (!en->sparse)
		return en->size;
	for (size_t i = 0; i < en->n_extents; i++)
		sum += en->extents[i].len;
	return sum;
}

int
tar_writer_new(struct tar_writer **out, struct err *e)
{
	struct tar_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_nomem(e);
	*out = w;
	return 0;
}

void
tar_writer_free(struct tar_writer *w)
{
	if (w == NULL)
		return;
	buf_done(&w->name);
	buf_done(&w->pax);
	buf_done(&w->map);
	buf_done(&w->acl);
	free(w);
}
