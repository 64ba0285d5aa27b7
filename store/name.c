/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "store/priv.h"

static const char *const suffixes[REPO_PARTS] = {".tar.gz", ".manifest.gz", ".seal"};
#define NEW_SUFFIX ".new"

void
repo_part_name(enum repo_part part, const char *name, struct buf *out)
{
	buf_puts(out, name);
	buf_puts(out, suffixes[part]);
}

void
repo_final_name(enum repo_part part, const char *name, char out[REPO_FILE_MAX])
{
	(void)snprintf(out, REPO_FILE_MAX, "%s%s", name, suffixes[part]);
}

void
repo_new_name(enum repo_part part, const char *name, char out[REPO_FILE_MAX])
{
	(void)snprintf(out, REPO_FILE_MAX, ".%s%s" NEW_SUFFIX, name, suffixes[part]);
}

/* Length of file without suffix, or 0 when it does not end so. */
static size_t
stem(const char *file, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(file + len - n, suffix, n) == 0 ? len - n : 0;
}

bool
repo_file_parse(const char *file, struct repo_file *out)
{
	struct repo_file f = {0};
	size_t len = strlen(file), n;

	if (file[0] == '.') {
		f.is_new = true;
		file++;
		len = stem(file, len - 1, NEW_SUFFIX);
	}
	for (int part = 0; part < REPO_PARTS; part++) {
		n = stem(file, len, suffixes[part]);
		if (n == 0 || n > SEAL_NAME_MAX)
			continue;
		f.part = (enum repo_part)part;
		memcpy(f.name, file, n);
		f.name[n] = '\0';
		if (!seal_name_ok(f.name))
			return false;
		*out = f;
		return true;
	}
	return false;
}
