/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/entry.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

static void
add(struct sha256 *h, const char *name, const void *value, size_t len)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%zu", len);

	sha256_update(h, name, strlen(name) + 1);
	sha256_update(h, text, (size_t)n + 1);
	if (len > 0)
		sha256_update(h, value, len);
}

const char *
entry_type_name(enum entry_type type)
{
	switch (type) {
	case ENTRY_FILE:
		return "file";
	case ENTRY_DIR:
		return "dir";
	case ENTRY_SYMLINK:
		return "link";
	case ENTRY_HARDLINK:
		return "hardlink";
	case ENTRY_FIFO:
		return "fifo";
	case ENTRY_CHAR:
		return "char";
	case ENTRY_BLOCK:
		break;
	}
	return "block";
}

enum entry_type
entry_type_of_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return ENTRY_FILE;
	case S_IFDIR:
		return ENTRY_DIR;
	case S_IFLNK:
		return ENTRY_SYMLINK;
	case S_IFIFO:
		return ENTRY_FIFO;
	case S_IFCHR:
		return ENTRY_CHAR;
	case S_IFBLK:
		return ENTRY_BLOCK;
	default:
		return 0;
	}
}

/* The ACLs stand among the other attributes where their names sort. */
bool
entry_xattr_digest(const struct entry *en, uint8_t out[SHA256_LEN])
{
	struct entry_xattr acls[2];
	size_t n_acls = 0, i = 0, j = 0;
	struct sha256 h;

	if (en->acl_access != NULL)
		acls[n_acls++] =
		    (struct entry_xattr){ACL_ACCESS, en->acl_access, en->acl_access_len};
	if (en->acl_default != NULL)
		acls[n_acls++] =
		    (struct entry_xattr){ACL_DEFAULT, en->acl_default, en->acl_default_len};
	if (en->n_xattrs + n_acls == 0)
		return false;
	sha256_init(&h);
	while (i < en->n_xattrs || j < n_acls) {
		bool acl = i == en->n_xattrs ||
		    (j < n_acls && strcmp(acls[j].name, en->xattrs[i].name) < 0);
		const struct entry_xattr *x = acl ? &acls[j++] : &en->xattrs[i++];

		add(&h, x->name, x->value, x->len);
	}
	sha256_final(&h, out);
	return true;
}

bool
entry_xattr_name_ok(const char *name)
{
	return name[0] != '\0' && strcmp(name, ACL_ACCESS) != 0 && strcmp(name, ACL_DEFAULT) != 0;
}
