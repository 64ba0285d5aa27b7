/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_COMPARE_H
#define VERIFY_COMPARE_H

#include "archive/entry.h"
#include "seal/section.h"
#include "verify/job.h"

struct err;

/*
 * A member of whole entries, unpacked, against its section: every line has its entry
 * and the reverse, with the same facts, and each file its digest.  Differences go to
 * job->finds.  Without a sound section, only whether the tar stream is sound.
 * plain is the digest of all unpacked bytes, which comes nearly for nothing here.
 * -1: memory.
 */
int verify_compare_files(struct verify_job *job, uint8_t plain[SHA256_LEN], struct err *e);
/* Facts alone; true when they agree. */
bool verify_compare_facts(
    struct verify_finds *f, const struct section_line *line, const struct entry *en);
void verify_compare_digest(
    struct verify_finds *f, const struct section_line *line, const uint8_t digest[SHA256_LEN]);

#endif
