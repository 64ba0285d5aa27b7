/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/audit_job.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "tree/walk.h"

/* s at *at, which moves on, with a NUL; NULL stays NULL. */
static const char *
put(char **at, const char *s, size_t len)
{
	char *to = *at;

	if (s == NULL)
		return NULL;
	memcpy(to, s, len);
	to[len] = '\0';
	*at = to + len + 1;
	return to;
}

static size_t
room(const struct section_line *line, const struct walk_item *w)
{
	size_t reason = w != NULL && w->reason != NULL ? strlen(w->reason) : 0;

	return (line != NULL ? line->path_len + line->link_len : 0) +
	    (w != NULL ? w->path_len + w->link_len : 0) + reason + 5;
}

static void
take_line(struct audit_item *it, const struct section_line *line, char **at)
{
	it->has_before = true;
	it->before = *line;
	it->before.path = put(at, line->path, line->path_len);
	it->before.link = put(at, line->link, line->link_len);
	it->before.reason = NULL;
	it->before.unreadable = NULL;
	it->before.n_unreadable = 0;
	it->path = it->before.path;
	it->path_len = line->path_len;
}

static void
take_walk(struct audit_item *it, const struct walk_item *w, char **at)
{
	it->has_now = w->kind == WALK_ENTRY || w->kind == WALK_SKIPPED;
	it->now = w->facts;
	it->dev = w->facts.dev;
	it->ino = w->facts.ino;
	it->names = w->facts.nlink > 0 ? w->facts.nlink : 1;
	it->now_link = put(at, w->link, w->link_len);
	it->now_link_len = w->link_len;
	it->path = put(at, w->path, w->path_len);
	it->path_len = w->path_len;
	if (w->reason != NULL)
		it->reason = put(at, w->reason, strlen(w->reason));
}

struct audit_item *
audit_item_new(const struct section_line *line, const struct walk_item *w, struct err *e)
{
	struct audit_item *it = malloc(sizeof(*it) + room(line, w));
	char *at;

	if (it == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	*it = (struct audit_item){0};
	at = (char *)(it + 1);
	if (line != NULL)
		take_line(it, line, &at);
	if (w != NULL)
		take_walk(it, w, &at);
	return it;
}

void
audit_item_free(struct audit_item *it)
{
	free(it);
}

struct audit_job *
audit_job_new(struct err *e)
{
	struct audit_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		(void)err_nomem(e);
	return j;
}

void
audit_job_free(void *job)
{
	struct audit_job *j = job;

	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n; i++)
		audit_item_free(j->items[i]);
	free(j);
}

bool
audit_job_full(const struct audit_job *j)
{
	return j->n == AUDIT_JOB_ITEMS || j->bytes >= AUDIT_JOB_BYTES;
}
