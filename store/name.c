/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "store/priv.h"

static const char *const suffixes[REPO_PARTS] = {".tar.gz", ".manifest.gz", ".seal"};
#define NEW_SUFFIX ".new"
#define GONE_SUFFIX ".gone"
#define HOLD_SUFFIX ".hold"

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

void
repo_gone_name(const char *name, char out[REPO_FILE_MAX])
{
	(void)snprintf(out, REPO_FILE_MAX, ".%s%s" GONE_SUFFIX, name, suffixes[REPO_SEAL]);
}

void
repo_hold_name(const char *name, char out[REPO_FILE_MAX])
{
	(void)snprintf(out, REPO_FILE_MAX, "%s" HOLD_SUFFIX, name);
}

void
repo_hold_new_name(const char *name, char out[REPO_FILE_MAX])
{
	(void)snprintf(out, REPO_FILE_MAX, ".%s" HOLD_SUFFIX NEW_SUFFIX, name);
}

/* Length of file without suffix, or 0 when it does not end so. */
static size_t
stem(const char *file, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(file + len - n, suffix, n) == 0 ? len - n : 0;
}

/* file[0..n) as the name of a backup. */
static bool
take_name(struct repo_file *f, const char *file, size_t n)
{
	if (n == 0 || n > SEAL_NAME_MAX)
		return false;
	memcpy(f->name, file, n);
	f->name[n] = '\0';
	return seal_name_ok(f->name);
}

bool
repo_file_parse(const char *file, struct repo_file *out)
{
	struct repo_file f = {0};
	size_t len = strlen(file), n;

	if (file[0] == '.') {
		file++;
		len--;
		if ((n = stem(file, len, NEW_SUFFIX)) > 0)
			f.is_new = true;
		else if ((n = stem(file, len, GONE_SUFFIX)) > 0)
			f.is_gone = true;
		len = n;
	}
	f.is_hold = !f.is_gone && (n = stem(file, len, HOLD_SUFFIX)) > 0;
	for (int part = f.is_gone ? REPO_SEAL : 0; !f.is_hold && part < REPO_PARTS; part++) {
		if ((n = stem(file, len, suffixes[part])) == 0)
			continue;
		f.part = (enum repo_part)part;
		break;
	}
	if (!take_name(&f, file, n))
		return false;
	*out = f;
	return true;
}
