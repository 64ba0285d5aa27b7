/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/stop.h"

/* Linux transfers at most about 2 GiB a call; stay well below. */
#define CALL_MAX ((size_t)1 << 30)
#define READ_STEP 65536

static size_t
step(size_t left)
{
	return left < CALL_MAX ? left : CALL_MAX;
}

ssize_t
io_pread(int fd, void *data, size_t len, uint64_t offset, struct err *e)
{
	size_t done = 0;
	ssize_t n;

	/* An offset out of a hostile index: nothing is there. */
	if (offset >= INT64_MAX)
		return 0;
	if (len > INT64_MAX - offset)
		len = (size_t)(INT64_MAX - offset);
	while (done < len) {
		n = pread(fd, (char *)data + done, step(len - done), (off_t)(offset + done));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int
io_pread_exact(int fd, void *data, size_t len, uint64_t offset, struct err *e)
{
	ssize_t n = io_pread(fd, data, len, offset, e);

	if (n < 0)
		return -1;
	if ((size_t)n < len)
		return err_set(e, ERR_CORRUPT, "ends early");
	return 0;
}

/*
 * After a write that failed: 0 to try again.  Only writes to pipes, sockets,
 * and terminals are ever interrupted, or would block (when somebody else made
 * the shared description non-blocking).
 */
static int
write_again(int fd, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (errno == EINTR)
		return stop_check(e);
	if (errno != EAGAIN)
		return err_sys(e, "write");
	if (poll(&p, 1, 200) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	return stop_check(e);
}

int
io_write(int fd, const void *data, size_t len, struct err *e)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, step(len));
		if (n == 0) {
			errno = EIO;
			return err_sys(e, "write");
		}
		if (n < 0) {
			if (write_again(fd, e) != 0)
				return -1;
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
io_pwrite(int fd, const void *data, size_t len, uint64_t offset, struct err *e)
{
	const char *p = data;
	ssize_t n;

	if (offset > INT64_MAX || len > INT64_MAX - offset) {
		errno = EFBIG;
		return err_sys(e, "write");
	}
	while (len > 0) {
		n = pwrite(fd, p, step(len), (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return err_sys(e, "write");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Appends fd's bytes up to end of file; whatever was read stands in out. */
static int
read_all(int fd, size_t max, struct buf *out, struct err *e)
{
	size_t got = 0, want;
	ssize_t n;
	void *room;

	for (;;) {
		/* One byte more than allowed tells "just max" from "longer". */
		want = max - got < READ_STEP ? max - got + 1 : READ_STEP;
		if ((room = buf_reserve(out, want)) == NULL)
			return buf_check(out, e);
		n = read(fd, room, want);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR) {
			if (stop_check(e) != 0)
				return -1;
			continue;
		}
		if (n < 0)
			return err_sys(e, "read");
		if ((size_t)n > max - got)
			return err_set(e, ERR_CORRUPT, "longer than %zu bytes", max);
		got += (size_t)n;
		out->len += (size_t)n;
	}
}

/*
 * A fifo in a repository must not hang its reader, nor a device be opened with
 * side effects; one that the user names himself (a shell's <(...)) is as he
 * wants it.
 */
static int
open_file(int dirfd, const char *name, struct err *e)
{
	bool regular_only = dirfd != AT_FDCWD;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (regular_only ? O_NONBLOCK : 0);
	struct stat st;
	int fd;

	if ((fd = openat(dirfd, name, flags)) < 0)
		return err_sys(e, "open");
	if (fstat(fd, &st) != 0) {
		(void)err_sys(e, "fstat");
	} else if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		(void)err_sys(e, "read");
	} else if (regular_only && !S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_CORRUPT, "not a regular file");
	} else {
		return fd;
	}
	(void)close(fd);
	return -1;
}

int
io_read_file(int dirfd, const char *name, size_t max, struct buf *out, struct err *e)
{
	size_t before = out->len;
	int rc, fd;

	if ((fd = open_file(dirfd, name, e)) < 0)
		return -1;
	rc = read_all(fd, max, out, e);
	if (io_close(&fd, rc == 0 ? e : NULL) != 0)
		rc = -1;
	if (rc != 0)
		out->len = before;
	return rc;
}

int
io_close(int *fd, struct err *e)
{
	int rc;

	if (*fd == -1)
		return 0;
	rc = close(*fd);
	*fd = -1;
	/* Linux has let go of the descriptor even when it says EINTR. */
	if (rc != 0 && errno != EINTR)
		return err_sys(e, "close");
	return 0;
}

int
io_fsync(int fd, struct err *e)
{
	while (fsync(fd) != 0)
		if (errno != EINTR)
			return err_sys(e, "fsync");
	return 0;
}
