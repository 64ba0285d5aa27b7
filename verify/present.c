/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/present.h"

#include <inttypes.h>

#include "core/err.h"
#include "store/repo.h"
#include "verify/held.h"
#include "verify/opts.h"
#include "verify/pick.h"
#include "verify/report.h"

struct part {
	enum repo_part part;
	const char *suffix, *code;
	uint64_t size; /* as sealed */
};

/* A pruning takes the seal away before anything else. */
static bool
still_sealed(const struct repo *repo, const struct repo_backup *b)
{
	uint64_t size;
	struct err why = {0};

	return repo_stat_part(repo, REPO_SEAL, b->name, &size, &why) == 0 ||
	    why.kind != ERR_NOTFOUND;
}

static void
check_part(const struct repo *repo, const struct repo_backup *b, const struct part *p,
    struct verify_report *r)
{
	struct err why = {0};
	uint64_t size = 0;
	int rc = repo_stat_part(repo, p->part, b->name, &size, &why);

	if ((rc == 0 && size == p->size) || !still_sealed(repo, b))
		return;
	if (rc < 0)
		verify_report_put(r, VERIFY_DAMAGE, p->code, "%s", why.msg);
	else
		verify_report_put(r, VERIFY_DAMAGE, p->code,
		    "%s%s: has %" PRIu64 " bytes, sealed were %" PRIu64, b->name, p->suffix, size,
		    p->size);
}

void
verify_present(const struct repo *repo, const struct verify_held_set *set, struct verify_report *r)
{
	for (size_t i = 0; i < set->list->n; i++) {
		const struct repo_backup *b = &set->list->backups[i];
		const struct part archive = {
		    REPO_ARCHIVE, ".tar.gz", "archive-file", b->seal.archive_size};
		const struct part manifest = {
		    REPO_MANIFEST, ".manifest.gz", "manifest-file", b->seal.manifest_size};

		if (set->picks->picked[i] || !verify_in_scope(b, set->opts) ||
		    b->state == REPO_BAD || (b->state != REPO_TRUSTED && !set->opts->untrusted))
			continue;
		check_part(repo, b, &archive, r);
		check_part(repo, b, &manifest, r);
	}
}
