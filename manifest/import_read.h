/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_READ_H
#define MANIFEST_IMPORT_READ_H

#include <stdint.h>

#include "core/hash.h"

struct err;
struct import_names;
struct import_spool;

/*
 * Read somebody's NAME.tar.gz from its first byte to its last: its gzip and tar must be whole
 * (archive/gunzip.h, archive/foreign.h).  Content goes to spool (which may be NULL), entries to
 * names.
 */
struct import_read {
	uint64_t entries, bytes; /* met; bytes of files, with those that others replace */
	uint8_t digest[SHA256_LEN]; /* of the archive file */
};

/* archive: its name, for messages. */
int import_read(struct import_read *out, int fd, const char *archive, struct import_spool *spool,
    struct import_names *names, struct err *e);

#endif
