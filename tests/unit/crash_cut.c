/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash.h"
#include "tests/unit/crash.h"
#include "tests/unit/scratch.h"

/*
 * A disk as POSIX has it and no file system is: an operation on names is durable when the directory
 * was synced after it, data when its file was; of the rest, each may have reached the disk or not.
 * A rename is one operation, as journals make it.
 */
#define FILES_MAX 48
#define NAMES_MAX 48

struct names {
	struct {
		char name[256];
		size_t file;
	} at[NAMES_MAX];
	size_t n;
};

struct disk {
	struct names names; /* before the step */
	struct buf data[FILES_MAX]; /* as they are in the end */
	size_t n_files, n_old;
	const struct crash_log *log;
	struct {
		uint8_t digest[SHA256_LEN];
		int is_over;
	} seen[4096];
	size_t n_seen, n_left;
	crash_left fn;
	void *ctx;
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* ---- names ---- */

static size_t
find(const struct names *l, const char *name)
{
	size_t i = 0;

	while (i < l->n && strcmp(l->at[i].name, name) != 0)
		i++;
	return i;
}

static void
drop(struct names *l, const char *name, size_t file)
{
	size_t i = find(l, name);

	if (i < l->n && l->at[i].file == file)
		l->at[i] = l->at[--l->n];
}

static void
set(struct names *l, const char *name, size_t file)
{
	size_t i = find(l, name);

	must(i < NAMES_MAX, "too many names");
	if (i == l->n)
		l->n++;
	(void)snprintf(l->at[i].name, sizeof(l->at[i].name), "%s", name);
	l->at[i].file = file;
}

/* The file is the one that the operation had in truth, wherever its name may be by now. */
static void
apply(struct names *l, const struct crash_op *op)
{
	switch (op->kind) {
	case CRASH_CREATE:
		set(l, op->name, op->file);
		break;
	case CRASH_RENAME:
		drop(l, op->name, op->file);
		set(l, op->other, op->file);
		break;
	case CRASH_LINK:
		set(l, op->other, op->file);
		break;
	case CRASH_UNLINK:
		drop(l, op->name, op->file);
		break;
	default:
		break;
	}
}

/* ---- what happened in truth ---- */

static void
load(struct disk *d, const char *dir)
{
	DIR *list = opendir(dir);
	ino_t inodes[FILES_MAX];
	struct dirent *de;
	struct stat st;
	size_t file;

	must(list != NULL, dir);
	while ((de = readdir(list)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		must(d->n_files < FILES_MAX, "too many files");
		must(fstatat(dirfd(list), de->d_name, &st, 0) == 0, de->d_name);
		for (file = 0; file < d->n_files && inodes[file] != st.st_ino; file++)
			;
		if (file == d->n_files) {
			scratch_get(dir, de->d_name, &d->data[file]);
			inodes[d->n_files++] = st.st_ino;
		}
		set(&d->names, de->d_name, file);
	}
	(void)closedir(list);
	d->n_old = d->n_files;
}

static void
follow(struct disk *d, struct crash_log *log)
{
	struct names now = d->names;

	for (size_t i = 0; i < log->n; i++) {
		struct crash_op *op = &log->ops[i];
		size_t at = find(&now, op->name);

		if (op->kind == CRASH_CREATE) {
			must(d->n_files < FILES_MAX && at == now.n, "an odd new file");
			op->file = d->n_files++;
		} else if (op->kind != CRASH_SYNC_DIR) {
			must(at < now.n, op->name);
			op->file = now.at[at].file;
		}
		if (op->kind == CRASH_WRITE) {
			must(op->file >= d->n_old, "a write to an old file");
			buf_append(&d->data[op->file], op->data.data, op->data.len);
		}
		apply(&now, op);
	}
	d->log = log;
}

/* ---- what may be left ---- */

static bool
is_synced(const struct disk *d, size_t point, size_t file)
{
	bool synced = true;

	for (size_t i = 0; i < point; i++) {
		if (d->log->ops[i].file != file || file < d->n_old)
			continue;
		if (d->log->ops[i].kind == CRASH_WRITE)
			synced = false;
		if (d->log->ops[i].kind == CRASH_SYNC)
			synced = true;
	}
	return synced;
}

/* The data that a file has, when what was not synced is lost: nothing, or all. */
static const struct buf *
data_of(const struct disk *d, size_t point, size_t file, bool lost)
{
	static const struct buf empty;

	return lost && !is_synced(d, point, file) ? &empty : &d->data[file];
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
was_seen(struct disk *d, struct names *l, size_t point, bool lost)
{
	int is_over = point == d->log->n;
	uint8_t digest[SHA256_LEN];
	struct sha256 h;

	qsort(l->at, l->n, sizeof(l->at[0]), by_name);
	sha256_init(&h);
	for (size_t i = 0; i < l->n; i++) {
		const struct buf *data = data_of(d, point, l->at[i].file, lost);

		sha256_update(&h, l->at[i].name, strlen(l->at[i].name) + 1);
		sha256_update(&h, &l->at[i].file, sizeof(l->at[i].file));
		sha256_update(&h, data->data, data->len);
	}
	sha256_final(&h, digest);
	for (size_t i = 0; i < d->n_seen; i++)
		if (d->seen[i].is_over == is_over &&
		    memcmp(d->seen[i].digest, digest, sizeof(digest)) == 0)
			return true;
	must(d->n_seen < sizeof(d->seen) / sizeof(d->seen[0]), "too many states");
	memcpy(d->seen[d->n_seen].digest, digest, sizeof(digest));
	d->seen[d->n_seen++].is_over = is_over;
	return false;
}

static void
put_file(
    const struct disk *d, const char *dir, const struct names *l, size_t i, size_t point, bool lost)
{
	char from[SCRATCH_MAX + 256], to[SCRATCH_MAX + 256];
	const struct buf *data = data_of(d, point, l->at[i].file, lost);
	size_t first = 0;

	while (l->at[first].file != l->at[i].file)
		first++;
	if (first == i) {
		scratch_put(
		    dir, l->at[i].name, data->len > 0 ? (const void *)data->data : "", data->len);
		return;
	}
	(void)snprintf(from, sizeof(from), "%s/%s", dir, l->at[first].name);
	(void)snprintf(to, sizeof(to), "%s/%s", dir, l->at[i].name);
	must(link(from, to) == 0, to);
}

static void
leave(struct disk *d, struct names *l, size_t point, bool lost)
{
	char dir[SCRATCH_MAX];

	if (was_seen(d, l, point, lost))
		return;
	scratch_new(dir);
	for (size_t i = 0; i < l->n; i++)
		put_file(d, dir, l, i, point, lost);
	d->n_left++;
	d->fn(d->ctx, dir, point == d->log->n);
	scratch_remove(dir);
}

static bool
is_of_names(const struct crash_op *op)
{
	return op->kind == CRASH_CREATE || op->kind == CRASH_RENAME || op->kind == CRASH_LINK ||
	    op->kind == CRASH_UNLINK;
}

/* The power goes between operation point - 1 and the next. */
static void
cut_at(struct disk *d, size_t point)
{
	size_t synced = 0, open[CRASH_OPS_MAX], n = 0;
	struct names sure = d->names;

	for (size_t i = 0; i < point; i++)
		if (d->log->ops[i].kind == CRASH_SYNC_DIR)
			synced = i + 1;
	for (size_t i = 0; i < point; i++) {
		if (i < synced)
			apply(&sure, &d->log->ops[i]);
		else if (is_of_names(&d->log->ops[i]))
			open[n++] = i;
	}
	must(n < 12, "too many operations without a sync");
	for (unsigned set_of = 0; set_of < 1u << n; set_of++) {
		for (int lost = 0; lost < 2; lost++) {
			struct names l = sure;

			for (size_t i = 0; i < n; i++)
				if (set_of & (1u << i))
					apply(&l, &d->log->ops[open[i]]);
			leave(d, &l, point, lost != 0);
		}
	}
}

size_t
crash_cut(const char *before, struct crash_log *log, crash_left fn, void *ctx)
{
	struct disk *d = calloc(1, sizeof(*d));
	size_t n;

	must(d != NULL, "memory");
	d->fn = fn;
	d->ctx = ctx;
	load(d, before);
	follow(d, log);
	for (size_t point = 0; point <= log->n; point++)
		cut_at(d, point);
	n = d->n_left;
	for (size_t i = 0; i < d->n_files; i++)
		buf_done(&d->data[i]);
	free(d);
	return n;
}
