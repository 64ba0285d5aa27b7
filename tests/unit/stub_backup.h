/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_STUB_BACKUP_H
#define TESTS_UNIT_STUB_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "seal/seal.h"

struct key;

/*
 * Seals whose archive and manifest are any bytes: enough for what only looks at
 * names, sizes, and seals.  Anything that fails ends the test program.
 */
struct stub {
	const char *series; /* NULL: "s" */
	uint64_t sequence;
	int64_t created; /* 0: 1000 * sequence */
	uint64_t unreadable;
	const struct key *key; /* NULL: unsigned */
	const struct seal *const *holds; /* ended by NULL */
};
#define STUB_ARCHIVE "archive bytes"
#define STUB_MANIFEST "manifest"

/* A new key: dir/NAME and dir/NAME.pub, and loaded. */
void stub_key(const char *dir, const char *name, struct key **k);
/* Fills in *s too, when it is not NULL (seal_done it). */
void stub_seal(const char *name, const struct stub *b, struct buf *text, struct seal *s);
/* NAME.tar.gz, NAME.manifest.gz, NAME.seal in dir. */
void stub_backup(const char *dir, const char *name, const struct stub *b, struct seal *s);

#endif
