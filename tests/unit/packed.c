/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/member.h"
#include "archive/tarread.h"
#include "archive/tarwrite.h"
#include "core/io.h"
#include "core/path.h"
#include "core/pipeline.h"
#include "pack/reuse.h"
#include "pack/writer.h"
#include "seal/section.h"
#include "tests/unit/packed.h"
#include "tests/unit/scratch.h"

#define NAME "test-20260209_000005"

static int
file_of(const struct buf *b)
{
	int fd = memfd_create("older", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, b->data, b->len, 0), b->len);
	return fd;
}

static struct reuse *
open_older(const struct packed_opts *o)
{
	struct reuse *r;
	struct err e = {0};

	if (o->older == NULL)
		return NULL;
	const struct reuse_opts ro = {.archive_fd = file_of(&o->older->archive),
	    .manifest_fd = file_of(&o->older->manifest),
	    .seal = &o->older->seal,
	    .by_stat = o->by_stat,
	    .night = o->night};
	if (reuse_new(&r, &ro, &e) != 0)
		fail_msg("%s", e.msg);
	return r;
}

static int
fill(struct packed *p, struct writer *w, int source, const struct reuse *older,
    const struct packed_opts *o, struct err *e)
{
	static const struct walk_opts none;
	struct reuse_cursor *cursor = NULL;
	struct pipeline *line;
	int rc;

	if (older != NULL)
		assert_int_equal(reuse_cursor_new(&cursor, older, e), 0);
	if ((rc = writer_pipeline(w, &line, e)) != 0)
		goto out;
	rc = o->plan != NULL
	    ? o->plan(line, source, cursor, e)
	    : plan_run(line, source, cursor, o->walk != NULL ? o->walk : &none, &p->planned, e);
	if (rc != 0)
		pipeline_abort(line);
	else
		rc = pipeline_finish(line, e);
out:
	reuse_cursor_free(cursor);
	return rc;
}

static void
take_members(struct packed *p, struct manifest_reader *r)
{
	struct manifest_member m;
	struct err e = {0};
	int rc;

	while ((rc = manifest_next(r, &m, &e)) == 1) {
		p->members = realloc(p->members, (p->n_members + 1) * sizeof(m));
		assert_non_null(p->members);
		if (m.path != NULL)
			m.path = strndup(m.path, m.path_len);
		p->members[p->n_members++] = m;
	}
	assert_string_equal(e.msg, "");
	assert_int_equal(rc, 0);
	assert_int_equal(p->members[p->n_members - 1].kind, MANIFEST_END);
}

/* All plain bytes, each member checked against its line. */
static void
unpack(const struct packed *p, struct buf *stream)
{
	struct member_unpacker *u;
	struct buf plain = {0};
	uint8_t digest[SHA256_LEN];
	struct err e = {0};

	assert_int_equal(member_unpacker_new(&u, &e), 0);
	for (size_t i = 0; i < p->n_members; i++) {
		const struct manifest_member *m = &p->members[i];
		const uint8_t *packed = p->archive.data + m->offset;

		assert_true(m->offset + m->packed_len <= p->archive.len);
		sha256_of(packed, m->packed_len, digest);
		assert_memory_equal(digest, m->packed_digest, sizeof(digest));
		assert_int_equal(
		    member_unpack(u, packed, m->packed_len, m->plain_len, &plain, &e), 0);
		sha256_of(plain.data, plain.len, digest);
		assert_memory_equal(digest, m->plain_digest, sizeof(digest));
		buf_append(stream, plain.data, plain.len);
	}
	assert_int_equal(buf_check(stream, &e), 0);
	buf_done(&plain);
	member_unpacker_free(u);
}

/* The digest of the current file's content, holes as zeros. */
static void
digest_content(struct tar_reader *t, const struct entry *en, uint8_t out[SHA256_LEN])
{
	static const uint8_t zeros[65536];
	struct sha256 h;
	struct err e = {0};
	uint64_t at = 0, offset;
	const void *data;
	size_t len;
	int rc;

	sha256_init(&h);
	do {
		rc = tar_read_data(t, &data, &len, &offset, &e);
		assert_true(rc >= 0);
		if (rc == 0) {
			offset = en->size;
			len = 0;
		}
		while (at < offset) {
			size_t n = offset - at < sizeof(zeros) ? offset - at : sizeof(zeros);
			sha256_update(&h, zeros, n);
			at += n;
		}
		sha256_update(&h, data, len);
		at += len;
	} while (rc == 1);
	assert_int_equal(at, en->size);
	sha256_final(&h, out);
}

static void
take_note(struct packed *p, const struct section_line *line)
{
	static const char kinds[] = {
	    [SECTION_VANISHED] = 'v', [SECTION_UNREADABLE] = 'u', [SECTION_SKIPPED] = 's'};

	buf_printf(&p->notes, "%c %s", kinds[line->note], line->path);
	if (line->note != SECTION_VANISHED)
		buf_printf(&p->notes, " %s", line->reason);
	buf_putc(&p->notes, '\n');
}

/* The next entry of the stream is what the line says. */
static void
take_entry(struct packed *p, struct tar_reader *t, const struct section_line *line)
{
	uint8_t digest[SHA256_LEN];
	const char *what = "";
	struct entry en;
	struct err e = {0};

	assert_int_equal(tar_read_next(t, &en, &e), 1);
	assert_string_equal(en.path, line->path);
	if (!section_matches(line, &en, &what))
		fail_msg("%s: %s differs", line->path, what);
	if (en.type == ENTRY_FILE) {
		assert_true(line->has_sha256);
		digest_content(t, &en, digest);
		assert_memory_equal(digest, line->sha256, sizeof(digest));
	}
	p->entries = realloc(p->entries, (p->n + 1) * sizeof(*p->entries));
	assert_non_null(p->entries);
	struct packed_entry *pe = &p->entries[p->n++];
	*pe = (struct packed_entry){
	    .path = strdup(en.path),
	    .link = en.link != NULL ? strdup(en.link) : NULL,
	    .type = en.type,
	    .size = en.size,
	    .sparse = en.sparse,
	    .changed = line->changed,
	    .grew = line->grew,
	    .n_unreadable = line->n_unreadable,
	    .n_xattrs = en.n_xattrs,
	    .mtime_sec = en.mtime_sec,
	};
	memcpy(pe->sha256, line->sha256, sizeof(pe->sha256));
	if (line->n_unreadable > 0) {
		pe->bad_offset = line->unreadable[0].offset;
		pe->bad_len = line->unreadable[0].len;
	}
	if (p->n > 1)
		assert_true(
		    path_cmp(pe[-1].path, strlen(pe[-1].path), pe->path, strlen(pe->path)) < 0);
}

static void
take_section(struct packed *p, struct tar_reader *t, const struct buf *text, uint64_t entries)
{
	struct section_parser *sp;
	struct section_line line;
	struct err e = {0};
	uint64_t n = 0;
	int rc;

	assert_int_equal(section_parser_new(&sp, text->data, text->len, &e), 0);
	while ((rc = section_next(sp, &line, &e)) == 1) {
		if (line.is_note)
			take_note(p, &line);
		else {
			take_entry(p, t, &line);
			n++;
		}
	}
	assert_int_equal(rc, 0);
	assert_int_equal(n, entries);
	section_parser_free(sp);
}

static void
take_apart(struct packed *p, int manifest_fd)
{
	struct manifest_reader *r;
	struct tar_reader *t;
	struct buf stream = {0}, text = {0};
	struct entry en;
	struct err e = {0};

	assert_int_equal(manifest_reader_new(&r, manifest_fd, &p->seal, &e), 0);
	assert_int_equal(manifest_check_head(r, &e), 0);
	take_members(p, r);
	unpack(p, &stream);
	assert_int_equal(tar_reader_new_mem(&t, stream.data, stream.len, &e), 0);
	for (size_t i = 0; i < p->n_members; i++) {
		assert_int_equal(manifest_section(r, &p->members[i], &text, &e), 0);
		if (text.len > 0)
			take_section(p, t, &text, p->members[i].entries);
	}
	assert_int_equal(tar_read_next(t, &en, &e), 0);
	assert_int_equal(p->n, p->seal.entries);
	tar_reader_free(t);
	buf_done(&stream);
	buf_done(&text);
	manifest_reader_free(r);
}

/* What seal_write wants and writer_finish does not give. */
static void
name_seal(struct seal *s)
{
	(void)snprintf(s->name, sizeof(s->name), "%s", NAME);
	(void)snprintf(s->series, sizeof(s->series), "test");
	s->sequence = 1;
}

static void
read_back(struct packed *p, int manifest_fd, const char *out)
{
	uint8_t digest[SHA256_LEN];

	scratch_get(out, "a", &p->archive);
	scratch_get(out, "m", &p->manifest);
	assert_int_equal(p->archive.len, p->seal.archive_size);
	sha256_of(p->archive.data, p->archive.len, digest);
	assert_memory_equal(digest, p->seal.archive_digest, sizeof(digest));
	assert_int_equal(p->manifest.len, p->seal.manifest_size);
	sha256_of(p->manifest.data, p->manifest.len, digest);
	assert_memory_equal(digest, p->seal.manifest_digest, sizeof(digest));

	take_apart(p, manifest_fd);
}

int
packed_run(struct packed *p, const char *dir, const struct packed_opts *o, struct err *e)
{
	char out[SCRATCH_MAX];
	struct writer *w = NULL;

	*p = (struct packed){0};
	scratch_new(out);
	int outfd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int archive = openat(outfd, "a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int manifest = openat(outfd, "m", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int source = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(archive >= 0 && manifest >= 0 && source >= 0);
	struct reuse *older = open_older(o);
	struct writer_opts wo = {.archive_fd = archive,
	    .manifest_fd = manifest,
	    .archive_path = "a",
	    .manifest_path = "m",
	    .name = NAME,
	    .source_fd = source,
	    .older = older,
	    .level = 1,
	    .jobs = o->jobs > 0 ? o->jobs : 1};
	name_seal(&p->seal);
	int rc = writer_new(&w, &wo, e);
	if (rc == 0)
		rc = fill(p, w, source, older, o, e);
	if (rc == 0)
		rc = writer_finish(w, &p->seal, e);
	if (rc == 0) {
		memcpy(p->events, writer_tally(w)->events, sizeof(p->events));
		p->made = writer_members(w);
		read_back(p, manifest, out);
	}
	writer_free(w);
	reuse_free(older);
	(void)close(source);
	(void)close(manifest);
	(void)close(archive);
	(void)close(outfd);
	scratch_remove(out);
	return rc;
}

int
packed_make(
    struct packed *p, const char *dir, const struct walk_opts *opts, unsigned jobs, struct err *e)
{
	return packed_run(p, dir, &(struct packed_opts){.walk = opts, .jobs = jobs}, e);
}

void
packed_done(struct packed *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->entries[i].path);
		free(p->entries[i].link);
	}
	free(p->entries);
	for (size_t i = 0; i < p->n_members; i++)
		free((char *)(uintptr_t)p->members[i].path);
	free(p->members);
	seal_done(&p->seal);
	buf_done(&p->notes);
	buf_done(&p->archive);
	buf_done(&p->manifest);
	*p = (struct packed){0};
}

const struct packed_entry *
packed_find(const struct packed *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->entries[i].path, path) == 0)
			return &p->entries[i];
	}
	return NULL;
}

size_t
packed_count(const struct packed *p, enum manifest_kind kind, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_members; i++) {
		const struct manifest_member *m = &p->members[i];
		if (m->kind == kind &&
		    (path == NULL || (m->path != NULL && strcmp(m->path, path) == 0)))
			n++;
	}
	return n;
}
