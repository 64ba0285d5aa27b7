/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/source.h"

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
	if (err_is_shortage(error))
		return SOURCE_FAILED;
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

bool
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
	return got == len;
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
		if (!source_read_range(fd, at, again, n, &bad) ||
		    memcmp(again, data->data + at, n) != 0)
			return false;
		at += n;
	}
	return true;
}

/*
 * One try: attributes and content of a file with these facts, and whether it kept still.  A read
 * that gave less than the size promised is a change, whatever the facts say.  1: no facts.
 */
static int
read_once(struct source_file *f, int fd, struct facts *after, bool *still, struct err *e)
{
	size_t len = (size_t)f->facts.size;
	struct stat st;

	if (attrs_read_fd(&f->attrs, fd, e) != 0)
		return -1;
	buf_clear(&f->data);
	uint8_t *room = buf_reserve(&f->data, len);
	if (room == NULL)
		return err_nomem(e);
	bool all = source_read_range(fd, 0, room, len, &f->bad);
	f->data.len = len;
	if (fstat(fd, &st) != 0)
		return 1;
	facts_from(after, &st);
	*still = all && facts_unmoved(&f->facts, after);
	return 0;
}

int
source_read(struct source_file *f, int fd, const struct facts *now, const struct facts *listed,
    size_t max, struct err *e)
{
	struct facts after = *now;
	bool still;

	f->changed = f->grew = false;
	for (int i = 1;; i++) {
		f->facts = after; /* the end of one try is the beginning of the next */
		if (f->facts.size > max) {
			/* A part that no moment has seen as the whole. */
			f->facts.size = listed->size < max ? listed->size : max;
			f->changed = true;
		}
		int rc = read_once(f, fd, &after, &still, e);
		if (rc != 0 || f->bad.len > 0 || f->changed || still)
			return rc;
		if (after.size > f->facts.size && reads_the_same(fd, &f->data)) {
			f->grew = true;
			return 0;
		}
		if (i == SOURCE_TRIES) {
			f->changed = true;
			return 0;
		}
	}
}
