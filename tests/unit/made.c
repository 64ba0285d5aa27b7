/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/made.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "archive/member.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/io.h"
#include "seal/section.h"
#include "tests/unit/scratch.h"

static struct err e;

static void
must(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "made: %s\n", e.msg);
	abort();
}

static char *
copy(const char *s)
{
	char *d = strdup(s);

	if (d == NULL)
		abort();
	return d;
}

static int
make_file(const char *dir, const char *name, const char *suffix)
{
	char path[SCRATCH_MAX + 512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600)) < 0) {
		perror(path);
		abort();
	}
	return fd;
}

void
made_begin(struct made *m, const char *dir, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->dir = dir;
	(void)snprintf(m->seal.name, sizeof(m->seal.name), "%s", name);
	(void)strcpy(m->seal.series, "s");
	m->seal.sequence = 1;
	m->seal.created.tv_sec = 1000;
	m->seal.source = copy("/src");
	m->seal.host = copy("host");
	m->seal.tool = copy("test");
	m->seal.packer = copy("test");
	m->archive_fd = make_file(dir, name, ".tar.gz");
	m->manifest_fd = make_file(dir, name, ".manifest.gz");
	sha256_init(&m->hash);
	must(manifest_writer_new(&m->manifest, m->manifest_fd, name, 1, &e));
	must(member_packer_new(&m->packer, 1, &e));
	must(tar_writer_new(&m->tar, &e));
}

void
made_tar(struct made *m, const struct entry *en, const void *data)
{
	must(tar_write_header(m->tar, en, &m->plain, &e));
	if (en->type != ENTRY_FILE)
		return;
	if (data != NULL)
		buf_append(&m->plain, data, (size_t)en->size);
	else
		buf_zeros(&m->plain, (size_t)en->size);
	buf_zeros(&m->plain, tar_pad(en->size));
}

static void
content_digest(const struct entry *en, const void *data, uint8_t out[SHA256_LEN])
{
	struct buf zeros = {0};

	if (data == NULL)
		buf_zeros(&zeros, (size_t)en->size);
	sha256_of(data != NULL ? data : zeros.data, (size_t)en->size, out);
	buf_done(&zeros);
}

void
made_section(struct made *m, const struct entry *en, const void *data)
{
	struct section_facts facts = {.changed = false};

	if (en->type == ENTRY_FILE) {
		content_digest(en, data, facts.sha256);
		m->seal.bytes += en->size;
	}
	section_put_entry(&m->section, en, en->type == ENTRY_FILE ? &facts : NULL);
	m->lines++;
}

void
made_both(struct made *m, const struct entry *en, const void *data)
{
	made_tar(m, en, data);
	made_section(m, en, data);
}

void
made_member(struct made *m, enum manifest_kind kind, const char *path, uint64_t file_offset)
{
	struct buf packed = {0}, section = {0};
	struct manifest_member mm = {.kind = kind,
	    .offset = m->offset,
	    .plain_len = m->plain.len,
	    .entries = m->lines,
	    .file_offset = file_offset,
	    .path = path,
	    .path_len = path != NULL ? strlen(path) : 0};

	must(member_pack(m->packer, m->plain.data, m->plain.len, &packed, &e));
	if (m->section.len > 0)
		must(member_pack(m->packer, m->section.data, m->section.len, &section, &e));
	mm.packed_len = packed.len;
	sha256_of(packed.data, packed.len, mm.packed_digest);
	sha256_of(m->plain.data, m->plain.len, mm.plain_digest);
	mm.plain_digest[0] ^= m->lie;
	m->lie = false;
	must(manifest_write(m->manifest, &mm, section.data, section.len, m->section.len, &e));
	must(io_write(m->archive_fd, packed.data, packed.len, &e));
	sha256_update(&m->hash, packed.data, packed.len);
	m->offset += packed.len;
	m->lines = 0;
	buf_clear(&m->plain);
	buf_clear(&m->section);
	buf_done(&packed);
	buf_done(&section);
}

/* Data of the file offsets from..end, as the archive stores it: without holes. */
static void
put_range(struct made *m, const struct entry *en, const uint8_t *data, uint64_t from, uint64_t end)
{
	struct entry_extent whole = {.len = en->size};
	const struct entry_extent *x = en->sparse ? en->extents : &whole;
	size_t n = en->sparse ? en->n_extents : 1;

	for (size_t i = 0; i < n; i++) {
		uint64_t a = x[i].offset > from ? x[i].offset : from;
		uint64_t b = x[i].offset + x[i].len < end ? x[i].offset + x[i].len : end;
		if (a < b)
			buf_append(&m->plain, data + a, (size_t)(b - a));
	}
}

void
made_large(struct made *m, const struct entry *en, const void *data)
{
	uint64_t left = tar_data_len(en);

	must(tar_write_header(m->tar, en, &m->plain, &e));
	if (left == 0)
		made_section(m, en, data);
	made_member(m, MANIFEST_HEADER, en->path, 0);
	for (uint64_t at = 0; at < en->size; at += CUT_CHUNK) {
		put_range(m, en, data, at, at + CUT_CHUNK);
		if (m->plain.len == 0)
			continue;
		left -= m->plain.len;
		if (left == 0) {
			buf_zeros(&m->plain, tar_pad(tar_data_len(en)));
			made_section(m, en, data);
		}
		made_member(m, MANIFEST_CHUNK, en->path, at);
	}
}

void
made_end(struct made *m, const struct key *key)
{
	struct buf text = {0};
	char file[SEAL_NAME_MAX + 16];
	uint64_t entries = m->seal.entries;

	if (m->plain.len == 0)
		buf_zeros(&m->plain, TAR_END_LEN);
	made_member(m, MANIFEST_END, NULL, 0);
	if (m->seal.archive_size == 0)
		m->seal.archive_size = m->offset;
	sha256_final(&m->hash, m->seal.archive_digest);
	must(manifest_writer_finish(m->manifest, &m->seal, &e));
	m->seal.entries += entries; /* a lie that a test put there */
	must(seal_write(&m->seal, key, &text, &e));
	(void)snprintf(file, sizeof(file), "%s.seal", m->seal.name);
	scratch_put(m->dir, file, text.data, text.len);
	buf_done(&text);
	seal_done(&m->seal);
	manifest_writer_free(m->manifest);
	member_packer_free(m->packer);
	tar_writer_free(m->tar);
	buf_done(&m->plain);
	buf_done(&m->section);
	(void)close(m->archive_fd);
	(void)close(m->manifest_fd);
}

struct entry
made_file(const char *path, uint64_t size)
{
	return (struct entry){.type = ENTRY_FILE,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = 0644,
	    .size = size,
	    .mtime_sec = 1000000000};
}

struct entry
made_dir(const char *path)
{
	return (struct entry){.type = ENTRY_DIR,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = 0755,
	    .mtime_sec = 1};
}
