/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "archive/member.h"
#include "archive/tarwrite.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/stop.h"
#include "pack/job.h"
#include "pack/pack_impl.h"

/*
 * Cuts are planned from sizes; extended attributes and growing files come on top.
 * A member that got this long all the same ends at the next entry, so that memory
 * and MEMBER_PLAIN_MAX hold whatever somebody hangs on his files.
 */
#define SPLIT_PLAIN (8u << 20)
/* By so much may the files of one job outgrow what was listed; then they are read to their listed
 * size. */
#define GROWTH_MAX (16u << 20)

int
packer_new(struct packer **out, int rootfd, int level, struct err *e)
{
	struct packer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	p->rootfd = rootfd;
	p->dirfd = -1;
	if (member_packer_new(&p->gzip, level, e) != 0 || tar_writer_new(&p->tar, e) != 0) {
		packer_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void
packer_free(struct packer *p)
{
	if (p == NULL)
		return;
	member_packer_free(p->gzip);
	tar_writer_free(p->tar);
	if (p->dirfd >= 0)
		(void)close(p->dirfd);
	buf_done(&p->dir);
	buf_done(&p->plain);
	buf_done(&p->text);
	source_file_done(&p->file);
	attrs_done(&p->attrs);
	free(p);
}

/* ---- members ---- */

static void
begin_member(struct packer *p, const struct job *j)
{
	buf_clear(&p->plain);
	buf_clear(&p->text);
	p->entries = 0;
	p->first = NULL;
	statkey_init(&p->key, j->listed);
}

int
pack_output(struct packer *p, struct job_output *o, const struct buf *data, const struct buf *text,
    struct err *e)
{
	if (buf_check(data, e) != 0 ||
	    member_pack(p->gzip, data->data, data->len, &o->packed, e) != 0)
		return -1;
	o->m.plain_len = data->len;
	o->m.packed_len = o->packed.len;
	sha256_of(data->data, data->len, o->m.plain_digest);
	sha256_of(o->packed.data, o->packed.len, o->m.packed_digest);
	if (text == NULL || text->len == 0)
		return 0;
	if (buf_check(text, e) != 0)
		return -1;
	o->section_plain = text->len;
	return member_pack(p->gzip, text->data, text->len, &o->section, e);
}

static int
end_member(struct packer *p, struct job *j, struct err *e)
{
	struct job_output *o;

	if (p->entries == 0) { /* all of it is gone: only notes are left */
		buf_append(&j->notes, p->text.data, p->text.len);
		return buf_check(&j->notes, e);
	}
	if ((o = job_output_add(j, e)) == NULL)
		return -1;
	o->m.kind = MANIFEST_FILES;
	o->m.entries = p->entries;
	o->m.path = p->first;
	o->m.path_len = p->first_len;
	o->m.has_key = statkey_final(&p->key, o->m.key);
	return pack_output(p, o, &p->plain, &p->text, e);
}

/* ---- entries ---- */

/* The directory that holds path, in p->dirfd; *base is the name there.  -1 and errno. */
static int
open_parent(struct packer *p, const char *path, size_t len, const char **base)
{
	const char *slash = memrchr(path, '/', len);
	size_t dir_len = slash == NULL ? 0 : (size_t)(slash - path);

	*base = len == 0 ? "." : slash == NULL ? path : slash + 1;
	if (p->has_dir && p->dir.len == dir_len &&
	    (dir_len == 0 || memcmp(p->dir.data, path, dir_len) == 0))
		return 0;
	if (p->dirfd >= 0)
		(void)close(p->dirfd);
	p->dirfd = -1;
	p->has_dir = false;
	buf_clear(&p->dir);
	buf_append(&p->dir, path, dir_len);
	/* O_PATH: a directory that may be searched but not read still gives its files. */
	p->dirfd = beneath_open(
	    p->rootfd, buf_str(&p->dir), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (p->dirfd < 0)
		return -1;
	p->has_dir = !p->dir.failed;
	return 0;
}

static void
note_item(struct packer *p, struct job *j, const struct job_item *it, enum section_note note,
    const char *reason)
{
	static const enum tally_event events[] = {
	    [SECTION_VANISHED] = TALLY_VANISHED,
	    [SECTION_UNREADABLE] = TALLY_UNREADABLE,
	    [SECTION_SKIPPED] = TALLY_SKIPPED,
	};
	const char *path = job_path(j, it);

	section_put_note(&p->text, note, path, it->path_len, reason);
	tally_event(
	    &j->tally, events[note], path, it->path_len, note == SECTION_VANISHED ? NULL : reason);
}

/*
 * Header, data, manifest line, key: en is complete, file NULL for all but regular files.  An entry
 * that tar cannot hold (a symlink without a target, from a file system that lies) is noted.
 */
static int
put_entry(struct packer *p, struct job *j, const struct job_item *it, const struct entry *en,
    const struct source_file *file, struct err *e)
{
	struct section_facts facts = {0};

	if (tar_write_header(p->tar, en, &p->plain, e) != 0) {
		if (e->kind != ERR_UNSUPPORTED)
			return err_where(e, "%s", en->path);
		note_item(p, j, it, SECTION_UNREADABLE, e->msg);
		err_clear(e);
		return 0;
	}
	if (file != NULL) {
		buf_append(&p->plain, file->data.data, file->data.len);
		buf_zeros(&p->plain, tar_pad(file->data.len));
		sha256_of(file->data.data, file->data.len, facts.sha256);
		facts.changed = file->changed;
		facts.grew = file->grew;
		facts.unreadable = &file->bad;
		facts.n_unreadable = file->bad.len > 0 ? 1 : 0;
		j->tally.bytes += en->size;
	}
	section_put_entry(&p->text, en, &facts);
	if (facts.changed || facts.grew || facts.n_unreadable > 0)
		statkey_spoil(&p->key);
	statkey_add(&p->key, en, file != NULL ? &file->facts : &it->facts);
	if (p->entries++ == 0) {
		p->first = en->path;
		p->first_len = en->path_len;
	}
	j->tally.entries++;
	return 0;
}

static int
put_file(struct packer *p, struct job *j, const struct job_item *it, const struct source_file *file,
    struct err *e)
{
	const char *path = job_path(j, it);
	struct entry en;

	job_entry(j, it, &en);
	facts_entry(&file->facts, &en);
	en.size = file->facts.size;
	attrs_entry(&file->attrs, &en);
	if (file->changed)
		tally_event(&j->tally, TALLY_CHANGED, path, it->path_len, NULL);
	if (file->grew)
		tally_event(&j->tally, TALLY_GREW, path, it->path_len, NULL);
	if (file->bad.len > 0)
		tally_event(&j->tally, TALLY_UNREADABLE, path, it->path_len,
		    "I/O error; the rest is stored as zeros");
	if (file->attrs.denied != 0)
		tally_event(&j->tally, TALLY_ATTRS, path, it->path_len,
		    strerrordesc_np(file->attrs.denied));
	return put_entry(p, j, it, &en, file, e);
}

static int
read_file(struct packer *p, struct job *j, const struct job_item *it, struct err *e)
{
	enum source_result result;
	struct facts now;
	const char *base;
	int fd = -1, rc = 0;

	if (open_parent(p, job_path(j, it), it->path_len, &base) == 0)
		result = source_open(p->dirfd, base, &fd, &now);
	else
		result = source_failure(errno);
	if (result == SOURCE_OK) {
		size_t max = p->grown < GROWTH_MAX ? CUT_LARGE_MIN - 1 : it->facts.size;
		rc = source_read(&p->file, fd, &now, &it->facts, max, e);
		if (rc == 1)
			result = SOURCE_UNREADABLE;
		int saved = errno;
		(void)close(fd);
		errno = saved;
	}
	if (result == SOURCE_FAILED)
		return err_sys(e, "source: %s", job_path(j, it));
	if (rc < 0)
		return -1;
	if (result == SOURCE_VANISHED)
		note_item(p, j, it, SECTION_VANISHED, NULL);
	else if (result == SOURCE_UNREADABLE)
		note_item(p, j, it, SECTION_UNREADABLE, strerrordesc_np(errno));
	if (result != SOURCE_OK)
		return 0;
	if (p->file.facts.size > it->facts.size)
		p->grown += p->file.facts.size - it->facts.size;
	return put_file(p, j, it, &p->file, e);
}

static int
read_attrs(struct packer *p, struct job *j, const struct job_item *it, struct err *e)
{
	const char *path = job_path(j, it), *base;

	attrs_clear(&p->attrs);
	if (open_parent(p, path, it->path_len, &base) == 0) {
		if (attrs_read_at(&p->attrs, p->dirfd, base, e) != 0)
			return -1;
	} else if (source_failure(errno) == SOURCE_FAILED)
		return err_sys(e, "source: %s", path);
	else if (source_failure(errno) != SOURCE_VANISHED)
		p->attrs.denied = errno;
	if (p->attrs.denied != 0)
		tally_event(
		    &j->tally, TALLY_ATTRS, path, it->path_len, strerrordesc_np(p->attrs.denied));
	return 0;
}

/* All that has no content to read: the entry is as it was listed. */
static int
put_other(struct packer *p, struct job *j, const struct job_item *it, struct err *e)
{
	struct entry en;

	job_entry(j, it, &en);
	if (it->read != NULL) {
		attrs_entry(&it->read->attrs, &en);
	} else if (it->type != ENTRY_HARDLINK) { /* that one has its first name's */
		if (read_attrs(p, j, it, e) != 0)
			return -1;
		attrs_entry(&p->attrs, &en);
	}
	return put_entry(p, j, it, &en, NULL, e);
}

static int
pack_item(struct packer *p, struct job *j, const struct job_item *it, struct err *e)
{
	switch (it->kind) {
	case JOB_VANISHED:
		note_item(p, j, it, SECTION_VANISHED, NULL);
		return 0;
	case JOB_UNREADABLE:
		note_item(p, j, it, SECTION_UNREADABLE, job_text(j, it));
		return 0;
	case JOB_SKIPPED:
		note_item(p, j, it, SECTION_SKIPPED, job_text(j, it));
		return 0;
	case JOB_ENTRY:
		break;
	}
	if (it->type != ENTRY_FILE)
		return put_other(p, j, it, e);
	return it->read != NULL ? put_file(p, j, it, it->read, e) : read_file(p, j, it, e);
}

static int
pack_files(struct packer *p, struct job *j, struct err *e)
{
	p->grown = 0;
	begin_member(p, j);
	for (size_t i = 0; i < j->n_items; i++) {
		if (p->plain.len >= SPLIT_PLAIN) {
			if (end_member(p, j, e) != 0)
				return -1;
			begin_member(p, j);
		}
		if (stop_check(e) != 0 || pack_item(p, j, &j->items[i], e) != 0)
			return -1;
	}
	return end_member(p, j, e);
}

int
packer_run(struct packer *p, struct job *j, struct err *e)
{
	switch (j->kind) {
	case JOB_FILES:
		return pack_files(p, j, e);
	case JOB_HEADER:
		return pack_big_header(p, j, e);
	case JOB_CHUNK:
		return pack_big_chunk(p, j, e);
	}
	return -1;
}
