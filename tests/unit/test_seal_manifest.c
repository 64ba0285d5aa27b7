/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/manifest.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "seal/manifest_text.h"
#include "seal/seal.h"

/*
 * Manifests are made in two ways: by the writer, and by forge(), which lays out pages of
 * any size and lets a test change a text before it is packed and its digest taken, as a
 * signer would who is broken or fooled.
 */
#define MEMBERS_MAX 2048

struct fixture {
	int fd;
	struct seal seal;
	struct member_packer *packer;
	struct member_unpacker *unpacker;
	struct manifest_reader *reader;
	struct manifest_member members[MEMBERS_MAX];
	size_t n;
	struct buf file, text, packed, section, paths;
	struct err e;
	uint64_t random;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fd = memfd_create("manifest", MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	f->random = 88172645463325252ull;
	(void)strcpy(f->seal.name, "app-20260209_000005");
	assert_int_equal(member_packer_new(&f->packer, 1, &f->e), 0);
	assert_int_equal(member_unpacker_new(&f->unpacker, &f->e), 0);
	*state = f;
	return 0;
}

static void
clear_members(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++)
		free((char *)(uintptr_t)f->members[i].path);
	memset(f->members, 0, f->n * sizeof(f->members[0]));
	f->n = 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	clear_members(f);
	manifest_reader_free(f->reader);
	member_packer_free(f->packer);
	member_unpacker_free(f->unpacker);
	buf_done(&f->file);
	buf_done(&f->text);
	buf_done(&f->packed);
	buf_done(&f->section);
	buf_done(&f->paths);
	assert_int_equal(close(f->fd), 0);
	free(f);
	return 0;
}

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static size_t
below(struct fixture *f, size_t n)
{
	return (size_t)(next_random(&f->random) % n);
}

/* ---- making members ---- */

/* The next member; everything the caller does not ask for is made up. */
static struct manifest_member *
add(struct fixture *f, enum manifest_kind kind, const char *path, bool section)
{
	struct manifest_member *m = &f->members[f->n];
	const struct manifest_member *before = f->n > 0 ? m - 1 : NULL;

	assert_true(f->n < MEMBERS_MAX);
	m->kind = kind;
	m->offset = before != NULL ? before->offset + before->packed_len : 0;
	m->plain_len = 512 * (1 + below(f, 100));
	m->packed_len = 30 + below(f, m->plain_len);
	sha256_of(&f->n, sizeof(f->n), m->packed_digest);
	sha256_of(&m->offset, sizeof(m->offset), m->plain_digest);
	m->has_key = kind != MANIFEST_END && below(f, 2) == 0;
	if (m->has_key)
		sha256_of(path, strlen(path), m->key);
	m->entries = section ? 1 + below(f, 9) : 0;
	if (kind == MANIFEST_CHUNK && before != NULL && before->kind == MANIFEST_CHUNK)
		m->file_offset = before->file_offset + (1 << 20);
	if (path != NULL) {
		m->path = strdup(path);
		m->path_len = strlen(path);
	}
	f->n++;
	return m;
}

/* The text of the section of member number i. */
static void
section_text(struct buf *text, size_t i)
{
	buf_clear(text);
	buf_printf(text, "section %zu\n", i);
}

static bool
has_section(const struct manifest_member *m)
{
	return m->entries > 0;
}

/* A few kinds of members, n in all with the end. */
static void
make_members(struct fixture *f, size_t n)
{
	char path[32];

	clear_members(f);
	(void)add(f, MANIFEST_FILES, "", true);
	while (f->n < n - 1) {
		(void)snprintf(path, sizeof(path), "d%05zu/f", f->n);
		if (f->n + 4 < n && below(f, 4) == 0) {
			(void)add(f, MANIFEST_HEADER, path, false);
			(void)add(f, MANIFEST_CHUNK, path, false);
			(void)add(f, MANIFEST_CHUNK, path, true);
		} else {
			(void)add(f, MANIFEST_FILES, path, below(f, 8) != 0);
		}
	}
	(void)add(f, MANIFEST_END, NULL, below(f, 2) == 0);
}

static void
set_archive_size(struct fixture *f)
{
	const struct manifest_member *last = &f->members[f->n - 1];

	f->seal.archive_size = last->offset + last->packed_len;
}

/* ---- by the writer ---- */

static int
write_member(struct fixture *f, struct manifest_writer *w, size_t i)
{
	struct manifest_member *m = &f->members[i];

	buf_clear(&f->packed);
	if (has_section(m)) {
		section_text(&f->section, i);
		assert_int_equal(
		    member_pack(f->packer, f->section.data, f->section.len, &f->packed, &f->e), 0);
	}
	return manifest_write(w, m, f->packed.data, f->packed.len, f->section.len, &f->e);
}

static void
read_back(struct fixture *f)
{
	struct stat st;

	assert_int_equal(fstat(f->fd, &st), 0);
	buf_clear(&f->file);
	assert_non_null(buf_reserve(&f->file, (size_t)st.st_size));
	assert_int_equal(io_pread_exact(f->fd, f->file.data, (size_t)st.st_size, 0, &f->e), 0);
	f->file.len = (size_t)st.st_size;
}

static void
write_all(struct fixture *f)
{
	struct manifest_writer *w;

	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	for (size_t i = 0; i < f->n; i++)
		if (write_member(f, w, i) == -1)
			fail_msg("member %zu: %s", i, f->e.msg);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	manifest_writer_free(w);
	set_archive_size(f);
	read_back(f);
}

/* ---- by hand ---- */

struct edit {
	const char *from, *to; /* the first occurrence, which must be there */
	const char *why; /* what the reader must say to it */
};

static void
apply(struct buf *text, const struct edit *edit)
{
	struct buf old = *text;
	const uint8_t *at;

	if (edit == NULL)
		return;
	at = memmem(old.data, old.len, edit->from, strlen(edit->from));
	if (at == NULL)
		fail_msg("no \"%s\" in %.*s", edit->from, (int)old.len, (char *)old.data);
	memset(text, 0, sizeof(*text));
	buf_append(text, old.data, (size_t)(at - old.data));
	buf_puts(text, edit->to);
	at += strlen(edit->from);
	buf_append(text, at, old.len - (size_t)(at - old.data));
	buf_done(&old);
}

static void
put_packed(struct fixture *f, const struct buf *text, struct manifest_piece *p)
{
	size_t from = f->file.len;

	assert_int_equal(member_pack(f->packer, text->data, text->len, &f->file, &f->e), 0);
	p->offset = from;
	p->packed_len = f->file.len - from;
	p->plain_len = text->len;
	sha256_of(f->file.data + from, p->packed_len, p->digest);
}

static void
put_section(struct fixture *f, size_t i)
{
	struct manifest_member *m = &f->members[i];
	struct manifest_piece p;

	if (!has_section(m))
		return;
	section_text(&f->section, i);
	put_packed(f, &f->section, &p);
	m->section_offset = p.offset;
	m->section_len = p.packed_len;
	m->section_plain = p.plain_len;
	memcpy(m->section_digest, p.digest, SHA256_LEN);
}

static void
store(struct fixture *f)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(io_pwrite(f->fd, f->file.data, f->file.len, 0, &f->e), 0);
}

/* Pages of page_lines lines.  The edits, where not NULL, change page number 0 and the root. */
static void
forge(struct fixture *f, size_t page_lines, const struct edit *in_page, const struct edit *in_root)
{
	struct manifest_totals totals = {.members = f->n};
	struct manifest_piece head, root;
	struct buf pages = {.data = NULL};

	buf_clear(&f->file);
	buf_clear(&f->text);
	manifest_put_head(&f->text, f->seal.name);
	put_packed(f, &f->text, &head);
	for (size_t i = 0; i < f->n; i += page_lines) {
		struct manifest_page page = {
		    .path = f->members[i].path, .path_len = f->members[i].path_len};

		page.lines = f->n - i < page_lines ? f->n - i : page_lines;
		for (size_t k = i; k < i + page.lines; k++)
			put_section(f, k);
		buf_clear(&f->text);
		for (size_t k = i; k < i + page.lines; k++) {
			manifest_put_member(&f->text, &f->members[k]);
			totals.entries += f->members[k].entries;
			totals.plain += f->members[k].plain_len;
		}
		apply(&f->text, i == 0 ? in_page : NULL);
		put_packed(f, &f->text, &page.at);
		manifest_put_page(&pages, &page);
	}
	buf_clear(&f->text);
	manifest_put_root(&f->text, 1, &totals, &head, (const char *)pages.data, pages.len);
	apply(&f->text, in_root);
	put_packed(f, &f->text, &root);
	f->seal.root_offset = root.offset;
	f->seal.root_len = root.packed_len;
	memcpy(f->seal.root_digest, root.digest, SHA256_LEN);
	f->seal.manifest_size = f->file.len;
	set_archive_size(f);
	buf_done(&pages);
	store(f);
}

/* Another root, out of f->text, which is the one that forge() packed; gap bytes before it. */
static void
forge_root(struct fixture *f, size_t gap)
{
	struct manifest_piece root;

	f->file.len = f->seal.root_offset;
	buf_zeros(&f->file, gap);
	put_packed(f, &f->text, &root);
	f->seal.root_offset = root.offset;
	f->seal.root_len = root.packed_len;
	memcpy(f->seal.root_digest, root.digest, SHA256_LEN);
	f->seal.manifest_size = f->file.len;
	store(f);
}

/* ---- reading ---- */

static int
open_reader(struct fixture *f)
{
	manifest_reader_free(f->reader);
	f->reader = NULL;
	err_clear(&f->e);
	return manifest_reader_new(&f->reader, f->fd, &f->seal, &f->e);
}

static void
must_open(struct fixture *f)
{
	if (open_reader(f) == -1)
		fail_msg("%s", f->e.msg);
}

static void
same_member(const struct manifest_member *a, const struct manifest_member *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->packed_len, b->packed_len);
	assert_int_equal(a->plain_len, b->plain_len);
	assert_memory_equal(a->packed_digest, b->packed_digest, SHA256_LEN);
	assert_memory_equal(a->plain_digest, b->plain_digest, SHA256_LEN);
	assert_int_equal(a->has_key, b->has_key);
	if (a->has_key)
		assert_memory_equal(a->key, b->key, SHA256_LEN);
	assert_int_equal(a->section_offset, b->section_offset);
	assert_int_equal(a->section_len, b->section_len);
	assert_int_equal(a->section_plain, b->section_plain);
	if (a->section_len > 0)
		assert_memory_equal(a->section_digest, b->section_digest, SHA256_LEN);
	assert_int_equal(a->entries, b->entries);
	assert_int_equal(a->file_offset, b->file_offset);
	assert_int_equal(a->path == NULL, b->path == NULL);
	assert_int_equal(a->path_len, b->path_len);
	if (a->path != NULL)
		assert_string_equal(a->path, b->path);
}

/* Read from where the reader stands to the end: members first, first + 1, ... */
static void
read_from(struct fixture *f, size_t first)
{
	struct manifest_member m;
	int n;

	for (size_t i = first; (n = manifest_next(f->reader, &m, &f->e)) == 1; i++) {
		assert_int_equal(manifest_tell(f->reader), i);
		same_member(&m, &f->members[i]);
		assert_int_equal(manifest_section(f->reader, &m, &f->text, &f->e), 0);
		if (has_section(&m)) {
			section_text(&f->section, i);
			assert_string_equal(buf_str(&f->text), buf_str(&f->section));
		} else {
			assert_int_equal(f->text.len, 0);
		}
		first = i + 1;
	}
	if (n == -1)
		fail_msg("%s", f->e.msg);
	assert_int_equal(first, f->n);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 0);
}

/* Everything there is to check; 0 when all is well, -1 with the first error. */
static int
read_everything(struct fixture *f)
{
	struct manifest_member m;
	int n;

	if (open_reader(f) == -1 || manifest_check_head(f->reader, &f->e) == -1)
		return -1;
	while ((n = manifest_next(f->reader, &m, &f->e)) == 1)
		if (manifest_section(f->reader, &m, &f->text, &f->e) == -1)
			return -1;
	return n;
}

/* what: what was done to it; why: a part of the message. */
static void
is_refused(struct fixture *f, const char *what, const char *why)
{
	err_clear(&f->e);
	if (read_everything(f) == 0)
		fail_msg("%s was taken", what);
	if (f->e.kind != ERR_CORRUPT && f->e.kind != ERR_UNSUPPORTED)
		fail_msg("%s: %s", what, f->e.msg);
	if (strstr(f->e.msg, why) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", what, f->e.msg, why);
}

/* ---- tests ---- */

static void
what_is_written_is_read_back(void **state)
{
	static const size_t sizes[] = {2, 3, 511, 512, 513, 1024, 1025, 1500};
	struct fixture *f = *state;
	struct manifest_totals t, sum;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_members(f, sizes[i]);
		write_all(f);
		must_open(f);
		assert_int_equal(manifest_check_head(f->reader, &f->e), 0);
		read_from(f, 0);
		memset(&sum, 0, sizeof(sum));
		for (size_t k = 0; k < f->n; k++) {
			sum.entries += f->members[k].entries;
			sum.plain += f->members[k].plain_len;
		}
		t = manifest_totals(f->reader);
		assert_int_equal(t.members, f->n);
		assert_int_equal(t.entries, sum.entries);
		assert_int_equal(t.plain, sum.plain);
		assert_int_equal(f->seal.entries, sum.entries);
	}
}

static void
an_archive_of_nothing_but_its_end_is_described(void **state)
{
	struct fixture *f = *state;

	(void)add(f, MANIFEST_END, NULL, false);
	write_all(f);
	must_open(f);
	read_from(f, 0);
	assert_int_equal(manifest_seek_path(f->reader, "a", 1, &f->e), 0);
	read_from(f, 0);
}

static void
finish_tells_the_seal_what_is_on_disk(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[SHA256_LEN];

	make_members(f, 700);
	write_all(f);
	assert_int_equal(f->seal.manifest_size, f->file.len);
	assert_int_equal(f->seal.root_offset + f->seal.root_len, f->file.len);
	sha256_of(f->file.data, f->file.len, digest);
	assert_memory_equal(f->seal.manifest_digest, digest, SHA256_LEN);
	sha256_of(f->file.data + f->seal.root_offset, f->seal.root_len, digest);
	assert_memory_equal(f->seal.root_digest, digest, SHA256_LEN);
}

static void
the_texts_are_those_of_the_format(void **state)
{
	struct fixture *f = *state;
	struct manifest_member *m = &f->members[0];
	struct manifest_page p = {.path = NULL};

	(void)add(f, MANIFEST_CHUNK, "a b/-", false);
	m->offset = 1;
	m->packed_len = 2;
	m->plain_len = 3;
	m->has_key = false;
	m->file_offset = 1048576;
	memset(m->packed_digest, 0x11, SHA256_LEN);
	memset(m->plain_digest, 0x22, SHA256_LEN);
	manifest_put_member(&f->text, m);
	assert_string_equal(buf_str(&f->text),
	    "#@ c 1 2 3 1111111111111111111111111111111111111111111111111111111111111111 "
	    "2222222222222222222222222222222222222222222222222222222222222222 - 0 0 0 - 0 1048576 "
	    "./a\\040b/-\n");
	buf_clear(&f->text);
	manifest_put_head(&f->text, "n");
	assert_string_equal(buf_str(&f->text), "#mtree\n# tarseal-manifest 1\n# name: n\n");
	buf_clear(&f->text);
	p.lines = 1;
	manifest_put_page(&f->text, &p);
	assert_string_equal(buf_str(&f->text),
	    "#@ page 0 0 0 0000000000000000000000000000000000000000000000000000000000000000 1 -\n");
}

/* Any byte of the file: found, or else nobody could have read it. */
static void
every_changed_byte_is_found(void **state)
{
	struct fixture *f = *state;

	make_members(f, 12);
	forge(f, 4, NULL, NULL);
	assert_int_equal(read_everything(f), 0);
	for (size_t i = 0; i < f->file.len; i++) {
		uint8_t b = f->file.data[i] ^ (uint8_t)(1 << i % 8);

		assert_int_equal(io_pwrite(f->fd, &b, 1, i, &f->e), 0);
		is_refused(f, "a changed byte", "digest differs");
		assert_int_equal(io_pwrite(f->fd, &f->file.data[i], 1, i, &f->e), 0);
	}
	assert_int_equal(read_everything(f), 0);
}

static void
a_cut_file_is_found(void **state)
{
	struct fixture *f = *state;

	make_members(f, 12);
	forge(f, 4, NULL, NULL);
	for (size_t len = 0; len < f->file.len; len += 13) {
		assert_int_equal(ftruncate(f->fd, (off_t)len), 0);
		is_refused(f, "a cut manifest", "root of the manifest's index: ends early");
		store(f);
	}
}

static void
flip(struct fixture *f, uint64_t at)
{
	uint8_t b = f->file.data[at] ^ 1;

	assert_int_equal(io_pwrite(f->fd, &b, 1, at, &f->e), 0);
	f->file.data[at] = b;
}

/* A place in page number k of a manifest from forge(): in the packed bytes before the next section.
 */
static uint64_t
page_end(const struct fixture *f, size_t lines, size_t k)
{
	for (size_t i = (k + 1) * lines; i < f->n; i++)
		if (has_section(&f->members[i]))
			return f->members[i].section_offset;
	return 0;
}

static void
a_damaged_page_is_named_and_stepped_over(void **state)
{
	struct fixture *f = *state;
	struct manifest_member m;

	(void)add(f, MANIFEST_FILES, "", true);
	(void)add(f, MANIFEST_FILES, "b", true);
	(void)add(f, MANIFEST_FILES, "c", true);
	(void)add(f, MANIFEST_FILES, "d", true);
	(void)add(f, MANIFEST_FILES, "e", true);
	(void)add(f, MANIFEST_END, NULL, false);
	forge(f, 2, NULL, NULL);
	flip(f, page_end(f, 2, 1) - 12);
	must_open(f);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	assert_non_null(strstr(f->e.msg, "page 2 of 3"));
	assert_non_null(strstr(f->e.msg, "from c up to e"));
	read_from(f, 4);

	/* By path, too; and again, because nothing was forgotten. */
	for (int again = 0; again < 2; again++) {
		err_clear(&f->e);
		assert_int_equal(manifest_seek_path(f->reader, "d", 1, &f->e), -1);
		assert_non_null(strstr(f->e.msg, "from c up to e"));
		read_from(f, 4);
	}
	assert_int_equal(manifest_seek_path(f->reader, "f", 1, &f->e), 0);
	read_from(f, 4);
	assert_int_equal(manifest_seek(f->reader, 0, &f->e), 0);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
	same_member(&m, &f->members[0]);
}

static void
a_damaged_section_is_named_and_disturbs_nothing(void **state)
{
	struct fixture *f = *state;
	struct manifest_member m;

	(void)add(f, MANIFEST_FILES, "", true);
	(void)add(f, MANIFEST_FILES, "b", true);
	(void)add(f, MANIFEST_HEADER, "large", false);
	(void)add(f, MANIFEST_CHUNK, "large", true);
	(void)add(f, MANIFEST_FILES, "z", true);
	(void)add(f, MANIFEST_END, NULL, false);
	forge(f, 2, NULL, NULL);
	flip(f, f->members[1].section_offset + 3);
	flip(f, f->members[3].section_offset + 3);
	flip(f, f->members[4].section_offset + 3);
	must_open(f);
	for (size_t i = 0; i < f->n; i++) {
		static const char *const where[] = {
		    NULL, "from b up to large", NULL, "section of large", "from z up to the end"};
		bool bad = i == 1 || i == 3 || i == 4;

		err_clear(&f->e);
		assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
		same_member(&m, &f->members[i]);
		assert_int_equal(manifest_section(f->reader, &m, &f->text, &f->e), bad ? -1 : 0);
		if (!bad)
			continue;
		assert_int_equal(f->e.kind, ERR_CORRUPT);
		assert_int_equal(f->text.len, 0);
		if (strstr(f->e.msg, where[i]) == NULL)
			fail_msg("%s", f->e.msg);
	}
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 0);
}

static void
a_damaged_head_keeps_nobody_from_reading(void **state)
{
	struct fixture *f = *state;

	make_members(f, 20);
	write_all(f);
	flip(f, 11);
	must_open(f);
	assert_int_equal(manifest_check_head(f->reader, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	err_clear(&f->e);
	read_from(f, 0);
}

static void
the_manifest_of_another_backup_is_refused(void **state)
{
	struct fixture *f = *state;

	make_members(f, 20);
	write_all(f);
	f->seal.root_digest[0] ^= 1;
	assert_int_equal(open_reader(f), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	f->seal.root_digest[0] ^= 1;
	/* A sound manifest under another name. */
	(void)strcpy(f->seal.name, "app-20260209_000006");
	must_open(f);
	assert_int_equal(manifest_check_head(f->reader, &f->e), -1);
	(void)strcpy(f->seal.name, "app-20260209_000005");
	assert_int_equal(read_everything(f), 0);
	f->seal.archive_size++;
	is_refused(f, "another archive's size", "not the archive's end");
}

static void
seek_goes_to_any_member(void **state)
{
	struct fixture *f = *state;

	make_members(f, 1200);
	write_all(f);
	must_open(f);
	for (size_t i = 0; i <= f->n; i += i < 3 || i + 40 > f->n ? 1 : 37) {
		assert_int_equal(manifest_seek(f->reader, i, &f->e), 0);
		read_from(f, i);
	}
	assert_int_equal(manifest_seek(f->reader, f->n + 1, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_NOTFOUND);
	assert_int_equal(manifest_seek(f->reader, UINT64_MAX, &f->e), -1);
}

static void
a_page_is_closed_by_its_text_too(void **state)
{
	struct fixture *f = *state;
	char *path = malloc(MANIFEST_PATH_MAX + 1);

	assert_non_null(path);
	memset(path, '\xff', MANIFEST_PATH_MAX);
	path[MANIFEST_PATH_MAX] = '\0';
	(void)add(f, MANIFEST_FILES, "", true);
	for (int i = 0; i < 8; i++) {
		path[0] = (char)('a' + i);
		(void)add(f, MANIFEST_FILES, path, true);
	}
	(void)add(f, MANIFEST_END, NULL, false);
	write_all(f);
	must_open(f);
	read_from(f, 0);
	for (size_t i = 1; i < 9; i++) {
		assert_int_equal(
		    manifest_seek_path(f->reader, f->members[i].path, MANIFEST_PATH_MAX, &f->e), 0);
		read_from(f, i);
	}
	free(path);
}

/* Every page of long paths adds half a mebibyte to the root: up to here and no further. */
static void
the_root_stays_within_its_bound(void **state)
{
	struct fixture *f = *state;
	struct manifest_member m = {.kind = MANIFEST_FILES, .packed_len = 100, .plain_len = 512};
	char *path = malloc(MANIFEST_PATH_MAX + 1);
	struct manifest_writer *w;

	assert_non_null(path);
	memset(path, '\xff', MANIFEST_PATH_MAX);
	path[MANIFEST_PATH_MAX] = '\0';
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	m.path = path;
	m.path_len = MANIFEST_PATH_MAX;
	for (int i = 0; i < 2 * 128 + 1; i++, m.offset += 100) {
		path[0] = (char)('a' + i / 16);
		path[1] = (char)('a' + i % 16);
		if (manifest_write(w, &m, NULL, 0, 0, &f->e) == -1)
			fail_msg("%s", f->e.msg);
	}
	m.kind = MANIFEST_END;
	m.path = NULL;
	m.path_len = 0;
	assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), 0);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_UNSUPPORTED);
	assert_non_null(strstr(f->e.msg, "too large"));
	manifest_writer_free(w);
	free(path);
}

/* ---- seek_path against a linear scan ---- */

/* Paths of a random tree, sorted, apart; '/' among them as often as not. */
static size_t
random_paths(struct fixture *f, char paths[][16], size_t max)
{
	static const char alphabet[] = "aab-\x7f\xff";
	size_t n = 0;

	paths[n++][0] = '\0';
	for (size_t i = 0; i < max; i++) {
		char one[16];
		size_t len = 1 + below(f, 7), k = 0;

		for (k = 0; k < len; k++)
			one[k] = k % 2 == 1 && below(f, 2) == 0 && k + 1 < len
			    ? '/'
			    : alphabet[below(f, sizeof(alphabet) - 1)];
		one[len] = '\0';
		for (k = n; k > 0 && path_cmp(paths[k - 1], strlen(paths[k - 1]), one, len) > 0;
		     k--)
			;
		if (path_cmp(paths[k - 1], strlen(paths[k - 1]), one, len) == 0)
			continue;
		memmove(paths[k + 1], paths[k], (n - k) * sizeof(paths[0]));
		memcpy(paths[k], one, len + 1);
		n++;
	}
	return n;
}

/* Members out of those paths; holder[i] is the first member that holds path i. */
static void
random_archive(struct fixture *f, char paths[][16], size_t n, size_t *holder)
{
	bool open = false;

	clear_members(f);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && below(f, 4) == 0) {
			(void)add(f, MANIFEST_HEADER, paths[i], false);
			holder[i] = f->n - 1;
			for (size_t k = below(f, 6); k > 0; k--)
				(void)add(f, MANIFEST_CHUNK, paths[i], k == 1);
			open = false;
			continue;
		}
		if (!open || below(f, 3) == 0)
			(void)add(f, MANIFEST_FILES, paths[i], true);
		open = true;
		holder[i] = f->n - 1;
	}
	(void)add(f, MANIFEST_END, NULL, false);
}

static size_t
scan(const struct fixture *f, const char *path)
{
	size_t at = 0, len = strlen(path);

	for (size_t i = 0; i < f->n; i++) {
		const struct manifest_member *m = &f->members[i];
		int cmp = m->path == NULL ? 1 : path_cmp(m->path, m->path_len, path, len);

		if (cmp == 0)
			return i;
		if (cmp > 0)
			break;
		at = m->kind == MANIFEST_FILES ? i : i + 1;
	}
	return at;
}

static void
check_seek(struct fixture *f, const char *path, char paths[][16], size_t n, const size_t *holder)
{
	struct manifest_member m;
	size_t want = scan(f, path), len = strlen(path);

	if (manifest_seek_path(f->reader, path, len, &f->e) == -1)
		fail_msg("%s", f->e.msg);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
	assert_int_equal(manifest_tell(f->reader), want);
	same_member(&m, &f->members[want]);
	for (size_t i = 0; i < n; i++)
		if (path_within(paths[i], strlen(paths[i]), path, len))
			assert_true(holder[i] >= want);
	/* On to the end: each once, across pages. */
	for (size_t i = want + 1; i < f->n; i++)
		assert_int_equal(manifest_next(f->reader, &m, &f->e), 1);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), 0);
}

static void
seek_path_finds_what_a_scan_finds(void **state)
{
	struct fixture *f = *state;
	char paths[64][16];
	size_t holder[64];

	for (int tree = 0; tree < 3000; tree++) {
		size_t n = random_paths(f, paths, below(f, 30));

		random_archive(f, paths, n, holder);
		forge(f, 1 + below(f, 6), NULL, NULL);
		must_open(f);
		for (int i = 0; i < 8; i++)
			check_seek(f, paths[below(f, n)], paths, n, holder);
		check_seek(f, "", paths, n, holder);
		check_seek(f, "aa", paths, n, holder);
		check_seek(f, "a/a", paths, n, holder);
		check_seek(f, "~", paths, n, holder);
		check_seek(f, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", paths, n, holder);
	}
}

/* ---- rewinding ---- */

static void
rewind_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	struct buf straight = {.data = NULL};
	struct seal seal;

	make_members(f, 1500);
	write_all(f);
	buf_append(&straight, f->file.data, f->file.len);
	seal = f->seal;
	for (int round = 0; round < 6; round++) {
		struct manifest_mark *mark = NULL;
		struct manifest_writer *w;
		size_t from = below(f, 1400), to = from + below(f, 1500 - from);
		int times = 1 + (int)below(f, 3);

		assert_int_equal(ftruncate(f->fd, 0), 0);
		assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
		for (size_t i = 0; i < from; i++)
			assert_int_equal(write_member(f, w, i), 0);
		assert_int_equal(manifest_mark_new(&mark, w, &f->e), 0);
		for (; times > 0; times--) {
			for (size_t i = from; i < to; i++) {
				f->members[i].packed_digest[0] ^= 0xff;
				assert_int_equal(write_member(f, w, i), 0);
				f->members[i].packed_digest[0] ^= 0xff;
			}
			assert_int_equal(manifest_rewind(w, mark, &f->e), 0);
		}
		manifest_mark_free(mark);
		for (size_t i = from; i < f->n; i++)
			assert_int_equal(write_member(f, w, i), 0);
		assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
		manifest_writer_free(w);
		read_back(f);
		assert_int_equal(f->file.len, straight.len);
		assert_memory_equal(f->file.data, straight.data, straight.len);
		assert_memory_equal(f->seal.manifest_digest, seal.manifest_digest, SHA256_LEN);
		assert_int_equal(f->seal.entries, seal.entries);
		assert_int_equal(f->seal.root_offset, seal.root_offset);
	}
	buf_done(&straight);
}

static void
rewind_cuts_the_file(void **state)
{
	struct fixture *f = *state;
	struct manifest_mark *mark;
	struct manifest_writer *w;
	struct manifest_member m;

	make_members(f, 700);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	assert_int_equal(write_member(f, w, 0), 0);
	assert_int_equal(manifest_mark_new(&mark, w, &f->e), 0);
	for (size_t i = 1; i < f->n; i++)
		assert_int_equal(write_member(f, w, i), 0);
	assert_int_equal(manifest_rewind(w, mark, &f->e), 0);
	m = f->members[f->n - 1];
	m.offset = f->members[1].offset;
	m.entries = 0;
	assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), 0);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	read_back(f);
	assert_int_equal(f->file.len, f->seal.manifest_size);
	manifest_mark_free(mark);
	manifest_writer_free(w);
}

static void
a_mark_before_the_first_member_is_good(void **state)
{
	struct fixture *f = *state;
	struct manifest_mark *mark;
	struct manifest_writer *w;

	make_members(f, 3);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	assert_int_equal(manifest_mark_new(&mark, w, &f->e), 0);
	assert_int_equal(write_member(f, w, 0), 0);
	assert_int_equal(manifest_rewind(w, mark, &f->e), 0);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(write_member(f, w, i), 0);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	manifest_mark_free(mark);
	manifest_writer_free(w);
	set_archive_size(f);
	must_open(f);
	read_from(f, 0);
}

/* ---- misuse and failure ---- */

static void
the_writer_refuses_what_readers_would(void **state)
{
	struct fixture *f = *state;
	struct manifest_writer *w;
	struct manifest_member m, good;
	struct stat before, after;

	make_members(f, 3);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	assert_int_equal(write_member(f, w, 0), 0);
	assert_int_equal(fstat(f->fd, &before), 0);
	good = f->members[1];
	good.entries = 0;
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		m = good;                                                                          \
		change;                                                                            \
		err_clear(&f->e);                                                                  \
		assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), -1);                    \
		assert_int_equal(f->e.kind, ERR_UNSUPPORTED);                                      \
	} while (0)
	REFUSED(m.offset++);
	REFUSED(m.offset--);
	REFUSED(m.packed_len = 0);
	REFUSED(m.packed_len = manifest_packed_max(m.plain_len) + MANIFEST_PADDING_MAX + 1);
	REFUSED(m.plain_len = MEMBER_PLAIN_MAX + 1);
	REFUSED(m.path = NULL);
	REFUSED(m.path = ""; m.path_len = 0);
	REFUSED(m.kind = MANIFEST_END);
	REFUSED(m.kind = MANIFEST_CHUNK);
	REFUSED(m.file_offset = 1);
	REFUSED(m.entries = 1);
	REFUSED(m.path_len = MANIFEST_PATH_MAX + 1);
	err_clear(&f->e);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), -1); /* no end yet */
	assert_int_equal(fstat(f->fd, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	for (size_t i = 1; i < f->n; i++)
		assert_int_equal(write_member(f, w, i), 0);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), -1);
	manifest_writer_free(w);
}

static void
a_failed_write_is_reported_and_can_be_undone(void **state)
{
	struct fixture *f = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct manifest_writer *w;
	struct manifest_mark *mark, *none = NULL;
	struct manifest_member m;

	assert_true(full >= 0);
	assert_int_equal(manifest_writer_new(&w, full, f->seal.name, 1, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	err_clear(&f->e);
	assert_int_equal(close(full), 0);

	/* A memfd that may not grow is a full disk. */
	assert_int_equal(close(f->fd), 0);
	f->fd = memfd_create("manifest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	make_members(f, 3);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	assert_int_equal(manifest_mark_new(&mark, w, &f->e), 0);
	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(write_member(f, w, 0), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	m = f->members[0];
	m.entries = 0;
	assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), -1);
	assert_int_equal(manifest_mark_new(&none, w, &f->e), -1);
	assert_null(none);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), -1);
	assert_int_equal(manifest_rewind(w, mark, &f->e), 0);
	assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), 0);
	manifest_mark_free(mark);
	manifest_writer_free(w);
}

/* ---- indexes that lie ---- */

static void
small(struct fixture *f)
{
	struct manifest_member *m;
	uint64_t random = f->random;

	f->random = 88172645463325252ull; /* the same each time */
	clear_members(f);
	m = add(f, MANIFEST_FILES, "", true);
	m->packed_len = 1111;
	m->plain_len = 2048;
	m->has_key = false;
	m = add(f, MANIFEST_HEADER, "big", false);
	m->packed_len = 222;
	m->plain_len = 1024;
	m = add(f, MANIFEST_CHUNK, "big", false);
	m->packed_len = 3333;
	m->plain_len = 4096;
	m = add(f, MANIFEST_CHUNK, "big", true);
	m->packed_len = 444;
	m->plain_len = 512;
	m->entries = 1;
	m = add(f, MANIFEST_FILES, "c", true);
	m->packed_len = 555;
	m->plain_len = 1536;
	m->entries = 7;
	m = add(f, MANIFEST_END, NULL, false);
	m->packed_len = 29;
	m->plain_len = 1024;
	f->random = random;
}

static void
a_page_that_lies_is_refused(void **state)
{
	static const struct edit edits[] = {
	    {"#@ f 0 1111 ", "#@ f 1 1111 ", "not the archive's start"},
	    {"#@ f 0 1111 ", "#@ f 0 1112 ", "end to end"},
	    {"#@ f 0 1111 ", "#@ f 0 01111 ", "place or length"},
	    {"#@ f 0 1111 ", "#@ f 0 0 ", "place or length"},
	    {"#@ f 0 1111 ", "#@ f 00 1111 ", "place or length"},
	    {"#@ f 0 1111 ", "#@ f -0 1111 ", "place or length"},
	    {"#@ f 0 1111 ", "#@ f  0 1111 ", "place or length"},
	    {"#@ f 0 1111 ", "#@ g 0 1111 ", "not an index line"},
	    {"#@ f 0 1111 ", "#@ c 0 1111 ", "not the archive's start"},
	    {"#@ f 0 1111 ", "#@ e 0 1111 ", "without a path"},
	    {"#@ f 0 1111 ", "#: f 0 1111 ", "not an index line"},
	    {"#@ f 0 1111 2048 ", "#@ f 0 1111 67108865 ", "place or length"},
	    {"#@ f 0 1111 2048 ", "#@ f 0 33805 12 ", "place or length"},
	    {"#@ f 0 1111 2048 ", "#@ f 0 1111 12 ", "longer than its index may tell of"},
	    {"#@ f 0 1111 2048 ", "#@ f 0 1111 2047 ", "add up to its totals"},
	    {"#@ h 1111 222 ", "#@ h 1111 223 ", "end to end"},
	    {"#@ h 1111 222 ", "#@ h 1112 222 ", "end to end"},
	    {"#@ h 1111 222 ", "#@ c 1111 222 ", "does not follow its file"},
	    {"#@ h 1111 ", "#@ h 18446744073709551615 ", "place or length"},
	    {"#@ h 1111 ", "#@ h 9223372036854775807 ", "place or length"},
	    {"#@ h 1111 ", "#@ f 1111 ", "does not follow its file"},
	    {"#@ c 1333 ", "#@ h 1333 ", "members out of order"},
	    {"#@ c 1333 ", "#@ f 1333 ", "members out of order"},
	    {" 1 1048576 ./big", " 1 0 ./big", "chunks out of order"},
	    {" 1048576 ./big", " 0 ./big", "chunks out of order"},
	    {" 1048576 ./big", " 1048576 ./bih", "does not follow its file"},
	    {" 1048576 ./big", " 1048576 -", "without a path"},
	    {" 0 ./c\n", " 0 ./a\n", "members out of order"},
	    {" 0 ./c\n", " 0 ./big\n", "members out of order"},
	    {" 0 ./c\n", " 0 ./\\143\n", "not escaped as"},
	    {" 0 ./c\n", " 0 ./c/\n", "component"},
	    {" 0 ./c\n", " 0 ./../c\n", "component"},
	    {" 0 ./c\n", " 0 c\n", "does not start with './'"},
	    {" 0 ./c\n", " 0 ./c \n", "something behind it"},
	    {" 0 ./c\n", " 0 ./c 1\n", "something behind it"},
	    {" 0 ./c\n", " 1 ./c\n", "file offset"},
	    {" 0 ./c\n", " 0 -\n", "without a path"},
	    {" 7 0 ./c", " 8 0 ./c", "add up"},
	    {" 7 0 ./c", " 07 0 ./c", "number of entries"},
	    {" 0 0 0 - 0 0 ./big", " 0 0 0 - 1 0 ./big", "number of entries"},
	    {" 0 0 0 - 0 0 ./big", " 0 0 0  0 0 ./big", "impossible section"},
	    {" 0 0 0 - 0 0 ./big", " 1 0 0 - 0 0 ./big", "impossible section"},
	    {" 0 0 -\n", " 0 0 .\n", "without a path"},
	    {" 0 0 -\n", " 0 0 -\n\n", "more lines"},
	    {" 0 0 -\n", " 0 0 -\n#\n", "more lines"},
	    {" 0 0 -\n", " 0 0 -", "without an end"},
	    {" - ", " + ", "not a digest"},
	};
	struct fixture *f = *state;

	small(f);
	forge(f, 512, NULL, NULL);
	if (read_everything(f) == -1)
		fail_msg("%s", f->e.msg);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		small(f);
		forge(f, 512, &edits[i], NULL);
		is_refused(f, edits[i].to, edits[i].why);
	}
}

/* Sections of the first two members swapped, doubled, or moved. */
static void
sections_that_do_not_tile_are_refused(void **state)
{
	struct fixture *f = *state;
	char from[160], to[64], hex[SHA256_HEX_LEN + 1];
	struct manifest_member *m;
	struct edit edit = {.from = from, .to = to};

	for (int way = 0; way < 4; way++) {
		m = &f->members[3];
		small(f);
		forge(f, 512, NULL, NULL); /* to learn the places */
		(void)snprintf(from, sizeof(from), " %u %u %u ", (unsigned)m->section_offset,
		    (unsigned)m->section_len, (unsigned)m->section_plain);
		(void)snprintf(to, sizeof(to), " %u %u %u ",
		    (unsigned)(way == 0 ? f->members[0].section_offset
			    : way == 1	? m->section_offset + 1
					: m->section_offset),
		    (unsigned)(way == 2 ? m->section_len - 1 : m->section_len),
		    (unsigned)(way == 3 ? m->section_plain + 1 : m->section_plain));
		small(f);
		forge(f, 512, &edit, NULL);
		is_refused(f, to, way == 3 ? "gzip member" : "sections do not lie end to end");
	}

	/* A section that no line owns. */
	m = &f->members[4];
	small(f);
	forge(f, 512, NULL, NULL);
	sha256_hex(m->section_digest, hex);
	(void)snprintf(from, sizeof(from), " %u %u %u %s 7 ", (unsigned)m->section_offset,
	    (unsigned)m->section_len, (unsigned)m->section_plain, hex);
	(void)snprintf(to, sizeof(to), " 0 0 0 - 0 ");
	small(f);
	forge(f, 512, &edit, NULL);
	is_refused(f, to, "sections do not reach up to their page");
}

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
a_root_that_lies_is_refused(void **state)
{
	static const struct edit edits[] = {
	    {"# tarseal-index 1", "# tarseal-index 3", "version"},
	    {"# tarseal-index 1", "# tarseal-index 01", "version"},
	    {"# tarseal-index 1", "# tarseal-index ", "not an index"},
	    {"# tarseal-index 1\n", "", "not an index"},
	    {"#@ root 6 ", "#@ root 5 ", "as many members"},
	    {"#@ root 6 ", "#@ root 7 ", "as many members"},
	    {"#@ root 6 ", "#@ root 06 ", "not the totals"},
	    {"#@ root 6 ", "#@ root 6  ", "not the totals"},
	    {" 10240\n", " 10241\n", "add up"},
	    {" 10240\n", " 10240 \n", "not the totals"},
	    {"#@ head ", "#@ head 1", "pages out of order"},
	    {"#@ head ", "#@ page ", "not the head"},
	    {"#@ head ", "#@ head 0 0 " HEX "\n#", "length of the head"},
	    {" 4 .\n", " 3 .\n", "as many members"},
	    {" 4 .\n", " 5 .\n", "as many members"},
	    {" 4 .\n", " 0 .\n", "number of lines"},
	    {" 4 .\n", " 513 .\n", "number of lines"},
	    {" 4 .\n", " 4 ./a\n", "another path"},
	    {" 4 .\n", " 4 -\n", "behind the end"},
	    {" 4 .\n", " 4 .\n\n", "not a page"},
	    {" 2 ./c\n", " 2 .\n", "reaches into the next page"},
	    {" 2 ./c\n", " 2 ./d\n", "another path"},
	    {" 2 ./c\n", " 2 -\n", "another path"},
	    {" 2 ./c\n", " 2 ./c\n#@ page 0 1 1 0 0 .\n", "not a page"},
	    {" 2 ./c\n", " 2 ./c", "without an end"},
	    {"#@ page ", "#@ page 1", "pages out of order"},
	    {"#@ page ", "#@ page 9223372036854775807", "not a page"},
	};
	struct fixture *f = *state;

	small(f);
	f->members[0].entries = 2;
	forge(f, 4, NULL, NULL);
	if (read_everything(f) == -1)
		fail_msg("%s", f->e.msg);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		small(f);
		f->members[0].entries = 2;
		forge(f, 4, NULL, &edits[i]);
		is_refused(f, edits[i].to, edits[i].why);
	}
}

static void
a_root_that_is_cut_or_misplaced_is_refused(void **state)
{
	static const char *const why[] = {
	    "ends early", "ends early", "ends early", "as many members", "as many members"};
	struct fixture *f = *state;

	for (size_t lines = 0; lines < 5; lines++) {
		const char *end;

		small(f);
		forge(f, 4, NULL, NULL);
		end = buf_str(&f->text);
		for (size_t i = 0; i < lines; i++)
			end = strchr(end, '\n') + 1;
		f->text.len = (size_t)(end - (const char *)f->text.data);
		forge_root(f, 0);
		is_refused(f, "a cut root", why[lines]);
	}
	small(f);
	forge(f, 4, NULL, NULL);
	forge_root(f, 1);
	is_refused(f, "a gap before the root", "the pages do not fill the manifest");

	small(f);
	forge(f, 4, NULL, NULL);
	apply(&f->text, &(struct edit){.from = "#@ root 6", .to = "#@ root 7"});
	apply(&f->text, &(struct edit){.from = " 4 .", .to = " 5 ."});
	forge_root(f, 0);
	is_refused(f, "a line too few", "fewer lines than the root says");
}

/* Each page is sound by itself; only next to one another they are not. */
static void
pages_that_do_not_fit_together_are_refused(void **state)
{
	struct fixture *f = *state;

	small(f);
	f->members[4].offset++; /* a gap between the pages */
	f->members[5].offset++;
	forge(f, 4, NULL, NULL);
	is_refused(f, "a gap between pages", "members do not lie end to end");
	small(f);
	f->members[3].file_offset = 0; /* chunk 0 twice, on two pages */
	forge(f, 3, NULL, NULL);
	is_refused(f, "the same chunk on two pages", "chunks out of order");
	small(f);
	forge(f, 3, NULL, NULL);
	assert_int_equal(read_everything(f), 0);
	small(f);
	forge(f, 2, NULL, &(struct edit){.from = " 2 ./c\n", .to = " 2 ./a\n"});
	is_refused(f, "a page that starts before the one before it",
	    "root of the manifest's index: "
	    "pages out of order");
}

/* What only a seek could reach is checked without its neighbours. */
static void
a_page_is_checked_by_itself(void **state)
{
	struct fixture *f = *state;
	struct manifest_member m;

	clear_members(f);
	(void)add(f, MANIFEST_FILES, "", true);
	(void)add(f, MANIFEST_FILES, "z", true);
	(void)add(f, MANIFEST_FILES, "c", true);
	(void)add(f, MANIFEST_END, NULL, false);
	forge(f, 2, NULL, NULL);
	is_refused(f, "a path behind the next page", "reaches into the next page");

	clear_members(f);
	(void)add(f, MANIFEST_FILES, "", true);
	(void)add(f, MANIFEST_END, NULL, false);
	(void)add(f, MANIFEST_END, NULL, false);
	forge(f, 512, NULL, NULL);
	is_refused(f, "a second end", "a member behind the end");
	forge(f, 2, NULL, NULL);
	is_refused(f, "a page behind the end's", "the end is not the last member");
	forge(f, 1, NULL, NULL);
	is_refused(f, "two pages of ends", "a page behind the end");

	clear_members(f);
	f->text.len = 0;
	buf_zeros(&f->text, MANIFEST_PATH_MAX + 2);
	memset(f->text.data, 'a', MANIFEST_PATH_MAX + 1);
	(void)add(f, MANIFEST_FILES, (const char *)f->text.data, true);
	(void)add(f, MANIFEST_END, NULL, false);
	forge(f, 2, NULL, NULL);
	is_refused(f, "a path of a byte too many", "path too long");

	small(f);
	forge(f, 2, NULL, NULL);
	f->seal.archive_size = 4000;
	must_open(f);
	assert_int_equal(manifest_seek(f->reader, 2, &f->e), 0);
	assert_int_equal(manifest_next(f->reader, &m, &f->e), -1);
	assert_non_null(strstr(f->e.msg, "a member outside the archive"));
}

static void
absurd_lengths_are_refused_before_memory_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct manifest_member m;

	small(f);
	forge(f, 512, NULL, NULL);
	f->seal.root_len = (uint64_t)1 << 62;
	is_refused(f, "a huge root", "impossible length");
	small(f);
	forge(f, 512, NULL, NULL);
	memcpy(f->file.data + f->file.len - 4, "\x01\x00\x00\x04", 4); /* its length, it says */
	sha256_of(f->file.data + f->seal.root_offset, f->seal.root_len, f->seal.root_digest);
	store(f);
	is_refused(f, "a root that unpacks to 64 MiB and a byte", "impossible length");
	small(f);
	forge(f, 512, NULL, NULL);
	must_open(f);
	m = f->members[0];
	m.section_len = m.section_plain = (uint64_t)1 << 62;
	assert_int_equal(manifest_section(f->reader, &m, &f->text, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	m.section_len = 18;
	m.section_offset = UINT64_MAX - 5;
	assert_int_equal(manifest_section(f->reader, &m, &f->text, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
}

/* ---- padded members ---- */

/* Member i gets so many bytes more than what any packer makes of it. */
static void
pad(struct fixture *f, size_t i, uint64_t over)
{
	f->members[i].packed_len = manifest_packed_max(f->members[i].plain_len) + over;
	for (size_t k = i + 1; k < f->n; k++)
		f->members[k].offset = f->members[k - 1].offset + f->members[k - 1].packed_len;
}

/* What the first line of the root says. */
static unsigned
index_version(struct fixture *f)
{
	static const char line[] = "# tarseal-index ";
	const uint8_t *root = f->file.data + f->seal.root_offset;
	size_t plain = member_claimed_len(root, f->seal.root_len);

	assert_int_equal(
	    member_unpack(f->unpacker, root, f->seal.root_len, plain, &f->text, &f->e), 0);
	assert_memory_equal(f->text.data, line, strlen(line));
	assert_int_equal(f->text.data[strlen(line) + 1], '\n');
	return f->text.data[strlen(line)] - (unsigned)'0';
}

static void
an_index_is_of_version_2_only_when_a_member_takes_it(void **state)
{
	static const struct {
		uint64_t over;
		unsigned version;
	} cases[] = {{0, 1}, {1, 2}, {4096, 2}, {MANIFEST_PADDING_MAX, 2}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) * 3; i++) {
		make_members(f, 1200);
		/* In the first page, in a later one, at the end. */
		pad(f, i % 3 == 0 ? 5 : i % 3 == 1 ? 1000 : f->n - 1, cases[i / 3].over);
		write_all(f);
		assert_int_equal(index_version(f), cases[i / 3].version);
		must_open(f);
		read_from(f, 0);
	}
}

static void
a_padded_member_that_is_cut_away_leaves_an_index_of_version_1(void **state)
{
	struct fixture *f = *state;
	struct manifest_mark *mark;
	struct manifest_writer *w;
	struct buf straight = {.data = NULL};

	make_members(f, 20);
	write_all(f);
	buf_append(&straight, f->file.data, f->file.len);
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(manifest_writer_new(&w, f->fd, f->seal.name, 1, &f->e), 0);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(write_member(f, w, i), 0);
	assert_int_equal(manifest_mark_new(&mark, w, &f->e), 0);
	uint64_t packed_len = f->members[10].packed_len;
	pad(f, 10, 1);
	assert_int_equal(write_member(f, w, 10), 0);
	assert_int_equal(manifest_rewind(w, mark, &f->e), 0);
	manifest_mark_free(mark);
	pad(f, 10, 0);
	f->members[10].packed_len = packed_len;
	for (size_t i = 10; i < f->n; i++) {
		f->members[i].offset = f->members[i - 1].offset + f->members[i - 1].packed_len;
		assert_int_equal(write_member(f, w, i), 0);
	}
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	manifest_writer_free(w);
	read_back(f);
	assert_int_equal(index_version(f), 1);
	assert_int_equal(f->file.len, straight.len);
	assert_memory_equal(f->file.data, straight.data, straight.len);
	buf_done(&straight);
}

/* forge() writes version 1, unless the root is changed. */
static void
a_padded_member_is_accepted_in_version_2_up_to_a_bound(void **state)
{
	static const struct edit to_2 = {"# tarseal-index 1", "# tarseal-index 2", NULL};
	struct fixture *f = *state;

	small(f);
	forge(f, 4, NULL, &to_2); /* which none of these needs */
	if (read_everything(f) == -1)
		fail_msg("%s", f->e.msg);
	pad(f, 1, 1);
	forge(f, 4, NULL, &to_2);
	if (read_everything(f) == -1)
		fail_msg("%s", f->e.msg);
	forge(f, 4, NULL, NULL);
	is_refused(f, "in version 1", "longer than its index may tell of");
	pad(f, 1, MANIFEST_PADDING_MAX);
	forge(f, 4, NULL, &to_2);
	if (read_everything(f) == -1)
		fail_msg("%s", f->e.msg);
	pad(f, 1, MANIFEST_PADDING_MAX + 1);
	forge(f, 4, NULL, &to_2);
	is_refused(f, "over the bound", "place or length");
}

/* Random changes under right digests: refused, or a page that is written again the same. */
static void
whatever_is_accepted_is_written_again_byte_for_byte(void **state)
{
	static const char *const pieces[] = {"0", "1", "-", " ", "\n", "#@ ", "f", "c", "\\055",
	    "\\040", "./", "/", "00", "9223372036854775808", "18446744073709551616", "a"};
	struct fixture *f = *state;
	struct buf page = {.data = NULL}, again = {.data = NULL};
	int accepted = 0;

	for (int round = 0; round < 8000; round++) {
		struct manifest_member m;
		char from[4096], to[4096];
		struct edit edit = {.from = from, .to = to};
		size_t at, cut, len;
		bool in_root = round % 3 == 0;
		const char *piece = pieces[below(f, sizeof(pieces) / sizeof(pieces[0]))];
		int n;

		small(f);
		forge(f, 512, NULL, NULL);
		buf_clear(&page);
		if (!in_root)
			for (size_t i = 0; i < f->n; i++)
				manifest_put_member(&page, &f->members[i]);
		else
			buf_append(&page, f->text.data, f->text.len);
		/* The whole text is what is replaced: any part alone may stand in it twice. */
		len = page.len;
		assert_true(len < sizeof(from));
		memcpy(from, buf_str(&page), len + 1);
		at = below(f, len);
		cut = below(f, 3) < len - at ? below(f, 3) : 0;
		if (cut > len - at)
			cut = 0;
		(void)snprintf(to, sizeof(to), "%.*s%s%s", (int)at, from, piece, from + at + cut);
		small(f);
		forge(f, 512, in_root ? NULL : &edit, in_root ? &edit : NULL);
		if (open_reader(f) == -1)
			continue;
		buf_clear(&again);
		while ((n = manifest_next(f->reader, &m, &f->e)) == 1)
			manifest_put_member(&again, &m);
		if (n == -1 || in_root)
			continue;
		accepted++;
		assert_int_equal(again.len, strlen(to));
		assert_memory_equal(again.data, to, again.len);
	}
	assert_true(accepted > 50);
	buf_done(&page);
	buf_done(&again);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(what_is_written_is_read_back),
	    CASE(an_archive_of_nothing_but_its_end_is_described),
	    CASE(finish_tells_the_seal_what_is_on_disk),
	    CASE(the_texts_are_those_of_the_format),
	    CASE(every_changed_byte_is_found),
	    CASE(a_cut_file_is_found),
	    CASE(a_damaged_page_is_named_and_stepped_over),
	    CASE(a_damaged_section_is_named_and_disturbs_nothing),
	    CASE(a_damaged_head_keeps_nobody_from_reading),
	    CASE(the_manifest_of_another_backup_is_refused),
	    CASE(seek_goes_to_any_member),
	    CASE(a_page_is_closed_by_its_text_too),
	    CASE(the_root_stays_within_its_bound),
	    CASE(seek_path_finds_what_a_scan_finds),
	    CASE(rewind_leaves_no_trace),
	    CASE(rewind_cuts_the_file),
	    CASE(a_mark_before_the_first_member_is_good),
	    CASE(the_writer_refuses_what_readers_would),
	    CASE(a_failed_write_is_reported_and_can_be_undone),
	    CASE(a_page_that_lies_is_refused),
	    CASE(sections_that_do_not_tile_are_refused),
	    CASE(a_root_that_lies_is_refused),
	    CASE(a_root_that_is_cut_or_misplaced_is_refused),
	    CASE(pages_that_do_not_fit_together_are_refused),
	    CASE(a_page_is_checked_by_itself),
	    CASE(absurd_lengths_are_refused_before_memory_is_asked_for),
	    CASE(an_index_is_of_version_2_only_when_a_member_takes_it),
	    CASE(a_padded_member_that_is_cut_away_leaves_an_index_of_version_1),
	    CASE(a_padded_member_is_accepted_in_version_2_up_to_a_bound),
	    CASE(whatever_is_accepted_is_written_again_byte_for_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
