/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_DENSE_H
#define ARCHIVE_DENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Data that will not compress (packed, encrypted, random), told by a look at it that
 * costs little, so that it need not be tried: with libdeflate trying is slower than
 * packing text.  The same bytes give the same answer on any machine.
 */
#define DENSE_MIN (64u << 10) /* less is packed faster than looked at */
#define DENSE_PROBES 4u
#define DENSE_PROBE_LEN (16u << 10)

/* Are all byte values about as frequent?  False below DENSE_MIN. */
bool dense_looks(const uint8_t *p, size_t len);
/*
 * Even frequencies do not show repeats: the caller packs these pieces, DENSE_PROBE_LEN
 * each, and none may become smaller.  i is below DENSE_PROBES.
 */
const uint8_t *dense_probe(const uint8_t *p, size_t len, unsigned i);
/* Is what was packed of a probe no smaller, to half a percent? */
bool dense_stays(size_t packed_len);

/* Deflate's stored blocks: length for len bytes, and the blocks, written to out. */
size_t dense_stored_len(size_t len);
void dense_store(const uint8_t *p, size_t len, uint8_t *out);

#endif
