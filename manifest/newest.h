/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_NEWEST_H
#define MANIFEST_NEWEST_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "core/buf.h"

struct err;

/*
 * Versions as catalog_query() gives them (by series, path, age) come in, and for each path of a
 * series the newest one goes on, with how many there were.  All-zero but for fn and ctx is a start.
 */
typedef int (*newest_fn)(
    void *ctx, const struct catalog_version *v, uint64_t versions, struct err *e);

struct newest {
	newest_fn fn;
	void *ctx;
	bool has; /* v is the newest so far of its path; its strings are in text */
	struct catalog_version v;
	struct buf text;
	uint64_t versions;
};

/* What fn gave for the path before, when v is of another one; else 0. */
int newest_add(struct newest *n, const struct catalog_version *v, struct err *e);
/* Hand on the last one. */
int newest_finish(struct newest *n, struct err *e);
void newest_done(struct newest *n);

#endif
