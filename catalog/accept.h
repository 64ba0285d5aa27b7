/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_ACCEPT_H
#define CATALOG_ACCEPT_H

#include <stddef.h>

struct err;
struct repo_list;
struct seal;

/* What of a list belongs into a catalog.  Private to catalog/. */
struct catalog_accept {
	struct catalog_accepted {
		const struct seal *seal; /* in the list */
	} * v; /* by series, then sequence, each place once */
	size_t n;
};

/* On failure too: free out->v. */
int catalog_accept_list(const struct repo_list *l, struct catalog_accept *out, struct err *e);

#endif
