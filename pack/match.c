/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/match.h"

#include "archive/tarwrite.h"
#include "pack/bigfile.h"
#include "pack/job.h"
#include "pack/reuse.h"
#include "pack/statkey.h"

/* What the worker would do with the items if all of them were as they were listed. */
static bool
listed_key(const struct job *j, uint8_t key[SHA256_LEN])
{
	struct statkey k;
	struct entry en;

	statkey_init(&k, INT64_MAX); /* that it had settled is what the older key says */
	if (j->settled == STATKEY_NEVER)
		return false;
	for (size_t i = 0; i < j->n_items; i++) {
		const struct job_item *it = &j->items[i];
		switch (it->kind) {
		case JOB_ENTRY:
			job_entry(j, it, &en);
			statkey_add(&k, &en, &it->facts);
			break;
		case JOB_SKIPPED:
			statkey_add_skipped(&k, job_path(j, it), it->path_len, job_text(j, it));
			break;
		case JOB_VANISHED:
		case JOB_UNREADABLE:
			return false;
		}
	}
	return statkey_final(&k, key);
}

void
match_files(struct reuse_cursor *c, struct job *j)
{
	const struct job_item *first = job_first(j);
	uint8_t key[SHA256_LEN];

	if (first == NULL)
		return;
	const char *path = job_path(j, first);
	if (!reuse_find(c, MANIFEST_FILES, path, first->path_len, 0, &j->old))
		return;
	bool has_key = j->old.has_key && listed_key(j, key);
	j->how = reuse_judge(reuse_of(c), &j->old, has_key ? key : NULL, path, first->path_len, 0);
}

bool
match_big(struct reuse_cursor *c, struct bigfile *b)
{
	struct manifest_member header;

	if (!b->may_match || !reuse_find(c, MANIFEST_HEADER, b->path, b->path_len, 0, &header))
		return false;
	enum reuse_how how = reuse_judge(reuse_of(c), &header, b->key, b->path, b->path_len, 0);
	if (how == REUSE_CONTENT ||
	    !reuse_has_key(c, b->path, b->path_len, b->key, &b->older_plain))
		return false;
	/*
	 * What is stored of a sparse file is less than its size.  Where that lies in the file is
	 * not known without its map, so one is read again whole, or not at all.
	 */
	b->sparse = b->older_plain != b->facts.size + tar_pad(b->facts.size);
	b->unchanged = !b->sparse || how == REUSE_STAT;
	return b->unchanged;
}
