/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/bigfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/cut.h"
#include "archive/tarread.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/stop.h"
#include "seal/section.h"
#include "verify/compare.h"

void
verify_bigfile_done(struct verify_bigfile *b)
{
	free(b->path);
	tar_reader_free(b->reader);
	buf_done(&b->header);
	*b = (struct verify_bigfile){0};
}

/* One word about a file is enough: what follows from it is not news. */
static void
broken(struct verify_bigfile *b, const char *code, const char *text)
{
	if (!b->broken)
		verify_finds_add(b->finds, VERIFY_DAMAGE, code, b->path, "%s", text);
	b->broken = true;
}

void
verify_bigfile_close(struct verify_bigfile *b, struct verify_finds *finds)
{
	b->finds = finds;
	if (b->open)
		broken(b, "entry-missing", "its last part is missing in the manifest's index");
	verify_bigfile_done(b);
}

static int
parse_header(struct verify_bigfile *b, struct err *e)
{
	struct err why = {0};
	int rc;

	if (tar_reader_new_mem(&b->reader, b->header.data, b->header.len, e) < 0)
		return -1;
	rc = tar_read_next(b->reader, &b->entry, &why);
	if (rc < 0 && why.kind == ERR_SYS)
		return err_pass(e, &why);
	if (rc <= 0)
		broken(b, "tar-stream", rc < 0 ? why.msg : "no header in its member");
	else if (b->entry.type != ENTRY_FILE || strcmp(b->entry.path, b->path) != 0)
		broken(b, "tar-stream", "the header in its member is of something else");
	return 0;
}

static int
start(struct verify_bigfile *b, struct verify_job *job, struct err *e)
{
	verify_bigfile_close(b, &job->finds);
	b->finds = &job->finds;
	if ((b->path = strdup(job->path)) == NULL)
		return err_nomem(e);
	b->open = true;
	sha256_init(&b->hash);
	if (job->m.kind != MANIFEST_HEADER || job->damaged || job->unread) {
		b->broken = true;
		return 0;
	}
	/* The entry's strings point into the bytes: take them over. */
	b->header = job->plain;
	job->plain = (struct buf){0};
	return parse_header(b, e);
}

static int
hash_zeros(struct verify_bigfile *b, uint64_t up_to, struct err *e)
{
	static const uint8_t zeros[1 << 16];

	while (b->pos < up_to) {
		uint64_t left = up_to - b->pos;
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		if (stop_check(e) < 0)
			return -1;
		sha256_update(&b->hash, zeros, n);
		b->pos += n;
	}
	return 0;
}

/* Where the next byte of data belongs, and how many there follow; 0: no more. */
static uint64_t
next_data(const struct verify_bigfile *b, uint64_t *at)
{
	if (!b->entry.sparse) {
		*at = b->pos;
		return b->entry.size - b->pos;
	}
	if (b->extent == b->entry.n_extents)
		return 0;
	const struct entry_extent *x = &b->entry.extents[b->extent];
	*at = b->pos > x->offset ? b->pos : x->offset;
	return x->offset + x->len - *at;
}

static bool
all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/*
 * A chunk's bytes belong to the file offsets from its own on, up to the next multiple:
 * restore puts them there.  Behind the last data comes what pads to a tar block.
 */
static int
take_data(struct verify_bigfile *b, const struct verify_job *job, struct err *e)
{
	const uint8_t *p = job->plain.data;
	size_t len = job->plain.len;
	uint64_t first = job->m.file_offset, end, at, n;

	if (first % CUT_CHUNK != 0 || __builtin_add_overflow(first, CUT_CHUNK, &end)) {
		broken(b, "tar-stream", "a chunk at an impossible place");
		sha256_update(&b->plain, p, len);
		return 0;
	}
	while (len > 0 && (n = next_data(b, &at)) > 0) {
		if (at < first || at >= end)
			break;
		if (n > end - at)
			n = end - at;
		if (n > len)
			n = len;
		if (hash_zeros(b, at, e) < 0)
			return -1;
		sha256_update_two(&b->plain, &b->hash, p, (size_t)n);
		b->pos += n;
		p += n;
		len -= (size_t)n;
		if (b->entry.sparse &&
		    b->pos == b->entry.extents[b->extent].offset + b->entry.extents[b->extent].len)
			b->extent++;
	}
	sha256_update(&b->plain, p, len);
	/* Data of this chunk's range that did not come, or bytes that belong to no place in it. */
	n = next_data(b, &at);
	if (n > 0 && at < end)
		broken(b, "tar-stream", "a chunk is shorter than its place in the file");
	else if (len > 0 && (n > 0 || len != tar_pad(tar_data_len(&b->entry)) || !all_zero(p, len)))
		broken(b, "tar-stream", "a chunk is longer than its place in the file");
	else if (n == 0 && len == 0 && tar_pad(tar_data_len(&b->entry)) != 0)
		broken(b, "tar-stream", "the padding behind its data is missing");
	return 0;
}

/*
 * Its data is part of the file's digest, and it has one of its own, over the same bytes.  Where
 * that differs, the chunk is no part of anything.
 */
static int
take_chunk(struct verify_bigfile *b, struct verify_job *job, struct err *e)
{
	size_t told = job->finds.n;
	uint8_t digest[SHA256_LEN];

	sha256_init(&b->plain);
	if (b->broken)
		sha256_update(&b->plain, job->plain.data, job->plain.len);
	else if (take_data(b, job, e) < 0)
		return -1;
	sha256_final(&b->plain, digest);
	if (memcmp(digest, job->m.plain_digest, SHA256_LEN) == 0)
		return 0;
	verify_finds_cut(&job->finds, told);
	verify_job_plain_differs(job);
	b->broken = true;
	return 0;
}

/* The only line of the section is this file's. */
static int
find_line(const struct verify_job *job, struct section_parser *p, struct section_line *line,
    struct err *e)
{
	int rc;

	do
		rc = section_next(p, line, e);
	while (rc == 1 && line->is_note);
	if (rc == 1 && strcmp(line->path, job->path) != 0)
		return err_set(e, ERR_CORRUPT, "it tells of %s", line->path);
	return rc == 0 ? err_set(e, ERR_CORRUPT, "it tells of no file") : rc;
}

static int
compare(struct verify_bigfile *b, const struct section_line *line, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	uint64_t at;

	if (!verify_compare_facts(b->finds, line, &b->entry))
		return 0;
	if (next_data(b, &at) > 0) {
		broken(b, "entry-missing", "its data ends early");
		return 0;
	}
	if (hash_zeros(b, b->entry.size, e) < 0)
		return -1;
	sha256_final(&b->hash, digest);
	verify_compare_digest(b->finds, line, digest);
	return 0;
}

static int
finish(struct verify_bigfile *b, struct verify_job *job, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;
	struct err why = {0};
	int rc;

	if (section_parser_new(&p, job->section.data, job->section.len, e) < 0)
		return -1;
	if (find_line(job, p, &line, &why) == 1)
		rc = b->broken ? 0 : compare(b, &line, e);
	else if (why.kind == ERR_SYS)
		rc = err_pass(e, &why);
	else {
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-section", job->path,
		    "section of the manifest at %" PRIu64 ": %s", job->m.section_offset, why.msg);
		rc = 0;
	}
	section_parser_free(p);
	verify_bigfile_done(b);
	return rc;
}

int
verify_bigfile_take(struct verify_bigfile *b, struct verify_job *job, struct err *e)
{
	b->finds = &job->finds;
	if (job->m.kind == MANIFEST_HEADER || !b->open || strcmp(b->path, job->path) != 0) {
		if (start(b, job, e) < 0)
			return -1;
	}
	if (job->damaged || job->unread)
		b->broken = true;
	else if (job->m.kind == MANIFEST_CHUNK && take_chunk(b, job, e) < 0)
		return -1;
	/* Only the last member of a file has a section. */
	if (job->m.section_len == 0)
		return 0;
	if (job->section_bad) {
		verify_bigfile_done(b);
		return 0;
	}
	return finish(b, job, e);
}
