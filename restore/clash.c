/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/clash.h"

#include <string.h>

#include "core/err.h"
#include "core/hash.h"

/* The first len bytes of place, which the same part of path would become. */
static int
clashes(const char *path, const char *place, size_t len, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "--strip-components: %.*s is not the only one that would become %.*s",
	    (int)(strlen(path) - strlen(place) + len), path, (int)len, place);
}

/* From the deepest up to one that is known, as are those that it is in. */
static int
add_dirs(struct clash *c, const char *path, const char *place, size_t len, struct err *e)
{
	while (len > 0) {
		uint64_t hash = hash_cut(place, len);
		const char *slash = memrchr(place, '/', len);
		int rc = hashes_add(&c->dirs, hash, e);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (hashes_has(&c->files, hash))
			return clashes(path, place, len, e);
		len = slash == NULL ? 0 : (size_t)(slash - place);
	}
	return 0;
}

int
clash_add(struct clash *c, const char *path, const char *place, bool is_dir, struct err *e)
{
	size_t len = strlen(place);
	const char *slash = memrchr(place, '/', len);
	uint64_t hash = hash_cut(place, len);
	int rc = hashes_add(&c->paths, hash_cut(path, strlen(path)), e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (is_dir)
		return add_dirs(c, path, place, len, e);
	if ((rc = hashes_add(&c->files, hash, e)) < 0)
		return -1;
	if (rc == 1 || hashes_has(&c->dirs, hash))
		return clashes(path, place, len, e);
	return add_dirs(c, path, place, slash == NULL ? 0 : (size_t)(slash - place), e);
}

void
clash_done(struct clash *c)
{
	hashes_done(&c->paths);
	hashes_done(&c->files);
	hashes_done(&c->dirs);
}
