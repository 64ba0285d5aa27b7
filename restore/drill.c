/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/drill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "catalog/noting.h"
#include "cli/cli.h"
#include "core/beneath.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "restore/check_command.h"
#include "restore/drill_dir.h"
#include "restore/drill_report.h"
#include "restore/junit.h"
#include "restore/one.h"
#include "restore/opts.h"
#include "restore/prove.h"
#include "restore/report.h"
#include "seal/section.h"
#include "store/repo.h"

/* A tree that is all wrong must not fill memory with its differences. */
#define KEEP_MAX 1000

const char *
drill_step_name(enum drill_step s)
{
	static const char *const names[DRILL_STEPS] = {
	    [DRILL_RESTORE] = "restore",
	    [DRILL_COMPARE] = "compare",
	    [DRILL_CHECK] = "check",
	    [DRILL_REMOVE] = "remove",
	};

	return names[s];
}

/* The backup is good, whatever came of the scratch directory. */
static bool
is_good(const struct drill *d)
{
	return d->steps[DRILL_RESTORE].outcome == DRILL_PASSED &&
	    d->steps[DRILL_COMPARE].outcome == DRILL_PASSED &&
	    d->steps[DRILL_CHECK].outcome != DRILL_FAILED;
}

bool
drill_passed(const struct drill *d)
{
	return is_good(d) && d->steps[DRILL_REMOVE].outcome == DRILL_PASSED;
}

/* ---- comparing ---- */

/*
 * What the restore has told already that it could not do, as this user or on this file system, is
 * no difference that it hid.
 */
static unsigned
unexcused(const struct drill *d, const struct audit_finding *f)
{
	const uint64_t *lacks = d->report->lacks;
	unsigned what = f->what;

	if (lacks[RESTORE_OWNER] > 0)
		what &= ~(unsigned)AUDIT_OWNER;
	if (lacks[RESTORE_XATTR] + lacks[RESTORE_LABEL] + lacks[RESTORE_NO_XATTR] > 0)
		what &= ~(unsigned)AUDIT_XATTRS;
	if (lacks[RESTORE_SETID] > 0 && f->before != NULL && f->now != NULL &&
	    ((f->before->mode ^ f->now->mode) & 01777) == 0)
		what &= ~(unsigned)AUDIT_MODE;
	return what;
}

/* What its owner may not read is restored, and proven then; only root can read it back. */
static bool
is_closed(const struct drill *d, const struct audit_finding *f)
{
	int fd = beneath_open(d->tree, f->path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	bool closed = false;

	if (fd >= 0 && geteuid() != 0 && fstat(fd, &st) == 0) {
		mode_t needed = S_ISDIR(st.st_mode) ? 0500 : 0400;

		closed = (st.st_mode & needed) != needed;
	}
	if (fd >= 0)
		(void)close(fd);
	return closed;
}

static bool
is_excused(const struct drill *d, const struct audit_finding *f)
{
	switch (f->kind) {
	case AUDIT_FACTS:
		return unexcused(d, f) == 0;
	case AUDIT_REMOVED:
		return d->report->lacks[RESTORE_DEVICE] > 0 && f->before != NULL &&
		    (f->before->type == ENTRY_CHAR || f->before->type == ENTRY_BLOCK);
	case AUDIT_UNREADABLE:
		return is_closed(d, f);
	default:
		return false;
	}
}

/* "mode, owner differ", and the like. */
static void
put_how(struct buf *how, const struct drill *d, const struct audit_finding *f)
{
	unsigned what = unexcused(d, f);
	const char *name, *comma = "";

	switch (f->kind) {
	case AUDIT_ADDED:
		buf_puts(how, "is there, and not in the backup");
		return;
	case AUDIT_REMOVED:
		buf_puts(how, "is not there");
		return;
	case AUDIT_UNREADABLE:
		buf_printf(how, "cannot be read back: %s", f->reason);
		return;
	default:
		break;
	}
	buf_puts(how, "is not as in the backup: ");
	for (unsigned bit = 1; (name = audit_what_name(bit)) != NULL; bit <<= 1)
		if ((what & bit) != 0) {
			buf_printf(how, "%s%s", comma, name);
			comma = ", ";
		}
}

static int
keep(struct drill *d, const struct audit_finding *f, const char *how, struct err *e)
{
	struct drill_difference *v = &d->differences[d->n_kept];

	if (d->n_kept == KEEP_MAX)
		return 0;
	*v = (struct drill_difference){
	    .path = strndup(f->path, f->path_len), .path_len = f->path_len, .how = strdup(how)};
	d->n_kept++;
	return v->path != NULL && v->how != NULL ? 0 : err_nomem(e);
}

static int
found(void *ctx, const struct audit_finding *f, struct err *e)
{
	struct drill *d = ctx;
	struct buf how = {0};
	int rc;

	if (is_excused(d, f)) {
		d->excused++;
		return 0;
	}
	put_how(&how, d, f);
	log_warn("%s: %s", f->path_len == 0 ? "." : f->path, buf_str(&how));
	d->n_differences++;
	rc = buf_check(&how, e) == 0 ? keep(d, f, buf_str(&how), e) : -1;
	buf_done(&how);
	return rc;
}

static void
damaged(void *ctx, const char *why)
{
	(void)ctx;
	log_warn("%s", why);
}

/* ---- the steps ---- */

static uint64_t
since(uint64_t began_ns)
{
	return (clock_mono_ns() - began_ns) / 1000000;
}

/* A step that ended with *e, or with a result. */
static int
end_step(struct drill_done *s, uint64_t began_ns, int rc, bool good, const struct err *e)
{
	s->ms = since(began_ns);
	s->outcome = rc == 0 && good ? DRILL_PASSED : DRILL_FAILED;
	if (rc != 0)
		(void)snprintf(s->why, sizeof(s->why), "%s", e->msg);
	return rc;
}

static int
step_restore(struct drill *d, struct restore_one *one, struct err *e)
{
	struct drill_done *s = &d->steps[DRILL_RESTORE];
	const struct restore_report *r = d->report;
	int rc = restore_one_run(one, e);

	restore_report_tell_lacks(r);
	rc = end_step(s, r->began_ns, rc, !restore_report_wrong(r), e);
	if (rc == 0 && s->outcome == DRILL_FAILED)
		(void)snprintf(s->why, sizeof(s->why),
		    "not everything came back as it was: %llu finding%s",
		    (unsigned long long)r->findings, r->findings == 1 ? "" : "s");
	return rc;
}

/*
 * The result counts for more than that of verify, which reads every stored byte; a restore has no
 * need of those behind the last entry, for one.  What is found damaged already is not read again.
 */
static int
compare_packed(struct drill *d, const struct repo *repo, struct err *e)
{
	struct drill_done *s = &d->steps[DRILL_COMPARE];
	struct err why = {0};

	if (d->steps[DRILL_RESTORE].outcome != DRILL_PASSED || s->outcome != DRILL_PASSED ||
	    prove_packed(repo, &d->backup->seal, &why) == 0)
		return 0;
	s->outcome = DRILL_FAILED;
	(void)snprintf(s->why, sizeof(s->why), "%s", why.msg);
	if (why.kind != ERR_CORRUPT)
		return err_pass(e, &why);
	log_warn("%s", why.msg);
	return 0;
}

static int
step_compare(struct drill *d, int tree, const struct repo *repo, struct err *e)
{
	const struct audit_opts o = {
	    .jobs = (unsigned)d->o->jobs, .found = found, .damaged = damaged, .ctx = d};
	struct drill_done *s = &d->steps[DRILL_COMPARE];
	uint64_t began = clock_mono_ns();
	int rc;

	if ((d->differences = calloc(KEEP_MAX, sizeof(*d->differences))) == NULL)
		return err_nomem(e);
	d->tree = tree;
	rc = audit_tree(&o, tree, repo, &d->backup->seal, &d->compared, e);
	d->excused += d->compared.unknown;
	rc = end_step(s, began, rc, d->n_differences + d->compared.damaged == 0, e);
	if (rc == 0 && s->outcome == DRILL_FAILED)
		(void)snprintf(s->why, sizeof(s->why),
		    "%llu difference%s, %llu damaged part%s of the manifest",
		    (unsigned long long)d->n_differences, d->n_differences == 1 ? "" : "s",
		    (unsigned long long)d->compared.damaged, d->compared.damaged == 1 ? "" : "s");
	if (rc == 0)
		rc = compare_packed(d, repo, e);
	s->ms = since(began);
	return rc;
}

static int
step_check(struct drill *d, int tree, struct err *e)
{
	struct drill_done *s = &d->steps[DRILL_CHECK];
	uint64_t began = clock_mono_ns();
	int rc;

	if (d->o->check_command == NULL)
		return 0;
	rc = check_command(d->o->check_command, tree, s->why, sizeof(s->why), e);
	if (rc == 0)
		log_warn("check command: %s", s->why);
	return end_step(s, began, rc < 0 ? -1 : 0, rc == 1, e);
}

static int
all_steps(struct drill *d, struct restore_one *one, struct err *e)
{
	int tree, rc;

	if (step_restore(d, one, e) != 0)
		return -1;
	tree = open(one->o->target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "%s", one->o->target);
	rc = step_compare(d, tree, one->repo, e);
	if (rc == 0)
		rc = step_check(d, tree, e);
	(void)close(tree);
	return rc;
}

/* All as in any restore, but where to. */
static int
in_scratch(struct drill *d, const struct repo *repo, const struct repo_list *list,
    const struct drill_dir *scratch, struct err *e)
{
	struct restore_opts inner = *d->o;
	struct restore_one one = {.o = &inner, .repo = repo, .list = list, .report = d->report};
	char *tree;
	int rc;

	if (asprintf(&tree, "%s/tree", scratch->path) < 0)
		return err_nomem(e);
	inner.target = tree;
	rc = restore_one_open(&one, e);
	d->backup = one.backup;
	if (rc == 0)
		rc = all_steps(d, &one, e);
	else
		(void)end_step(&d->steps[DRILL_RESTORE], d->report->began_ns, rc, false, e);
	restore_one_done(&one);
	free(tree);
	return rc;
}

/* ---- all of it ---- */

/* For manifest list, retention, and who takes turns: no backup of the series was read better. */
static bool
note(const struct drill *d, struct repo *repo)
{
	const struct catalog_verification v = {
	    .at = clock_now().tv_sec, .level = CATALOG_DRILL, .ok = is_good(d)};
	struct catalog *c = NULL;
	struct err e = {0};
	int rc;

	/* One that could not be carried out says nothing of the backup. */
	if (d->steps[DRILL_COMPARE].outcome == DRILL_SKIPPED || d->backup->state != REPO_TRUSTED ||
	    stop_signal() != 0)
		return false;
	if ((rc = catalog_open_noting(&c, repo, 0, &e)) == 0) {
		rc = catalog_add_verification(c, d->backup->seal.text_digest, &v, &e);
		catalog_close_noting(c, repo);
	}
	if (rc != 0)
		log_verbose("the result is not noted in the catalog: %s", e.msg);
	return rc == 0;
}

static const char *
scratch_parent(const struct restore_opts *o)
{
	const char *tmp = getenv("TMPDIR");

	if (o->scratch != NULL)
		return o->scratch;
	return tmp != NULL && *tmp != '\0' ? tmp : "/tmp";
}

/* The first thing that went wrong is how it ended. */
static int
step_remove(struct drill *d, struct drill_dir *scratch, int rc, struct err *e)
{
	uint64_t began = clock_mono_ns();
	struct err why = {0};
	int removed = drill_dir_remove(scratch, &why);

	if (end_step(&d->steps[DRILL_REMOVE], began, removed, true, &why) == 0)
		return rc;
	if (rc == 0)
		return err_pass(e, &why);
	log_warn("%s", why.msg);
	return rc;
}

static int
run(struct drill *d, const struct repo *repo, const struct repo_list *list, struct err *e)
{
	struct drill_dir scratch;
	int rc = drill_dir_make(&scratch, d->scratch, e);

	if (rc != 0) {
		(void)err_where(e, "scratch directory (--scratch DIR)");
		(void)end_step(&d->steps[DRILL_RESTORE], clock_mono_ns(), rc, false, e);
	} else
		rc = in_scratch(d, repo, list, &scratch, e);
	return step_remove(d, &scratch, rc, e);
}

static void
done(struct drill *d)
{
	for (size_t i = 0; i < d->n_kept; i++) {
		free(d->differences[i].path);
		free(d->differences[i].how);
	}
	free(d->differences);
}

enum cli_status
drill_run(const struct restore_opts *o, struct repo *repo, const struct repo_list *list,
    struct restore_report *r, struct err *e)
{
	struct drill d = {.o = o, .report = r, .scratch = scratch_parent(o)};
	enum cli_status status;
	struct err why = {0};
	struct junit junit;

	/* Before the work, so that nobody waits for a report that cannot be written. */
	if (junit_open(&junit, o->junit, &why) != 0) {
		if (e->kind == ERR_NONE)
			(void)err_pass(e, &why);
		return CLI_FAILED;
	}
	if (repo == NULL)
		(void)end_step(&d.steps[DRILL_RESTORE], r->began_ns, -1, false, e);
	else {
		(void)run(&d, repo, list, e);
		d.noted = note(&d, repo);
	}
	status = drill_passed(&d) ? CLI_OK : CLI_WRONG;
	if (d.backup != NULL)
		drill_report(&d, cli_exit_status(e, status));
	junit_write(&junit, &d, e);
	done(&d);
	return status;
}
