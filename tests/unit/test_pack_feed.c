/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/feed.h"

#include <stdlib.h>
#include <string.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/pipeline.h"
#include "pack/bigfile.h"
#include "pack/source.h"
#include "tests/unit/unit.h"

/* What comes out of the pipeline, a line a job: "f a b", "h big", "c big 0", notes as "!a". */
static struct buf seen;
static struct err e;
static struct feed f;

static int
work(void *ctx, void *worker, void *job, struct err *err)
{
	(void)ctx;
	(void)worker;
	(void)job;
	(void)err;
	return 0;
}

static int
sink(void *ctx, void *job, struct err *err)
{
	const struct job *j = job;

	(void)ctx;
	(void)err;
	switch (j->kind) {
	case JOB_HEADER:
		buf_printf(&seen, "h %s\n", j->big->path);
		return 0;
	case JOB_CHUNK:
		buf_printf(&seen, "c %s %llu%s\n", j->big->path,
		    (unsigned long long)j->chunk.offset, j->last ? " last" : "");
		return 0;
	case JOB_FILES:
		break;
	}
	buf_putc(&seen, 'f');
	for (size_t i = 0; i < j->n_items; i++) {
		const struct job_item *it = &j->items[i];
		buf_printf(&seen, " %s%s", it->kind == JOB_ENTRY ? "" : "!", job_path(j, it));
		if (it->text_len > 0)
			buf_printf(&seen, "(%s)", job_text(j, it));
		if (it->read != NULL)
			buf_printf(&seen, "=%zu", it->read->data.len);
	}
	buf_putc(&seen, '\n');
	return 0;
}

static int
setup(void **state)
{
	const struct pipeline_opts opts = {
	    .workers = 1, .work = work, .sink = sink, .job_free = job_free};

	(void)state;
	memset(&e, 0, sizeof(e));
	buf_clear(&seen);
	f = (struct feed){0};
	return pipeline_new(&f.pipeline, &opts, &e);
}

static int
teardown(void **state)
{
	(void)state;
	feed_done(&f);
	pipeline_abort(f.pipeline);
	buf_done(&seen);
	return 0;
}

static void
add(enum entry_type type, const char *path, const char *link, uint64_t size,
    struct source_file *read)
{
	const struct facts facts = {.size = size};
	const struct feed_entry en = {
	    .type = type,
	    .path = path,
	    .path_len = strlen(path),
	    .link = link,
	    .link_len = link != NULL ? strlen(link) : 0,
	    .facts = &facts,
	    .read = read,
	};

	assert_int_equal(feed_add(&f, &en, &e), 0);
}

static void
gives(const char *want)
{
	assert_int_equal(feed_end(&f, &e), 0);
	assert_int_equal(pipeline_finish(f.pipeline, &e), 0);
	f.pipeline = NULL;
	assert_string_equal(buf_str(&seen), want);
}

static void
small_entries_share_a_job(void **state)
{
	struct source_file *read = calloc(1, sizeof(*read));

	(void)state;
	assert_non_null(read);
	buf_puts(&read->data, "1234");
	add(ENTRY_DIR, "", NULL, 0, NULL);
	add(ENTRY_FILE, "a", NULL, 4, read);
	assert_true(f.job->read_bytes == 4);
	add(ENTRY_HARDLINK, "b", "a", 4, NULL);
	add(ENTRY_SYMLINK, "c", "anywhere", 8, NULL);
	assert_int_equal(feed_note(&f, JOB_UNREADABLE, "d", 1, "because", &e), 0);
	gives("f  a=4 b(a) c(anywhere) !d(because)\n");
}

static void
jobs_end_where_members_do(void **state)
{
	(void)state;
	/* Too heavy to share a member with what comes before. */
	add(ENTRY_FILE, "a", NULL, 100, NULL);
	add(ENTRY_FILE, "b", NULL, CUT_TARGET, NULL);
	gives("f a\nf b\n");
}

static void
nothing_gives_no_job(void **state)
{
	(void)state;
	gives("");
}

/* ---- a large file that is none of this machine's ---- */

struct made {
	uint64_t size;
	int closed;
};

static int
made_facts(struct bigfile *b, struct facts *out)
{
	*out = (struct facts){
	    .size = ((struct made *)b->file)->size, .ctime_sec = FACTS_NO_CTIME, .mode = 0100600};
	return 0;
}

static int
made_attrs(struct bigfile *b, struct attrs *out, struct err *err)
{
	(void)b;
	(void)err;
	attrs_clear(out);
	return 0;
}

static bool
made_may_be_sparse(const struct bigfile *b)
{
	(void)b;
	return false;
}

static void
made_close(struct bigfile *b)
{
	((struct made *)b->file)->closed++;
}

static const struct bigfile_ops made_ops = {
    .facts = made_facts,
    .attrs = made_attrs,
    .may_be_sparse = made_may_be_sparse,
    .close = made_close,
};

static void
a_large_file_ends_the_job_before_it(void **state)
{
	struct made made = {.size = 2 * CUT_CHUNK + 5};
	struct bigfile *b;

	(void)state;
	add(ENTRY_FILE, "a", NULL, 1, NULL);
	assert_int_equal(bigfile_new_ops(&b, &made_ops, &made, "big", 3, &e), 0);
	assert_int_equal(bigfile_look(b), 0);
	assert_false(b->has_key); /* nobody knows when it changed */
	assert_int_equal(feed_big(&f, b, &e), 0);
	bigfile_unref(b);
	add(ENTRY_FILE, "c", NULL, 1, NULL);
	gives("f a\nh big\nc big 0\nc big 1048576\nc big 2097152 last\nf c\n");
	assert_int_equal(made.closed, 1);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(small_entries_share_a_job),
	    T(jobs_end_where_members_do),
	    T(nothing_gives_no_job),
	    T(a_large_file_ends_the_job_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
