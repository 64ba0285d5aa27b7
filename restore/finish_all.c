/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/pipeline.h"
#include "core/stop.h"
#include "restore/dirs.h"
#include "restore/extract.h"
#include "restore/finish_one.h"
#include "restore/load.h"
#include "restore/mark.h"

/*
 * Members from the last to the first: of each the hard links, then the directories from
 * the last to the first.  Then a directory has its turn after all that is in it, and each
 * link comes while the ways to it and to what it is a name of, which stands before it, are
 * still open.  Workers read, the sink does; members whose mark says that there is nothing
 * to do are passed over.
 */
struct job {
	struct manifest_member m;
	char *path; /* m.path points here */
	uint8_t mark;
	struct restore_dirs dirs;
};

static void
job_free(void *arg)
{
	struct job *j = arg;

	if (j == NULL)
		return;
	restore_dirs_done(&j->dirs);
	free(j->path);
	free(j);
}

static void *
worker_new(void *arg, struct err *e)
{
	const struct restore_job_ctx *ctx = ((struct restore_finish_one *)arg)->ctx;
	struct restore_load *l;

	return restore_load_open(&l, ctx->repo, ctx->seal, e) == 0 ? l : NULL;
}

static void
worker_free(void *worker)
{
	restore_load_close(worker);
}

static int
work(void *arg, void *worker, void *job, struct err *e)
{
	struct job *j = job;

	(void)arg;
	return restore_dirs_load(&j->dirs, worker, &j->m, j->mark, e);
}

static int
sink(void *arg, void *job, struct err *e)
{
	struct restore_finish_one *one = arg;
	const struct restore_dirs *d = &((struct job *)job)->dirs;
	const char *at = (const char *)d->links.data;
	const char *end = d->links.len > 0 ? at + d->links.len : at;

	while (at < end) {
		const char *link = at + strlen(at) + 1;

		if (restore_finish_link(one, at, link, e) != 0)
			return -1;
		at = link + strlen(link) + 1;
	}
	for (size_t i = d->n; i-- > 0;)
		restore_finish_dir(one, &d->v[i], d->v[i].en.path);
	return 0;
}

static int
submit(struct pipeline *p, const struct manifest_member *m, uint8_t mark, struct err *e)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL || (j->path = strndup(m->path, m->path_len)) == NULL) {
		free(j);
		return err_nomem(e);
	}
	j->m = *m;
	j->m.path = j->path;
	j->mark = mark;
	return pipeline_submit(p, j, e);
}

static bool
nothing_to_do(uint8_t mark)
{
	return (mark & RESTORE_SEEN) != 0 && (mark & (RESTORE_LINKS | RESTORE_DIRS)) == 0;
}

static int
submit_all(const uint8_t *marks, struct pipeline *p, struct manifest_reader *index, struct err *e)
{
	uint64_t number = manifest_totals(index).members;
	struct manifest_member m;

	while (number-- > 0) {
		uint8_t mark = marks[number];

		if (stop_check(e) != 0)
			return -1;
		if (nothing_to_do(mark))
			continue;
		if (manifest_seek(index, number, e) != 0 || manifest_next(index, &m, e) != 1) {
			if (!restore_load_lost(e))
				return -1;
			err_clear(e); /* told before */
		} else if (m.kind == MANIFEST_FILES && submit(p, &m, mark, e) != 0)
			return -1;
	}
	return 0;
}

int
restore_finish_all(struct restore_finish_one *one, struct restore_load *l, struct err *e)
{
	struct pipeline_opts o = {.workers = one->ctx->jobs,
	    .ctx = one,
	    .worker_new = worker_new,
	    .worker_free = worker_free,
	    .work = work,
	    .sink = sink,
	    .job_free = job_free};
	struct pipeline *p;

	if (pipeline_new(&p, &o, e) != 0)
		return -1;
	if (submit_all(one->ctx->marks, p, restore_load_index(l), e) == 0)
		return pipeline_finish(p, e);
	pipeline_abort(p);
	return -1;
}
