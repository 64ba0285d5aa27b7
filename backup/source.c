/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"

/* Gone, too, is what became something else: a link, a directory, a socket. */
enum source_result
source_failure(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case EXDEV:
	case ESTALE:
	case ENXIO:
	case ENODEV:
		return SOURCE_VANISHED;
	default:
		return SOURCE_UNREADABLE;
	}
}

enum source_result
source_open(int dirfd, const char *name, int *out, struct facts *now)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;

	*out = -1;
	int fd = openat(dirfd, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM) /* O_NOATIME is for the owner and root */
		fd = openat(dirfd, name, flags);
	if (fd < 0)
		return source_failure(errno);
	if (fstat(fd, &st) != 0) {
		int saved = errno;
		(void)close(fd);
		errno = saved;
		return SOURCE_UNREADABLE;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)close(fd);
		return SOURCE_VANISHED;
	}
	facts_from(now, &st);
	*out = fd;
	return SOURCE_OK;
}

ssize_t (*source_pread)(int fd, void *data, size_t len, off_t offset) = pread;

void
source_read_range(int fd, uint64_t offset, uint8_t *out, size_t len, struct section_range *bad)
{
	size_t got = 0;

	*bad = (struct section_range){0};
	while (got < len) {
		ssize_t n = source_pread(fd, out + got, len - got, (off_t)(offset + got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*bad = (struct section_range){.offset = offset + got, .len = len - got};
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	memset(out + got, 0, len - got);
}

void
source_file_done(struct source_file *f)
{
	buf_done(&f->data);
	attrs_done(&f->attrs);
	*f = (struct source_file){0};
}

/* Does a second read give the same bytes?  Then they all stood there between the two. */
static bool
reads_the_same(int fd, const struct buf *data)
{
	uint8_t again[16384];
	struct section_range bad;

	for (size_t at = 0; at < data->len;) {
		size_t n = data->len - at < sizeof(again) ? data->len - at : sizeof(again);
		source_read_range(fd, at, again, n, &bad);
		if (bad.len > 0 || memcmp(again, data->data + at, n) != 0)
			return false;
		at += n;
	}
	return true;
}

/* One try: facts, attributes, content; then the facts again.  1: no facts. */
static int
read_once(struct source_file *f, int fd, size_t len, struct facts *after, struct err *e)
{
	struct stat st;

	if (attrs_read_fd(&f->attrs, fd, e) != 0)
		return -1;
	buf_clear(&f->data);
	uint8_t *room = buf_reserve(&f->data, len);
	if (len > 0 && room == NULL)
		return err_nomem(e);
	f->bad = (struct section_range){0};
	if (len > 0)
		source_read_range(fd, 0, room, len, &f->bad);
	f->data.len = len;
	if (fstat(fd, &st) != 0)
		return 1;
	facts_from(after, &st);
	return 0;
}

int
source_read(struct source_file *f, int fd, const struct facts *listed, size_t max, struct err *e)
{
	struct facts after;
	struct stat st;

	f->changed = f->grew = false;
	for (int i = 1;; i++) {
		if (fstat(fd, &st) != 0)
			return 1;
		facts_from(&f->facts, &st);
		bool cut = f->facts.size > max;
		if (cut) /* what it was listed with; that was no more than max */
			f->facts.size = listed->size < max ? listed->size : max;
		int rc = read_once(f, fd, (size_t)f->facts.size, &after, e);
		if (rc != 0)
			return rc;
		if (f->bad.len > 0)
			return 0;
		if (!cut && facts_unmoved(&f->facts, &after))
			return 0;
		bool same_file = listed->ino == f->facts.ino && listed->dev == f->facts.dev;
		if (after.size > f->facts.size && (!cut || same_file) &&
		    reads_the_same(fd, &f->data)) {
			f->grew = true;
			return 0;
		}
		if (i == SOURCE_TRIES) {
			f->changed = true;
			return 0;
		}
	}
}
