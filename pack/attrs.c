/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/attrs.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "archive/posixacl.h"
#include "core/err.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define FIRST_TRY 1024 /* bytes; nearly all lists and values are shorter */

/* Either a descriptor, or a path that must not be followed. */
struct where {
	int fd;
	const char *path;
};

void
attrs_done(struct attrs *a)
{
	free(a->list);
	buf_done(&a->store);
	buf_done(&a->names);
	*a = (struct attrs){0};
}

void
attrs_clear(struct attrs *a)
{
	a->n = 0;
	a->acl_access = a->acl_default = NULL;
	a->acl_access_len = a->acl_default_len = 0;
	a->denied = 0;
	buf_clear(&a->store);
	buf_clear(&a->names);
}

static ssize_t
list_call(const struct where *w, char *out, size_t room)
{
	return w->path != NULL ? llistxattr(w->path, out, room) : flistxattr(w->fd, out, room);
}

static ssize_t
get_call(const struct where *w, const char *name, void *out, size_t room)
{
	return w->path != NULL ? lgetxattr(w->path, name, out, room)
			       : fgetxattr(w->fd, name, out, room);
}

/*
 * Append a list (name NULL) or a value to out: at first into a small room, then
 * into what the kernel says it needs, again while that grows.  -2: no memory; -1: errno.
 */
static ssize_t
fetch(const struct where *w, const char *name, struct buf *out)
{
	size_t room = FIRST_TRY;

	for (;;) {
		uint8_t *at = buf_reserve(out, room);
		if (at == NULL)
			return -2;
		ssize_t n =
		    name == NULL ? list_call(w, (char *)at, room) : get_call(w, name, at, room);
		if (n >= 0) {
			out->len += (size_t)n;
			return n;
		}
		if (errno != ERANGE || room > (1u << 20))
			return -1;
		n = name == NULL ? list_call(w, NULL, 0) : get_call(w, name, NULL, 0);
		if (n < 0)
			return -1;
		room = (size_t)n > room ? (size_t)n : room * 2;
	}
}

static bool
wanted(const char *name)
{
	return strncmp(name, "system.", 7) != 0 || strcmp(name, ACL_ACCESS) == 0 ||
	    strcmp(name, ACL_DEFAULT) == 0;
}

static int
add(struct attrs *a, const char *name, size_t len)
{
	if (a->n == a->cap) {
		size_t cap = a->cap == 0 ? 8 : a->cap * 2;
		struct entry_xattr *grown = realloc(a->list, cap * sizeof(*grown));
		if (grown == NULL)
			return -1;
		a->list = grown;
		a->cap = cap;
	}
	/* The store still moves: value is set when all are in. */
	a->list[a->n++] = (struct entry_xattr){.name = name, .len = len};
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry_xattr *)a)->name, ((const struct entry_xattr *)b)->name);
}

static bool
acl_is_sound(const struct entry_xattr *x)
{
	struct buf text = {0};
	bool sound = posixacl_to_text(x->value, x->len, &text, NULL) == 0;

	buf_done(&text);
	return sound;
}

static void
place_acl(struct attrs *a, const struct entry_xattr *x)
{
	if (!acl_is_sound(x)) {
		a->denied = EINVAL;
	} else if (strcmp(x->name, ACL_ACCESS) == 0) {
		a->acl_access = x->value;
		a->acl_access_len = x->len;
	} else {
		a->acl_default = x->value;
		a->acl_default_len = x->len;
	}
}

/* Values lie in the store in the list's order; ACLs leave the list for fields of their own. */
static void
place(struct attrs *a)
{
	const uint8_t *at = a->store.data;
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct entry_xattr x = a->list[i];
		x.value = at;
		at += x.len;
		if (entry_xattr_name_ok(x.name))
			a->list[kept++] = x;
		else
			place_acl(a, &x);
	}
	a->n = kept;
	if (kept > 1)
		qsort(a->list, kept, sizeof(*a->list), by_name);
}

/* Records of a tar header are a little longer than what they hold, ACLs as text several times. */
static bool
fits(const struct attrs *a)
{
	size_t sum = 4 * (a->acl_access_len + a->acl_default_len);

	for (size_t i = 0; i < a->n; i++)
		sum += 3 * strlen(a->list[i].name) + a->list[i].len + 32;
	return sum <= ATTRS_MAX;
}

/* The names may have changed since the list was made: one that is gone was removed meanwhile. */
static int
fetch_values(struct attrs *a, const struct where *w, struct err *e)
{
	const char *name = (const char *)a->names.data, *end = name + a->names.len;

	for (; name < end; name += strlen(name) + 1) {
		if (!wanted(name))
			continue;
		ssize_t n = fetch(w, name, &a->store);
		if (n == -2 || (n >= 0 && add(a, name, (size_t)n) != 0))
			return err_nomem(e);
		if (n == -1 && errno != ENODATA && errno != EOPNOTSUPP && a->denied == 0)
			a->denied = errno;
	}
	place(a);
	if (!fits(a)) {
		attrs_clear(a);
		a->denied = E2BIG;
	}
	return 0;
}

static int
read_all(struct attrs *a, const struct where *w, struct err *e)
{
	attrs_clear(a);
	ssize_t n = fetch(w, NULL, &a->names);
	if (n == -2)
		return err_nomem(e);
	if (n == -1 && errno != EOPNOTSUPP && errno != ENOSYS)
		a->denied = errno;
	return n > 0 ? fetch_values(a, w, e) : 0;
}

int
attrs_read_fd(struct attrs *a, int fd, struct err *e)
{
	struct where w = {.fd = fd};

	return read_all(a, &w, e);
}

int
attrs_read_at(struct attrs *a, int dirfd, const char *name, struct err *e)
{
	char path[sizeof("/proc/self/fd/") + 12 + NAME_MAX];
	struct where w = {.fd = -1, .path = path};

	int n = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		attrs_clear(a);
		a->denied = ENAMETOOLONG;
		return 0;
	}
	if (read_all(a, &w, e) != 0)
		return -1;
	if (a->denied == ENOENT || a->denied == ENOTDIR || a->denied == ESTALE)
		a->denied = 0;
	return 0;
}

void
attrs_entry(const struct attrs *a, struct entry *en)
{
	en->xattrs = a->n > 0 ? a->list : NULL;
	en->n_xattrs = a->n;
	en->acl_access = a->acl_access;
	en->acl_access_len = a->acl_access_len;
	en->acl_default = a->acl_default;
	en->acl_default_len = a->acl_default_len;
}

/* ---- kept elsewhere ---- */

/* The name with its NUL, the value's length, the value. */
static void
pack_one(struct buf *out, const char *name, const void *value, size_t len)
{
	uint32_t n = (uint32_t)len;

	buf_append(out, name, strlen(name) + 1);
	buf_append(out, &n, sizeof(n));
	buf_append(out, value, len);
}

void
attrs_pack(const struct entry *en, struct buf *out)
{
	for (size_t i = 0; i < en->n_xattrs; i++)
		pack_one(out, en->xattrs[i].name, en->xattrs[i].value, en->xattrs[i].len);
	if (en->acl_access != NULL)
		pack_one(out, ACL_ACCESS, en->acl_access, en->acl_access_len);
	if (en->acl_default != NULL)
		pack_one(out, ACL_DEFAULT, en->acl_default, en->acl_default_len);
}

int
attrs_unpack(struct attrs *a, const void *packed, size_t len, struct err *e)
{
	attrs_clear(a);
	buf_append(&a->store, packed, len);
	if (buf_check(&a->store, e) != 0)
		return -1;
	for (const uint8_t *at = a->store.data, *end = at + len; at < end;) {
		const uint8_t *nul = memchr(at, '\0', (size_t)(end - at));
		struct entry_xattr x = {.name = (const char *)at};
		uint32_t n;
		if (nul == NULL || (size_t)(end - nul - 1) < sizeof(n))
			return err_set(e, ERR_CORRUPT, "attributes are damaged");
		memcpy(&n, nul + 1, sizeof(n));
		at = nul + 1 + sizeof(n);
		if (n > (size_t)(end - at))
			return err_set(e, ERR_CORRUPT, "attributes are damaged");
		x.value = at;
		x.len = n;
		at += n;
		if (!entry_xattr_name_ok(x.name)) {
			place_acl(a, &x);
			continue;
		}
		if (add(a, x.name, n) != 0)
			return err_nomem(e);
		a->list[a->n - 1] = x;
	}
	return 0;
}

bool
attrs_fit(const struct entry *en)
{
	struct attrs a = {
	    .list = (struct entry_xattr *)(uintptr_t)en->xattrs, /* only read */
	    .n = en->n_xattrs,
	    .acl_access_len = en->acl_access_len,
	    .acl_default_len = en->acl_default_len,
	};

	return fits(&a);
}
