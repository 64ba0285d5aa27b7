/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/copy.h"

#include <string.h>

#include "core/err.h"
#include "pack/job.h"
#include "pack/reuse.h"

static int
lost(struct job *j, const char *path, const struct err *why)
{
	tally_event(&j->tally, TALLY_UNCOPIED, path, strlen(path), why->msg);
	return 0;
}

int
copy_member(
    const struct reuse *r, struct job *j, struct job_output *o, const char *path, struct err *e)
{
	const struct manifest_member *old = &j->old;
	struct err why;

	int rc = reuse_fetch_member(r, old, &o->packed, &why, e);
	if (rc != 0)
		return rc < 0 ? -1 : lost(j, path, &why);
	o->copied = o->as_is = true;
	o->older_offset = old->offset;
	o->m.plain_len = old->plain_len;
	memcpy(o->m.packed_digest, old->packed_digest, SHA256_LEN);
	memcpy(o->m.plain_digest, old->plain_digest, SHA256_LEN);
	return 1;
}

static void
count(struct job *j)
{
	for (size_t i = 0; i < j->n_items; i++) {
		const struct job_item *it = &j->items[i];
		if (it->kind == JOB_SKIPPED)
			tally_event(&j->tally, TALLY_SKIPPED, job_path(j, it), it->path_len,
			    job_text(j, it));
		if (it->kind == JOB_ENTRY && it->type == ENTRY_FILE)
			j->tally.bytes += it->facts.size;
	}
	j->tally.entries += j->old.entries;
}

int
copy_files(const struct reuse *r, struct job *j, struct err *e)
{
	const struct job_item *first = job_first(j);
	struct job_output *o = job_output_add(j, e);
	struct err why;

	if (o == NULL)
		return -1;
	o->m.kind = MANIFEST_FILES;
	o->m.entries = j->old.entries;
	o->m.path = job_path(j, first);
	o->m.path_len = first->path_len;
	o->m.has_key = true;
	memcpy(o->m.key, j->old.key, SHA256_LEN);
	int rc = copy_member(r, j, o, o->m.path, e);
	if (rc == 1 && (rc = reuse_fetch_section(r, &j->old, &o->section, &why, e)) == 0) {
		o->section_plain = j->old.section_plain;
		count(j);
		return 1;
	}
	if (rc == 1)
		rc = lost(j, o->m.path, &why);
	job_output_done(o);
	j->n_out--;
	j->how = REUSE_NOT;
	return rc;
}
