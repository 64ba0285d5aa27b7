/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/beneath.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "store/repo.h"
#include "store/side.h"
#include "tree/audit_job.h"
#include "tree/exclude.h"
#include "tree/inodes.h"
#include "tree/walk.h"

/*
 *	walk -----+
 *	          merge (the caller) --- jobs of items --> workers --> sink
 *	side -----+
 *
 * The merge alone sees names in order, so it decides what belongs together: which two are the same
 * path, and which names are one file.  A file with several names is read under the first of them;
 * what was found there is kept by the sink, and holds for the names to come.
 */
struct run {
	const struct audit_opts *o;
	int rootfd;
	struct audit_totals *totals; /* the merge counts unknown and damaged, the sink all else */
	struct walk *walk;
	struct side *side;
	struct pipeline *line;
	struct audit_job *job; /* being filled; or NULL */
	struct walk_item w;
	bool has_w;
	uint64_t root_dev;
	struct buf closed; /* a path below which nothing can be seen */
	bool has_closed;
	struct inodes seen; /* origin: the path that holds their content in the backup */
	struct inodes verdicts; /* the sink's */
};

/* ---- the sink ---- */

#define SHARED_WHAT (AUDIT_CONTENT | AUDIT_XATTRS | AUDIT_MOVING)

static bool
has_names(const struct audit_item *it)
{
	return it->compare && it->names > 1 && S_ISREG(it->now.mode);
}

/* Why what was found under this name does not hold for the file's others; NULL: it does. */
static const char *
no_verdict(const struct audit_item *it)
{
	if (!it->has_now || it->now.ino != it->ino || it->now.dev != it->dev)
		return "its other name was taken away before it was read";
	return it->kind == AUDIT_UNREADABLE ? it->reason : NULL;
}

/* For the other names of a file that was read. */
static int
keep_verdict(struct run *r, const struct audit_item *it, struct err *e)
{
	struct inode f = {.dev = it->dev,
	    .ino = it->ino,
	    .left = it->names - 1,
	    .what = it->what & SHARED_WHAT,
	    .reason = no_verdict(it)};

	if ((f.what == 0 && f.reason == NULL) || inodes_find(&r->verdicts, f.dev, f.ino) != NULL)
		return 0;
	return inodes_put(&r->verdicts, &f, e);
}

static void
add_verdict(struct run *r, struct audit_item *it)
{
	struct inode *f = inodes_find(&r->verdicts, it->dev, it->ino);

	if (f == NULL)
		return;
	it->found = true;
	it->what |= f->what;
	it->kind = (it->what & AUDIT_CONTENT) != 0 ? AUDIT_CHANGED : AUDIT_FACTS;
	if ((it->reason = f->reason) != NULL) {
		it->kind = AUDIT_UNREADABLE;
		it->what = 0;
	}
	inodes_seen(&r->verdicts, f);
}

static int
tell(const struct run *r, const struct audit_item *it, struct err *e)
{
	const struct audit_finding f = {.kind = it->kind,
	    .what = it->kind == AUDIT_CHANGED || it->kind == AUDIT_FACTS ? it->what : 0,
	    .path = it->path,
	    .path_len = it->path_len,
	    .reason = it->kind == AUDIT_UNREADABLE ? it->reason : NULL,
	    .before = it->has_before ? &it->before : NULL,
	    .now = it->has_now ? &it->now : NULL,
	    .now_link = it->now_link};

	return r->o->found != NULL ? r->o->found(r->o->ctx, &f, e) : 0;
}

static int
settle(struct run *r, struct audit_item *it, struct err *e)
{
	if (has_names(it)) {
		if (!it->read)
			add_verdict(r, it);
		else if (keep_verdict(r, it, e) != 0)
			return -1;
	}
	r->totals->bytes += it->bytes;
	if (!it->found) {
		r->totals->unchanged++;
		return 0;
	}
	r->totals->kinds[it->kind]++;
	return tell(r, it, e);
}

static int
sink(void *ctx, void *job, struct err *e)
{
	struct audit_job *j = job;

	for (size_t i = 0; i < j->n; i++)
		if (settle(ctx, j->items[i], e) != 0)
			return -1;
	progress_add(0, j->n);
	return 0;
}

/* ---- the workers ---- */

static void *
worker_new(void *ctx, struct err *e)
{
	const struct run *r = ctx;

	return audit_looker_new(r->rootfd, e);
}

static int
work(void *ctx, void *worker, void *job, struct err *e)
{
	struct audit_job *j = job;

	(void)ctx;
	for (size_t i = 0; i < j->n; i++)
		if (j->items[i]->compare && audit_look(worker, j->items[i], e) != 0)
			return -1;
	return 0;
}

/* ---- handing over ---- */

static int
submit(struct run *r, struct err *e)
{
	struct audit_job *j = r->job;

	r->job = NULL;
	return j != NULL ? pipeline_submit(r->line, j, e) : 0;
}

/* Takes it. */
static int
hand_over(struct run *r, struct audit_item *it, struct err *e)
{
	uint64_t bytes = it->path_len + (it->compare && it->read ? it->now.size : 0);

	if (r->job == NULL && (r->job = audit_job_new(e)) == NULL) {
		audit_item_free(it);
		return -1;
	}
	r->job->items[r->job->n++] = it;
	r->job->bytes += bytes;
	return audit_job_full(r->job) ? submit(r, e) : 0;
}

/* What is known already: of line, of the walk's item, or of both. */
static int
find(struct run *r, enum audit_kind kind, const struct section_line *line,
    const struct walk_item *w, struct err *e)
{
	struct audit_item *it = audit_item_new(line, w, e);

	if (it == NULL)
		return -1;
	it->found = true;
	it->kind = kind;
	it->what = kind == AUDIT_CHANGED ? AUDIT_TYPE : 0;
	return hand_over(r, it, e);
}

/* ---- one file, several names ---- */

/* Is target in the tree surely another file than w? 1, 0, -1. */
static int
is_apart(const struct run *r, const struct walk_item *w, const char *target, struct err *e)
{
	const char *base;
	struct stat st;
	int dir = beneath_parent(r->rootfd, target, &base), rc, saved;

	rc = dir < 0 ? -1 : fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT);
	saved = errno;
	if (dir >= 0)
		(void)close(dir);
	if (rc == 0)
		return st.st_dev != w->facts.dev || st.st_ino != w->facts.ino;
	errno = saved;
	if (err_is_shortage(errno))
		return err_sys(e, "source: %s", target);
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

static uint64_t
origin_of(const struct section_line *line)
{
	return line->type == ENTRY_HARDLINK ? hash_cut(line->link, line->link_len)
					    : hash_cut(line->path, line->path_len);
}

/* The first name of a file to be met: whether it is another's name, has to be looked up. */
static int
first_name(struct run *r, const struct section_line *line, struct audit_item *it, struct err *e)
{
	struct inode f = {
	    .dev = it->dev, .ino = it->ino, .origin = origin_of(line), .left = it->names - 1};
	int apart = 0;

	if (line->type == ENTRY_HARDLINK && (apart = is_apart(r, &r->w, line->link, e)) < 0)
		return -1;
	it->link = apart ? AUDIT_LINK : 0;
	f.what = it->link;
	return f.left > 0 ? inodes_put(&r->seen, &f, e) : 0;
}

/* Sets it->read and it->link. */
static int
join(struct run *r, const struct section_line *line, struct audit_item *it, struct err *e)
{
	struct inode *f = inodes_find(&r->seen, it->dev, it->ino);

	it->read = true;
	if (f == NULL)
		return first_name(r, line, it, e);
	if (f->origin != origin_of(line))
		it->link = AUDIT_LINK;
	else {
		it->link = f->what;
		it->read = line->type != ENTRY_HARDLINK;
	}
	inodes_seen(&r->seen, f);
	return 0;
}

/* What a hard link's target holds, into its own line. 1; 0: it cannot be known; -1. */
static int
look_up_content(struct run *r, struct audit_item *it, struct err *e)
{
	struct targets_content c;
	int rc = 1;

	if (!it->read || it->before.type != ENTRY_HARDLINK)
		return 1;
	if ((rc = side_content(r->side, &c, e)) != 1)
		return rc;
	it->before.size = c.size;
	it->before.has_sha256 = true;
	it->before.has_xattrs = c.has_xattrs;
	memcpy(it->before.sha256, c.sha256, SHA256_LEN);
	memcpy(it->before.xattrs, c.xattrs, SHA256_LEN);
	return 1;
}

/* ---- the merge ---- */

static bool
is_file(enum entry_type type)
{
	return type == ENTRY_FILE || type == ENTRY_HARDLINK;
}

/* The path that both have. */
static int
both(struct run *r, struct err *e)
{
	const struct section_line *line = side_line(r->side);
	struct audit_item *it = audit_item_new(line, &r->w, e);
	int rc = 1;

	if (it == NULL)
		return -1;
	it->compare = true;
	if (is_file(line->type) && S_ISREG(it->now.mode)) {
		rc = join(r, line, it, e) == 0 ? look_up_content(r, it, e) : -1;
		if (rc == 0)
			r->totals->unknown++;
	}
	if (rc == 1)
		return hand_over(r, it, e);
	audit_item_free(it);
	return rc;
}

static int
only_in_tree(struct run *r, struct err *e)
{
	if (side_all_notes(r->side, e) != 0)
		return -1;
	if (side_lost(r->side) || side_lacks(r->side, r->w.path, r->w.path_len)) {
		r->totals->unknown++;
		return 0;
	}
	return find(r, AUDIT_ADDED, NULL, &r->w, e);
}

/* By a pattern that matches it or a directory above it; and what the walk never tells of. */
static bool
is_excluded(const struct run *r, const struct section_line *line)
{
	if (path_within(line->path, line->path_len, "lost+found", strlen("lost+found")))
		return true;
	if (r->o->exclude == NULL)
		return false;
	for (size_t i = 1; i < line->path_len; i++)
		if (line->path[i] == '/' && exclude_match(r->o->exclude, line->path, i, true))
			return true;
	return exclude_match(r->o->exclude, line->path, line->path_len, line->type == ENTRY_DIR);
}

static int
only_in_backup(struct run *r, struct err *e)
{
	const struct section_line *line = side_line(r->side);

	if ((r->has_closed &&
		path_within(line->path, line->path_len, buf_str(&r->closed), r->closed.len)) ||
	    is_excluded(r, line)) {
		r->totals->unknown++;
		return 0;
	}
	return find(r, AUDIT_REMOVED, line, NULL, e);
}

/* What lies below the walk's path is not to be seen. */
static int
close_path(struct run *r, struct err *e)
{
	r->has_closed = true;
	buf_clear(&r->closed);
	buf_append(&r->closed, r->w.path, r->w.path_len);
	return buf_check(&r->closed, e);
}

static int
entry(struct run *r, bool also_before, struct err *e)
{
	if (r->w.path_len == 0)
		r->root_dev = r->w.facts.dev;
	else if (r->o->one_file_system && S_ISDIR(r->w.facts.mode) &&
	    r->w.facts.dev != r->root_dev && close_path(r, e) != 0)
		return -1;
	return also_before ? both(r, e) : only_in_tree(r, e);
}

/* What the walk says; also_before: of a path that the side stands at. */
static int
take(struct run *r, bool also_before, struct err *e)
{
	const struct section_line *line = also_before ? side_line(r->side) : NULL;

	switch (r->w.kind) {
	case WALK_ENTRY:
		return entry(r, also_before, e);
	case WALK_UNREADABLE:
		return close_path(r, e) != 0 ? -1 : find(r, AUDIT_UNREADABLE, line, &r->w, e);
	case WALK_SKIPPED:
		return also_before ? find(r, AUDIT_CHANGED, line, &r->w, e) : 0;
	case WALK_VANISHED:
	case WALK_EXCLUDED:
		break;
	}
	return also_before ? only_in_backup(r, e) : 0;
}

static int
next_item(struct run *r, struct err *e)
{
	int rc = walk_next(r->walk, &r->w, e);

	r->has_w = rc == 1;
	return rc < 0 ? -1 : 0;
}

/* <0: the side's path comes first; >0: the walk's. */
static int
order(const struct run *r)
{
	const char *path;
	size_t len;

	if (!r->has_w || side_at(r->side) == SIDE_END)
		return r->has_w ? 1 : -1;
	path = side_path(r->side, &len);
	return path_cmp(path, len, r->w.path, r->w.path_len);
}

static int
step(struct run *r, struct err *e)
{
	int cmp = order(r);

	if (cmp <= 0 && side_at(r->side) == SIDE_SECTION)
		return side_enter(r->side, e);
	if (cmp < 0)
		return only_in_backup(r, e) != 0 ? -1 : side_next(r->side, e);
	if (take(r, cmp == 0, e) != 0 || (cmp == 0 && side_next(r->side, e) != 0))
		return -1;
	return next_item(r, e);
}

static int
merge(struct run *r, struct err *e)
{
	int rc = next_item(r, e);

	while (rc == 0 && (r->has_w || side_at(r->side) != SIDE_END))
		rc = step(r, e);
	return rc == 0 ? submit(r, e) : rc;
}

/* ---- all of it ---- */

static void
damaged(void *ctx, const char *why)
{
	struct run *r = ctx;

	r->totals->damaged++;
	if (r->o->damaged != NULL)
		r->o->damaged(r->o->ctx, why);
}

static int
run_pipeline(struct run *r, struct err *e)
{
	const struct pipeline_opts po = {.workers = r->o->jobs > 0 ? r->o->jobs : 1,
	    .ctx = r,
	    .worker_new = worker_new,
	    .worker_free = audit_looker_free,
	    .work = work,
	    .sink = sink,
	    .job_free = audit_job_free};

	if (pipeline_new(&r->line, &po, e) != 0)
		return -1;
	if (merge(r, e) == 0)
		return pipeline_finish(r->line, e);
	pipeline_abort(r->line);
	return -1;
}

/* The tree must not hold the repository, which is none of its files. */
static int
walk_options(
    const struct audit_opts *o, const struct repo *repo, struct walk_opts *wo, struct err *e)
{
	struct stat st;

	if (fstat(repo_fd(repo), &st) != 0)
		return err_sys(e, "fstat");
	*wo = (struct walk_opts){.exclude = o->exclude,
	    .one_file_system = o->one_file_system,
	    .has_forbidden = true,
	    .forbidden_dev = st.st_dev,
	    .forbidden_ino = st.st_ino};
	return 0;
}

int
audit_tree(const struct audit_opts *o, int rootfd, const struct repo *repo, const struct seal *seal,
    struct audit_totals *out, struct err *e)
{
	struct audit_totals totals = {0};
	struct run r = {.o = o, .rootfd = rootfd, .totals = &totals};
	const struct side_opts so = {.damaged = damaged, .ctx = &r};
	struct walk_opts wo;
	int rc = -1;

	if (walk_options(o, repo, &wo, e) == 0 && side_open(&r.side, repo, seal, &so, e) == 0 &&
	    walk_new(&r.walk, rootfd, &wo, e) == 0)
		rc = run_pipeline(&r, e);
	audit_job_free(r.job);
	walk_free(r.walk);
	side_close(r.side);
	buf_done(&r.closed);
	inodes_done(&r.seen);
	inodes_done(&r.verdicts);
	if (rc == 0)
		*out = totals;
	return rc;
}

bool
audit_clean(const struct audit_totals *t)
{
	uint64_t n = t->damaged;

	for (int i = 0; i < AUDIT_KINDS; i++)
		n += t->kinds[i];
	return n == 0;
}

const char *
audit_kind_name(enum audit_kind kind)
{
	static const char *const names[AUDIT_KINDS] = {
	    "added", "removed", "changed", "facts", "unreadable"};

	return names[kind];
}

const char *
audit_what_name(unsigned bit)
{
	static const char *const names[] = {
	    "type", "content", "mode", "owner", "mtime", "xattrs", "link", "device", "changing"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bit == 1u << i)
			return names[i];
	return NULL;
}
