/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/num.h"
#include "manifest/copy.h"
#include "store/holding.h"

/*
 * A backup's name, its place (series and sequence), and its seal have to agree with what is
 * there.  Whatever does not is left as it is: a copy has nothing to say about which of two
 * histories is the right one.  Nor are two histories of a series mixed: they would spoil each
 * other, and all that happened may be that somebody named another cluster's repository.
 */
struct planner {
	const struct repo *to;
	const struct repo_list *there;
	bool authenticated;
};

bool
copy_counts(const struct repo_backup *b, bool authenticated)
{
	return b->state == REPO_TRUSTED || (!authenticated && b->state != REPO_BAD);
}

/* Who has its place there, trusted or not. */
static const struct repo_backup *
find_place(const struct planner *p, const struct seal *s)
{
	for (size_t i = 0; i < p->there->n; i++) {
		const struct repo_backup *b = &p->there->backups[i];

		if (b->state != REPO_BAD && b->seal.sequence == s->sequence &&
		    strcmp(b->seal.series, s->series) == 0)
			return b;
	}
	return NULL;
}

/* The newest there whose word counts; its holds are in the list. */
static const struct repo_backup *
find_newest(const struct planner *p, const char *series)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < p->there->n; i++) {
		const struct repo_backup *b = &p->there->backups[i];

		if (copy_counts(b, p->authenticated) && strcmp(b->seal.series, series) == 0 &&
		    (newest == NULL || b->seal.sequence > newest->seal.sequence))
			newest = b;
	}
	return newest;
}

/* All but what sealing anew may change: holds, policy, signature. */
static bool
same_data(const struct seal *a, const struct seal *b)
{
	return strcmp(a->series, b->series) == 0 && a->sequence == b->sequence &&
	    a->created.tv_sec == b->created.tv_sec && a->created.tv_nsec == b->created.tv_nsec &&
	    a->archive_size == b->archive_size && a->manifest_size == b->manifest_size &&
	    memcmp(a->archive_digest, b->archive_digest, SHA256_LEN) == 0 &&
	    memcmp(a->manifest_digest, b->manifest_digest, SHA256_LEN) == 0;
}

static bool
holds(const struct seal *s, const struct seal *held)
{
	const struct seal_hold *h = holding_find(s, held->name);

	return h != NULL && memcmp(h->digest, held->text_digest, SHA256_LEN) == 0;
}

/* Where the reason goes. */
static struct buf *
conflict(struct copy_item *item)
{
	item->state = COPY_CONFLICT;
	return &item->why;
}

/* Has the part there the size that its seal speaks of?  Its bytes are verify's to check. */
static bool
check_part(struct copy_item *item, const struct planner *p, enum repo_part part, uint64_t sealed)
{
	struct err why = {0};
	uint64_t size;

	if (repo_stat_part(p->to, part, item->backup->name, &size, &why) != 0)
		buf_printf(conflict(item), "is there already, but not whole: %s", why.msg);
	else if (size != sealed)
		buf_printf(conflict(item),
		    "is there already, but not whole: its %s has %" PRIu64
		    " bytes, sealed were %" PRIu64,
		    part == REPO_ARCHIVE ? "archive" : "manifest", size, sealed);
	return item->state != COPY_CONFLICT;
}

/*
 * A seal is replaced only where nobody speaks of the old one: it is that of the newest there; or
 * the newest there holds the backup under the new seal already.
 */
static void
compare_seals(struct copy_item *item, const struct planner *p, const struct repo_backup *there)
{
	const struct seal *s = &item->backup->seal;
	const struct repo_backup *newest = find_newest(p, s->series);

	if (memcmp(there->seal.text_digest, s->text_digest, SHA256_LEN) == 0)
		item->state = copy_counts(there, p->authenticated) ? COPY_PRESENT : COPY_SEAL_TODO;
	else if (newest == NULL || newest->seal.sequence <= s->sequence || holds(&newest->seal, s))
		item->state = COPY_SEAL_TODO;
	else
		buf_printf(conflict(item),
		    "is there under another seal, and %s, which is newer there, does not hold this "
		    "one",
		    newest->name);
}

static void
other_history(struct copy_item *item, const struct repo_backup *there)
{
	const struct seal *s = &item->backup->seal;

	if (strcmp(item->backup->name, there->name) == 0)
		buf_printf(conflict(item),
		    "series %s is another one there: its %s is not the same backup", s->series,
		    there->name);
	else
		buf_printf(conflict(item),
		    "series %s is another one there: its backup %" PRIu64 " is %s, and not %s",
		    s->series, s->sequence, there->name, item->backup->name);
	item->other_history = true;
}

static const char *
bad_how(const struct repo_backup *b)
{
	return b->why->kind == ERR_SYS ? "cannot be read" : "is bad";
}

static void
plan_same_name(struct copy_item *item, const struct planner *p, const struct repo_backup *there)
{
	if (there->state == REPO_BAD) {
		buf_printf(
		    conflict(item), "its seal there %s: %s", bad_how(there), there->why->msg);
		return;
	}
	if (!same_data(&there->seal, &item->backup->seal)) {
		other_history(item, there);
		return;
	}
	if (!check_part(item, p, REPO_ARCHIVE, there->seal.archive_size) ||
	    !check_part(item, p, REPO_MANIFEST, there->seal.manifest_size))
		return;
	compare_seals(item, p, there);
}

/* A file without a seal: from before Tarseal, or half a copy by other means. */
static void
plan_free_name(struct copy_item *item, const struct planner *p)
{
	static const enum repo_part parts[] = {REPO_ARCHIVE, REPO_MANIFEST};

	for (size_t i = 0; i < 2 && item->state == COPY_TODO; i++) {
		struct err why = {0};
		uint64_t size;

		if (repo_stat_part(p->to, parts[i], item->backup->name, &size, &why) == 0)
			buf_printf(conflict(item), "%s of that name is there without a seal",
			    parts[i] == REPO_ARCHIVE ? "an archive" : "a manifest");
		else if (why.kind != ERR_NOTFOUND)
			buf_printf(conflict(item), "its name is taken: %s", why.msg);
	}
}

static bool
is_acceptable(struct copy_item *item, const struct planner *p)
{
	const struct repo_backup *b = item->backup;

	if (copy_counts(b, p->authenticated))
		return true;
	item->state = b->state == REPO_BAD ? COPY_BAD : COPY_UNTRUSTED;
	if (b->state == REPO_UNSIGNED)
		buf_puts(&item->why, "is not signed");
	else if (b->state == REPO_BAD)
		buf_printf(&item->why, "its seal %s: %s", bad_how(b), b->why->msg);
	else
		buf_puts(&item->why, b->why->msg);
	return false;
}

static void
plan_item(struct copy_item *item, const struct planner *p)
{
	const struct repo_backup *b = item->backup, *there;

	if (!is_acceptable(item, p))
		return;
	item->state = COPY_TODO;
	if ((there = repo_find_name(p->there, b->name)) != NULL)
		plan_same_name(item, p, there);
	else if ((there = find_place(p, &b->seal)) != NULL)
		other_history(item, there);
	else
		plan_free_name(item, p);
	if (item->state == COPY_TODO)
		item->size = b->seal.archive_size + b->seal.manifest_size;
	item->hold =
	    b->on_hold && item->state != COPY_CONFLICT && (there == NULL || !there->on_hold);
}

static void
refuse(struct copy_item *item, const struct copy_item *evidence)
{
	if (item->state != COPY_TODO && item->state != COPY_SEAL_TODO)
		return;
	item->size = 0;
	item->hold = false;
	buf_append(conflict(item), evidence->why.data, evidence->why.len);
}

/* One backup that is not the same here and there speaks for all of its series. */
static void
keep_histories_apart(struct copy_plan *p)
{
	const struct copy_item *evidence = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (!p->items[i].other_history)
			continue;
		evidence = &p->items[i];
		for (size_t k = 0; k < p->n; k++)
			if (strcmp(p->items[k].backup->seal.series,
				evidence->backup->seal.series) == 0)
				refuse(&p->items[k], evidence);
		while (i + 1 < p->n &&
		    strcmp(p->items[i + 1].backup->seal.series, evidence->backup->seal.series) == 0)
			i++;
	}
}

/* Two of the source with one place: the first goes. */
static void
one_for_each_place(struct copy_plan *p)
{
	const struct copy_item *last = NULL;

	for (size_t i = 0; i < p->n; i++) {
		struct copy_item *item = &p->items[i];
		const struct seal *s = &item->backup->seal;

		if (item->state != COPY_TODO)
			continue;
		if (last != NULL && last->backup->seal.sequence == s->sequence &&
		    strcmp(last->backup->seal.series, s->series) == 0) {
			item->size = 0;
			item->hold = false;
			buf_printf(conflict(item),
			    "its place (series %s, sequence %" PRIu64 ") is taken by %s", s->series,
			    s->sequence, last->backup->name);
		} else
			last = item;
	}
}

/* Not before now: a backup that nobody wants tells of another history as well. */
static void
drop_unwanted(struct copy_plan *p, const bool *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (wanted[i])
			p->items[n++] = p->items[i];
		else
			buf_done(&p->items[i].why);
	p->n = n;
}

int
copy_plan_make(struct copy_plan *out, const struct repo_list *from, const bool *wanted,
    const struct repo *to, const struct repo_list *there, bool authenticated, struct err *e)
{
	const struct planner p = {.to = to, .there = there, .authenticated = authenticated};
	struct copy_plan plan = {.items = calloc(from->n + 1, sizeof(*plan.items))};
	int rc = 0;

	if (plan.items == NULL)
		return err_nomem(e);
	for (; plan.n < from->n; plan.n++) {
		plan.items[plan.n].backup = &from->backups[plan.n];
		plan_item(&plan.items[plan.n], &p);
	}
	keep_histories_apart(&plan);
	drop_unwanted(&plan, wanted);
	one_for_each_place(&plan);
	for (size_t i = 0; i < plan.n && rc == 0; i++)
		rc = buf_check(&plan.items[i].why, e);
	if (rc == 0)
		*out = plan;
	else
		copy_plan_done(&plan);
	return rc;
}

void
copy_plan_done(struct copy_plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		buf_done(&p->items[i].why);
	free(p->items);
	*p = (struct copy_plan){0};
}

size_t
copy_held_missing(const struct repo_list *there, const struct repo_backup *b, bool authenticated)
{
	const struct planner p = {.there = there, .authenticated = authenticated};
	size_t missing = 0;

	if (b->state == REPO_BAD || find_newest(&p, b->seal.series) != b)
		return 0;
	for (size_t i = 0; i < b->seal.n_holds; i++) {
		const struct seal_hold *hold = &b->seal.holds[i];
		const struct repo_backup *held = repo_find_name(there, hold->name);

		if (held == NULL || held->state == REPO_BAD ||
		    memcmp(held->seal.text_digest, hold->digest, SHA256_LEN) != 0)
			missing++;
	}
	return missing;
}

/* ---- space ---- */

uint64_t
copy_plan_bytes(const struct copy_plan *p, uint64_t *backups)
{
	uint64_t bytes = 0;

	*backups = 0;
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].state == COPY_TODO) {
			(*backups)++;
			if (__builtin_add_overflow(bytes, p->items[i].size, &bytes))
				bytes = UINT64_MAX;
		}
	return bytes;
}

/* What lies between the bytes of three files and what they take: blocks, and the seal's. */
#define SPACE_MORE (3 * 4096)

int
copy_plan_space(const struct copy_plan *p, const struct repo *to, struct err *e)
{
	uint64_t bytes, inodes, backups, needed = copy_plan_bytes(p, &backups);
	char wants[16], has[16];

	if (backups == 0)
		return 0;
	if (repo_free_space(to, &bytes, &inodes, e) != 0)
		return -1;
	if (__builtin_add_overflow(needed, backups * SPACE_MORE, &needed))
		needed = UINT64_MAX;
	if (inodes / 3 < backups)
		return err_set(e, ERR_SYS,
		    "%s: no room for %" PRIu64 " backup%s: %" PRIu64 " inodes are free, %" PRIu64
		    " are needed",
		    repo_dir(to), backups, backups == 1 ? "" : "s", inodes, 3 * backups);
	if (bytes >= needed)
		return 0;
	num_human(bytes, has);
	num_human(needed, wants);
	return err_set(e, ERR_SYS,
	    "%s: no space for %" PRIu64 " backup%s: %s is free, %s is needed", repo_dir(to),
	    backups, backups == 1 ? "" : "s", has, wants);
}
