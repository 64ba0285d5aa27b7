/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/holding.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/log.h"
#include "store/repo.h"
#include "store/retain.h"

static int
set_policy(struct seal *s, const struct retain_policy *p, struct err *e)
{
	struct buf text = {0};
	char *copy = NULL;

	retain_policy_put(p, &text);
	if (text.len > 0)
		copy = strdup(buf_str(&text));
	bool failed = buf_check(&text, NULL) != 0 || (text.len > 0 && copy == NULL);
	buf_done(&text);
	if (failed) {
		free(copy);
		return err_nomem(e);
	}
	free(s->policy);
	s->policy = copy;
	return 0;
}

int
holding_fill(struct seal *s, const struct retain_set *set, const bool *goes,
    const struct retain_policy *p, struct err *e)
{
	free(s->holds);
	s->holds = NULL;
	s->n_holds = 0;
	for (size_t i = 0; i < set->n; i++) {
		const struct retain_item *it = &set->items[i];
		bool gone = goes != NULL ? goes[i] : it->why == 0;

		if (it->backup == NULL || gone || strcmp(it->backup->name, s->name) == 0)
			continue;
		if (seal_add_hold(s, &it->backup->seal, e) != 0)
			return -1;
	}
	return set_policy(s, p, e);
}

const struct seal_hold *
holding_find(const struct seal *s, const char *name)
{
	for (size_t i = 0; i < s->n_holds; i++)
		if (strcmp(s->holds[i].name, name) == 0)
			return &s->holds[i];
	return NULL;
}

const struct seal_hold *
holding_at(const struct seal *s, uint64_t sequence)
{
	for (size_t i = 0; i < s->n_holds; i++)
		if (s->holds[i].sequence == sequence)
			return &s->holds[i];
	return NULL;
}

static bool
is_there(const struct repo_list *l, const struct seal_hold *h)
{
	const struct repo_backup *b = repo_find_name(l, h->name);

	return b != NULL && b->state != REPO_BAD &&
	    memcmp(b->seal.text_digest, h->digest, sizeof(h->digest)) == 0;
}

void
holding_warn_gone(const struct repo_list *l, const struct repo_backup *newest)
{
	for (size_t i = 0; i < newest->seal.n_holds; i++) {
		const struct seal_hold *h = &newest->seal.holds[i];

		if (!is_there(l, h))
			log_warn("backup %s, which %s holds, is gone or was replaced", h->name,
			    newest->name);
	}
}

static int
check_part(
    const struct repo *r, enum repo_part part, const char *name, uint64_t sealed, struct err *e)
{
	uint64_t size;

	if (repo_stat_part(r, part, name, &size, e) != 0)
		return -1;
	if (size == sealed)
		return 0;
	return err_set(e, ERR_CORRUPT, "%s has %" PRIu64 " bytes, sealed were %" PRIu64,
	    part == REPO_ARCHIVE ? "its archive" : "its manifest", size, sealed);
}

int
holding_check_whole(const struct repo *r, const struct repo_backup *b, struct err *e)
{
	struct err why = {0};

	if (check_part(r, REPO_ARCHIVE, b->name, b->seal.archive_size, &why) == 0 &&
	    check_part(r, REPO_MANIFEST, b->name, b->seal.manifest_size, &why) == 0)
		return 0;
	return err_set(e, why.kind == ERR_NOTFOUND ? ERR_CORRUPT : why.kind,
	    "nothing is removed, because %s, the newest complete one, is damaged: %s (where it is "
	    "lost "
	    "for good, remove its seal)",
	    b->name, why.msg);
}

/* On a volume without a free block even what would make room cannot be done; but one file may go.
 */
static int
tell_way_out(const struct repo *r, struct err *e)
{
	struct err why = *e;

	if (!err_is_no_space(&why))
		return -1;
	return err_set(e, why.kind,
	    "%s (some KiB are needed: %s/%s may go, the next run makes it anew)", why.msg,
	    repo_dir(r), REPO_CATALOG);
}

int
holding_reseal(struct repo *r, const struct repo_backup *newest, const struct retain_set *set,
    const bool *goes, const struct retain_policy *p, const struct key *key, struct err *e)
{
	struct repo_backup b = {.state = REPO_BAD};
	int rc = -1;

	/* What is signed now must be what was proven when the seals were listed. */
	if (repo_read_seal(r, newest->name, NULL, &b, e) != 0)
		return -1;
	if (b.state == REPO_BAD ||
	    memcmp(b.seal.text_digest, newest->seal.text_digest, SHA256_LEN) != 0)
		(void)err_set(e, ERR_CORRUPT, "%s: its seal was changed by somebody else meanwhile",
		    newest->name);
	else if (holding_fill(&b.seal, set, goes, p, e) == 0 &&
	    (rc = repo_reseal(r, &b.seal, key, e)) != 0)
		rc = tell_way_out(r, e);
	repo_backup_done(&b);
	return rc;
}
