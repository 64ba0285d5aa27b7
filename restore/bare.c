/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "core/progress.h"
#include "restore/bare_cat.h"
#include "restore/bare_look.h"
#include "restore/bare_put.h"
#include "restore/extract.h"
#include "restore/flush.h"
#include "restore/into.h"
#include "restore/load.h"
#include "restore/opts.h"
#include "restore/preview.h"
#include "restore/ready.h"
#include "restore/report.h"
#include "restore/root.h"
#include "restore/select.h"

struct run {
	const struct bare *b;
	const struct restore_opts *o;
	const struct repo_backup *backup;
	struct restore_report *report;
	int fd; /* the archive */
	uint64_t size;
	bool sealed; /* it is what a trusted seal signs */
	struct bare_look look;
	struct into into;
	struct preview preview;
};

/* ---- may it be? ---- */

/* NAME, or NAME.tar.gz. */
static bool
is_named(const char *typed, const char *name)
{
	size_t len = strlen(name);

	return typed != NULL && strncmp(typed, name, len) == 0 &&
	    (typed[len] == '\0' || strcmp(typed + len, ".tar.gz") == 0);
}

/* What has no seal, or one that cannot be read, is only taken by its whole name. */
static const char *
name_without_seal(const struct bare *b)
{
	const struct repo_list *l = b->list;

	for (size_t i = 0; i < l->n_unsealed; i++)
		if (is_named(b->o->backup, l->unsealed[i]))
			return l->unsealed[i];
	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state == REPO_BAD && is_named(b->o->backup, l->backups[i].name))
			return l->backups[i].name;
	return NULL;
}

static bool
has_archive(const struct bare *b, const char *name)
{
	uint64_t size;

	return repo_stat_part(b->repo, REPO_ARCHIVE, name, &size, NULL) == 0;
}

/* And not memory, or a signal? */
static bool
is_manifest_lost(const struct err *e)
{
	return e->kind == ERR_NOTFOUND || e->kind == ERR_UNSUPPORTED || restore_load_lost(e);
}

/* One that can be read, or not. */
static bool
has_seal(const struct bare *b, const char *name)
{
	return b->backup != NULL || repo_find_name(b->list, name) != NULL;
}

static const char *
who_vouches(const struct bare *b)
{
	return b->backup != NULL && b->backup->state == REPO_TRUSTED
	    ? "which is compared with the digest that the seal signs"
	    : "which nothing vouches for but gzip's checksums";
}

/* Says what to add; what is there of a seal keeps its own error. */
static void
offer(const struct bare *b, const char *name, struct err *e)
{
	struct err was = *e;

	if (has_seal(b, name))
		(void)err_set(e, was.kind,
		    "%.1000s; --untrusted restores it from %s.tar.gz alone, %s", was.msg, name,
		    who_vouches(b));
	else
		(void)err_set(e, ERR_TRUST,
		    "%s has no seal; --untrusted restores it from %s.tar.gz alone, %s (manifest "
		    "import makes a backup of it)",
		    name, name, who_vouches(b));
}

static void
warn(const struct bare *b, const char *name, const struct err *e)
{
	if (has_seal(b, name))
		log_warn(
		    "%s; it is restored from %s.tar.gz alone, %s", e->msg, name, who_vouches(b));
	else
		log_warn("%s has no seal; it is restored from %s.tar.gz alone, %s", name, name,
		    who_vouches(b));
}

bool
bare_take(struct bare *b, struct err *e)
{
	const char *name = b->backup != NULL ? b->backup->name : name_without_seal(b);

	if (name == NULL || !has_archive(b, name) || (b->backup != NULL && !is_manifest_lost(e)))
		return false;
	if (!b->o->untrusted) {
		offer(b, name, e);
		return false;
	}
	warn(b, name, e);
	err_clear(e);
	if (b->backup == NULL) {
		b->none = (struct repo_backup){.state = REPO_BAD};
		(void)strcpy(b->none.name, name);
		(void)strcpy(b->none.seal.name, name);
	}
	return true;
}

/* ---- what it holds ---- */

static int
look(struct run *r, struct err *e)
{
	struct bare_look_opts how = {.select = r->b->select, .ctx = &r->preview};

	if (r->o->dry_run) {
		preview_begin(&r->preview, r->o,
		    into_mode_of(r->o, restore_select_all(r->b->select)), r->report);
		how.each = preview_entry;
	}
	if (bare_look(&r->look, r->fd, &how, e) != 0)
		return -1;
	restore_select_misses(r->b->select, r->report);
	return 0;
}

/* What is known of it before anything is touched. */
static void
compare(struct run *r)
{
	const char *name = r->backup->name;

	if (!r->look.whole) {
		if (r->o->dry_run)
			restore_lost(r->report, NULL, 0, "%s.tar.gz: %s", name, r->look.why.msg);
		return; /* else it is told where the restore comes to it */
	}
	if (r->backup->state != REPO_TRUSTED)
		return;
	r->sealed = memcmp(r->look.digest, r->backup->seal.archive_digest, SHA256_LEN) == 0;
	if (r->sealed)
		log_note("%s.tar.gz is what the seal signs: its content can be trusted", name);
	else
		restore_lost(r->report, NULL, 0, "%s.tar.gz is not what the seal signs", name);
	r->report->alone = r->sealed ? "sealed" : r->report->alone;
}

static bool
is_all_there(const struct run *r)
{
	return r->look.whole && (r->sealed || r->backup->state != REPO_TRUSTED);
}

static struct into_what
what_of(const struct run *r)
{
	return (struct into_what){.repo = r->b->repo,
	    .seal = &r->backup->seal,
	    .everything = restore_select_all(r->b->select),
	    .tops = r->b->tops,
	    .alone = true,
	    .proven = is_all_there(r),
	    .bytes = r->look.bytes,
	    .entries = r->look.entries};
}

/* ---- restoring it ---- */

/*
 * Where there is something to lose, what takes its place has to be all there.  In what is not sound
 * any file may be wrong, which nothing tells: so a merge waits for a person's word, too.
 */
static int
judge_archive(const struct run *r, struct err *e)
{
	const struct into *i = &r->into;

	if (is_all_there(r) || r->o->force || i->empty || i->mode == INTO_WIPE)
		return 0; /* wipe has a judge of its own, whom nothing sways */
	return err_set(e, ERR_CORRUPT, "%s.tar.gz is not %s%s (--force takes what there is)",
	    r->backup->name, r->look.whole ? "what the seal signs" : "all there: ",
	    r->look.whole ? "" : r->look.why.msg);
}

static int
put(struct run *r, struct err *e)
{
	const struct restore_job_ctx ctx = {.repo = r->b->repo,
	    .select = r->b->select,
	    .target = &r->into.target,
	    .report = r->report};
	struct restore_flush flush;
	int rc;

	restore_flush_begin(&flush, r->into.target.fd);
	rc = bare_put(&ctx, r->fd, &r->look, e);
	restore_flush_end(&flush);
	return rc;
}

/* An archive may say nothing of the top of the tree: then the target is as it was. */
static int
keep_root(struct run *r, struct err *e)
{
	const struct into *i = &r->into;
	struct stat st;

	if (i->mode == INTO_MERGE || !restore_select_all(r->b->select) || r->look.has_root)
		return 0;
	if (fstat(i->fd, &st) != 0)
		return err_sys(e, "target %s", r->o->target);
	if (root_copy(i->fd, i->target.fd, r->o->target, e) != 0)
		return -1;
	return root_set_time(i->target.fd, &st.st_mtim, r->o->target, e);
}

static bool
has_lost_and_found(const struct into *i)
{
	return i->mode != INTO_MERGE &&
	    faccessat(i->fd, "lost+found", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
write_into(struct run *r, const struct into_what *what, struct err *e)
{
	r->look.lost_stays = has_lost_and_found(&r->into);
	if (judge_archive(r, e) != 0 || into_begin(&r->into, what, e) != 0 || put(r, e) != 0 ||
	    keep_root(r, e) != 0 || into_judge(&r->into, r->report, r->backup->name, e) != 0)
		return -1;
	return into_commit(&r->into, e);
}

static int
write_target(struct run *r, struct err *e)
{
	const struct into_what what = what_of(r);
	int rc;

	if (into_open(&r->into, r->o, &what, e) != 0)
		return -1;
	rc = write_into(r, &what, e);
	into_tell(&r->into, r->report);
	return rc == 0 ? 0 : into_failed(&r->into, e);
}

static int
preview(struct run *r, struct err *e)
{
	const struct into_what what = what_of(r);
	struct restore_report *rep = r->report;

	rep->entries = what.entries;
	rep->bytes = what.bytes;
	if (r->o->target == NULL)
		return 0;
	if (into_open(&r->into, r->o, &what, e) != 0 ||
	    preview_end(&r->preview, what.everything, e) != 0)
		return -1;
	rep->mode = into_mode_word(r->into.mode);
	rep->stayed = r->preview.n[PREVIEW_KEEP];
	if (r->into.mode == INTO_MERGE)
		rep->replaced = r->preview.n[PREVIEW_REPLACE];
	rep->needed = what.bytes;
	rep->room = r->into.fd < 0 ? UINT64_MAX : ready_room(r->into.fd).bytes;
	return 0;
}

static int
cat(const struct run *r, struct err *e)
{
	if (bare_cat(r->b->select, r->fd, r->report, e) == 0)
		return 0;
	return e->kind == ERR_CORRUPT ? err_where(e, "%s", r->backup->name) : -1;
}

/* Where nothing is written to a target there is no progress to show: stdout may be the terminal. */
static int
start_progress(const struct run *r, struct err *e)
{
	if (r->o->dry_run || r->o->to_stdout)
		return 0;
	if (progress_start((enum progress_mode)r->o->common.progress, "restore", e) != 0)
		return -1;
	progress_total(2 * r->size);
	return 0;
}

static int
restore(struct run *r, struct err *e)
{
	if (look(r, e) != 0)
		return -1;
	compare(r);
	if (r->o->dry_run)
		return preview(r, e);
	/* A misspelt name should not leave an empty target behind. */
	if (!restore_select_all(r->b->select) && r->look.entries == 0)
		return 0;
	return r->o->to_stdout ? cat(r, e) : write_target(r, e);
}

static int
open_archive(struct run *r, struct err *e)
{
	if (repo_stat_part(r->b->repo, REPO_ARCHIVE, r->backup->name, &r->size, e) != 0)
		return -1;
	r->fd = repo_open_part(r->b->repo, REPO_ARCHIVE, r->backup->name, e);
	return r->fd >= 0 ? 0 : -1;
}

int
bare_run(struct bare *b, struct restore_report *report, struct err *e)
{
	struct run r = {.b = b,
	    .o = b->o,
	    .backup = b->backup != NULL ? b->backup : &b->none,
	    .report = report,
	    .fd = -1,
	    .preview = {.fd = -1}};
	int rc;

	report->alone = "unproven";
	restore_report_begin(report, b->o, r.backup);
	if ((rc = open_archive(&r, e)) == 0 && (rc = start_progress(&r, e)) == 0)
		rc = restore(&r, e);
	progress_stop();
	bare_look_done(&r.look);
	preview_done(&r.preview);
	into_close(&r.into);
	(void)io_close(&r.fd, NULL); /* read only: nothing to lose */
	return rc;
}
