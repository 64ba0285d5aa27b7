/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "tests/unit/scratch.h"

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void
scratch_new(char path[SCRATCH_MAX])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(path, SCRATCH_MAX, "%s/tarseal-XXXXXX", tmp != NULL ? tmp : "/tmp");
	must(mkdtemp(path) != NULL, path);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
scratch_remove(const char *path)
{
	must(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, path);
}

static void
join(char path[SCRATCH_MAX], const char *dir, const char *name)
{
	must(snprintf(path, SCRATCH_MAX, "%s/%s", dir, name) < SCRATCH_MAX, name);
}

void
scratch_put(const char *dir, const char *name, const void *data, size_t len)
{
	char path[SCRATCH_MAX];
	FILE *f;

	join(path, dir, name);
	must((f = fopen(path, "wb")) != NULL, path);
	must(fwrite(data, 1, len, f) == len, path);
	must(fclose(f) == 0, path);
}

void
scratch_puts(const char *dir, const char *name, const char *text)
{
	scratch_put(dir, name, text, strlen(text));
}

void
scratch_get(const char *dir, const char *name, struct buf *out)
{
	char path[SCRATCH_MAX], piece[65536];
	size_t n;
	FILE *f;

	join(path, dir, name);
	must((f = fopen(path, "rb")) != NULL, path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_append(out, piece, n);
	must(!ferror(f) && !out->failed, path);
	(void)fclose(f);
}

bool
scratch_has(const char *dir, const char *name)
{
	char path[SCRATCH_MAX];
	struct stat st;

	join(path, dir, name);
	return lstat(path, &st) == 0;
}

void
scratch_list(const char *dir, char *out, size_t size)
{
	struct dirent **found;
	int n = scandir(dir, &found, NULL, alphasort);
	size_t len = 0;

	must(n >= 0, dir);
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && len < size)
			len += (size_t)snprintf(out + len, size - len, "%s ", name);
		free(found[i]);
	}
	free(found);
}
