/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/posixacl.h"

#include <inttypes.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/num.h"

/*
 * libacl has functions for this, but they look ids up in the user database, and their
 * text depends on it.  (Their names are why these are not called acl_*.)
 */
#define HEAD_LEN sizeof(struct posix_acl_xattr_header)
#define ENTRY_LEN sizeof(struct posix_acl_xattr_entry)

struct ace {
	unsigned tag, perm;
	uint32_t id; /* ACL_UNDEFINED_ID unless named */
};

/* Checks that entries come as the kernel wants them. */
struct checker {
	unsigned last; /* tag of the entry before; 0 at first */
	bool named;
};

static const struct {
	unsigned tag;
	const char *name;
	bool named;
} tags[] = {
    {ACL_USER_OBJ, "user:", false},
    {ACL_USER, "user:", true},
    {ACL_GROUP_OBJ, "group:", false},
    {ACL_GROUP, "group:", true},
    {ACL_MASK, "mask:", false},
    {ACL_OTHER, "other:", false},
};

/* Tags are single bits that rise in the order in which the kernel wants them. */
static bool
checker_takes(struct checker *c, const struct ace *a)
{
	unsigned want_before;

	switch (a->tag) {
	case ACL_USER_OBJ:
		want_before = 0;
		break;
	case ACL_USER:
		want_before = ACL_USER_OBJ | ACL_USER;
		break;
	case ACL_GROUP_OBJ:
		want_before = ACL_USER_OBJ | ACL_USER;
		break;
	case ACL_GROUP:
		want_before = ACL_GROUP_OBJ | ACL_GROUP;
		break;
	case ACL_MASK:
		want_before = ACL_GROUP_OBJ | ACL_GROUP;
		break;
	case ACL_OTHER:
		want_before = c->named ? ACL_MASK : ACL_GROUP_OBJ | ACL_MASK;
		break;
	default:
		return false;
	}
	if (want_before == 0 ? c->last != 0 : (c->last & want_before) == 0)
		return false;
	if (a->perm > 7)
		return false;
	if (a->tag == ACL_USER || a->tag == ACL_GROUP) {
		c->named = true;
		if (a->id == (uint32_t)ACL_UNDEFINED_ID)
			return false;
	} else if (a->id != (uint32_t)ACL_UNDEFINED_ID) {
		return false;
	}
	c->last = a->tag;
	return true;
}

static uint32_t
get_le(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static void
put_le(struct buf *out, uint32_t v, size_t n)
{
	for (; n > 0; n--, v >>= 8)
		buf_putc(out, (char)(uint8_t)v);
}

static void
ace_to_text(const struct ace *a, struct buf *out)
{
	size_t i = 0;

	while (tags[i].tag != a->tag)
		i++;
	buf_puts(out, tags[i].name);
	if (tags[i].named)
		buf_printf(out, "%" PRIu32, a->id);
	buf_putc(out, ':');
	buf_putc(out, a->perm & 4 ? 'r' : '-');
	buf_putc(out, a->perm & 2 ? 'w' : '-');
	buf_putc(out, a->perm & 1 ? 'x' : '-');
}

int
posixacl_to_text(const void *acl, size_t len, struct buf *out, struct err *e)
{
	const uint8_t *p = acl;
	struct checker check = {0};
	size_t start = out->len;

	if (len < HEAD_LEN || (len - HEAD_LEN) % ENTRY_LEN != 0 ||
	    get_le(p, 4) != POSIX_ACL_XATTR_VERSION)
		return err_set(e, ERR_CORRUPT, "not an ACL in the kernel's form");
	for (size_t at = HEAD_LEN; at < len; at += ENTRY_LEN) {
		struct ace a = {
		    .tag = get_le(p + at, 2),
		    .perm = get_le(p + at + 2, 2),
		    .id = get_le(p + at + 4, 4),
		};

		if (!checker_takes(&check, &a))
			goto bad;
		if (at > HEAD_LEN)
			buf_putc(out, ',');
		ace_to_text(&a, out);
	}
	if (check.last != ACL_OTHER)
		goto bad;
	return buf_check(out, e);
bad:
	out->len = start;
	return err_set(e, ERR_CORRUPT, "not an ACL that the kernel would take");
}

/* "user:1000:r-x", without what follows. */
static int
ace_from_text(const char *s, size_t len, struct ace *a)
{
	static const char letters[] = "rwx";
	const char *colon, *id;
	size_t name_len, id_len, i;
	uint64_t n = (uint32_t)ACL_UNDEFINED_ID;

	if (len < 5 || (colon = memchr(s, ':', len)) == NULL)
		return -1;
	name_len = (size_t)(colon - s) + 1;
	id = colon + 1;
	if (len < name_len + 4 || s[len - 4] != ':')
		return -1;
	id_len = len - 4 - name_len;
	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (tags[i].named == (id_len > 0) && strlen(tags[i].name) == name_len &&
		    memcmp(tags[i].name, s, name_len) == 0)
			break;
	if (i == sizeof(tags) / sizeof(tags[0]))
		return -1;
	if (id_len > 0 && num_u64(id, id_len, UINT32_MAX, &n) != 0)
		return -1;
	*a = (struct ace){.tag = tags[i].tag, .id = (uint32_t)n};
	for (i = 0; i < 3; i++) {
		char c = s[len - 3 + i];

		if (c != letters[i] && c != '-')
			return -1;
		a->perm = a->perm << 1 | (c != '-');
	}
	return 0;
}

int
posixacl_from_text(const char *text, size_t len, struct buf *out, struct err *e)
{
	const char *end = text + len;
	struct checker check = {0};
	size_t start = out->len;

	put_le(out, POSIX_ACL_XATTR_VERSION, 4);
	for (const char *s = text; s <= end;) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		const char *stop = comma != NULL ? comma : end;
		struct ace a;

		if (ace_from_text(s, (size_t)(stop - s), &a) != 0 || !checker_takes(&check, &a))
			goto bad;
		put_le(out, a.tag, 2);
		put_le(out, a.perm, 2);
		put_le(out, a.id, 4);
		s = stop + 1;
	}
	if (check.last != ACL_OTHER)
		goto bad;
	return buf_check(out, e);
bad:
	out->len = start;
	return err_set(e, ERR_CORRUPT, "not the text of an ACL");
}
