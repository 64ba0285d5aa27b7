/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/firsts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "backup/links.h"
#include "core/err.h"
#include "pack/job.h"
#include "pack/source.h"

/*
 * What was read waits in the job.  Files that grow may make that more than was weighed; beyond this
 * they are read as listed.
 */
#define READ_MAX (8u << 20)

void
firsts_init(struct firsts *f, int source_fd)
{
	*f = (struct firsts){0};
	parent_init(&f->parent, source_fd);
}

void
firsts_done(struct firsts *f)
{
	parent_done(&f->parent);
}

/* ---- other names of it in the job ---- */

/* The next item from *i on that is a link to the one at path; NULL: none. */
static struct job_item *
next_link(struct job *j, size_t *i, const char *path, size_t len)
{
	for (; *i < j->n_items; ++*i) {
		struct job_item *it = &j->items[*i];
		if (it->kind == JOB_ENTRY && it->type == ENTRY_HARDLINK && it->text_len == len &&
		    memcmp(job_text(j, it), path, len) == 0)
			return it;
	}
	return NULL;
}

/* In the table, if it has names to come. */
static const struct links_file *
in_table(const struct firsts *f, const struct job *j, const struct job_item *it)
{
	const struct links_file *file = links_find(f->links, it->facts.dev, it->facts.ino);

	return file != NULL && strcmp(file->path, job_path(j, it)) == 0 ? file : NULL;
}

/* Links have the facts of what they link to, as it is stored. */
static void
set_facts(struct firsts *f, struct job *j, struct job_item *it, const struct facts *facts)
{
	const struct links_file *file = in_table(f, j, it);
	struct job_item *link;

	if (file != NULL)
		links_update(f->links, file, facts);
	for (size_t i = (size_t)(it - j->items) + 1;
	     (link = next_link(j, &i, job_path(j, it), it->path_len)) != NULL; i++)
		link->facts = *facts;
}

/* The next name of it is the first now. */
static int
promote(struct firsts *f, struct job *j, struct job_item *it, struct err *e)
{
	const struct links_file *file = in_table(f, j, it);
	size_t i = (size_t)(it - j->items) + 1;
	struct job_item *link, *next = next_link(j, &i, job_path(j, it), it->path_len);

	if (next == NULL) {
		if (file != NULL)
			links_drop(f->links, file);
		return 0;
	}
	next->type = ENTRY_FILE;
	next->is_first = true;
	while (i++, (link = next_link(j, &i, job_path(j, it), it->path_len)) != NULL) {
		link->text = next->path;
		link->text_len = next->path_len;
	}
	return file == NULL ? 0 : links_move(f->links, file, job_path(j, next), next->path_len, e);
}

static int
give_up(struct firsts *f, struct job *j, struct job_item *it, enum job_item_kind kind,
    const char *reason, struct err *e)
{
	if (promote(f, j, it, e) != 0)
		return -1;
	it->kind = kind;
	it->is_first = false;
	it->text = j->strings.len;
	it->text_len = strlen(reason);
	buf_append(&j->strings, reason, it->text_len + 1);
	return buf_check(&j->strings, e);
}

/* ---- reading ---- */

static enum source_result
open_item(
    struct firsts *f, const struct job *j, const struct job_item *it, int *fd, struct facts *now)
{
	const char *base;

	if (parent_open(&f->parent, job_path(j, it), it->path_len, &base) != 0)
		return source_failure(errno);
	return source_open(f->parent.dirfd, base, fd, now);
}

/* Takes fd.  1: not even its facts could be read (errno). */
static int
read_item(struct firsts *f, struct job *j, struct job_item *it, int fd, const struct facts *now,
    struct err *e)
{
	size_t max = j->read_bytes > READ_MAX ? it->facts.size : CUT_LARGE_MIN - 1;
	struct source_file *file = calloc(1, sizeof(*file));

	int rc = file == NULL ? err_nomem(e) : source_read(file, fd, now, &it->facts, max, e);
	int saved = errno;
	(void)close(fd);
	if (rc == 0) {
		it->read = file;
		j->read_bytes += file->data.len;
		set_facts(f, j, it, &file->facts);
		return 0;
	}
	if (file != NULL)
		source_file_done(file);
	free(file);
	errno = saved;
	return rc;
}

static int
read_first(struct firsts *f, struct job *j, struct job_item *it, struct err *e)
{
	struct facts now = {0};
	int fd = -1, rc;

	switch (open_item(f, j, it, &fd, &now)) {
	case SOURCE_VANISHED:
		return give_up(f, j, it, JOB_VANISHED, "", e);
	case SOURCE_UNREADABLE:
		return give_up(f, j, it, JOB_UNREADABLE, strerrordesc_np(errno), e);
	case SOURCE_FAILED:
		return err_sys(e, "source: %s", job_path(j, it));
	case SOURCE_OK:
		break;
	}
	if (now.dev != it->facts.dev || now.ino != it->facts.ino) {
		/* Another file took the name: it is stored as that, and its old links as theirs. */
		(void)close(fd);
		it->is_first = false;
		return promote(f, j, it, e);
	}
	if ((rc = read_item(f, j, it, fd, &now, e)) < 0)
		return -1;
	return rc == 1 ? give_up(f, j, it, JOB_UNREADABLE, strerrordesc_np(errno), e) : 0;
}

int
firsts_read(void *ctx, struct job *j, struct err *e)
{
	/* By number: one that is given up makes a later one a first. */
	for (size_t i = 0; i < j->n_items; i++) {
		struct job_item *it = &j->items[i];
		if (it->kind == JOB_ENTRY && it->is_first && it->read == NULL &&
		    read_first(ctx, j, it, e) != 0)
			return -1;
	}
	return 0;
}
