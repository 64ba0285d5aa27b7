/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/job.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int
job_new(struct job **out, enum job_kind kind, struct err *e)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return err_nomem(e);
	j->kind = kind;
	j->settled = INT64_MAX;
	*out = j;
	return 0;
}

void
job_output_done(struct job_output *o)
{
	buf_done(&o->packed);
	buf_done(&o->section);
}

void
job_free(void *job)
{
	struct job *j = job;

	if (j == NULL)
		return;
	for (size_t i = 0; i < j->n_items; i++) {
		if (j->items[i].read != NULL) {
			source_file_done(j->items[i].read);
			free(j->items[i].read);
		}
	}
	free(j->items);
	buf_done(&j->strings);
	bigfile_unref(j->big);
	for (size_t i = 0; i < j->n_out; i++)
		job_output_done(&j->out[i]);
	free(j->out);
	buf_done(&j->notes);
	tally_done(&j->tally);
	buf_done(&j->plain);
	free(j);
}

const char *
job_path(const struct job *j, const struct job_item *it)
{
	return (const char *)j->strings.data + it->path;
}

const char *
job_text(const struct job *j, const struct job_item *it)
{
	return (const char *)j->strings.data + it->text;
}

static size_t
put_string(struct buf *b, const char *s, size_t len)
{
	size_t at = b->len;

	buf_append(b, s, len);
	buf_putc(b, '\0');
	return at;
}

struct job_item *
job_add(struct job *j, enum job_item_kind kind, const char *path, size_t path_len, const char *text,
    size_t text_len, struct err *e)
{
	if (j->n_items == j->cap_items) {
		size_t cap = j->cap_items == 0 ? 16 : j->cap_items * 2;
		struct job_item *grown = realloc(j->items, cap * sizeof(*grown));
		if (grown == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		j->items = grown;
		j->cap_items = cap;
	}
	struct job_item *it = &j->items[j->n_items];
	*it = (struct job_item){.kind = kind, .path_len = path_len, .text_len = text_len};
	it->path = put_string(&j->strings, path, path_len);
	it->text = put_string(&j->strings, text == NULL ? "" : text, text_len);
	if (buf_check(&j->strings, e) != 0)
		return NULL;
	j->n_items++;
	return it;
}

void
job_entry(const struct job *j, const struct job_item *it, struct entry *en)
{
	*en = (struct entry){
	    .type = it->type,
	    .path = job_path(j, it),
	    .path_len = it->path_len,
	    .size = it->type == ENTRY_FILE ? it->facts.size : 0,
	};
	if (it->type == ENTRY_SYMLINK || it->type == ENTRY_HARDLINK) {
		en->link = job_text(j, it);
		en->link_len = it->text_len;
	}
	facts_entry(&it->facts, en);
}

const struct job_item *
job_first(const struct job *j)
{
	for (size_t i = 0; i < j->n_items; i++) {
		if (j->items[i].kind == JOB_ENTRY)
			return &j->items[i];
	}
	return NULL;
}

struct job_output *
job_output_add(struct job *j, struct err *e)
{
	struct job_output *grown = realloc(j->out, (j->n_out + 1) * sizeof(*grown));

	if (grown == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	j->out = grown;
	grown[j->n_out] = (struct job_output){0};
	return &grown[j->n_out++];
}
