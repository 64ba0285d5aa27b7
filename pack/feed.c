/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/feed.h"

#include <string.h>

#include "archive/cut.h"
#include "core/pipeline.h"
#include "pack/source.h"
#include "pack/writer.h"

static int
submit(struct feed *f, struct err *e)
{
	struct job *j = f->job;

	f->job = NULL;
	return j == NULL ? 0 : pipeline_submit(f->pipeline, j, e);
}

static int
need_job(struct feed *f, struct timespec before, struct err *e)
{
	if (f->job != NULL)
		return 0;
	if (job_new(&f->job, JOB_FILES, e) != 0)
		return -1;
	f->job->listed = before;
	return 0;
}

int
feed_note(struct feed *f, enum job_item_kind kind, const char *path, size_t len, const char *reason,
    struct timespec before, struct err *e)
{
	if (need_job(f, before, e) != 0)
		return -1;
	const struct job_item *it =
	    job_add(f->job, kind, path, len, reason, reason == NULL ? 0 : strlen(reason), e);
	return it == NULL ? -1 : 0;
}

int
feed_add(struct feed *f, const struct feed_entry *en, struct err *e)
{
	const struct entry weighed = {
	    .type = en->type,
	    .path = en->path,
	    .path_len = en->path_len,
	    .size = en->type == ENTRY_FILE ? en->facts->size : 0,
	    .link = en->link,
	    .link_len = en->link_len,
	};
	uint64_t weight = cut_weight(&weighed);

	if (f->job != NULL && cut_before(&weighed, f->job->weight) && submit(f, e) != 0)
		return -1;
	if (need_job(f, en->before, e) != 0)
		return -1;
	struct job_item *it =
	    job_add(f->job, JOB_ENTRY, en->path, en->path_len, en->link, en->link_len, e);
	if (it == NULL)
		return -1;
	it->type = en->type;
	it->facts = *en->facts;
	it->read = en->read;
	if (en->read != NULL)
		f->job->read_bytes += en->read->data.len;
	f->job->weight += weight;
	return 0;
}

int
feed_big(struct feed *f, struct bigfile *b, struct err *e)
{
	if (submit(f, e) != 0)
		return -1;
	return writer_submit_big(f->pipeline, b, e);
}

uint64_t
feed_held(const struct feed *f)
{
	return f->job == NULL ? 0 : f->job->read_bytes;
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
