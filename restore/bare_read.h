/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_READ_H
#define RESTORE_BARE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

struct entry;
struct err;
struct foreign;
struct gunzip;

/*
 * Going over an archive without its manifest: any .tar.gz, from its first byte to its last
 * (archive/gunzip.h, archive/foreign.h).  What is read adds to the progress, in packed bytes.
 * All-zero is closed.
 */
struct bare_read {
	struct gunzip *gunzip;
	struct foreign *foreign;
	uint64_t shown;
	bool broken; /* the archive ended it, not the work: damage, or a lie */
};

/* fd is borrowed.  bare_read_close in every case. */
int bare_read_open(struct bare_read *r, int fd, struct err *e);
void bare_read_close(struct bare_read *r);
/* As foreign_next(), foreign_data(), foreign_lost(). */
int bare_read_next(struct bare_read *r, struct entry *en, struct err *e);
int bare_read_data(
    struct bare_read *r, const void **data, size_t *len, uint64_t *offset, struct err *e);
const char *bare_read_lost(const struct bare_read *r);
/* Of the whole file, once bare_read_next() gave 0. */
void bare_read_digest(const struct bare_read *r, uint8_t out[SHA256_LEN]);

#endif
