/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "seal/base64.h"
#include "seal/key.h"
#include "seal/seal_text.h"

struct fixture {
	struct key *key;
	struct trust *trust;
	struct seal seal; /* a sound one */
	struct buf file;
	struct err e;
};

static void
make_key(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");
	char dir[200], key[256], pub[256];

	(void)snprintf(dir, sizeof(dir), "%s/seal-seal-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(key, sizeof(key), "%s/key", dir);
	(void)snprintf(pub, sizeof(pub), "%s/pub", dir);
	assert_int_equal(key_generate(key, pub, NULL, &f->e), 0);
	assert_int_equal(key_load(&f->key, key, &f->e), 0);
	assert_int_equal(trust_new(&f->trust, &f->e), 0);
	assert_int_equal(trust_load(f->trust, pub, &f->e), 0);
	assert_int_equal(unlink(key), 0);
	assert_int_equal(unlink(pub), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
hold(struct fixture *f, const char *name, uint64_t sequence)
{
	struct seal h = {.sequence = sequence};

	(void)snprintf(h.name, sizeof(h.name), "%s", name);
	sha256_of(name, strlen(name), h.text_digest);
	assert_int_equal(seal_add_hold(&f->seal, &h, &f->e), 0);
}

static void
fill(struct seal *s)
{
	(void)snprintf(s->name, sizeof(s->name), "app-backup-20260209_000005");
	(void)snprintf(s->series, sizeof(s->series), "app-backup");
	s->sequence = 12;
	s->created = (struct timespec){.tv_sec = 1770588005, .tv_nsec = 123456789};
	s->source = strdup("/app/da ta#1\n");
	s->host = strdup("-");
	s->tool = strdup("tarseal 0.1.0");
	s->packer = strdup("libdeflate 1.14 level 6");
	s->policy = strdup("keep-last=10 keep-daily=7");
	s->entries = 66000;
	s->bytes = 1400000000;
	s->archive_size = 234000000;
	s->manifest_size = 2100000;
	s->root_offset = 2000000;
	s->root_len = 100000;
	memset(s->archive_digest, 0xaa, SHA256_LEN);
	memset(s->manifest_digest, 0xbb, SHA256_LEN);
	memset(s->root_digest, 0xcc, SHA256_LEN);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	make_key(f);
	fill(&f->seal);
	hold(f, "app-backup-20260208_000004", 11);
	hold(f, "app-backup-20260207_000004", 10);
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	key_free(f->key);
	trust_free(f->trust);
	seal_done(&f->seal);
	buf_done(&f->file);
	free(f);
	return 0;
}

/* The whole file again from a parsed seal: with the signature that stood in file. */
static void
rewrite(const struct seal *s, const struct buf *file, struct buf *out)
{
	const char *last = memrchr(file->data, '\n', file->len - 1);

	buf_clear(out);
	seal_text_put(out, s);
	if (s->is_signed) {
		/* The bytes behind the text are the only thing that struct seal leaves out. */
		char hex[SHA256_HEX_LEN + 1];
		const char *b64 = (const char *)file->data + file->len - 1;
		uint8_t sig[KEY_SIG_MAX];
		size_t n;

		while (b64[-1] != ' ')
			b64--;
		assert_true(b64 > last);
		assert_int_equal(
		    base64_get(b64, (size_t)((const char *)file->data + file->len - 1 - b64), sig,
			sizeof(sig), &n),
		    0);
		sha256_hex(s->key_id, hex);
		buf_printf(out, "# signature: %s ", hex);
		base64_put(out, sig, n);
		buf_putc(out, '\n');
	} else {
		buf_puts(out, "# signature: none\n");
	}
}

static void
same_string(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
what_is_written_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct seal got;

	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), 0);
	assert_string_equal(got.name, f->seal.name);
	assert_string_equal(got.series, f->seal.series);
	assert_int_equal(got.sequence, 12);
	assert_int_equal(got.created.tv_sec, 1770588005);
	assert_int_equal(got.created.tv_nsec, 123456789);
	same_string(got.run_id, NULL);
	same_string(got.source, f->seal.source);
	same_string(got.host, f->seal.host);
	same_string(got.tool, f->seal.tool);
	same_string(got.packer, f->seal.packer);
	same_string(got.policy, f->seal.policy);
	assert_int_equal(got.entries, 66000);
	assert_int_equal(got.bytes, 1400000000);
	assert_int_equal(got.archive_size, 234000000);
	assert_int_equal(got.manifest_size, 2100000);
	assert_int_equal(got.unreadable, 0);
	assert_int_equal(got.changed, 0);
	assert_false(got.needs_gnu_sparse);
	assert_int_equal(got.root_offset, 2000000);
	assert_int_equal(got.root_len, 100000);
	assert_memory_equal(got.root_digest, f->seal.root_digest, SHA256_LEN);
	assert_memory_equal(got.archive_digest, f->seal.archive_digest, SHA256_LEN);
	assert_memory_equal(got.manifest_digest, f->seal.manifest_digest, SHA256_LEN);
	assert_int_equal(got.n_holds, 2);
	assert_int_equal(got.holds[0].sequence, 10);
	assert_string_equal(got.holds[0].name, "app-backup-20260207_000004");
	assert_int_equal(got.holds[1].sequence, 11);
	assert_memory_equal(got.holds[1].digest, f->seal.holds[1].digest, SHA256_LEN);
	assert_true(got.is_signed);
	assert_memory_equal(got.key_id, key_id(f->key), SHA256_LEN);
	assert_memory_equal(got.text_digest, f->seal.text_digest, SHA256_LEN);
	seal_done(&got);
}

static void
the_text_is_that_of_the_format(void **state)
{
	static const char *const lines[] = {"# tarseal-seal 1\n",
	    "# name: app-backup-20260209_000005\n", "# series: app-backup\n", "# sequence: 12\n",
	    "# created: 1770588005.123456789\n", "# run-id: -\n",
	    "# source: /app/da ta\\0431\\012\n", "# host: \\055\n", "# tool: tarseal 0.1.0\n",
	    "# packer: libdeflate 1.14 level 6\n", "# entries: 66000\n", "# bytes: 1400000000\n",
	    "# archive-size: 234000000\n", "# manifest-size: 2100000\n", "# complete: yes\n",
	    "# changed: 0\n", "# needs: -\n", "# manifest-index: 2000000 100000 cccccc"};
	struct fixture *f = *state;
	const char *at = buf_str(&f->file);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_memory_equal(at, lines[i], strlen(lines[i]));
		at = strchr(at, '\n') + 1;
	}
	assert_non_null(strstr(at, "\n# holds: app-backup-20260208_000004 11 "));
	assert_non_null(strstr(at, "aa  app-backup-20260209_000005.tar.gz\n"));
	assert_non_null(strstr(at, "bb  app-backup-20260209_000005.manifest.gz\n# signature: "));
}

static void
the_signed_text_is_all_before_the_last_line(void **state)
{
	struct fixture *f = *state;
	const uint8_t *last = memrchr(f->file.data, '\n', f->file.len - 1);
	uint8_t digest[SHA256_LEN];

	sha256_of(f->file.data, (size_t)(last + 1 - f->file.data), digest);
	assert_memory_equal(digest, f->seal.text_digest, SHA256_LEN);
}

static void
every_field_has_its_other_values(void **state)
{
	struct fixture *f = *state;
	struct seal got;

	f->seal.run_id = strdup(" 6f1c ");
	free(f->seal.policy);
	f->seal.policy = NULL;
	f->seal.unreadable = 3;
	f->seal.changed = 4;
	f->seal.needs_gnu_sparse = true;
	f->seal.n_holds = 0;
	free(f->seal.tool);
	f->seal.tool = strdup("");
	buf_clear(&f->file);
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), 0);
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), 0);
	assert_string_equal(got.run_id, " 6f1c ");
	assert_null(got.policy);
	assert_null(got.tool);
	assert_null(got.holds);
	assert_int_equal(got.unreadable, 3);
	assert_int_equal(got.changed, 4);
	assert_true(got.needs_gnu_sparse);
	seal_done(&got);
}

static void
an_unsigned_seal_is_read_but_not_trusted(void **state)
{
	struct fixture *f = *state;
	struct seal got = {.sequence = 99};

	buf_clear(&f->file);
	assert_int_equal(seal_write(&f->seal, NULL, &f->file, &f->e), 0);
	assert_false(f->seal.is_signed);
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	assert_string_equal(f->e.msg, "not signed");
	assert_int_equal(got.sequence, 99);
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, NULL, &f->e), 0);
	assert_false(got.is_signed);
	assert_int_equal(got.sequence, 12);
	seal_done(&got);
}

static void
a_signature_of_another_key_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct seal got = {.sequence = 99};
	struct trust *empty;

	assert_int_equal(trust_new(&empty, &f->e), 0);
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, empty, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_TRUST);
	assert_non_null(strstr(f->e.msg, "unknown key"));
	assert_int_equal(got.sequence, 99);
	trust_free(empty);
}

/* Every byte, two changes each: never trusted, and never a crash. */
static void
no_changed_byte_is_trusted(void **state)
{
	struct fixture *f = *state;
	struct seal got;

	for (size_t i = 0; i < f->file.len; i++) {
		uint8_t old = f->file.data[i];

		for (uint8_t bit = 1; bit <= 2; bit++) {
			f->file.data[i] = old ^ bit;
			err_clear(&f->e);
			assert_int_equal(
			    seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), -1);
			assert_true(f->e.kind == ERR_CORRUPT || f->e.kind == ERR_TRUST ||
			    f->e.kind == ERR_UNSUPPORTED);
		}
		f->file.data[i] = old;
	}
}

static void
no_shortened_or_lengthened_file_is_trusted(void **state)
{
	struct fixture *f = *state;
	struct seal got;

	for (size_t len = 0; len < f->file.len; len++)
		assert_int_equal(seal_parse(&got, f->file.data, len, f->trust, &f->e), -1);
	buf_putc(&f->file, '\n');
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), -1);
	f->file.len--;
	buf_puts(&f->file, "# signature: none\n");
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), -1);
}

/* ---- canonical form ---- */

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Change text a little, in ways that come near to what is sound. */
static void
mutate(struct buf *b, uint64_t *r)
{
	static const char *const pieces[] = {"0", "1", "-", " ", "\n", "#", "=", "\\", "\\055",
	    "\\040", "\\000", "no 1", "yes", "# ", ": ", "00", "9223372036854775808",
	    "# holds: ", "A", "/"};
	size_t at = next_random(r) % (b->len + 1);
	const char *piece = pieces[next_random(r) % (sizeof(pieces) / sizeof(pieces[0]))];
	size_t cut = next_random(r) % 3, n = strlen(piece), tail;

	if (cut > b->len - at)
		cut = b->len - at;
	if (next_random(r) % 4 == 0)
		n = 0;
	tail = b->len - at - cut;
	assert_non_null(buf_reserve(b, n));
	memmove(b->data + at + n, b->data + at + cut, tail);
	memcpy(b->data + at, piece, n);
	b->len = at + n + tail;
}

/* Swap two whole lines, or double one. */
static void
mutate_lines(struct buf *b, const struct buf *from, uint64_t *r)
{
	const char *start[64], *at = (const char *)from->data, *end = at + from->len;
	size_t n = 0, i, k;

	while (at < end && n < 63) {
		start[n++] = at;
		at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	}
	start[n] = end;
	i = next_random(r) % n;
	k = next_random(r) % n;
	buf_clear(b);
	for (size_t line = 0; line < n; line++) {
		size_t take = line == i ? k : line == k && next_random(r) % 2 ? i : line;

		buf_append(b, start[take], (size_t)(start[take + 1] - start[take]));
	}
}

static void
whatever_is_accepted_is_written_again_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL}, again = {.data = NULL};
	uint64_t r = 88172645463325252ull;
	int accepted = 0;
	struct seal got;

	for (int round = 0; round < 40000; round++) {
		if (round % 8 == 0) {
			mutate_lines(&b, &f->file, &r);
		} else {
			buf_clear(&b);
			buf_append(&b, f->file.data, f->file.len);
			mutate(&b, &r);
		}
		if (seal_parse(&got, b.data, b.len, NULL, &f->e) == -1)
			continue;
		accepted++;
		rewrite(&got, &b, &again);
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.data, b.data, b.len);
		seal_done(&got);
	}
	assert_true(accepted > 1000);
	buf_done(&b);
	buf_done(&again);
}

/* Replace the first occurrence of from in the file; it must be there. */
static void
edit(struct buf *out, const struct buf *file, const char *from, const char *to)
{
	const uint8_t *at = memmem(file->data, file->len, from, strlen(from));

	assert_non_null(at);
	buf_clear(out);
	buf_append(out, file->data, (size_t)(at - file->data));
	buf_puts(out, to);
	at += strlen(from);
	buf_append(out, at, file->len - (size_t)(at - file->data));
}

#define TEN "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG FIFTY FIFTY FIFTY FIFTY

static void
other_spellings_are_refused(void **state)
{
	static const char *const edits[][2] = {
	    {"sequence: 12", "sequence: 012"},
	    {"sequence: 12", "sequence: +12"},
	    {"sequence: 12", "sequence: 0"},
	    {"sequence: 12", "sequence: 11"}, /* holds 11 */
	    {"sequence: 12", "sequence: 9223372036854775808"},
	    {"sequence: 12", "sequence: 99999999999999999999999"},
	    {"sequence: 12", "sequence: 12 "},
	    {"sequence: 12", "sequence:  12"},
	    {"sequence: 12", "sequence: "},
	    {"# sequence", "#sequence"},
	    {"# sequence: 12\n", ""},
	    {"# sequence: 12\n", "# sequence: 12\n# sequence: 12\n"},
	    {"# sequence: 12\n", "# sequence: 12\n\n"},
	    {"# sequence: 12\n", "# sequence: 12\r\n"},
	    {"# sequence: 12\n", "# sequence: 12\n# new: field\n"},
	    {".123456789", ".12345678"},
	    {".123456789", ".1234567890"},
	    {".123456789", ".12345678x"},
	    {"1770588005.", "-1."},
	    {"1770588005.", "."},
	    {"name: app-backup-20260209_000005", "name: -app-backup-20260209_000005"},
	    {"name: app-backup-20260209_000005", "name: ../backup"},
	    {"name: app-backup-20260209_000005", "name: other"},
	    {"name: app-backup", "name: " LONG},
	    {"holds: app-backup", "holds: " LONG},
	    {"series: app-backup", "series: .app"},
	    {"series: app-backup", "series: "},
	    {"run-id: -", "run-id: "},
	    {"run-id: -", "run-id: a\\000b"},
	    {"source: /app", "source: \\057app"},
	    {"host: \\055", "host: \\055\\055"},
	    {"host: \\055", "host: \t"},
	    {"complete: yes", "complete: no 0"},
	    {"complete: yes", "complete: no"},
	    {"complete: yes", "complete: yes 1"},
	    {"needs: -", "needs: gnu-sparse zstd"},
	    {"needs: -", "needs: zstd"},
	    {"needs: -", "needs: "},
	    {"archive-size: 234000000", "archive-size: 0"},
	    {"manifest-size: 2100000", "manifest-size: 2100001"},
	    {"index: 2000000 100000", "index: 2000001 99999 "},
	    {"index: 2000000 100000", "index: 2100000 0"},
	    {"policy: keep-last", "policy: Keep-last"},
	    {"policy: keep-last=10 keep", "policy: keep-last=10  keep"},
	    {"policy: keep", "policy:  keep"},
	    {"_000004 11 ", "_000004 10 "},
	    {"_000004 11 ", "_000004 9 "},
	    {"_000004 11 ", "_000004 12 "},
	    {"holds: app-backup-20260208_000004", "holds: app-backup-20260209_000005"},
	    {"  app-backup-20260209_000005.tar", " app-backup-20260209_000005.tar"},
	    {"  app-backup-20260209_000005.tar", " *app-backup-20260209_000005.tar"},
	    {"  app-backup-20260209_000005.tar", "  app-backup-20260209_000006.tar"},
	    {"000005.tar.gz", "000005.tar.gz "},
	    {"000005.manifest.gz", "000005.manifest"},
	    {"aaaaaaaa  ", "AAAAAAAA  "},
	    {"aaaaaaaa  ", "aaaaaaa  "},
	    {"# signature: ", "# signature: none\n# signature: "},
	    {"# signature: ", "# Signature: "},
	    {"# signature: ", "# signature:  "},
	};
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	struct seal got;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		edit(&b, &f->file, edits[i][0], edits[i][1]);
		err_clear(&f->e);
		if (seal_parse(&got, b.data, b.len, NULL, &f->e) != -1)
			fail_msg("\"%s\" was taken", edits[i][1]);
		assert_int_equal(f->e.kind, ERR_CORRUPT);
	}
	buf_done(&b);
}

static void
a_nul_in_a_name_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *at = memmem(f->file.data, f->file.len, "series: app-backup", 18);
	struct seal got;

	at[8 + 3] = '\0'; /* "app" would be a good name */
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, NULL, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
}

/* The first lines of a seal, and then a signature. */
static void
no_number_of_lines_but_all_is_a_seal(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	const char *text = buf_str(&f->file), *end;
	struct seal got;

	for (end = text; strncmp(end, "# signature", 11) != 0; end = strchr(end, '\n') + 1) {
		buf_clear(&b);
		buf_append(&b, text, (size_t)(end - text));
		buf_puts(&b, "# signature: none\n");
		assert_int_equal(seal_parse(&got, b.data, b.len, NULL, &f->e), -1);
		assert_int_equal(f->e.kind, ERR_CORRUPT);
	}
	buf_done(&b);
}

static void
more_holds_than_may_be_are_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL}, holds = {.data = NULL};
	struct seal got;

	for (int i = 0; i < (int)SEAL_HOLDS_MAX + 1; i++)
		buf_printf(&holds, "# holds: a %d %064d\n", i + 20, 0);
	buf_puts(&holds, "# holds: ");
	edit(&b, &f->file, "# holds: ", buf_str(&holds));
	err_clear(&f->e);
	edit(&holds, &b, "sequence: 12", "sequence: 99999");
	assert_int_equal(seal_parse(&got, holds.data, holds.len, NULL, &f->e), -1);
	assert_non_null(strstr(f->e.msg, "more held backups"));
	buf_done(&b);
	buf_done(&holds);
}

/* As many bytes as fit, and some more. */
static void
a_seal_over_the_limit_is_not_written(void **state)
{
	struct fixture *f = *state;
	size_t n = 60000;
	struct seal got;

	free(f->seal.holds);
	f->seal.holds = calloc(n, sizeof(*f->seal.holds));
	assert_non_null(f->seal.holds);
	for (size_t i = 0; i < n; i++) {
		memset(f->seal.holds[i].name, 'a', SEAL_NAME_MAX);
		f->seal.holds[i].sequence = i + 1;
	}
	f->seal.sequence = n + 1;
	f->seal.n_holds = n;
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_UNSUPPORTED);
	f->seal.n_holds = n - 2000;
	buf_clear(&f->file);
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), 0);
	assert_int_equal(seal_parse(&got, f->file.data, f->file.len, f->trust, &f->e), 0);
	assert_int_equal(got.n_holds, n - 2000);
	seal_done(&got);
}

static void
a_newer_version_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	struct seal got;

	edit(&b, &f->file, "tarseal-seal 1", "tarseal-seal 2");
	assert_int_equal(seal_parse(&got, b.data, b.len, f->trust, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_UNSUPPORTED);
	buf_done(&b);
}

static void
errors_name_the_line(void **state)
{
	struct fixture *f = *state;
	struct buf b = {.data = NULL};
	struct seal got;

	edit(&b, &f->file, "sequence: 12", "sequence: x");
	assert_int_equal(seal_parse(&got, b.data, b.len, NULL, &f->e), -1);
	assert_non_null(strstr(f->e.msg, "line 4: "));
	buf_done(&b);
}

static void
a_file_over_the_limit_is_refused_unread(void **state)
{
	struct fixture *f = *state;
	struct seal got;

	assert_int_equal(
	    seal_parse(&got, f->file.data, (size_t)SEAL_FILE_MAX + 1, NULL, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
}

static void
what_readers_would_refuse_is_not_written(void **state)
{
	struct fixture *f = *state;
	size_t len = f->file.len;

	f->seal.sequence = 11; /* and holds 11 */
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	f->seal.sequence = 12;
	f->seal.root_len++;
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	f->seal.root_len--;
	f->seal.name[0] = '.';
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	f->seal.name[0] = 'a';
	f->seal.created.tv_nsec = 1000000000;
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	f->seal.created.tv_nsec = 0;
	f->seal.policy[0] = '\n';
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), -1);
	f->seal.policy[0] = 'k';
	assert_int_equal(f->file.len, len);
	assert_int_equal(seal_write(&f->seal, f->key, &f->file, &f->e), 0);
}

static void
names_are_checked(void **state)
{
	static const char *const good[] = {"a", "A.b_c-9", "autolab-backup-20260209_000005-2"};
	static const char *const bad[] = {
	    "", ".a", "-a", "a/b", "a b", "a\n", "\xc3\xa4", "a:b", "a\\b", "a*"};
	char long_name[SEAL_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(seal_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(seal_name_ok(bad[i]));
	memset(long_name, 'a', sizeof(long_name));
	long_name[SEAL_NAME_MAX + 1] = '\0';
	assert_false(seal_name_ok(long_name));
	long_name[SEAL_NAME_MAX] = '\0';
	assert_true(seal_name_ok(long_name));
}

static void
done_may_be_called_twice(void **state)
{
	struct fixture *f = *state;

	seal_done(&f->seal);
	seal_done(&f->seal);
	assert_null(f->seal.source);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(what_is_written_is_read_back),
	    CASE(the_text_is_that_of_the_format),
	    CASE(the_signed_text_is_all_before_the_last_line),
	    CASE(every_field_has_its_other_values),
	    CASE(an_unsigned_seal_is_read_but_not_trusted),
	    CASE(a_signature_of_another_key_is_unknown),
	    CASE(no_changed_byte_is_trusted),
	    CASE(no_shortened_or_lengthened_file_is_trusted),
	    CASE(whatever_is_accepted_is_written_again_byte_for_byte),
	    CASE(other_spellings_are_refused),
	    CASE(a_nul_in_a_name_is_refused),
	    CASE(no_number_of_lines_but_all_is_a_seal),
	    CASE(more_holds_than_may_be_are_refused),
	    CASE(a_seal_over_the_limit_is_not_written),
	    CASE(a_newer_version_is_told_apart),
	    CASE(errors_name_the_line),
	    CASE(a_file_over_the_limit_is_refused_unread),
	    CASE(what_readers_would_refuse_is_not_written),
	    CASE(names_are_checked),
	    CASE(done_may_be_called_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
