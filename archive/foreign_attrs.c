/* SPDX-License-Identifier: BSD-2-Clause */
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/foreign_impl.h"
#include "archive/posixacl.h"
#include "core/err.h"
#include "core/num.h"

/*
 * Extended attributes stand in SCHILY.xattr.NAME, or as libarchive has it besides, in
 * LIBARCHIVE.xattr.NAME with the value in base64; SELinux labels in RHT.security.selinux.
 * ACLs are text, with names or numbers of users; libarchive adds the number behind a name.
 */
#define ACES_MAX 4096
#define XATTRS_MAX 4096 /* a kernel's list of names has room for fewer */

/* ---- ACLs ---- */

struct ace {
	unsigned tag;
	uint64_t id;
	char perm[4];
};

static const struct {
	const char *word, *letter;
	unsigned own, named;
} tags[] = {
    {"user", "u", ACL_USER_OBJ, ACL_USER},
    {"group", "g", ACL_GROUP_OBJ, ACL_GROUP},
    {"mask", "m", ACL_MASK, 0},
    {"other", "o", ACL_OTHER, 0},
};

static bool
is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

static bool
take_perm(struct ace *a, const char *s, size_t len)
{
	static const char all[] = "rwx";

	if (len < 3)
		return false;
	for (int i = 0; i < 3; i++) {
		if (s[i] != all[i] && s[i] != '-')
			return false;
		a->perm[i] = s[i];
	}
	a->perm[3] = '\0';
	return true;
}

/* TAG:WHO:PERM[:ID] of len bytes. */
static bool
take_ace(struct ace *a, const char *s, size_t len)
{
	const char *field[4] = {s, "", "", ""};
	size_t n[4] = {0}, k = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] != ':') {
			n[k]++;
		} else if (++k == 4) {
			return false;
		} else {
			field[k] = s + i + 1;
		}
	}
	if (k == 1) { /* other:r-x */
		field[2] = field[1];
		n[2] = n[1];
		n[1] = 0;
	}
	if (!take_perm(a, field[2], n[2]))
		return false;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!is_word(field[0], n[0], tags[i].word) &&
		    !is_word(field[0], n[0], tags[i].letter))
			continue;
		a->id = 0;
		a->tag = n[1] == 0 ? tags[i].own : tags[i].named;
		if (n[1] == 0)
			return true;
		return a->tag != 0 &&
		    (num_u64(field[3], n[3], UINT32_MAX - 1, &a->id) == 0 ||
			num_u64(field[1], n[1], UINT32_MAX - 1, &a->id) == 0);
	}
	return false;
}

static int
by_tag(const void *x, const void *y)
{
	const struct ace *a = x, *b = y;

	if (a->tag != b->tag)
		return a->tag < b->tag ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* The text that posixacl_from_text() takes. */
static void
put_aces(struct buf *out, const struct ace *aces, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ace *a = &aces[i];
		const char *sep = i == 0 ? "" : ",";
		if (a->tag == ACL_USER || a->tag == ACL_GROUP)
			buf_printf(out, "%s%s:%llu:%s", sep, a->tag == ACL_USER ? "user" : "group",
			    (unsigned long long)a->id, a->perm);
		else
			buf_printf(out, "%s%s::%s", sep,
			    a->tag == ACL_USER_OBJ	  ? "user"
				: a->tag == ACL_GROUP_OBJ ? "group"
				: a->tag == ACL_MASK	  ? "mask"
							  : "other",
			    a->perm);
	}
}

/* false: one of its entries cannot be understood. */
static bool
get_aces(const char *s, size_t len, struct ace *aces, size_t *n)
{
	for (size_t at = 0; at < len;) {
		size_t end = at;
		while (end < len && s[end] != ',' && s[end] != '\n')
			end++;
		if (end > at && (*n == ACES_MAX || !take_ace(&aces[(*n)++], s + at, end - at)))
			return false;
		at = end + 1;
	}
	return true;
}

/* An ACL that cannot be had is lost, and told; the entry has its mode. */
static int
take_acl(struct foreign *f, int which, const struct pax_record *r, struct err *e)
{
	struct buf *acl = &f->acl[which];
	struct ace *aces = calloc(ACES_MAX, sizeof(*aces));
	struct buf text = {0};
	size_t n = 0;
	int rc = 0;

	if (aces == NULL)
		return err_nomem(e);
	if (f->acl_exact[which]) {
		free(aces);
		return 0;
	}
	buf_clear(acl);
	bool good = get_aces(r->value, r->len, aces, &n);
	qsort(aces, n, sizeof(*aces), by_tag);
	put_aces(&text, aces, n);
	(void)buf_str(&text);
	if (buf_check(&text, e) != 0)
		rc = -1;
	else
		f->acl_lost[which] =
		    !good || posixacl_from_text((const char *)text.data, text.len, acl, NULL) != 0;
	/* Three entries say no more than the mode. */
	if (which == 0 && n <= 3)
		buf_clear(acl);
	buf_done(&text);
	free(aces);
	return rc;
}

/* GNU tar with --xattrs has them as attributes as well, which is better: no names in them. */
static int
take_kernel_acl(struct foreign *f, const char *name, const void *value, size_t len, struct err *e)
{
	int which = strcmp(name, "system.posix_acl_default") == 0;
	struct buf text = {0};

	if (posixacl_to_text(value, len, &text, NULL) == 0) {
		buf_clear(&f->acl[which]);
		buf_append(&f->acl[which], value, len);
		f->acl_exact[which] = true;
		f->acl_lost[which] = false;
	}
	buf_done(&text);
	return buf_check(&f->acl[which], e);
}

/* ---- attributes ---- */

static bool
is_known_space(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0 ||
	    strncmp(name, "security.", 9) == 0;
}

static int
add(struct foreign *f, const char *name, const void *value, size_t len, struct err *e)
{
	if (name[0] != '\0' && !entry_xattr_name_ok(name))
		return take_kernel_acl(f, name, value, len, e);
	if (!is_known_space(name)) {
		f->lost = "it has an extended attribute of a kind that Linux does not have";
		return 0;
	}
	for (size_t i = 0; i < f->n_xattrs; i++)
		if (strcmp(f->xattrs[i].name, name) == 0)
			return 0; /* the same in another form */
	if (f->n_xattrs == XATTRS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d extended attributes", XATTRS_MAX);
	if (f->n_xattrs == f->cap_xattrs) {
		size_t cap = f->cap_xattrs == 0 ? 16 : f->cap_xattrs * 2;
		struct entry_xattr *grown = reallocarray(f->xattrs, cap, sizeof(*grown));
		if (grown == NULL)
			return err_nomem(e);
		f->xattrs = grown;
		f->cap_xattrs = cap;
	}
	f->xattrs[f->n_xattrs++] = (struct entry_xattr){.name = name, .value = value, .len = len};
	return 0;
}

/* The value of a digit; 16: it is none. */
static unsigned
hex(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* %XX, in place. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '%' && hex(s[1]) < 16 && hex(s[2]) < 16) {
			*to++ = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* In place, which has room; false when it is no base64.  Padding may be missing. */
static bool
from_base64(char *s, size_t *len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	size_t n = 0, have = 0;

	for (size_t i = 0; i < *len && s[i] != '='; i++) {
		const char *at = s[i] == '\0' ? NULL : strchr(digits, s[i]);
		if (at == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(at - digits);
		if ((have += 6) >= 8) {
			have -= 8;
			s[n++] = (char)(bits >> have);
		}
	}
	*len = n;
	return true;
}

int
foreign_attr(struct foreign *f, struct pax_record *r, struct err *e)
{
	static const char schily[] = "SCHILY.xattr.", libarchive[] = "LIBARCHIVE.xattr.";
	char *name;

	if (strcmp(r->keyword, "SCHILY.acl.access") == 0)
		return take_acl(f, 0, r, e) == 0 ? 1 : -1;
	if (strcmp(r->keyword, "SCHILY.acl.default") == 0)
		return take_acl(f, 1, r, e) == 0 ? 1 : -1;
	if (strcmp(r->keyword, "RHT.security.selinux") == 0)
		return add(f, "security.selinux", r->value, r->len + 1, e) == 0 ? 1 : -1;
	if (strncmp(r->keyword, schily, sizeof(schily) - 1) == 0) {
		name = r->keyword + sizeof(schily) - 1;
		(void)pax_unescape_xattr(name); /* older ones did not escape */
		return add(f, name, r->value, r->len, e) == 0 ? 1 : -1;
	}
	if (strncmp(r->keyword, libarchive, sizeof(libarchive) - 1) == 0) {
		name = r->keyword + sizeof(libarchive) - 1;
		unescape(name);
		if (!from_base64(r->value, &r->len))
			return err_set(e, ERR_CORRUPT, "a damaged extended attribute");
		return add(f, name, r->value, r->len, e) == 0 ? 1 : -1;
	}
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry_xattr *)a)->name, ((const struct entry_xattr *)b)->name);
}

/*
 * The mode that an ACL gives its file, as stat(2) shows it: the group's bits are those of the mask.
 * libarchive stores the group's own, which would narrow the mask when it is set.
 */
static void
mode_of_acl(struct entry *en, const struct buf *acl)
{
	size_t head = sizeof(struct posix_acl_xattr_header);
	struct posix_acl_xattr_entry x;
	uint32_t bits[3] = {0};

	for (size_t at = head; at + sizeof(x) <= acl->len; at += sizeof(x)) {
		memcpy(&x, acl->data + at, sizeof(x));
		uint32_t perm = le16toh(x.e_perm) & 7;
		switch (le16toh(x.e_tag)) {
		case ACL_USER_OBJ:
			bits[0] = perm;
			break;
		case ACL_GROUP_OBJ: /* comes before the mask, if there is one */
		case ACL_MASK:
			bits[1] = perm;
			break;
		case ACL_OTHER:
			bits[2] = perm;
			break;
		default:
			break;
		}
	}
	en->mode = (en->mode & 07000) | bits[0] << 6 | bits[1] << 3 | bits[2];
}

void
foreign_attrs_done(struct foreign *f)
{
	struct entry *en = &f->entry;

	if (f->n_xattrs > 1)
		qsort(f->xattrs, f->n_xattrs, sizeof(*f->xattrs), by_name);
	en->xattrs = f->n_xattrs > 0 ? f->xattrs : NULL;
	en->n_xattrs = f->n_xattrs;
	if (f->acl_lost[0] || f->acl_lost[1])
		f->lost = "its ACL names users or groups without their numbers, or is damaged";
	if (f->acl[0].len > 0) {
		en->acl_access = f->acl[0].data;
		en->acl_access_len = f->acl[0].len;
		mode_of_acl(en, &f->acl[0]);
	}
	if (f->acl[1].len > 0) {
		en->acl_default = f->acl[1].data;
		en->acl_default_len = f->acl[1].len;
	}
}
