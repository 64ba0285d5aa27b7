/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/io.h"
#include "core/stop.h"
#include "seal/key.h"
#include "store/priv.h"

/* ---- one seal ---- */

int
repo_seal_text(const struct repo *r, const char *name, struct buf *out, struct err *e)
{
	int fd = repo_open_part(r, REPO_SEAL, name, e), rc = -1;
	struct stat st;
	void *room;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		(void)err_sys(e, "fstat");
	else if (st.st_size > SEAL_FILE_MAX)
		(void)err_set(e, ERR_CORRUPT, "longer than %u bytes", SEAL_FILE_MAX);
	else if ((room = buf_reserve(out, (size_t)st.st_size + 1)) == NULL)
		(void)buf_check(out, e);
	else if ((n = io_pread(fd, room, (size_t)st.st_size, 0, e)) >= 0) {
		out->len += (size_t)n;
		rc = 0;
	}
	(void)close(fd);
	return rc;
}

/* Then there is no seal to have a state. */
static bool
is_no_answer(const struct err *e)
{
	return e->kind == ERR_NOTFOUND || err_is_ours(e);
}

static int
set_state(struct repo_backup *b, enum repo_state state, const struct err *why, struct err *e)
{
	b->state = state;
	if (why == NULL)
		return 0;
	if ((b->why = malloc(sizeof(*b->why))) == NULL)
		return err_nomem(e);
	*b->why = *why;
	return 0;
}

/*
 * What an untrusted seal says is wanted all the same, by list and verify: such a one is parsed
 * again for its form alone.
 */
static int
parse(struct repo_backup *b, const struct buf *text, const struct trust *trust,
    struct err *distrust, struct err *bad)
{
	int rc = seal_parse(&b->seal, text->data, text->len, trust, distrust);

	if (rc < 0)
		rc = seal_parse(&b->seal, text->data, text->len, NULL, bad);
	else if (trust == NULL)
		(void)err_set(distrust, ERR_TRUST, "signature not checked");
	return rc;
}

static int
judge(struct repo_backup *b, const struct buf *text, const struct trust *trust, struct err *e)
{
	struct err distrust = {0}, bad = {0};

	if (parse(b, text, trust, &distrust, &bad) < 0)
		return is_no_answer(&bad) ? err_pass(e, &bad) : set_state(b, REPO_BAD, &bad, e);
	if (strcmp(b->seal.name, b->name) != 0) {
		(void)err_set(&bad, ERR_CORRUPT, "it is the seal of %s", b->seal.name);
		seal_done(&b->seal);
		return set_state(b, REPO_BAD, &bad, e);
	}
	if (!b->seal.is_signed)
		return set_state(b, REPO_UNSIGNED, NULL, e);
	if (distrust.kind == ERR_NONE)
		return set_state(b, REPO_TRUSTED, NULL, e);
	return is_no_answer(&distrust) ? err_pass(e, &distrust)
				       : set_state(b, REPO_UNTRUSTED, &distrust, e);
}

int
repo_read_seal(const struct repo *r, const char *name, const struct trust *trust,
    struct repo_backup *out, struct err *e)
{
	struct repo_backup b = {.state = REPO_BAD};
	struct buf text = {0};
	struct err why = {0};
	int rc;

	if (!seal_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "%s: is not a backup's name", name);
	(void)strcpy(b.name, name);
	b.on_hold = repo_is_on_hold(r, name);
	if (repo_seal_text(r, name, &text, &why) == 0)
		rc = judge(&b, &text, trust, e);
	else if (is_no_answer(&why))
		rc = err_pass(e, &why);
	else
		rc = set_state(&b, REPO_BAD, &why, e);
	buf_done(&text);
	if (rc < 0)
		repo_backup_done(&b);
	else
		*out = b;
	return rc;
}

void
repo_backup_done(struct repo_backup *b)
{
	seal_done(&b->seal);
	free(b->why);
	b->why = NULL;
}

void
repo_list_unchecked(struct repo_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state == REPO_UNTRUSTED)
			l->backups[i].state = REPO_UNSIGNED;
}

bool
repo_counts(const struct repo_backup *b, const char *series, bool accept_unsigned)
{
	if (b->state != REPO_TRUSTED && !(b->state == REPO_UNSIGNED && accept_unsigned))
		return false;
	return series == NULL || strcmp(b->seal.series, series) == 0;
}

static bool
is_newer(const struct repo_backup *b, const struct repo_backup *than)
{
	if (b->seal.sequence != than->seal.sequence)
		return b->seal.sequence > than->seal.sequence;
	return b->state == REPO_TRUSTED && than->state != REPO_TRUSTED;
}

const struct repo_backup *
repo_newest(const struct repo_list *l, const char *series, bool accept_unsigned)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (repo_counts(b, series, accept_unsigned) &&
		    (newest == NULL || is_newer(b, newest)))
			newest = b;
	}
	return newest;
}

const struct repo_backup *
repo_find_name(const struct repo_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->backups[i].name, name) == 0)
			return &l->backups[i];
	return NULL;
}

/* ---- all of them ---- */

typedef char list_name[SEAL_NAME_MAX + 1];

struct found {
	list_name *seals, *archives, *busy; /* busy: in the middle of a commit or a removal */
	list_name *gone; /* those of a removal */
	size_t n_seals, n_archives, n_busy, n_gone;
};

static int
add_name(list_name **names, size_t *n, const char *name, struct err *e)
{
	/* Doubling, seen from the count: a step at each power of two. */
	if ((*n & (*n - 1)) == 0) {
		list_name *more = reallocarray(*names, *n == 0 ? 1 : *n * 2, sizeof(**names));

		if (more == NULL)
			return err_nomem(e);
		*names = more;
	}
	(void)strcpy((*names)[(*n)++], name);
	return 0;
}

static int
collect(void *ctx, const char *file, struct err *e)
{
	struct found *found = ctx;
	struct repo_file f;

	if (stop_check(e) < 0)
		return -1;
	if (!repo_file_parse(file, &f) || f.is_hold)
		return 0;
	if (f.is_gone && add_name(&found->gone, &found->n_gone, f.name, e) < 0)
		return -1;
	if (f.part == REPO_SEAL && (f.is_new || f.is_gone))
		return add_name(&found->busy, &found->n_busy, f.name, e);
	if (f.is_new)
		return 0;
	if (f.part == REPO_SEAL)
		return add_name(&found->seals, &found->n_seals, f.name, e);
	if (f.part == REPO_ARCHIVE)
		return add_name(&found->archives, &found->n_archives, f.name, e);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
by_order(const void *pa, const void *pb)
{
	const struct repo_backup *a = pa, *b = pb;
	int c = strcmp(a->seal.series, b->seal.series);

	if (c != 0)
		return c;
	if (a->seal.sequence != b->seal.sequence)
		return a->seal.sequence < b->seal.sequence ? -1 : 1;
	return strcmp(a->name, b->name);
}

/*
 * Only the newest of each series and state keeps its holds.  Names sort by time
 * mostly, so the one that has them is found at once from behind.  Of two with one sequence it is
 * the first by name, as for all who decide what is held.
 */
static void
drop_holds(struct repo_backup *backups, size_t n)
{
	struct repo_backup *last = &backups[n - 1], *loser;

	for (size_t i = n - 1; i-- > 0;) {
		struct repo_backup *b = &backups[i];

		if (b->seal.n_holds == 0 || b->state != last->state ||
		    strcmp(b->seal.series, last->seal.series) != 0)
			continue;
		loser = b->seal.sequence >= last->seal.sequence ? last : b;
		free(loser->seal.holds);
		loser->seal.holds = NULL;
		loser->seal.n_holds = 0;
		return;
	}
}

static int
read_seals(const struct repo *r, const struct trust *trust, const struct found *found,
    struct repo_list *out, struct err *e)
{
	struct err why = {0};

	if (found->n_seals == 0)
		return 0;
	out->backups = calloc(found->n_seals, sizeof(out->backups[0]));
	if (out->backups == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < found->n_seals; i++) {
		struct repo_backup *b = &out->backups[out->n];

		if (stop_check(e) < 0)
			return -1;
		err_clear(&why);
		if (repo_read_seal(r, found->seals[i], trust, b, &why) == 0) {
			out->n++;
			drop_holds(out->backups, out->n);
		} else if (why.kind != ERR_NOTFOUND) {
			(void)err_pass(e, &why);
			return err_where(e, "%s/%s", r->dir, found->seals[i]);
		}
		/* Else it was pruned since the directory was read. */
	}
	qsort(out->backups, out->n, sizeof(out->backups[0]), by_order);
	return 0;
}

static void
sort_names(list_name *names, size_t n)
{
	if (n > 0)
		qsort(names, n, sizeof(list_name), by_name);
}

static bool
has_name(const list_name *names, size_t n, const char *name)
{
	return n > 0 && bsearch(name, names, n, sizeof(list_name), by_name) != NULL;
}

/*
 * Readers have no lock, and a directory is not read at one instant: between two of its names a seal
 * may have come or gone.  So each is looked for once more, in the order in which a seal goes from
 * name to name, and the archive last, because that goes before the last of them.
 */
static bool
is_unsealed(const struct repo *r, const struct found *found, const char *name)
{
	char files[4][REPO_FILE_MAX];
	struct stat st;

	if (has_name(found->seals, found->n_seals, name) ||
	    has_name(found->busy, found->n_busy, name))
		return false;
	repo_new_name(REPO_SEAL, name, files[0]);
	repo_final_name(REPO_SEAL, name, files[1]);
	repo_gone_name(name, files[2]);
	repo_final_name(REPO_ARCHIVE, name, files[3]);
	for (size_t i = 0; i < 3; i++)
		if (fstatat(r->fd, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			return false;
	return fstatat(r->fd, files[3], &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
find_unsealed(const struct repo *r, const struct found *found, struct repo_list *out, struct err *e)
{
	for (size_t i = 0; i < found->n_archives; i++) {
		const char *name = found->archives[i];

		if (is_unsealed(r, found, name) &&
		    add_name(&out->unsealed, &out->n_unsealed, name, e) < 0)
			return -1;
	}
	return 0;
}

static int
find_gone(const struct found *found, struct repo_list *out, struct err *e)
{
	for (size_t i = 0; i < found->n_gone; i++)
		if (!has_name(found->seals, found->n_seals, found->gone[i]) &&
		    add_name(&out->gone, &out->n_gone, found->gone[i], e) < 0)
			return -1;
	return 0;
}

int
repo_list(const struct repo *r, const struct trust *trust, struct repo_list *out, struct err *e)
{
	struct found found = {0};
	struct repo_list l = {0};
	int rc = repo_each_name(r, collect, &found, e);

	if (rc == 0) {
		sort_names(found.seals, found.n_seals);
		sort_names(found.archives, found.n_archives);
		sort_names(found.busy, found.n_busy);
		sort_names(found.gone, found.n_gone);
		rc = read_seals(r, trust, &found, &l, e);
	}
	if (rc == 0)
		rc = find_unsealed(r, &found, &l, e);
	if (rc == 0)
		rc = find_gone(&found, &l, e);
	free(found.seals);
	free(found.archives);
	free(found.busy);
	free(found.gone);
	if (rc == 0)
		*out = l;
	else
		repo_list_done(&l);
	return rc;
}

void
repo_list_done(struct repo_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		repo_backup_done(&l->backups[i]);
	free(l->backups);
	free(l->unsealed);
	free(l->gone);
	*l = (struct repo_list){0};
}
