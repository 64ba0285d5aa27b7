/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/older.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "pack/reuse.h"
#include "seal/seal.h"
#include "store/repo.h"

const char *const older_modes[] = {"stat", "content", "none", NULL};

/* "libdeflate 1.14 level 6": the library may be another one, what the user asked for not. */
static bool
same_level(const char *a, const char *b)
{
	const char *la = strstr(a, " level "), *lb = strstr(b, " level ");

	return la != NULL && lb != NULL && strcmp(la, lb) == 0;
}

static bool
is_after(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* The newest that is trusted before *i, the number of one; or false. */
static bool
next_older(const struct repo_list *l, const char *series, size_t *i)
{
	while (*i > 0) {
		--*i;
		if (l->backups[*i].state == REPO_TRUSTED &&
		    strcmp(l->backups[*i].seal.series, series) == 0)
			return true;
	}
	return false;
}

static int
open_parts(struct reuse **out, const struct repo *repo, const struct repo_backup *b,
    struct reuse_opts *opts, struct err *e)
{
	opts->seal = &b->seal;
	if ((opts->archive_fd = repo_open_part(repo, REPO_ARCHIVE, b->name, e)) < 0)
		return -1;
	if ((opts->manifest_fd = repo_open_part(repo, REPO_MANIFEST, b->name, e)) < 0) {
		(void)close(opts->archive_fd);
		return -1;
	}
	return reuse_new(out, opts, e);
}

/* 1: it is the one; 0: it cannot be, which was told; -1. */
static int
try_one(struct reuse **out, const struct repo *repo, const struct repo_backup *b,
    const struct seal *seal, enum older_mode mode, struct err *e)
{
	struct reuse_opts opts = {.by_stat = mode == OLDER_STAT, .night = seal->sequence};
	struct err why = {0};

	if (!same_level(b->seal.packer, seal->packer)) {
		log_verbose("nothing is copied from %s: packed by %s", b->name, b->seal.packer);
		return 0;
	}
	if (opts.by_stat && is_after(b->seal.created, seal->created)) {
		log_note("the clock has run backwards since %s: all files are read", b->name);
		opts.by_stat = false;
	}
	if (open_parts(out, repo, b, &opts, &why) == 0)
		return 1;
	if (err_is_ours(&why))
		return err_pass(e, &why);
	log_warn("nothing is copied from %s: %s", b->name, why.msg);
	return 0;
}

int
older_open(struct reuse **out, const struct repo *repo, const struct repo_list *l,
    const struct seal *seal, enum older_mode mode, struct err *e)
{
	int rc = 0;

	*out = NULL;
	if (mode == OLDER_NONE)
		return 0;
	for (size_t i = l->n; rc == 0 && next_older(l, seal->series, &i);)
		rc = try_one(out, repo, &l->backups[i], seal, mode, e);
	return rc < 0 ? -1 : 0;
}
