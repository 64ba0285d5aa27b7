/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_POSIXACL_H
#define ARCHIVE_POSIXACL_H

#include <stddef.h>

struct buf;
struct err;

/*
 * POSIX ACLs: the kernel's form (posix_acl_xattr.h, version 2), as in the value of
 * system.posix_acl_access, and the text that tar records hold,
 *
 *	user::rwx,user:1000:r-x,group::r-x,mask::rwx,other::---
 *
 * with numeric ids only.  Both ways are exact: whatever passes comes back the same.
 * What the kernel would not take as an ACL (another order, a missing mask) is
 * ERR_CORRUPT.  Results are appended to out; on failure out is as it was.
 */
int posixacl_to_text(const void *acl, size_t len, struct buf *out, struct err *e);
int posixacl_from_text(const char *text, size_t len, struct buf *out, struct err *e);

#endif
