/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/section.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"

#define LINES_MAX 24

/* What one random section is made of. */
struct item {
	bool is_note;
	enum section_note note;
	struct entry en;
	struct section_facts facts;
	struct section_range ranges[3];
	struct entry_xattr xattr;
	char path[40], link[40], reason[16];
};

struct fixture {
	struct item items[LINES_MAX];
	size_t n;
	struct buf text, again;
	struct section_parser *parser;
	struct err e;
	uint64_t random;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->random = 88172645463325252ull;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	section_parser_free(f->parser);
	buf_done(&f->text);
	buf_done(&f->again);
	free(f);
	return 0;
}

static uint64_t
rnd(struct fixture *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static size_t
below(struct fixture *f, size_t n)
{
	return (size_t)(rnd(f) % n);
}

/* ---- random sections ---- */

/* Any bytes but NUL; those that matter in the text more often than others. */
static size_t
random_bytes(struct fixture *f, char *out, size_t max, bool slash)
{
	static const char special[] = "\n\\#*?[= -.\t\r\x01\x7f\x80\xff/";
	size_t n = 1 + below(f, max), k = sizeof(special) - 1 - (slash ? 0 : 1);

	for (size_t i = 0; i < n; i++)
		out[i] = below(f, 2) == 0 ? special[below(f, k)] : (char)(1 + below(f, 255));
	out[n] = '\0';
	return n;
}

/* A clean path behind the one of the item before. */
static void
random_path(struct fixture *f, struct item *it, size_t i)
{
	char tail[24];
	size_t n;

	do {
		n = random_bytes(f, tail, 20, true);
		it->path[0] = (char)('A' + (char)i);
		memcpy(it->path + 1, tail, n + 1);
	} while (!path_is_clean(it->path, n + 1));
	it->en.path = it->path;
	it->en.path_len = n + 1;
}

static uint32_t
random_u32(struct fixture *f)
{
	static const uint32_t edges[] = {0, 1, 9, 10, 65534, 2147483647, 2147483648u, 4294967295u};

	return below(f, 2) == 0 ? edges[below(f, 8)] : (uint32_t)rnd(f);
}

static int64_t
random_time(struct fixture *f)
{
	static const int64_t edges[] = {0, -1, 1, -2208988800, 4294967296, INT64_MAX, INT64_MIN};

	return below(f, 2) == 0 ? edges[below(f, 7)] : (int64_t)(rnd(f) % 4000000000);
}

static void
random_file(struct fixture *f, struct item *it)
{
	uint64_t at = 0;

	it->en.size = below(f, 3) == 0 ? (uint64_t)INT64_MAX : rnd(f) % 100000;
	for (size_t i = 0; i < SHA256_LEN; i++)
		it->facts.sha256[i] = (uint8_t)rnd(f);
	it->facts.changed = below(f, 4) == 0;
	it->facts.grew = below(f, 4) == 0;
	it->facts.unreadable = it->ranges;
	for (size_t i = 0; i < 3 && below(f, 3) == 0 && at + 1 < it->en.size; i++) {
		it->ranges[i].offset = at + rnd(f) % (it->en.size - at);
		it->ranges[i].len = 1 + rnd(f) % (it->en.size - it->ranges[i].offset);
		at = it->ranges[i].offset + it->ranges[i].len;
		it->facts.n_unreadable = i + 1;
	}
}

static void
random_entry(struct fixture *f, struct item *it, size_t i)
{
	static const enum entry_type types[] = {ENTRY_FILE, ENTRY_FILE, ENTRY_DIR, ENTRY_SYMLINK,
	    ENTRY_HARDLINK, ENTRY_FIFO, ENTRY_CHAR, ENTRY_BLOCK};
	struct entry *en = &it->en;

	random_path(f, it, i);
	en->type = types[below(f, 8)];
	if (i == 0) {
		en->type = ENTRY_DIR;
		en->path_len = 0;
		it->path[0] = '\0';
	}
	en->mode = (uint32_t)below(f, 010000);
	en->uid = random_u32(f);
	en->gid = random_u32(f);
	en->mtime_sec = random_time(f);
	en->mtime_nsec = (uint32_t)below(f, 1000000000);
	if (en->type == ENTRY_FILE)
		random_file(f, it);
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK) {
		en->rdev_major = random_u32(f);
		en->rdev_minor = random_u32(f);
	}
	if (en->type == ENTRY_SYMLINK) {
		en->link = it->link;
		en->link_len = random_bytes(f, it->link, 30, true);
	} else if (en->type == ENTRY_HARDLINK) {
		en->link = it->link;
		(void)strcpy(it->link, "0");
		en->link_len = 1;
	}
	if (below(f, 3) == 0) {
		it->xattr = (struct entry_xattr){.name = "user.x", .value = it->path, .len = i};
		en->xattrs = &it->xattr;
		en->n_xattrs = 1;
	}
}

static void
put(struct buf *text, const struct item *it)
{
	if (it->is_note)
		section_put_note(text, it->note, it->path, strlen(it->path), it->reason);
	else
		section_put_entry(text, &it->en, it->en.type == ENTRY_FILE ? &it->facts : NULL);
}

static void
random_section(struct fixture *f)
{
	memset(f->items, 0, sizeof(f->items));
	f->n = 1 + below(f, LINES_MAX);
	buf_clear(&f->text);
	for (size_t i = 0; i < f->n; i++) {
		struct item *it = &f->items[i];

		it->is_note = below(f, 6) == 0;
		if (it->is_note) {
			random_path(f, it, i);
			it->note = (enum section_note)below(f, 3);
			if (it->note != SECTION_VANISHED && below(f, 3) != 0)
				(void)random_bytes(f, it->reason, 12, true);
		} else {
			random_entry(f, it, i);
		}
		put(&f->text, it);
	}
}

static void
start(struct fixture *f, const void *text, size_t len)
{
	section_parser_free(f->parser);
	f->parser = NULL;
	err_clear(&f->e);
	assert_int_equal(section_parser_new(&f->parser, text, len, &f->e), 0);
}

static void
same_file(const struct section_line *line, const struct item *it)
{
	assert_true(line->has_sha256);
	assert_memory_equal(line->sha256, it->facts.sha256, SHA256_LEN);
	assert_int_equal(line->changed, it->facts.changed);
	assert_int_equal(line->grew, it->facts.grew);
	assert_int_equal(line->n_unreadable, it->facts.n_unreadable);
	for (size_t i = 0; i < line->n_unreadable; i++) {
		assert_int_equal(line->unreadable[i].offset, it->ranges[i].offset);
		assert_int_equal(line->unreadable[i].len, it->ranges[i].len);
	}
}

static void
same_line(const struct section_line *line, const struct item *it)
{
	const char *what = NULL;

	assert_int_equal(line->is_note, it->is_note);
	assert_string_equal(line->path, it->path);
	assert_int_equal(line->path_len, strlen(it->path));
	if (it->is_note) {
		assert_int_equal(line->note, it->note);
		assert_string_equal(line->reason, it->reason);
		return;
	}
	if (!section_matches(line, &it->en, &what))
		fail_msg("%s differs", what);
	assert_int_equal(line->link_len, it->en.link_len);
	if (it->en.type == ENTRY_FILE)
		same_file(line, it);
	else
		assert_false(line->has_sha256 || line->changed || line->n_unreadable > 0);
}

static void
what_is_written_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct section_line line;

	for (int round = 0; round < 4000; round++) {
		random_section(f);
		start(f, f->text.data, f->text.len);
		for (size_t i = 0; i < f->n; i++) {
			if (section_next(f->parser, &line, &f->e) != 1)
				fail_msg("%s", f->e.msg);
			same_line(&line, &f->items[i]);
		}
		assert_int_equal(section_next(f->parser, &line, &f->e), 0);
		assert_int_equal(section_next(f->parser, &line, &f->e), 0);
	}
}

/* ---- changes ---- */

static void
mutate(struct fixture *f, struct buf *b)
{
	static const char *const pieces[] = {"0", "1", "-", " ", "\n", "#: ", "#! ", "=", "\\",
	    "\\055", "\\040", "\\000", "./", "/", "00", "type=file", "\\134", "4294967296", ".",
	    "#: changed\n", "#: grew\n", "#: rdev 1 1\n", "\377"};
	const char *piece = pieces[below(f, sizeof(pieces) / sizeof(pieces[0]))];
	size_t at = below(f, b->len + 1), cut = below(f, 3), n = strlen(piece), tail;

	if (cut > b->len - at)
		cut = b->len - at;
	if (below(f, 4) == 0)
		n = 0;
	tail = b->len - at - cut;
	assert_non_null(buf_reserve(b, n));
	memmove(b->data + at + n, b->data + at + cut, tail);
	memcpy(b->data + at, piece, n);
	b->len = at + n + tail;
}

/* The entry that a line speaks of; xattrs are known by digest only, see put_line. */
static struct entry
entry_of(const struct section_line *l)
{
	struct entry en = {.type = l->type,
	    .path = l->path,
	    .path_len = l->path_len,
	    .mode = l->mode,
	    .uid = l->uid,
	    .gid = l->gid,
	    .size = l->size,
	    .mtime_sec = l->mtime_sec,
	    .mtime_nsec = l->mtime_nsec,
	    .rdev_major = l->rdev_major,
	    .rdev_minor = l->rdev_minor,
	    .link = l->link,
	    .link_len = l->link_len};

	return en;
}

/* Write a parsed line again.  The digest of xattrs is put in its place by hand. */
static void
put_line(struct buf *out, const struct section_line *l)
{
	struct section_facts facts = {.changed = l->changed,
	    .grew = l->grew,
	    .unreadable = l->unreadable,
	    .n_unreadable = l->n_unreadable};
	char hex[SHA256_HEX_LEN + 1];
	struct entry en = entry_of(l);
	struct buf text = {.data = NULL};
	size_t at = 0;

	if (l->is_note) {
		section_put_note(out, l->note, l->path, l->path_len, l->reason);
		return;
	}
	memcpy(facts.sha256, l->sha256, SHA256_LEN);
	section_put_entry(&text, &en, &facts);
	(void)buf_str(&text);
	while (l->has_xattrs &&
	    (strncmp((char *)text.data + at, "#: hardlink ", 12) == 0 ||
		strncmp((char *)text.data + at, "#: rdev ", 8) == 0))
		at += strcspn((char *)text.data + at, "\n") + 1;
	buf_append(out, text.data, at);
	if (l->has_xattrs) {
		sha256_hex(l->xattrs, hex);
		buf_printf(out, "#: xattrs %s\n", hex);
	}
	buf_append(out, text.data + at, text.len - at);
	buf_done(&text);
}

/* Parse all; true when it was taken, and then it must be the same again. */
static bool
taken(struct fixture *f)
{
	struct section_line line;
	int n;

	start(f, f->text.data, f->text.len);
	buf_clear(&f->again);
	while ((n = section_next(f->parser, &line, &f->e)) == 1)
		put_line(&f->again, &line);
	if (n == -1) {
		assert_int_equal(f->e.kind, ERR_CORRUPT);
		assert_non_null(strstr(f->e.msg, "line "));
		assert_int_equal(section_next(f->parser, &line, &f->e), 0);
		return false;
	}
	assert_int_equal(f->again.len, f->text.len);
	assert_memory_equal(f->again.data, f->text.data, f->text.len);
	return true;
}

static void
whatever_is_accepted_is_written_again_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	for (int round = 0; round < 3000; round++) {
		random_section(f);
		assert_true(taken(f));
		for (int i = 0; i < 6; i++) {
			mutate(f, &f->text);
			n += taken(f);
		}
	}
	assert_true(n > 300);
}

/* ---- single texts ---- */

#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE_LINE                                                                                  \
	"./a type=file mode=0644 uid=0 gid=0 size=5 time=1.000000000 sha256digest=" HEX "\n"
#define DIR_LINE "./a type=dir mode=0755 uid=0 gid=0 time=1.000000000\n"

static void
is_refused(struct fixture *f, const char *text)
{
	struct section_line line;
	int n;

	start(f, text, strlen(text));
	while ((n = section_next(f->parser, &line, &f->e)) == 1)
		;
	if (n == 0)
		fail_msg("taken: %s", text);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
}

static void
the_text_is_that_of_the_format(void **state)
{
	struct fixture *f = *state;
	const struct entry_xattr x = {"user.a", "b", 1};
	struct section_range r = {5, 6};
	struct section_facts facts = {
	    .changed = true, .grew = true, .unreadable = &r, .n_unreadable = 1};
	struct entry en = {.type = ENTRY_FILE,
	    .path = "a b/-",
	    .path_len = 5,
	    .mode = 04755,
	    .uid = 4294967294u,
	    .gid = 7,
	    .size = 11,
	    .mtime_sec = -1,
	    .mtime_nsec = 500000000};
	struct entry root = {.type = ENTRY_DIR, .path = "", .mode = 0};
	struct entry dev = {.type = ENTRY_CHAR,
	    .path = "n",
	    .path_len = 1,
	    .mode = 0666,
	    .rdev_major = 1,
	    .rdev_minor = 3,
	    .xattrs = &x,
	    .n_xattrs = 1};
	struct entry hard = {.type = ENTRY_HARDLINK,
	    .path = "z",
	    .path_len = 1,
	    .mode = 0644,
	    .link = "a b/-",
	    .link_len = 5};
	struct entry sym = {.type = ENTRY_SYMLINK,
	    .path = "zz",
	    .path_len = 2,
	    .mode = 0777,
	    .link = "-",
	    .link_len = 1};

	sha256_of("", 0, facts.sha256);
	section_put_entry(&f->text, &root, NULL);
	section_put_entry(&f->text, &en, &facts);
	section_put_entry(&f->text, &dev, NULL);
	section_put_entry(&f->text, &hard, NULL);
	section_put_entry(&f->text, &sym, NULL);
	section_put_note(&f->text, SECTION_VANISHED, "v w", 3, NULL);
	section_put_note(&f->text, SECTION_UNREADABLE, "v", 1, "Permission denied");
	section_put_note(&f->text, SECTION_SKIPPED, "s", 1, NULL);
	section_put_note(&f->text, SECTION_SKIPPED, "s", 1, "-");
	/* printf 'user.a\0001\000b' | sha256sum */
	assert_string_equal(buf_str(&f->text),
	    ". type=dir mode=0000 uid=0 gid=0 time=0.000000000\n"
	    "#: changed\n"
	    "#: grew\n"
	    "#: unreadable 5 6\n"
	    "./a\\040b/- type=file mode=4755 uid=4294967294 gid=7 size=11 time=-1.500000000 "
	    "sha256digest=" HEX "\n"
	    "#: rdev 1 3\n"
	    "#: xattrs 64dc41039b93f46b431cd1e4221cd41dae562ec4693960b148ac3211c58e7d28\n"
	    "./n type=char mode=0666 uid=0 gid=0 time=0.000000000\n"
	    "#: hardlink ./a\\040b/-\n"
	    "./z type=file mode=0644 uid=0 gid=0 time=0.000000000\n"
	    "./zz type=link mode=0777 uid=0 gid=0 time=0.000000000 link=\\055\n"
	    "#! vanished ./v\\040w\n"
	    "#! unreadable ./v Permission denied\n"
	    "#! skipped ./s -\n"
	    "#! skipped ./s \\055\n");
}

static void
other_spellings_are_refused(void **state)
{
	static const char *const texts[] = {
	    "\n",
	    " \n",
	    "#\n",
	    "# comment\n",
	    "#mtree\n",
	    "/set uid=0\n",
	    "a type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "/a type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./ type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a/ type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./../a type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a/./b type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./\\141 type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./\\056\\056/a type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./\\000 type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.000000000",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.000000000 \n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.000000000\r\n",
	    "./a  type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a\ttype=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=00755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0758 uid=0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=00 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=+0 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=4294967296 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=-1 gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid= gid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 gid=0 uid=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.0\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.0000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.-00000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=01.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=-0.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=9223372036854775808.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 size=0 time=1.000000000\n",
	    "./a type=dir mode=0755 uid=0 gid=0 time=1.000000000 link=x\n",
	    "./a type=dir mode=0755 uid=0 gid=0\n",
	    "./a type=dirt mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=socket mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a mode=0755 uid=0 gid=0 time=1.000000000\n",
	    ". type=fifo mode=0755 uid=0 gid=0 time=1.000000000\n",
	    "./a type=file mode=0644 uid=0 gid=0 size=5 time=1.000000000\n",
	    "./a type=file mode=0644 uid=0 gid=0 time=1.000000000\n",
	    "./a type=file mode=0644 uid=0 gid=0 size=05 time=1.000000000 sha256digest=" HEX "\n",
	    "./a type=file mode=0644 uid=0 gid=0 size=9223372036854775808 time=1.000000000 "
	    "sha256digest=" HEX "\n",
	    "./a type=file mode=0644 uid=0 gid=0 size=5 time=1.000000000 sha256digest=" HEX "0\n",
	    "./a type=file mode=0644 uid=0 gid=0 size=5 time=1.000000000 "
	    "sha256digest=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\n",
	    "./a type=link mode=0777 uid=0 gid=0 time=1.000000000\n",
	    "./a type=link mode=0777 uid=0 gid=0 time=1.000000000 link=\n",
	    "./a type=link mode=0777 uid=0 gid=0 time=1.000000000 link=-\n",
	    "./a type=link mode=0777 uid=0 gid=0 time=1.000000000 link=a b\n",
	    "./a type=link mode=0777 uid=0 gid=0 time=1.000000000 link=a\\000b\n",
	    "./a type=char mode=0666 uid=0 gid=0 time=1.000000000\n",
	    "#: rdev 1 3\n" DIR_LINE,
	    "#: rdev 1\n./a type=char mode=0666 uid=0 gid=0 time=1.000000000\n",
	    "#: rdev 1 4294967296\n./a type=char mode=0666 uid=0 gid=0 time=1.000000000\n",
	    "#: hardlink ./0\n" DIR_LINE,
	    "#: hardlink ./0\n" FILE_LINE,
	    "#: hardlink ./a\n./a type=file mode=0644 uid=0 gid=0 time=1.000000000\n",
	    "#: hardlink ./b\n./a type=file mode=0644 uid=0 gid=0 time=1.000000000\n",
	    "#: hardlink .\n./a type=file mode=0644 uid=0 gid=0 time=1.000000000\n",
	    "#: hardlink 0\n./a type=file mode=0644 uid=0 gid=0 time=1.000000000\n",
	    "#: changed\n#: changed\n" FILE_LINE,
	    "#: grew\n#: changed\n" FILE_LINE,
	    "#: changed \n" FILE_LINE,
	    "#: changing\n" FILE_LINE,
	    "#: unknown\n" FILE_LINE,
	    "#:changed\n" FILE_LINE,
	    "#: xattrs " HEX "0\n" FILE_LINE,
	    "#: xattrs \n" FILE_LINE,
	    "#: unreadable 0 0\n" FILE_LINE,
	    "#: unreadable 0 6\n" FILE_LINE,
	    "#: unreadable 5 1\n" FILE_LINE,
	    "#: unreadable 0 2\n#: unreadable 1 1\n" FILE_LINE,
	    "#: unreadable 3 1\n#: unreadable 1 1\n" FILE_LINE,
	    "#: unreadable 9223372036854775807 9223372036854775807\n" FILE_LINE,
	    "#: unreadable 18446744073709551615 2\n" FILE_LINE,
	    "#: unreadable 0 1\n" DIR_LINE,
	    "#: changed\n",
	    "#: changed\n#! vanished ./x\n" FILE_LINE,
	    "#! vanished\n",
	    "#! vanished \n",
	    "#! vanished ./x \n",
	    "#! vanished ./x why\n",
	    "#! gone ./x\n",
	    "#! skipped ./x\n",
	    "#! skipped ./x \n",
	    "#! skipped ./x \\163ocket\n",
	    FILE_LINE FILE_LINE,
	    "./b type=dir mode=0755 uid=0 gid=0 time=1.000000000\n" DIR_LINE,
	    "./a-b type=dir mode=0755 uid=0 gid=0 time=1.000000000\n"
	    "./a/b type=dir mode=0755 uid=0 gid=0 time=1.000000000\n",
	};
	struct fixture *f = *state;
	struct section_line line;

	start(f, FILE_LINE, strlen(FILE_LINE));
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	start(f, DIR_LINE, strlen(DIR_LINE));
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_refused(f, texts[i]);
}

static void
a_nul_does_not_end_a_line(void **state)
{
	struct fixture *f = *state;
	char text[] = DIR_LINE;
	struct section_line line;

	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		char c = text[i];

		text[i] = '\0';
		start(f, text, sizeof(text) - 1);
		assert_int_equal(section_next(f->parser, &line, &f->e), -1);
		text[i] = c;
	}
}

static void
errors_name_the_line(void **state)
{
	struct fixture *f = *state;

	is_refused(f, "#! vanished ./x\n" DIR_LINE "./b type=x\n");
	assert_non_null(strstr(f->e.msg, "line 3: unknown type"));
}

static void
no_text_at_all_is_a_section(void **state)
{
	struct fixture *f = *state;
	struct section_line line;

	start(f, NULL, 0);
	assert_int_equal(section_next(f->parser, &line, &f->e), 0);
	section_parser_free(NULL);
}

static void
a_path_of_a_megabyte_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct entry en = {.type = ENTRY_DIR, .path_len = 1 << 20};
	struct section_line line;
	char *path = malloc(en.path_len + 1);

	assert_non_null(path);
	memset(path, '\n', en.path_len);
	path[en.path_len] = '\0';
	en.path = path;
	section_put_entry(&f->text, &en, NULL);
	start(f, f->text.data, f->text.len);
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	assert_int_equal(line.path_len, en.path_len);
	assert_string_equal(line.path, path);
	free(path);
}

/* ---- section_matches ---- */

static void
each_fact_that_differs_is_named(void **state)
{
	static const char value[] = "v";
	const struct entry_xattr x = {"user.a", value, 1}, y = {"user.b", value, 1};
	const struct entry good = {.type = ENTRY_CHAR,
	    .path = "a",
	    .path_len = 1,
	    .mode = 0600,
	    .uid = 1,
	    .gid = 2,
	    .mtime_sec = 3,
	    .mtime_nsec = 4,
	    .rdev_major = 5,
	    .rdev_minor = 6,
	    .xattrs = &x,
	    .n_xattrs = 1};
	struct fixture *f = *state;
	struct section_line line;
	const char *what;
	struct entry en;

	section_put_entry(&f->text, &good, NULL);
	start(f, f->text.data, f->text.len);
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	assert_true(section_matches(&line, &good, &what));
#define DIFFERS(name, change)                                                                      \
	do {                                                                                       \
		en = good;                                                                         \
		change;                                                                            \
		assert_false(section_matches(&line, &en, &what));                                  \
		assert_string_equal(what, name);                                                   \
		assert_false(section_matches(&line, &en, NULL));                                   \
	} while (0)
	DIFFERS("path", en.path = "b");
	DIFFERS("path", en.path_len = 0);
	DIFFERS("type", en.type = ENTRY_BLOCK);
	DIFFERS("mode", en.mode = 0601);
	DIFFERS("uid", en.uid++);
	DIFFERS("gid", en.gid++);
	DIFFERS("time", en.mtime_sec++);
	DIFFERS("time", en.mtime_nsec++);
	DIFFERS("device", en.rdev_major++);
	DIFFERS("device", en.rdev_minor++);
	DIFFERS("xattrs", en.xattrs = &y);
	DIFFERS("xattrs", en.n_xattrs = 0);
}

static void
sizes_and_links_that_differ_are_named(void **state)
{
	struct entry file = {.type = ENTRY_FILE, .path = "a", .path_len = 1, .size = 5};
	struct entry link = {
	    .type = ENTRY_SYMLINK, .path = "b", .path_len = 1, .link = "t", .link_len = 1};
	struct section_facts facts = {.changed = false};
	struct fixture *f = *state;
	struct section_line line;
	const char *what;

	section_put_entry(&f->text, &file, &facts);
	section_put_entry(&f->text, &link, NULL);
	section_put_note(&f->text, SECTION_VANISHED, "b", 1, NULL);
	start(f, f->text.data, f->text.len);
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	file.size = 6;
	assert_false(section_matches(&line, &file, &what));
	assert_string_equal(what, "size");
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	assert_true(section_matches(&line, &link, &what));
	link.link = "u";
	assert_false(section_matches(&line, &link, &what));
	assert_string_equal(what, "link");
	assert_int_equal(section_next(f->parser, &line, &f->e), 1);
	assert_false(section_matches(&line, &link, &what));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(the_text_is_that_of_the_format),
	    CASE(what_is_written_is_read_back),
	    CASE(whatever_is_accepted_is_written_again_byte_for_byte),
	    CASE(other_spellings_are_refused),
	    CASE(a_nul_does_not_end_a_line),
	    CASE(errors_name_the_line),
	    CASE(no_text_at_all_is_a_section),
	    CASE(a_path_of_a_megabyte_is_read_back),
	    CASE(each_fact_that_differs_is_named),
	    CASE(sizes_and_links_that_differ_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
