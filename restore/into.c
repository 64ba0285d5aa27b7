/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/into.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/each_name.h"
#include "core/err.h"
#include "core/log.h"
#include "core/num.h"
#include "core/restoring.h"
#include "core/words.h"
#include "restore/opts.h"
#include "restore/prove.h"
#include "restore/ready.h"
#include "restore/report.h"
#include "restore/root.h"
#include "restore/spell.h"
#include "restore/swap.h"
#include "store/repo.h"

/* ---- the directory ---- */

static int
open_target(const char *dir)
{
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
parent_is_there(const char *dir)
{
	char *copy = strdup(dir);
	bool there = copy != NULL && access(dirname(copy), X_OK) == 0;

	free(copy);
	return there;
}

static int
open_or_make(struct into *i, struct err *e)
{
	const char *dir = i->o->target;

	i->fd = open_target(dir);
	if (i->fd >= 0 || errno != ENOENT || (i->o->dry_run && parent_is_there(dir)))
		return i->fd >= 0 || errno == ENOENT ? 0 : err_sys(e, "target %s", dir);
	if (i->o->dry_run || mkdir(dir, 0755) != 0)
		return err_sys(e, "make target %s", dir);
	i->made = true;
	i->fd = open_target(dir);
	return i->fd >= 0 ? 0 : err_sys(e, "target %s", dir);
}

static int
is_something(void *ctx, const char *name, struct err *e)
{
	(void)ctx;
	(void)e;
	return strcmp(name, "lost+found") != 0 && strcmp(name, RESTORING_DIR) != 0;
}

/* ---- may it be? ---- */

enum into_mode
into_mode_of(const struct restore_opts *o, bool everything)
{
	if (o->mode != INTO_AUTO)
		return (enum into_mode)o->mode;
	return everything ? INTO_STAGE : INTO_MERGE;
}

const char *
into_mode_word(enum into_mode m)
{
	return m == INTO_STAGE ? "stage" : m == INTO_MERGE ? "merge" : "wipe";
}

/* Swapping users to bring back users/alice/p.jpg would cost all others their files. */
static int
check_names(const struct into *i, const struct into_what *what, struct err *e)
{
	if (i->mode == INTO_MERGE || what->everything || (i->mode == INTO_STAGE && what->tops))
		return 0;
	return err_set(e, ERR_USAGE,
	    i->mode == INTO_WIPE ? "--mode wipe restores everything: it takes no PATH"
				 : "--mode stage replaces what is there: only of whole names at "
				   "the top of the backup");
}

/* The command that does with the space there is, as one would type it. */
static void
wipe_command(const struct restore_opts *o, const struct seal *s, struct buf *out)
{
	buf_puts(out, "restore --mode wipe --repo ");
	words_quote(out, o->repo);
	if (o->trust != NULL) {
		buf_puts(out, " --trust ");
		words_quote(out, o->trust);
	}
	if (o->untrusted)
		buf_puts(out, " --untrusted");
	buf_puts(out, " --backup ");
	words_quote(out, s->name);
	buf_puts(out, " --target ");
	words_quote(out, o->target);
}

static int
no_room(const struct into *i, const struct into_what *what, uint64_t room, struct err *e)
{
	char want[16], have[16];
	struct buf command = {0};

	num_human(what->bytes, want);
	num_human(room, have);
	if (i->mode == INTO_STAGE && what->everything && !i->empty)
		wipe_command(i->o, what->seal, &command);
	(void)err_set(e, ERR_SYS, "target %s: %s of files do not fit%s, where %s is free%s%s%s",
	    i->o->target, want, i->empty ? "" : " beside what is there", have,
	    command.len > 0 ? "; if what is there may go first: " : "", buf_str(&command),
	    command.len > 0 ? "" : " (--force tries)");
	buf_done(&command);
	return -1;
}

static int
check_room(const struct into *i, const struct into_what *what, struct err *e)
{
	struct ready_room room = ready_room(i->fd);

	/* What a wipe makes free is not known beforehand. */
	if (i->o->force || (i->mode == INTO_WIPE && !i->empty))
		return 0;
	if (what->bytes > room.bytes)
		return no_room(i, what, room.bytes, e);
	if (what->entries > room.inodes)
		return err_set(e, ERR_SYS,
		    "target %s: %" PRIu64 " entries, and %" PRIu64 " free inodes (--force tries)",
		    i->o->target, what->entries, room.inodes);
	return 0;
}

static int
check(struct into *i, const struct into_what *what, struct err *e)
{
	const struct restore_opts *o = i->o;

	if (ready_apart(i->fd, o->target, repo_fd(what->repo), o->repo, e) != 0)
		return -1;
	i->empty = each_name(i->fd, is_something, NULL, e) == 0;
	if (e->kind != ERR_NONE)
		return err_where(e, "target %s", o->target);
	if (i->mode != INTO_MERGE && !i->empty &&
	    (ready_no_mounts(i->fd, o->target, e) != 0 ||
		(!o->force && ready_unused(i->fd, o->target, e) != 0)))
		return -1;
	return check_room(i, what, e);
}

/* ---- what a run before left ---- */

static int
take_over(struct into *i, bool everything, struct err *e)
{
	if (work_open(&i->work, i->fd, i->o->target, e) != 0 || swap_recover(&i->work, e) != 0)
		return -1;
	if (i->work.state == WORK_WIPING && (i->mode == INTO_MERGE || !everything))
		return err_set(e, ERR_SYS,
		    "target %s: what was there is gone, for a restore of all of %s: that has to be "
		    "done first (the same without PATHs)",
		    i->o->target, i->work.backup);
	return 0;
}

/* --dry-run changes nothing there. */
static int
look(struct into *i, struct err *e)
{
	struct work w;
	bool busy;
	int rc = work_look(&w, i->fd, i->o->target, &busy, e);

	if (rc == 0 && busy)
		rc = err_set(
		    e, ERR_LOCKED, "target %s: another restore is at work there", i->o->target);
	else if (rc == 0 && w.state != WORK_NONE)
		log_note(
		    "target %s: a restore of %s was cut short there, which is finished or undone "
		    "first",
		    i->o->target, w.backup);
	work_close(&w);
	return rc;
}

static int
unmake(const struct into *i)
{
	if (i->made)
		(void)rmdir(i->o->target); /* something may be there all the same */
	return -1;
}

int
into_open(struct into *i, const struct restore_opts *o, const struct into_what *what, struct err *e)
{
	*i = (struct into){.o = o, .fd = -1, .mode = into_mode_of(o, what->everything)};
	i->work = (struct work){.fd = -1, .lock_fd = -1, .new_fd = -1, .old_fd = -1};
	if (check_names(i, what, e) != 0 || open_or_make(i, e) != 0)
		return -1;
	if (i->fd < 0)
		return 0; /* --dry-run, and it would be made */
	if ((o->dry_run ? look(i, e) : take_over(i, what->everything, e)) != 0 ||
	    check(i, what, e) != 0)
		return unmake(i);
	return 0;
}

/* ---- the ways ---- */

static int
begin_stage(struct into *i, const struct into_what *what, struct err *e)
{
	i->work.whole = what->everything;
	if (work_begin(&i->work, WORK_STAGING, what->seal->name, e) != 0)
		return -1;
	return work_open_new(&i->work, e);
}

/* What is there goes only for what is sound to its last byte. */
static int
prove(const struct into_what *what, struct err *e)
{
	if (!what->alone)
		return prove_packed(what->repo, what->seal, e);
	if (what->proven)
		return 0;
	return err_set(e, ERR_CORRUPT,
	    "%s.tar.gz is not sound: what is there is not removed for it", what->seal->name);
}

static int
begin_wipe(struct into *i, const struct into_what *what, struct err *e)
{
	i->work.whole = true;
	if (prove(what, e) != 0)
		return -1;
	if (work_begin(&i->work, WORK_WIPING, what->seal->name, e) != 0)
		return -1;
	if (swap_wipe(&i->work, e) != 0)
		return -1;
	return work_open_new(&i->work, e);
}

static int
begin_merge(struct into *i, const struct into_what *what, struct err *e)
{
	if (work_begin(&i->work, WORK_MERGING, what->seal->name, e) != 0 ||
	    work_open_new(&i->work, e) != 0)
		return -1;
	i->merge.temp_fd = i->work.new_fd;
	i->merge.overwrite = (enum restore_overwrite)i->o->overwrite;
	i->merge.force = i->o->force;
	return pthread_mutex_init(&i->merge.lock, NULL) == 0 ? 0 : err_nomem(e);
}

int
into_begin(struct into *i, const struct into_what *what, struct err *e)
{
	int rc;

	/* Modes are given in full, by all threads. */
	(void)umask(0);
	if (i->mode == INTO_MERGE)
		rc = begin_merge(i, what, e);
	else if (i->mode == INTO_WIPE || i->work.state == WORK_WIPING) /* a part is gone already */
		rc = begin_wipe(i, what, e);
	else
		rc = begin_stage(i, what, e);
	i->target = (struct restore_target){
	    .fd = i->mode == INTO_MERGE ? i->fd : i->work.new_fd,
	    .merge = i->mode == INTO_MERGE ? &i->merge : NULL,
	    .folds = rc == 0 && spell_folds(i->work.new_fd),
	    .again = what->alone,
	};
	/* Of an archive alone a name may come again, and is what it is at last. */
	i->merge.folds = i->target.folds && !what->alone;
	return rc;
}

int
into_judge(const struct into *i, const struct restore_report *r, const char *backup, struct err *e)
{
	if (r->lost == 0 || i->o->force || i->empty || i->mode != INTO_STAGE)
		return 0;
	return err_set(e, ERR_CORRUPT, "%s is not all there (--force takes what there is)", backup);
}

int
into_commit(struct into *i, struct err *e)
{
	struct stat st;

	if (syncfs(i->fd) != 0)
		return err_sys(e, "sync target %s", i->o->target);
	if (i->mode != INTO_MERGE)
		return swap_in(&i->work, e);
	/* Its time may have been restored, and goes on with the work directory. */
	if (fstat(i->fd, &st) != 0)
		return err_sys(e, "target %s", i->o->target);
	if (swap_give_up(&i->work, e) != 0)
		return -1;
	return root_set_time(i->fd, &st.st_mtim, i->o->target, e);
}

void
into_tell(const struct into *i, struct restore_report *r)
{
	bool merged = i->mode == INTO_MERGE;

	r->mode = into_mode_word(i->mode);
	r->replaced = merged ? atomic_load(&i->merge.replaced) : i->work.moved_out;
	r->stayed = merged ? atomic_load(&i->merge.kept) : 0;
}

static const char *
remains(const struct into *i)
{
	switch (i->work.state) {
	case WORK_NONE:
	case WORK_STAGING:
		return "is as it was";
	case WORK_MERGING:
		return "is not complete";
	case WORK_WIPING:
		return "is not complete, and what was there is gone";
	default:
		return "has all of it, not yet in its place (run it again, or --recover)";
	}
}

static int
give_up(struct into *i, struct err *e)
{
	switch (i->work.state) {
	case WORK_STAGING:
	case WORK_MERGING:
		if (swap_give_up(&i->work, e) != 0)
			return -1;
		(void)unmake(i);
		return 0;
	case WORK_WIPING:
		return work_clear(&i->work, e);
	default:
		return 0; /* the next run finishes it */
	}
}

int
into_failed(struct into *i, struct err *e)
{
	struct err why = {0};

	(void)err_where(e, "target %s %s", i->o->target, remains(i));
	if (give_up(i, &why) != 0)
		log_warn("%s", why.msg);
	return -1;
}

void
into_close(struct into *i)
{
	if (i->o == NULL)
		return;
	work_close(&i->work);
	hashes_done(&i->merge.made);
	if (i->fd >= 0)
		(void)close(i->fd);
	i->fd = -1;
}

int
into_recover(const char *dir, struct err *e)
{
	struct work w;
	int fd = open_target(dir), rc;

	if (fd < 0)
		return err_sys(e, "target %s", dir);
	if ((rc = work_open(&w, fd, dir, e)) == 0)
		rc = swap_recover(&w, e);
	if (rc == 0 && w.state == WORK_WIPING)
		rc = err_set(e, ERR_SYS,
		    "target %s: what was there is gone: only a restore of everything ends that",
		    dir);
	work_close(&w);
	(void)close(fd);
	return rc;
}
