/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_LINKS_H
#define VERIFY_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct err;
struct manifest_reader;
struct verify_finds;
struct verify_report;

/*
 * Damage to a file is damage to all its hard links, and those may stand anywhere in
 * the manifest.  So the damaged paths are kept, up to VERIFY_LINKS_MAX bytes of them,
 * and when there are any the manifest is gone through once more.
 * All-zero is ready for use.
 */
#define VERIFY_LINKS_MAX (8u << 20)

struct verify_links {
	struct buf text; /* paths, each ended by a NUL */
	size_t n;
	bool full; /* some were left out */
};

/* Take the paths of all damage in f. */
void verify_links_take(struct verify_links *l, const struct verify_finds *f);
/* Report the hard links to what was taken, but for those that were themselves. -1: memory, stop. */
int verify_links_report(struct verify_links *l, struct manifest_reader *reader,
    struct verify_report *report, struct err *e);
void verify_links_done(struct verify_links *l);

#endif
