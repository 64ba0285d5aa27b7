/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/feed.h"

#include <string.h>

#include "archive/cut.h"
#include "core/pipeline.h"
#include "pack/bigfile.h"
#include "pack/copy.h"
#include "pack/match.h"
#include "pack/reuse.h"
#include "pack/source.h"
#include "pack/writer.h"

/*
 * What the older backup has for a job that is complete.  First names of several files are left
 * unread until here: where the member is copied they are surely in the archive, once its bytes
 * are at hand.
 */
static int
settle(struct feed *f, struct job *j, struct err *e)
{
	int rc = 0;

	if (f->older != NULL)
		match_files(f->older, j);
	if (!j->has_firsts)
		return 0;
	if (j->how == REUSE_STAT)
		rc = copy_files(reuse_of(f->older), j, e);
	return rc == 0 ? f->read_firsts(f->ctx, j, e) : rc < 0 ? -1 : 0;
}

static int
submit(struct feed *f, struct err *e)
{
	struct job *j = f->job;

	if (j == NULL)
		return 0;
	if (settle(f, j, e) != 0)
		return -1;
	f->job = NULL;
	return pipeline_submit(f->pipeline, j, e);
}

static int
need_job(struct feed *f, struct err *e)
{
	return f->job != NULL ? 0 : job_new(&f->job, JOB_FILES, e);
}

int
feed_note(struct feed *f, enum job_item_kind kind, const char *path, size_t len, const char *reason,
    struct err *e)
{
	if (need_job(f, e) != 0)
		return -1;
	const struct job_item *it =
	    job_add(f->job, kind, path, len, reason, reason == NULL ? 0 : strlen(reason), e);
	return it == NULL ? -1 : 0;
}

static int
add(struct job *j, const struct feed_entry *en, struct err *e)
{
	struct job_item *it =
	    job_add(j, JOB_ENTRY, en->path, en->path_len, en->link, en->link_len, e);

	if (it == NULL)
		return -1;
	it->type = en->type;
	it->facts = *en->facts;
	it->read = en->read;
	it->is_first = en->is_first;
	j->has_firsts |= en->is_first;
	if (en->settled < j->settled)
		j->settled = en->settled;
	if (en->read != NULL)
		j->read_bytes += en->read->data.len;
	return 0;
}

static struct entry
weighed(const struct feed_entry *en)
{
	return (struct entry){
	    .type = en->type,
	    .path = en->path,
	    .path_len = en->path_len,
	    .size = en->type == ENTRY_FILE ? en->facts->size : 0,
	    .link = en->link,
	    .link_len = en->link_len,
	};
}

int
feed_cut(struct feed *f, const struct feed_entry *en, struct err *e)
{
	const struct entry w = weighed(en);

	return f->job != NULL && cut_before(&w, f->job->weight) ? submit(f, e) : 0;
}

int
feed_add(struct feed *f, const struct feed_entry *en, struct err *e)
{
	const struct entry w = weighed(en);

	if (feed_cut(f, en, e) != 0 || need_job(f, e) != 0 || add(f->job, en, e) != 0)
		return -1;
	f->job->weight += cut_weight(&w);
	return 0;
}

int
feed_big(struct feed *f, struct bigfile *b, struct err *e)
{
	if (submit(f, e) != 0)
		return -1;
	if (f->older != NULL && match_big(f->older, b))
		return writer_submit_unchanged(f->pipeline, b, f->older, e);
	return bigfile_survey(b, e) != 0 ? -1 : writer_submit_big(f->pipeline, b, f->older, e);
}

int
feed_end(struct feed *f, struct err *e)
{
	return submit(f, e);
}

void
feed_done(struct feed *f)
{
	job_free(f->job);
	f->job = NULL;
}
