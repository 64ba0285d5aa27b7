/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_CHECK_H
#define MANIFEST_IMPORT_CHECK_H

struct err;
struct repo;
struct seal;

/*
 * Read a backup that was just made back from the disk: every byte of its archive and manifest,
 * against the digests that its seal leads to, of packed and of plain bytes.  ERR_CORRUPT says what
 * is wrong. Before an original is removed, nothing less will do.
 */
int import_check(const struct repo *repo, const struct seal *s, struct err *e);

#endif
