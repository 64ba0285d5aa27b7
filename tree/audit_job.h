/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_AUDIT_JOB_H
#define TREE_AUDIT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/facts.h"
#include "seal/section.h"
#include "tree/audit.h"

struct err;
struct walk_item;

/* Within an audit only: what is handed from the merge (audit.c) to workers and sink. */

/* One path.  In one piece of memory with its strings. */
struct audit_item {
	const char *path;
	size_t path_len;
	bool has_before, has_now;
	struct section_line before; /* of a hard link that is read: size and digests of its target
				     */
	struct facts now; /* of the walk; of a file, when it is opened */
	uint64_t dev, ino; /* of the walk */
	uint32_t names;
	const char *now_link;
	size_t now_link_len;
	/*
	 * It is to be compared by a worker.  Else the finding is made already, if it is one.
	 * Unless read is set, content and attributes are those of a name that came before.
	 */
	bool compare, read;
	unsigned
	    link; /* AUDIT_LINK when the merge saw that names do not belong together as they did */
	/* What is found. */
	bool found;
	enum audit_kind kind;
	unsigned what;
	const char *reason; /* static, or in the item */
	uint64_t bytes;
};

/* line and w may be NULL; everything is copied. */
struct audit_item *audit_item_new(
    const struct section_line *line, const struct walk_item *w, struct err *e);
void audit_item_free(struct audit_item *it);

/* Many items are worth the passing from thread to thread; few, and a large file has company. */
#define AUDIT_JOB_ITEMS 64u
#define AUDIT_JOB_BYTES (1u << 20)
struct audit_job {
	struct audit_item *items[AUDIT_JOB_ITEMS];
	size_t n;
	uint64_t bytes; /* to be read */
};

struct audit_job *audit_job_new(struct err *e);
void audit_job_free(void *job); /* and its items; NULL is harmless */
bool audit_job_full(const struct audit_job *j);

/* ---- audit_look.c: a worker's part ---- */

struct audit_looker;

struct audit_looker *audit_looker_new(int rootfd, struct err *e);
void audit_looker_free(void *looker); /* NULL is harmless */
/* Compares the item, and fills in what is found. */
int audit_look(struct audit_looker *l, struct audit_item *it, struct err *e);

#endif
