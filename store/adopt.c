/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"
#include "store/priv.h"

static int
make_named(const struct repo *r, const char *file, struct err *e)
{
	int fd = openat(r->fd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		(void)repo_make_error(r, file, e);
	return fd;
}

int
repo_scratch(const struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	int fd;

	if (repo_need_lock(r, e) < 0)
		return -1;
	fd = openat(r->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* EOPNOTSUPP from the file system; EISDIR, ENOENT from a kernel that does not know it. */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL) {
		(void)err_sys(e, "make a file in %s", r->dir);
		return -1;
	}
	repo_new_name(REPO_ARCHIVE, name, file);
	if ((fd = make_named(r, file, e)) < 0)
		return -1;
	if (unlinkat(r->fd, file, 0) == 0)
		return fd;
	(void)err_sys(e, "unlink %s/%s", r->dir, file);
	(void)close(fd);
	return -1;
}

static int
put_real_path(const struct repo *r, const char *file, struct buf *path, struct err *e)
{
	char *dir = realpath(r->dir, NULL);
	struct stat a, b;
	int rc = -1;

	if (dir == NULL || stat(dir, &a) != 0 || fstat(r->fd, &b) != 0) {
		(void)err_sys(e, "%s", r->dir);
	} else if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		(void)err_set(
		    e, ERR_SYS, "%s: is not the directory any more that was opened", r->dir);
	} else {
		buf_printf(path, "%s/%s", dir, file);
		(void)buf_str(path);
		rc = buf_check(path, e);
	}
	free(dir);
	return rc;
}

int
repo_scratch_path(const struct repo *r, const char *name, struct buf *path, struct err *e)
{
	char file[REPO_FILE_MAX];
	int fd;

	if (repo_need_lock(r, e) < 0)
		return -1;
	repo_new_name(REPO_MANIFEST, name, file);
	if ((fd = make_named(r, file, e)) < 0)
		return -1;
	(void)close(fd);
	if (put_real_path(r, file, path, e) == 0)
		return 0;
	(void)unlinkat(r->fd, file, 0);
	return -1;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int
repo_remove_unsealed(struct repo *r, const char *name, const struct stat *read, struct err *e)
{
	char file[REPO_FILE_MAX], seal[REPO_FILE_MAX];
	struct stat now;

	if (repo_need_lock(r, e) < 0)
		return -1;
	repo_final_name(REPO_ARCHIVE, name, file);
	repo_final_name(REPO_SEAL, name, seal);
	if (faccessat(r->fd, seal, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return err_set(e, ERR_USAGE, "%s/%s: has a seal: left alone", r->dir, file);
	if (fstatat(r->fd, file, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s/%s", r->dir, file);
	if (read->st_dev != now.st_dev || read->st_ino != now.st_ino)
		return err_set(e, ERR_USAGE, "%s/%s: was replaced: left alone", r->dir, file);
	if (read->st_size != now.st_size || !same_time(&read->st_mtim, &now.st_mtim) ||
	    !same_time(&read->st_ctim, &now.st_ctim))
		return err_set(e, ERR_USAGE, "%s/%s: was changed: left alone", r->dir, file);
	if (unlinkat(r->fd, file, 0) != 0)
		return err_sys(e, "unlink %s/%s", r->dir, file);
	if (io_fsync(r->fd, e) < 0)
		return err_where(e, "repository %s", r->dir);
	return 0;
}

/* ---- what a seal says ---- */

static const char before[] = "import of ", between[] = ".tar.gz sha256:";

void
repo_source_put(struct buf *out, const char *name, const uint8_t digest[SHA256_LEN])
{
	buf_puts(out, before);
	buf_puts(out, name);
	buf_puts(out, between);
	sha256_put(out, digest);
}

bool
repo_source_parse(const char *source, char name[SEAL_NAME_MAX + 1], uint8_t digest[SHA256_LEN])
{
	size_t len = source == NULL ? 0 : strlen(source);
	size_t tail = sizeof(between) - 1 + SHA256_HEX_LEN, head = sizeof(before) - 1;

	if (len <= head + tail || len - head - tail > SEAL_NAME_MAX ||
	    memcmp(source, before, head) != 0 ||
	    memcmp(source + len - tail, between, sizeof(between) - 1) != 0 ||
	    sha256_unhex(source + len - SHA256_HEX_LEN, digest) != 0)
		return false;
	memcpy(name, source + head, len - head - tail);
	name[len - head - tail] = '\0';
	return true;
}

bool
repo_was_imported(const struct repo_list *l, const char *name)
{
	char of[SEAL_NAME_MAX + 1];
	uint8_t digest[SHA256_LEN];

	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state != REPO_BAD &&
		    repo_source_parse(l->backups[i].seal.source, of, digest) &&
		    strcmp(of, name) == 0)
			return true;
	return false;
}
