/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_IO_H
#define CORE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

/*
 * Whole reads and writes: EINTR and short counts are handled here and nowhere
 * else (and EAGAIN, should somebody have made a pipe non-blocking that he shares
 * with us).  Messages name the call ("read", "write"); callers add the path with
 * err_where().
 */

/* Up to len bytes, fewer only at end of file.  Count, or -1. */
ssize_t io_pread(int fd, void *data, size_t len, uint64_t offset, struct err *e);
/* Exactly len bytes; ERR_CORRUPT "ends early" at end of file. */
int io_pread_exact(int fd, void *data, size_t len, uint64_t offset, struct err *e);
int io_write(int fd, const void *data, size_t len, struct err *e);
int io_pwrite(int fd, const void *data, size_t len, uint64_t offset, struct err *e);
/*
 * The file whole, appended to out; ERR_CORRUPT when longer than max bytes, or when
 * it is no regular file (with AT_FDCWD, a name from the user, pipes are good too).
 * After a failure out holds what it held.
 */
int io_read_file(int dirfd, const char *name, size_t max, struct buf *out, struct err *e);
/* close(2) that reports; -1 is harmless. Sets *fd to -1. */
int io_close(int *fd, struct err *e);
int io_fsync(int fd, struct err *e);

#endif
