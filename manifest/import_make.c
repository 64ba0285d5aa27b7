/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_make.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/num.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/stop.h"
#include "manifest/import_check.h"
#include "manifest/import_names.h"
#include "manifest/import_plan.h"
#include "manifest/import_read.h"
#include "manifest/import_series.h"
#include "manifest/import_spool.h"
#include "pack/maker.h"
#include "pack/writer.h"
#include "seal/seal.h"

#define SMALL_CHANGE (16u << 20) /* that a database of names and the like may take */

struct making {
	struct import_run *r;
	const struct import_item *it;
	struct import_made *out;
	int fd; /* of the original */
	struct stat st; /* of it, before it is read */
	char archive[SEAL_NAME_MAX + 16]; /* its file name */
	struct import_read read;
	struct import_spool *spool;
	struct import_names *names;
	struct repo_txn *txn;
	struct writer *writer;
	struct buf archive_path, manifest_path;
	struct seal seal;
	bool refused;
};

static void
making_done(struct making *m)
{
	repo_txn_abort(m->txn);
	writer_free(m->writer);
	import_names_free(m->names);
	import_spool_free(m->spool);
	buf_done(&m->archive_path);
	buf_done(&m->manifest_path);
	seal_done(&m->seal);
	if (m->fd >= 0)
		(void)close(m->fd);
}

/* What is wrong with the archive refuses it; anything else ends the run. */
static int
refuse(struct making *m, const struct err *e)
{
	m->refused = e->kind == ERR_CORRUPT || e->kind == ERR_UNSUPPORTED;
	return -1;
}

/* ---- one archive ---- */

static int
open_original(struct making *m, struct err *e)
{
	(void)snprintf(m->archive, sizeof(m->archive), "%s.tar.gz", m->it->name);
	m->fd = repo_open_part(m->r->repo, REPO_ARCHIVE, m->it->name, e);
	if (m->fd < 0)
		return -1;
	return fstat(m->fd, &m->st) == 0 ? 0 : err_sys(e, "%s", m->archive);
}

/*
 * What is needed beside the archive: its content, packed quickly, about 1.3 times as large as the
 * archive; the backup, as large as it; and some.  Of other archives it may be more: the
 * spool asks again as it grows.
 */
static int
check_space(const struct making *m, struct err *e)
{
	uint64_t bytes, inodes, wants = m->it->size / 2 * 5 + SMALL_CHANGE;
	char has[16], needs[16];

	if (repo_free_space(m->r->repo, &bytes, &inodes, e) != 0)
		return -1;
	if (bytes >= wants)
		return 0;
	num_human(bytes, has);
	num_human(wants, needs);
	return err_set(e, ERR_SYS,
	    "repository %s: to import %s takes about %s beside it, for a while, and %s is free",
	    repo_dir(m->r->repo), m->archive, needs, has);
}

static int
describe(struct making *m, struct err *e)
{
	struct seal *s = &m->seal;
	struct buf source = {0};
	int rc = -1;

	repo_source_put(&source, m->it->name, m->read.digest);
	s->sequence = m->it->sequence;
	if (buf_check(&source, e) == 0 && maker_fill(s, buf_str(&source), m->r->level, e) == 0)
		rc = import_series_fill(m->r, s, e);
	buf_done(&source);
	return rc;
}

static int
name_it(struct making *m, struct err *e)
{
	struct seal *s = &m->seal;

	(void)snprintf(s->series, sizeof(s->series), "%s", m->it->series);
	s->created = m->it->created;
	if (repo_free_name(m->r->repo, s->series, s->created.tv_sec, s->name, e) != 0)
		return -1;
	if (repo_part_path(m->r->repo, REPO_ARCHIVE, s->name, &m->archive_path, e) != 0)
		return -1;
	return repo_part_path(m->r->repo, REPO_MANIFEST, s->name, &m->manifest_path, e);
}

static int
start_progress(const struct making *m, uint64_t total, struct err *e)
{
	if (progress_start((enum progress_mode)m->r->progress, "import", e) != 0)
		return -1;
	progress_total(total);
	return 0;
}

static int
read_archive(struct making *m, struct err *e)
{
	if (check_space(m, e) != 0 || name_it(m, e) != 0 ||
	    import_spool_new(&m->spool, m->r->repo, m->seal.name, e) != 0 ||
	    import_names_new(&m->names, m->r->repo, m->seal.name, m->seal.created.tv_sec, e) != 0 ||
	    start_progress(m, m->it->size, e) != 0)
		return -1;
	int rc = import_read(&m->read, m->fd, m->archive, m->spool, m->names, e);
	progress_stop();
	return rc == 0 ? 0 : refuse(m, e);
}

static int
fill(struct making *m, struct err *e)
{
	struct pipeline *p;

	if (writer_pipeline(m->writer, &p, e) != 0)
		return -1;
	if (import_plan(p, m->names, m->spool, e) != 0) {
		pipeline_abort(p);
		(void)err_where(e, "%s", m->archive);
		return refuse(m, e);
	}
	return pipeline_finish(p, e);
}

/* The tar format that we write has no room for an entry: better no backup than one without it. */
static int
check_all_stored(struct making *m, struct err *e)
{
	if (writer_tally(m->writer)->events[TALLY_UNREADABLE] == 0)
		return 0;
	(void)err_set(e, ERR_UNSUPPORTED, "%s: not all of it can be stored", m->archive);
	return refuse(m, e);
}

static int
write_backup(struct making *m, struct err *e)
{
	const struct writer_opts opts = {
	    .archive_fd = repo_txn_archive_fd(m->txn),
	    .manifest_fd = repo_txn_manifest_fd(m->txn),
	    .archive_path = buf_str(&m->archive_path),
	    .manifest_path = buf_str(&m->manifest_path),
	    .name = m->seal.name,
	    .source_fd = -1, /* nothing is read by name */
	    .level = m->r->level,
	    .jobs = m->r->jobs,
	};

	if (writer_new(&m->writer, &opts, e) != 0 || start_progress(m, m->read.bytes, e) != 0)
		return -1;
	int rc = fill(m, e);
	progress_stop();
	if (rc != 0 || stop_check(e) != 0 || check_all_stored(m, e) != 0)
		return -1;
	return writer_finish(m->writer, &m->seal, e);
}

static int
commit(struct making *m, struct err *e)
{
	struct repo_txn *t = m->txn;
	struct buf text = {0};
	int rc = seal_write(&m->seal, m->r->key, &text, e);

	if (rc == 0) {
		m->txn = NULL;
		rc = repo_txn_commit(t, text.data, text.len, e);
	}
	buf_done(&text);
	return rc;
}

/* Sealed and proven: the original has nothing that is not in the backup. */
static int
remove_original(struct making *m, const struct seal *s, struct err *e)
{
	if (!m->r->remove_original)
		return 0;
	if (start_progress(m, s->archive_size, e) != 0)
		return -1;
	int rc = import_check(m->r->repo, s, e);
	progress_stop();
	if (rc != 0) {
		m->out->kept = e->kind == ERR_CORRUPT || e->kind == ERR_NOTFOUND;
		(void)err_where(e, "%s is kept", m->archive);
		return m->out->kept ? 0 : -1;
	}
	if (repo_remove_unsealed(m->r->repo, m->it->name, &m->st, e) != 0)
		return err_where(e, "%s is kept", m->archive);
	m->out->removed = true;
	return import_series_reload(m->r, e);
}

void
import_made_tell(struct import_made *out, const struct seal *s)
{
	(void)snprintf(out->backup, sizeof(out->backup), "%s", s->name);
	out->sequence = s->sequence;
	out->entries = s->entries;
	out->bytes = s->bytes;
	out->archive_size = s->archive_size;
}

/* The backup that has it already: of what it is, and, when that is wanted, proof and removal. */
static int
done_before(struct making *m, const char *backup, struct err *e)
{
	struct repo_backup b = {0};
	int rc = -1;

	m->out->result = IMPORT_DONE_BEFORE;
	if (repo_read_seal(m->r->repo, backup, m->r->trust, &b, e) != 0)
		return -1;
	if (!repo_counts(&b, m->it->series, m->r->key == NULL)) {
		rc = err_set(
		    e, ERR_TRUST, "backup %s, which has %s, is not trusted", backup, m->archive);
	} else {
		import_made_tell(m->out, &b.seal);
		rc = remove_original(m, &b.seal, e);
	}
	repo_backup_done(&b);
	return rc;
}

static int
make_new(struct making *m, struct err *e)
{
	if (read_archive(m, e) != 0)
		return -1;
	memcpy(m->out->digest, m->read.digest, SHA256_LEN);
	/* Imported under another name, and then renamed or copied. */
	const struct repo_backup *b = import_order_find(&m->r->list, m->it->series, m->read.digest);
	if (b != NULL)
		return done_before(m, b->name, e);
	if (describe(m, e) != 0 || repo_txn_begin(&m->txn, m->r->repo, m->seal.name, e) != 0 ||
	    write_backup(m, e) != 0)
		return -1;
	/* Its room is given back before more is asked for. */
	import_names_free(m->names);
	m->names = NULL;
	import_spool_free(m->spool);
	m->spool = NULL;
	if (commit(m, e) != 0 || import_series_reload(m->r, e) != 0 ||
	    import_series_hold(m->r, m->it->series, e) != 0)
		return -1;
	m->out->result = IMPORT_MADE;
	import_made_tell(m->out, &m->seal);
	return remove_original(m, &m->seal, e);
}

static int
make_it(struct making *m, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (open_original(m, e) != 0)
		return -1;
	if (!m->it->is_done)
		return make_new(m, e);
	if (import_digest(m->fd, digest, e) != 0)
		return err_where(e, "%s", m->archive);
	const struct repo_backup *b = import_order_find(&m->r->list, m->it->series, digest);
	if (b == NULL)
		return err_set(e, ERR_SYS, "%s changes while it is read", m->archive);
	memcpy(m->out->digest, digest, sizeof(digest));
	return done_before(m, b->name, e);
}

int
import_make(
    struct import_run *r, const struct import_item *it, struct import_made *out, struct err *e)
{
	struct making m = {.r = r, .it = it, .out = out, .fd = -1};

	*out = (struct import_made){.result = IMPORT_REFUSED};
	int rc = make_it(&m, e);
	making_done(&m);
	if (rc != 0 && m.refused) {
		out->result = IMPORT_REFUSED;
		return 0;
	}
	return rc;
}
