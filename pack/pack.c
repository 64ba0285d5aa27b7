/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "archive/member.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/stop.h"
#include "pack/copy.h"
#include "pack/job.h"
#include "pack/pack_impl.h"
#include "pack/reuse.h"
#include "pack/stale.h"

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
packer_new(struct packer **out, const struct packer_opts *opts, struct err *e)
{
	struct packer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	p->older = opts->older;
	p->block = opts->block;
	parent_init(&p->parent, opts->rootfd);
	ahead_init(&p->ahead, opts->rootfd, opts->workers);
	if (member_packer_new(&p->gzip, opts->level, e) != 0 || tar_writer_new(&p->tar, e) != 0) {
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
	parent_done(&p->parent);
	ahead_done(&p->ahead);
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
	sha256_init(&p->plain_hash);
	p->hashed = 0;
	p->entries = 0;
	p->first = NULL;
	statkey_init(&p->key, j->settled);
}

/* The older member in the place of o, if it has the same bytes: 1, 0, -1. */
static int
copy_same(struct packer *p, struct job *j, struct job_output *o, struct err *e)
{
	if (j->how == REUSE_NOT || o != j->out || j->old.plain_len != o->m.plain_len ||
	    memcmp(j->old.plain_digest, o->m.plain_digest, SHA256_LEN) != 0)
		return 0;
	return copy_member(p->older, j, o, o->m.path, e);
}

static bool
is_stale(const struct job *j, const struct job_output *o)
{
	const struct manifest_member *old = &j->old;

	return j->how != REUSE_NOT && o == j->out && o->m.has_key && old->has_key &&
	    memcmp(o->m.key, old->key, SHA256_LEN) == 0 &&
	    memcmp(o->m.plain_digest, old->plain_digest, SHA256_LEN) != 0;
}

int
pack_output(struct packer *p, struct job *j, struct job_output *o, const struct buf *data,
    const struct buf *text, struct err *e)
{
	if (buf_check(data, e) != 0)
		return -1;
	o->m.plain_len = data->len;
	int rc = copy_same(p, j, o, e);
	if (rc < 0 || (rc == 0 && member_pack(p->gzip, data->data, data->len, &o->packed, e) != 0))
		return -1;
	if (text != NULL && text->len > 0) {
		if (buf_check(text, e) != 0)
			return -1;
		o->section_plain = text->len;
		if (member_pack(p->gzip, text->data, text->len, &o->section, e) != 0)
			return -1;
	}
	return is_stale(j, o);
}

/* What came into p->plain since the last time. */
static void
hash_plain(struct packer *p)
{
	sha256_update(&p->plain_hash, p->plain.data + p->hashed, p->plain.len - p->hashed);
	p->hashed = p->plain.len;
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
	hash_plain(p);
	sha256_final(&p->plain_hash, o->m.plain_digest);
	int rc = pack_output(p, j, o, &p->plain, &p->text, e);
	return rc == 1 ? stale_tell(p->older, j, &p->text, e) : rc;
}

/* ---- entries ---- */

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
	if (note == SECTION_SKIPPED)
		statkey_add_skipped(&p->key, path, it->path_len, reason);
	else
		statkey_spoil(&p->key);
	tally_event(
	    &j->tally, events[note], path, it->path_len, note == SECTION_VANISHED ? NULL : reason);
}

/* Told each night, and perhaps to be had the next one: so the member is not to be copied. */
static void
deny_attrs(struct packer *p, struct job *j, const struct job_item *it, int error)
{
	statkey_spoil(&p->key);
	tally_event(&j->tally, TALLY_ATTRS, job_path(j, it), it->path_len, strerrordesc_np(error));
}

/* A file's data, into the member, and into the digests of both at once. */
static void
put_data(struct packer *p, const struct buf *data, uint8_t digest[SHA256_LEN])
{
	struct sha256 file;

	hash_plain(p);
	sha256_init(&file);
	sha256_update_two(&p->plain_hash, &file, data->data, data->len);
	sha256_final(&file, digest);
	buf_append(&p->plain, data->data, data->len);
	p->hashed = p->plain.len;
	buf_zeros(&p->plain, tar_pad(data->len));
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
		put_data(p, &file->data, facts.sha256);
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
		deny_attrs(p, j, it, file->attrs.denied);
	return put_entry(p, j, it, &en, file, e);
}

static int
read_file(struct packer *p, struct job *j, const struct job_item *it, struct err *e)
{
	struct facts now;
	int fd, rc = 0;

	enum source_result result = ahead_take(&p->ahead, (size_t)(it - j->items), &fd, &now);
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
	if (parent_open(&p->parent, path, it->path_len, &base) == 0) {
		if (attrs_read_at(&p->attrs, p->parent.dirfd, base, e) != 0)
			return -1;
	} else if (source_failure(errno) == SOURCE_FAILED)
		return err_sys(e, "source: %s", path);
	else if (source_failure(errno) != SOURCE_VANISHED)
		p->attrs.denied = errno;
	if (p->attrs.denied != 0)
		deny_attrs(p, j, it, p->attrs.denied);
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
read_files(struct packer *p, struct job *j, struct err *e)
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

static int
pack_files(struct packer *p, struct job *j, struct err *e)
{
	int rc = 0;

	if (j->n_out > 0) /* the planner needed to be sure of it */
		return 0;
	if (j->how == REUSE_STAT && (rc = copy_files(p->older, j, e)) != 0)
		return rc < 0 ? -1 : 0;
	ahead_begin(&p->ahead, j);
	rc = read_files(p, j, e);
	ahead_end(&p->ahead);
	return rc;
}

/* The packed bytes as they go into the archive, and their digest. */
static int
finish_output(const struct packer *p, struct job_output *o, struct err *e)
{
	size_t len = o->packed.len;

	if (p->block > 0 && member_align(&o->packed, p->block, e) != 0)
		return -1;
	if (o->packed.len != len)
		o->as_is = false;
	o->m.packed_len = o->packed.len;
	if (!o->as_is)
		sha256_of(o->packed.data, o->packed.len, o->m.packed_digest);
	return 0;
}

static int
pack_job(struct packer *p, struct job *j, struct err *e)
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

int
packer_run(struct packer *p, struct job *j, struct err *e)
{
	if (pack_job(p, j, e) != 0)
		return -1;
	for (size_t i = 0; i < j->n_out && !j->missed; i++) {
		if (finish_output(p, &j->out[i], e) != 0)
			return -1;
	}
	return 0;
}
