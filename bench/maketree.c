/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maketree system|volume|tiny|flat DIR FILES BYTES [SEED]
 * maketree log FILE BYTES [SEED]
 *
 * Trees to measure with, in the new directory DIR; every byte is a function of the
 * arguments alone.
 *
 * system  as a Debian /usr is: FILES by its sizes, scaled to BYTES in all; documents,
 *         headers, programs, and what is packed already
 * volume  as an application's volume is: a database of few files, a log, users' files
 * tiny    FILES of BYTES/FILES on average, a hundred in a directory
 * flat    the same, all in one directory
 * log     append BYTES of lines to FILE; what they say follows from its size, too
 *
 * Content comes from a model of what deflate sees: words or codes, and copies of what
 * stood in the last 32 KiB. Its numbers were set so that gzip -6 packs a system tree
 * about as small, and about as fast, as files of /usr.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum content { TEXT, CODE, DENSE, LOG };
enum { PIECE = 4 << 20, WINDOW = 32 << 10, WORDS = 4096, WORD_MAX = 16 };

/* How often content repeats itself, in percent of the steps, and for how long, in bytes. */
static const struct {
	unsigned percent, mean;
} copies[] = {[TEXT] = {22, 22}, [CODE] = {36, 9}, [DENSE] = {0, 1}, [LOG] = {30, 20}};

/* Files of /usr in a thousand by the binary logarithm of their size. */
static const unsigned size_share[] = {
    7, 1, 1, 1, 3, 7, 9, 37, 61, 145, 211, 167, 114, 92, 68, 40, 25, 12, 6, 3, 1, 1, 1};

struct words {
	char text[WORDS][WORD_MAX];
	uint8_t len[WORDS];
};

struct maker {
	uint64_t state;
	struct words words;
	uint8_t codes[256]; /* the common ones first */
	uint8_t piece[PIECE];
};

/* splitmix64 */
static uint64_t
next(struct maker *m)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint64_t
below(struct maker *m, uint64_t n)
{
	return (next(m) >> 11) % n;
}

/* Below n, and small ones far more often: the cube of an even choice. */
static size_t
skewed(struct maker *m, size_t n)
{
	uint64_t u = next(m) >> 44;

	return (size_t)((((u * u) >> 20) * u >> 20) * n >> 20);
}

static void
learn(struct maker *m, uint64_t seed)
{
	static const char letters[] = "eeeeetttaaaoooiiinnnsssrrrhhllddccuummfpgwybvkxjqz";

	m->state = seed;
	for (size_t i = 0; i < WORDS; i++) {
		size_t n = 1 + below(m, 4) + below(m, 6);

		for (size_t k = 0; k < n; k++)
			m->words.text[i][k] = letters[below(m, sizeof(letters) - 1)];
		m->words.len[i] = (uint8_t)n;
	}
	for (size_t i = 0; i < sizeof(m->codes); i++)
		m->codes[i] = (uint8_t)(i * 167 + seed);
}

/* One word, some codes, eight random bytes or the head of a line, at most room bytes of it. */
static size_t
emit(struct maker *m, enum content c, uint8_t *at, size_t room)
{
	char s[80];
	size_t n = 0;

	if (c == DENSE) {
		uint64_t r = next(m);
		memcpy(s, &r, n = sizeof(r));
	} else if (c == CODE) {
		for (n = 0; n < 4; n++)
			s[n] = (char)m->codes[skewed(m, sizeof(m->codes))];
	} else if (c == LOG && below(m, 12) == 0) {
		n = (size_t)snprintf(s, sizeof(s),
		    "\n2026-02-%02uT%02u:%02u:%02u.%06uZ INFO request id=%08x ",
		    (unsigned)below(m, 28) + 1, (unsigned)below(m, 24), (unsigned)below(m, 60),
		    (unsigned)below(m, 60), (unsigned)below(m, 1000000), (unsigned)next(m));
	} else {
		size_t w = skewed(m, WORDS);
		memcpy(s, m->words.text[w], n = m->words.len[w]);
		s[n++] = below(m, 11) == 0 ? '\n' : ' ';
	}
	n = n < room ? n : room;
	memcpy(at, s, n);
	return n;
}

static size_t
repeat(struct maker *m, unsigned mean, size_t pos, size_t room)
{
	size_t n = 4 + below(m, mean) + skewed(m, mean * 4);
	size_t far = 1 + skewed(m, pos < WINDOW ? pos : WINDOW);

	n = n < room ? n : room;
	for (size_t i = pos; i < pos + n; i++)
		m->piece[i] = m->piece[i - far];
	return n;
}

static void
fill(struct maker *m, enum content c, size_t len)
{
	for (size_t pos = 0; pos < len;) {
		if (pos > 0 && below(m, 100) < copies[c].percent)
			pos += repeat(m, copies[c].mean, pos, len - pos);
		else
			pos += emit(m, c, m->piece + pos, len - pos);
	}
}

static void
put(struct maker *m, int fd, const char *path, enum content c, uint64_t bytes)
{
	while (bytes > 0) {
		size_t len = bytes < PIECE ? (size_t)bytes : PIECE;

		fill(m, c, len);
		for (size_t done = 0; done < len;) {
			ssize_t n = write(fd, m->piece + done, len - done);

			if (n < 0)
				err(3, "%s", path);
			done += (size_t)n;
		}
		bytes -= len;
	}
}

/* The directories above path, as far as they are missing. */
static void
mkdirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			err(3, "%s", path);
		*slash = '/';
	}
}

static void
make_file(struct maker *m, char *path, enum content c, uint64_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 && errno == ENOENT) {
		mkdirs(path);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		err(3, "%s", path);
	put(m, fd, path, c, bytes);
	if (close(fd) != 0)
		err(3, "%s", path);
}

static uint64_t
draw_size(struct maker *m)
{
	uint64_t pick = below(m, 1013), log = 0; /* the sum of size_share */

	while (pick >= size_share[log])
		pick -= size_share[log++];
	return log == 0 ? 0 : ((uint64_t)1 << log) + below(m, (uint64_t)1 << log);
}

static void
make_system(struct maker *m, const char *dir, uint64_t files, uint64_t bytes)
{
	static const struct {
		const char *dir, *suffix;
		enum content content;
	} kinds[] = {{"share/doc", "txt", TEXT}, {"include", "h", TEXT}, {"lib", "so", CODE},
	    {"share/man", "gz", DENSE}, {"lib/python3", "py", TEXT}, {"bin", "bin", CODE},
	    {"share/locale", "mo", TEXT}, {"lib/modules", "o", CODE}};
	uint64_t *sizes = calloc(files, sizeof(*sizes)), sum = 0;
	char path[4096];

	if (sizes == NULL)
		err(3, NULL);
	for (uint64_t i = 0; i < files; i++)
		sum += sizes[i] = draw_size(m);
	for (uint64_t i = 0; i < files; i++) {
		size_t k = below(m, sizeof(kinds) / sizeof(kinds[0]));
		double scaled = (double)sizes[i] * (double)bytes / (double)sum;

		(void)snprintf(path, sizeof(path),
		    "%s/%s/package-%04" PRIu64 "/file-%06" PRIu64 ".%s", dir, kinds[k].dir, i / 32,
		    i, kinds[k].suffix);
		make_file(m, path, kinds[k].content, (uint64_t)scaled);
	}
	free(sizes);
}

static void
make_volume(struct maker *m, const char *dir, uint64_t files, uint64_t bytes)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/sled_db/db", dir);
	make_file(m, path, CODE, bytes / 2);
	(void)snprintf(path, sizeof(path), "%s/sled_db/conf", dir);
	make_file(m, path, TEXT, 64);
	(void)snprintf(path, sizeof(path), "%s/sled_db/snap.0000000000A1B2C3", dir);
	make_file(m, path, CODE, bytes / 50);
	(void)snprintf(path, sizeof(path), "%s/application.log", dir);
	make_file(m, path, LOG, bytes / 5);
	for (uint64_t i = 0; i < files; i++) {
		int pdf = below(m, 10) == 0;

		(void)snprintf(path, sizeof(path), "%s/users/%05" PRIu64 "/%s-%06" PRIu64 ".%s",
		    dir, i / 40, pdf ? "offer" : "calculation", i, pdf ? "pdf" : "json");
		make_file(m, path, pdf ? DENSE : TEXT,
		    bytes / 100 * 28 / files * (pdf ? 5 : 1) * 10 / 14);
	}
}

static void
make_tiny(struct maker *m, const char *dir, uint64_t files, uint64_t bytes, int flat)
{
	char path[4096];

	for (uint64_t i = 0; i < files; i++) {
		if (flat)
			(void)snprintf(path, sizeof(path), "%s/item-%07" PRIu64 ".json", dir, i);
		else
			(void)snprintf(path, sizeof(path),
			    "%s/%03" PRIu64 "/%02" PRIu64 "/item-%07" PRIu64 ".json", dir,
			    i / 10000, i / 100 % 100, i);
		make_file(m, path, TEXT, below(m, 2 * bytes / files + 1));
	}
}

static void
append_log(struct maker *m, const char *path, uint64_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size < 0)
		err(3, "%s", path);
	m->state += (uint64_t)size;
	put(m, fd, path, LOG, bytes);
	if (close(fd) != 0)
		err(3, "%s", path);
}

static uint64_t
number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 10);

	if (*s == '\0' || *end != '\0')
		errx(2, "not a number: %s", s);
	return n;
}

static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: maketree system|volume|tiny|flat DIR FILES BYTES [SEED]\n"
	    "       maketree log FILE BYTES [SEED]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	int is_log = argc > 1 && strcmp(argv[1], "log") == 0, least = is_log ? 4 : 5;
	struct maker *m = calloc(1, sizeof(*m));
	uint64_t files, bytes;

	if (m == NULL)
		err(3, NULL);
	if (argc < least || argc > least + 1)
		usage();
	learn(m, argc > least ? number(argv[least]) : 1);
	bytes = number(argv[least - 1]);
	files = is_log ? 1 : number(argv[3]);
	if (files == 0)
		errx(2, "FILES is to be one at least");
	if (is_log)
		append_log(m, argv[2], bytes);
	else if (strcmp(argv[1], "system") == 0)
		make_system(m, argv[2], files, bytes);
	else if (strcmp(argv[1], "volume") == 0)
		make_volume(m, argv[2], files, bytes);
	else if (strcmp(argv[1], "tiny") == 0 || strcmp(argv[1], "flat") == 0)
		make_tiny(m, argv[2], files, bytes, argv[1][0] == 'f');
	else
		usage();
	free(m);
	return 0;
}
