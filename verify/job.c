/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/cut.h"
#include "archive/member.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "core/progress.h"
#include "seal/seal.h"
#include "seal/section.h"
#include "verify/compare.h"
#include "verify/opts.h"

/* A member that claims to be longer than any that could be packed is damage, not a reason to
 * allocate. */
#define PACKED_MAX (MEMBER_PLAIN_MAX + (1u << 20))

struct worker {
	struct member_unpacker *unpacker;
	struct manifest_reader *reader; /* NULL: no sound index */
};

struct verify_job *
verify_job_new(const struct manifest_member *m, struct err *e)
{
	struct verify_job *job = calloc(1, sizeof(*job));

	if (job == NULL || (m->path != NULL && (job->path = strdup(m->path)) == NULL)) {
		free(job);
		(void)err_nomem(e);
		return NULL;
	}
	job->m = *m;
	job->m.path = job->path;
	return job;
}

void
verify_job_free(void *arg)
{
	struct verify_job *job = arg;

	if (job == NULL)
		return;
	free(job->path);
	free(job->next_path);
	free(job->first_path);
	free(job->last_path);
	buf_done(&job->packed);
	buf_done(&job->plain);
	buf_done(&job->section);
	verify_finds_done(&job->finds);
	free(job);
}

void *
verify_worker_new(const struct verify_source *src, struct err *e)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	if (member_unpacker_new(&w->unpacker, e) == 0 &&
	    (!src->has_index ||
		manifest_reader_new(&w->reader, src->manifest_fd, src->seal, e) == 0))
		return w;
	verify_worker_free(w);
	return NULL;
}

void
verify_worker_free(void *arg)
{
	struct worker *w = arg;

	if (w == NULL)
		return;
	member_unpacker_free(w->unpacker);
	manifest_reader_free(w->reader);
	free(w);
}

/* ---- telling ---- */

/* The names of all that the member holds, from its section. */
static void
list_section(struct verify_job *job)
{
	struct section_parser *p = NULL;
	struct section_line line;

	if (section_parser_new(&p, job->section.data, job->section.len, NULL) < 0) {
		job->finds.failed = true;
		return;
	}
	while (section_next(p, &line, NULL) == 1)
		if (!line.is_note)
			verify_finds_file(&job->finds, line.path);
	section_parser_free(p);
}

static void
list_files(struct verify_job *job)
{
	if (job->m.kind == MANIFEST_HEADER || job->m.kind == MANIFEST_CHUNK)
		verify_finds_file(&job->finds, job->path);
	else if (job->m.kind == MANIFEST_FILES && !job->section_bad)
		list_section(job);
}

/* "; files from A up to B", where the section cannot name them. */
static void
put_range(const struct verify_job *job, struct buf *text)
{
	if (job->m.kind != MANIFEST_FILES)
		return;
	buf_printf(text, "; files from %s ", job->path[0] != '\0' ? job->path : ".");
	if (!job->next_known)
		buf_puts(text, "on");
	else
		buf_printf(text, "up to %s", job->next_path != NULL ? job->next_path : "the end");
}

/*
 * Which bytes of a large file a chunk holds: up to the next one, or to the file's end, which only
 * the last chunk's section tells.  Where that is lost, its own length is the most that can be.
 */
static void
set_file_range(const struct verify_job *job, struct verify_place *p)
{
	uint64_t len = CUT_CHUNK;

	if (job->m.kind != MANIFEST_CHUNK || job->m.file_offset > UINT64_MAX - CUT_CHUNK)
		return;
	p->from = job->m.file_offset;
	if (job->m.section_len > 0 && job->section_bad)
		len = job->m.plain_len;
	else if (job->m.section_len > 0 && job->files_bytes > p->from)
		len = job->files_bytes - p->from;
	p->to = p->from + (len > 0 && len < CUT_CHUNK ? len : CUT_CHUNK);
	p->has_range = true;
}

static void
set_place(struct verify_job *job)
{
	job->place = (struct verify_place){.in_archive = true,
	    .offset = job->m.offset,
	    .length = job->m.packed_len,
	    .member = job->is_member ? job->number : 0};
	if (job->is_member)
		set_file_range(job, &job->place);
	verify_finds_place(&job->finds, &job->place);
}

static void
member_damaged(struct verify_job *job, const char *code, const char *why)
{
	struct buf range = {0};

	job->damaged = true;
	if (!job->is_member) {
		verify_finds_add(&job->finds, VERIFY_DAMAGE, code, NULL,
		    "archive at %" PRIu64 ", %" PRIu64 " bytes: %s", job->m.offset,
		    job->m.packed_len, why);
		set_place(job);
		return;
	}
	if (job->section_bad)
		put_range(job, &range);
	verify_finds_add(&job->finds, VERIFY_DAMAGE, code, NULL,
	    "member %" PRIu64 " of the archive at %" PRIu64 ", %" PRIu64 " bytes: %s%s",
	    job->number, job->m.offset, job->m.packed_len, why, buf_str(&range));
	set_place(job);
	buf_done(&range);
	list_files(job);
}

/* The packed bytes themselves are wrong, or not to be had. */
static void
member_lost(struct verify_job *job, const char *code, const char *why)
{
	job->lost = job->is_member;
	member_damaged(job, code, why);
}

/* ---- reading ---- */

static void
section_damaged(struct verify_job *job, const char *why)
{
	struct buf range = {0};

	job->section_bad = true;
	put_range(job, &range);
	verify_finds_add(
	    &job->finds, VERIFY_DAMAGE, "manifest-section", NULL, "%s%s", why, buf_str(&range));
	buf_done(&range);
	list_files(job);
}

static int
scan_line(struct verify_job *job, const struct section_line *line, struct err *e)
{
	char *last = job->last_path;

	if (line->is_note)
		return 0;
	job->lines++;
	if (line->type == ENTRY_FILE)
		job->files_bytes += line->size;
	if (last != NULL && path_cmp(last, strlen(last), line->path, line->path_len) >= 0)
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-order", line->path,
		    "is out of order in the manifest");
	if ((job->last_path = strdup(line->path)) == NULL ||
	    (job->first_path == NULL && (job->first_path = strdup(line->path)) == NULL)) {
		free(last);
		return err_nomem(e);
	}
	free(last);
	return 0;
}

/* Is every line of it sound, and are they as many as the index says? */
static int
scan_section(struct verify_job *job, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;
	struct err why = {0};
	char text[sizeof(why.msg) + 128];
	int rc;

	if (section_parser_new(&p, job->section.data, job->section.len, e) < 0)
		return -1;
	while ((rc = section_next(p, &line, &why)) == 1)
		if (scan_line(job, &line, e) < 0)
			break;
	section_parser_free(p);
	if (rc == 1)
		return -1;
	if (rc == 0 && job->lines != job->m.entries)
		rc = err_set(&why, ERR_CORRUPT,
		    "it has %" PRIu64 " entries, the index says %" PRIu64, job->lines,
		    job->m.entries);
	if (rc < 0 && why.kind == ERR_SYS)
		return err_pass(e, &why);
	if (rc < 0) {
		(void)snprintf(text, sizeof(text), "manifest section at %" PRIu64 ": %s",
		    job->m.section_offset, why.msg);
		section_damaged(job, text);
	}
	return 0;
}

/* The section first: with it, damage has names. */
static int
read_section(struct worker *w, struct verify_job *job, struct err *e)
{
	struct err why = {0};

	if (w->reader == NULL) {
		job->section_bad = true;
		return 0;
	}
	if (manifest_section(w->reader, &job->m, &job->section, &why) == 0)
		return scan_section(job, e);
	if (err_is_ours(&why))
		return err_pass(e, &why);
	section_damaged(job, why.msg);
	return 0;
}

/* What cannot be read is damage too, and no reason to stop; short of memory is. */
static int
read_packed(const struct verify_source *src, struct verify_job *job, struct err *e)
{
	size_t len = (size_t)job->m.packed_len;
	struct err why = {0};
	void *room;
	ssize_t n;

	job->unread = true;
	if (src->archive_fd < 0)
		return 0;
	if (job->m.packed_len > PACKED_MAX) {
		member_damaged(job, "archive-member", "impossible length");
		return 0;
	}
	if (job->m.offset + job->m.packed_len > job->file_size) {
		job->beyond = true;
		job->lost = job->is_member;
		list_files(job);
		return 0;
	}
	if ((room = buf_reserve(&job->packed, len)) == NULL)
		return err_nomem(e);
	n = io_pread(src->archive_fd, room, len, job->m.offset, &why);
	if (n < 0) {
		member_lost(job, "archive-read", why.msg);
		return 0;
	}
	job->packed.len = (size_t)n;
	job->unread = (size_t)n < len;
	if (job->unread)
		member_lost(job, "archive-read", "the file became shorter meanwhile");
	return 0;
}

static void
check_packed(struct verify_job *job)
{
	uint8_t digest[SHA256_LEN];

	sha256_of(job->packed.data, job->packed.len, digest);
	if (memcmp(digest, job->m.packed_digest, SHA256_LEN) != 0)
		member_lost(job, "archive-member", "digest differs");
}

/* Not damaged: 1; damaged, which is a finding: 0; -1.  Under a sound digest it was sealed so. */
static int
unpack(struct worker *w, struct verify_job *job, struct err *e)
{
	struct err why = {0};

	if (job->m.plain_len > MEMBER_PLAIN_MAX) {
		member_damaged(job, "archive-plain", "impossible length");
		return 0;
	}
	if (member_unpack(w->unpacker, job->packed.data, job->packed.len, (size_t)job->m.plain_len,
		&job->plain, &why) == 0)
		return 1;
	if (why.kind != ERR_CORRUPT)
		return err_pass(e, &why);
	member_damaged(job, "archive-plain", why.msg);
	return 0;
}

void
verify_job_plain_differs(struct verify_job *job)
{
	member_damaged(job, "archive-plain", "digest of the unpacked bytes differs");
}

/*
 * What the packed bytes are is proven, and so is what comes out of them: a digest of that which
 * differs says that the index lies, and then that is all there is to say of the member.  A chunk's
 * is taken with its file's, in order (bigfile.c).
 */
static int
check_plain(struct worker *w, struct verify_job *job, struct err *e)
{
	size_t told = job->finds.n;
	uint8_t digest[SHA256_LEN];
	int rc = unpack(w, job, e);

	if (rc <= 0 || job->m.kind == MANIFEST_CHUNK)
		return rc < 0 ? -1 : 0;
	if (job->m.kind != MANIFEST_FILES)
		sha256_of(job->plain.data, job->plain.len, digest);
	else if (verify_compare_files(job, digest, e) < 0)
		return -1;
	if (memcmp(digest, job->m.plain_digest, SHA256_LEN) != 0) {
		verify_finds_cut(&job->finds, told);
		verify_job_plain_differs(job);
	}
	return 0;
}

int
verify_worker_work(
    const struct verify_source *src, void *arg, struct verify_job *job, struct err *e)
{
	struct worker *w = arg;

	if (job->is_member && read_section(w, job, e) < 0)
		return -1;
	if (read_packed(src, job, e) < 0)
		return -1;
	progress_add(job->m.packed_len, job->is_member ? job->m.entries : 0);
	if (!job->is_member || job->unread)
		return 0;
	check_packed(job);
	if (src->level < VERIFY_DEEP || job->damaged)
		return 0;
	return check_plain(w, job, e);
}
