/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_put.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "restore/bare_look.h"
#include "restore/bare_read.h"
#include "restore/bare_set.h"
#include "restore/extract.h"
#include "restore/facts.h"
#include "restore/finish_one.h"
#include "restore/place.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/target.h"

struct put {
	const struct restore_job_ctx *ctx;
	struct bare_read read;
	struct restore_finish_one one; /* its parent serves all */
	const struct bare_look *look;
	struct bare_set came; /* what a hard link may be a name of */
	struct bare_set made; /* merge: places of what we made ourselves */
	struct bare_set closed; /* links that have got the data of what they are names of */
};

/* ---- content ---- */

#define HOLE_UNIT 65536u

static bool
is_zero(const uint8_t *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Whole units of zeros stay holes: a sparse file whose zeros were stored fits where it came from.
 */
static int
put_piece(int fd, const uint8_t *data, size_t len, uint64_t offset, struct err *e)
{
	while (len > 0) {
		size_t n = HOLE_UNIT - (size_t)(offset % HOLE_UNIT);

		if (n > len)
			n = len;
		if ((n < HOLE_UNIT || !is_zero(data, n)) && io_pwrite(fd, data, n, offset, e) != 0)
			return -1;
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* 0; 1: the archive breaks off in it, which e tells; -1. */
static int
put_content(struct put *p, int fd, const struct entry *en, struct err *e)
{
	uint64_t offset;
	const void *data;
	size_t len;
	int rc;

	while ((rc = bare_read_data(&p->read, &data, &len, &offset, e)) == 1)
		if (put_piece(fd, data, len, offset, e) != 0)
			return -1;
	if (rc < 0)
		return p->read.broken ? 1 : -1;
	/* What is zero at its end was not written. */
	return ftruncate(fd, (off_t)en->size) == 0 ? 0 : err_sys(e, "ftruncate");
}

/* ---- things ---- */

/* Content and facts.  As put_content(); fd is closed in every case. */
static int
fill(struct put *p, int fd, const struct entry *en, const char *place, struct err *e)
{
	int rc = put_content(p, fd, en, e);

	if (rc == 0)
		restore_facts_fd(fd, en, place, p->ctx->report);
	if (io_close(&fd, rc == 0 ? e : NULL) != 0)
		return -1;
	return rc;
}

static int
put_file(struct put *p, const struct entry *en, const char *place, struct err *e)
{
	const struct timespec mtime = {(time_t)en->mtime_sec, (long)en->mtime_nsec};
	const struct restore_target *t = p->ctx->target;
	struct restore_parent *parent = &p->one.parent;
	struct restore_place l;
	int rc = restore_place_begin(&l, parent, t, place, &mtime), fd;

	if (rc == 0)
		return 0;
	if (rc < 0 || (fd = restore_make_file(&l, en)) < 0)
		return restore_not_made(p->ctx->report, place, e);
	if ((rc = fill(p, fd, en, place, e)) != 0) {
		restore_place_drop(&l, parent, t, place);
		if (rc < 0)
			return err_where(e, "%s", place);
		restore_lost(p->ctx->report, place, strlen(place), "not restored: %s", e->msg);
		return -1; /* read.broken: what follows is told of once */
	}
	if (restore_place_end(&l, parent, t, place) != 0)
		return restore_not_made(p->ctx->report, place, e);
	restore_count(p->ctx->report, en->size);
	return 0;
}

/*
 * Of what is in the archive only, and came before: not of what the target has of that name.  A link
 * that got the data of what it is a name of has it: should that come again, it is another file.
 */
static int
put_link(struct put *p, const struct entry *en, const char *place, struct err *e)
{
	if (!bare_set_has(&p->came, en->link)) {
		restore_lost(p->ctx->report, place, strlen(place),
		    "not restored: it is a name of %s, which does not come before it in what is "
		    "restored",
		    *en->link != '\0' ? en->link : ".");
		return 0;
	}
	if (restore_select_is_aliased(p->ctx->select, en->link) &&
	    bare_set_add(&p->closed, en->link, e) != 0)
		return -1;
	return restore_finish_link(&p->one, place, en->link, e);
}

static int
put_thing(struct put *p, const struct entry *en, const char *place, struct err *e)
{
	struct restore_report *r = p->ctx->report;

	switch (en->type) {
	case ENTRY_FILE:
		return put_file(p, en, place, e);
	case ENTRY_HARDLINK:
		return put_link(p, en, place, e);
	default:
		return restore_make_other(&p->one.parent, p->ctx->target, place, en, r, e) < 0 ? -1
											       : 0;
	}
}

/*
 * Among what is there --overwrite says what may go; but what this restore made itself gives way
 * whatever it says, or else the first of two entries of one name would stay.
 */
static int
put_merged(struct put *p, const struct entry *en, const char *place, struct err *e)
{
	struct restore_merge *m = p->ctx->target->merge;
	const enum restore_overwrite told = m->overwrite;
	uint64_t kept = atomic_load(&m->kept), lost = p->ctx->report->lost;
	uint64_t replaced = atomic_load(&m->replaced);
	bool ours = bare_set_has(&p->made, place);
	int rc;

	if (ours)
		m->overwrite = OVERWRITE_ALWAYS;
	rc = put_thing(p, en, place, e);
	m->overwrite = told;
	if (ours)
		atomic_store(&m->replaced, replaced); /* it was not there before us */
	if (rc != 0 || ours || atomic_load(&m->kept) != kept || p->ctx->report->lost != lost)
		return rc;
	return bare_set_add(&p->made, place, e);
}

static bool
stays_out(const struct put *p, const char *place)
{
	return p->look->lost_stays && path_within(place, strlen(place), "lost+found", 10);
}

/* NULL: it is not wanted, or cannot be, which is a finding. */
static const char *
place_of(struct put *p, const struct entry *en)
{
	const struct restore_job_ctx *ctx = p->ctx;
	bool is_dir = en->type == ENTRY_DIR;
	const char *place = restore_select_place(ctx->select, en->path, en->path_len, is_dir);
	const char *why = NULL;

	if (place == NULL || bare_set_has(&p->closed, en->path) ||
	    (is_dir && restore_select_is_aliased(ctx->select, en->path)))
		return NULL;
	if (*place == '\0' && !is_dir)
		why = "it stands for the top of the tree, and is no directory";
	else if (stays_out(p, place))
		why = "the target has a lost+found of its own";
	if (why == NULL)
		return place;
	/* The directory itself is on each ext4, and nobody misses it. */
	if (!is_dir || strcmp(place, "lost+found") != 0)
		restore_lost(ctx->report, place, strlen(place), "not restored: %s", why);
	return NULL;
}

static int
put_entry(struct put *p, const struct entry *en, struct err *e)
{
	const struct restore_job_ctx *ctx = p->ctx;
	const char *lost = bare_read_lost(&p->read), *place = place_of(p, en);

	if (place == NULL)
		return 0;
	if (lost != NULL)
		restore_found(ctx->report, place, strlen(place), "%s; left out", lost);
	if (en->type == ENTRY_DIR)
		return put_thing(p, en, place, e);
	if ((ctx->target->merge != NULL ? put_merged : put_thing)(p, en, place, e) != 0)
		return -1;
	return bare_set_add(&p->came, en->path, e);
}

/* ---- directories ---- */

static bool
is_there(const struct restore_target *t, const char *path)
{
	int fd = beneath_open(t->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* Directories on the way that are there stay as they are: nobody asked for them. */
static bool
is_ours_to_set(void *ctx, const struct bare_dir *d)
{
	const struct put *p = ctx;
	const char *place = d->dir.en.path;

	if (p->ctx->target->merge != NULL && !d->wanted && is_there(p->ctx->target, place))
		return false;
	return !stays_out(p, place);
}

/* Children before parents. */
static void
set_dirs(struct put *p, const struct bare_dirs *dirs)
{
	uint64_t made_up = 0;

	for (size_t i = dirs->n; i-- > 0;) {
		const struct bare_dir *d = &dirs->v[i];

		if (!d->wanted && !is_there(p->ctx->target, d->dir.en.path))
			continue;
		restore_finish_dir(&p->one, &d->dir, d->dir.en.path);
		made_up += d->number == 0;
	}
	if (made_up > 0)
		log_note("of %" PRIu64
			 " director%s on the way the archive says nothing: mode 0755, and ours",
		    made_up, made_up == 1 ? "y" : "ies");
}

/* ---- all ---- */

static int
read_all(struct put *p, struct err *e)
{
	struct entry en;
	int rc;

	while ((rc = bare_read_next(&p->read, &en, e)) == 1)
		if ((rc = put_entry(p, &en, e)) != 0)
			break;
	return rc;
}

/* It ends here, or ended somewhere else the first time. */
static void
judge(struct put *p, int rc, const struct bare_look *l, const struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (rc != 0) {
		restore_lost(p->ctx->report, NULL, 0,
		    "what follows in the archive is not restored: %s", e->msg);
		return;
	}
	bare_read_digest(&p->read, digest);
	if (!l->whole || memcmp(digest, l->digest, SHA256_LEN) != 0)
		restore_lost(p->ctx->report, NULL, 0, "the archive changed while it was read");
}

int
bare_put(const struct restore_job_ctx *ctx, int fd, struct bare_look *l, struct err *e)
{
	struct put p = {.ctx = ctx, .one = {.ctx = ctx, .parent = {.fd = -1}}, .look = l};
	int rc = -1;

	bare_dirs_sift(&l->dirs, is_ours_to_set, &p);
	if (bare_read_open(&p.read, fd, e) == 0 && ((rc = read_all(&p, e)) == 0 || p.read.broken)) {
		judge(&p, rc, l, e);
		err_clear(e);
		set_dirs(&p, &l->dirs);
		rc = 0;
	}
	bare_read_close(&p.read);
	restore_parent_done(&p.one.parent);
	bare_set_done(&p.came);
	bare_set_done(&p.made);
	bare_set_done(&p.closed);
	return rc;
}
