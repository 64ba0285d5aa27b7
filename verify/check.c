/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive/tarwrite.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "store/repo.h"
#include "verify/bigfile.h"
#include "verify/job.h"
#include "verify/links.h"
#include "verify/opts.h"
#include "verify/report.h"

/*
 * main thread                      workers (job.c)               sink (here)
 * index lines in order      ->     read, digest, section   ->    digest of the whole archive,
 * gaps where the index             deep: unpack, compare         large files, findings in order
 * is damaged, as raw reads
 */
#define PIECE (1u << 20)

struct check {
	const struct repo_backup *backup;
	const struct seal *seal;
	const struct verify_opts *opts;
	struct verify_report *report;
	struct verify_source source;
	uint64_t archive_len, manifest_len; /* as the files are */
	bool manifest_good; /* the whole file's digest */
	struct manifest_reader *reader; /* NULL: no sound index */
	struct verify_counts counts;

	/* The sink's. */
	struct sha256 archive_hash;
	bool archive_incomplete; /* some byte was not hashed */
	bool archive_damaged; /* and said so */
	bool cut_told;
	struct verify_bigfile big;
	struct verify_links links;
	char *last_path; /* of the member before */
	uint64_t files_bytes; /* sizes of files, as the seal counts them */
};

static void __attribute__((format(printf, 4, 5)))
found(struct check *c, enum verify_kind kind, const char *code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	verify_report_found(c->report,
	    &(struct verify_finding){
		.kind = kind, .code = code, .text = text != NULL ? text : "?"});
	free(text);
}

static bool
is_our_trouble(const struct err *why)
{
	return why->kind == ERR_STOPPED ||
	    (why->kind == ERR_SYS &&
		(why->sys == ENOMEM || why->sys == EMFILE || why->sys == ENFILE));
}

/* ---- the two files ---- */

static const char *
added_or_missing(uint64_t is, uint64_t want)
{
	return is > want ? "added behind its end" : "missing at its end";
}

/* An fd, -1 with a finding, or -2 with an error. */
static int
open_part(struct check *c, const struct repo *r, enum repo_part part, uint64_t *len, struct err *e)
{
	static const char *const words[] = {"archive", "manifest"};
	static const char *const codes[] = {"archive-file", "manifest-file"};
	uint64_t want = part == REPO_ARCHIVE ? c->seal->archive_size : c->seal->manifest_size;
	struct err why = {0};
	struct stat st;
	int fd = repo_open_part(r, part, c->backup->name, &why);

	if (fd >= 0 && fstat(fd, &st) != 0) {
		(void)err_sys(&why, "%s", words[part]);
		(void)close(fd);
		fd = -1;
	}
	if (fd < 0) {
		if (is_our_trouble(&why))
			return *e = why, -2;
		found(c, VERIFY_DAMAGE, codes[part], "%s", why.msg);
		return -1;
	}
	*len = (uint64_t)st.st_size;
	if (*len != want)
		found(c, VERIFY_DAMAGE, codes[part],
		    "the %s has %" PRIu64 " bytes, sealed were %" PRIu64 ": %" PRIu64 " are %s",
		    words[part], *len, want, *len > want ? *len - want : want - *len,
		    added_or_missing(*len, want));
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return fd;
}

/* Digest of the first len bytes of a file, or of what there is. */
static int
hash_file(int fd, uint64_t len, uint8_t digest[SHA256_LEN], struct err *e)
{
	struct sha256 h;
	uint8_t *piece = malloc(PIECE);
	ssize_t n = 0;

	if (piece == NULL)
		return err_nomem(e);
	sha256_init(&h);
	for (uint64_t at = 0; at < len; at += (uint64_t)n) {
		size_t want = len - at < PIECE ? (size_t)(len - at) : PIECE;

		if (stop_check(e) < 0 || (n = io_pread(fd, piece, want, at, e)) < 0) {
			free(piece);
			return -1;
		}
		sha256_update(&h, piece, (size_t)n);
		if (n == 0)
			break;
	}
	free(piece);
	sha256_final(&h, digest);
	return 0;
}

/*
 * The whole file's digest, as sha256sum has it.  What of it is hurt is told by root,
 * head, pages and sections, each on its own.
 */
static int
check_manifest_digest(struct check *c, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct err why = {0};

	if (hash_file(c->source.manifest_fd, c->seal->manifest_size, digest, &why) < 0) {
		if (is_our_trouble(&why))
			return *e = why, -1;
		found(c, VERIFY_DAMAGE, "manifest-read", "the manifest: %s", why.msg);
		return 0;
	}
	c->manifest_good = memcmp(digest, c->seal->manifest_digest, SHA256_LEN) == 0;
	if (!c->manifest_good)
		found(c, VERIFY_DAMAGE, "manifest-digest",
		    "the manifest's digest differs from the sealed one");
	return 0;
}

static int
open_index(struct check *c, struct err *e)
{
	struct err why = {0};

	if (c->source.manifest_fd < 0)
		return 0;
	if (manifest_reader_new(&c->reader, c->source.manifest_fd, c->seal, &why) < 0) {
		if (is_our_trouble(&why))
			return *e = why, -1;
		found(c, VERIFY_DAMAGE, "manifest-index", "%s (so damage cannot be named by file)",
		    why.msg);
		return 0;
	}
	if (manifest_check_head(c->reader, &why) < 0) {
		if (is_our_trouble(&why))
			return *e = why, -1;
		found(c, VERIFY_DAMAGE, "manifest-head", "%s", why.msg);
	}
	return 0;
}

/* ---- the sink ---- */

/* The end of a tar stream is zeros; nothing may hide behind the last entry. */
static void
check_end(struct check *c, struct verify_job *job)
{
	static const uint8_t zeros[TAR_END_LEN];

	verify_bigfile_close(&c->big, &job->finds);
	if (job->plain.len != TAR_END_LEN || memcmp(job->plain.data, zeros, TAR_END_LEN) != 0)
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "tar-stream", NULL,
		    "the last member of the archive is not the end of a tar stream");
}

/* What the worker counted; and paths ascend over the members' borders too. */
static void
count_section(struct check *c, struct verify_job *job)
{
	if (job->section_bad || job->first_path == NULL)
		return;
	c->counts.entries += job->lines;
	c->files_bytes += job->files_bytes;
	if (c->last_path != NULL &&
	    path_cmp(
		c->last_path, strlen(c->last_path), job->first_path, strlen(job->first_path)) >= 0)
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-order", job->first_path,
		    "is out of order in the manifest");
	free(c->last_path);
	c->last_path = job->last_path;
	job->last_path = NULL;
}

static int
take_deep(struct check *c, struct verify_job *job, struct err *e)
{
	switch (job->m.kind) {
	case MANIFEST_HEADER:
	case MANIFEST_CHUNK:
		if (verify_bigfile_take(&c->big, job, e) < 0)
			return -1;
		break;
	case MANIFEST_END:
		if (!job->damaged && !job->unread)
			check_end(c, job);
		break;
	case MANIFEST_FILES:
		verify_bigfile_close(&c->big, &job->finds);
		break;
	}
	return 0;
}

static void
take_archive_bytes(struct check *c, const struct verify_job *job)
{
	if (job->unread)
		c->archive_incomplete = true;
	else {
		sha256_update(&c->archive_hash, job->packed.data, job->packed.len);
		c->counts.bytes += job->packed.len;
	}
	if (job->damaged || job->beyond)
		c->archive_damaged = true;
	/* All that is cut off is one damage, with many files. */
	if (job->beyond && !c->cut_told) {
		found(c, VERIFY_DAMAGE, "archive-cut",
		    "the archive ends at %" PRIu64 " within or before the member at %" PRIu64
		    "; cut off:",
		    c->archive_len, job->m.offset);
		c->cut_told = true;
	}
}

static int
sink(void *ctx, void *p, struct err *e)
{
	struct check *c = ctx;
	struct verify_job *job = p;

	take_archive_bytes(c, job);
	if (job->is_member) {
		c->counts.members++;
		count_section(c, job);
		if (c->opts->level == VERIFY_DEEP && c->source.archive_fd >= 0 &&
		    take_deep(c, job, e) < 0)
			return -1;
	}
	verify_links_take(&c->links, &job->finds);
	return verify_finds_replay(&job->finds, c->report, e);
}

/* ---- submitting ---- */

/* Bytes from at up to end that no member is known for. */
static int
submit_gap(struct check *c, struct pipeline *p, uint64_t at, uint64_t end, struct err *e)
{
	while (at < end) {
		uint64_t n = end - at < PIECE ? end - at : PIECE;
		struct manifest_member m = {.offset = at, .packed_len = n};
		struct verify_job *job = verify_job_new(&m, e);

		if (job == NULL)
			return -1;
		job->file_size = c->archive_len;
		if (pipeline_submit(p, job, e) < 0)
			return -1;
		at += n;
	}
	return 0;
}

/* A page that is hurt comes as a job of no bytes, to be told in its place. */
static int
submit_index_damage(struct pipeline *p, const struct err *why, uint64_t at, struct err *e)
{
	struct manifest_member m = {.offset = at};
	struct verify_job *job = verify_job_new(&m, e);

	if (job == NULL)
		return -1;
	verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-index", NULL, "%s", why->msg);
	return pipeline_submit(p, job, e);
}

/* Held back by one, so that each job knows where the next one starts. */
static int
submit_member(struct check *c, struct pipeline *p, struct verify_job **held,
    const struct manifest_member *m, struct err *e)
{
	struct verify_job *job = NULL, *ready = *held;

	if (m != NULL && (job = verify_job_new(m, e)) == NULL)
		return -1;
	if (job != NULL) {
		job->is_member = true;
		job->file_size = c->archive_len;
	}
	*held = job;
	if (ready == NULL)
		return 0;
	if (job != NULL && job->path != NULL && (ready->next_path = strdup(job->path)) == NULL) {
		verify_job_free(ready);
		return err_nomem(e);
	}
	return pipeline_submit(p, ready, e);
}

static int
submit_all(struct check *c, struct pipeline *p, struct err *e)
{
	struct verify_job *held = NULL;
	struct manifest_member m;
	struct err why = {0};
	uint64_t at = 0;
	int rc = 0, next;

	while (c->reader != NULL && rc == 0 && (next = manifest_next(c->reader, &m, &why)) != 0) {
		if (next < 0 && is_our_trouble(&why)) {
			*e = why;
			rc = -1;
		} else if (next < 0) {
			rc = submit_member(c, p, &held, NULL, e);
			if (rc == 0)
				rc = submit_index_damage(p, &why, at, e);
			err_clear(&why);
		} else {
			if (m.offset != at && (rc = submit_member(c, p, &held, NULL, e)) == 0)
				rc = submit_gap(c, p, at, m.offset, e);
			if (rc == 0)
				rc = submit_member(c, p, &held, &m, e);
			at = m.offset + m.packed_len;
		}
	}
	if (rc == 0)
		rc = submit_member(c, p, &held, NULL, e);
	verify_job_free(held);
	return rc == 0 ? submit_gap(c, p, at, c->seal->archive_size, e) : rc;
}

static void *
worker_new(void *ctx, struct err *e)
{
	return verify_worker_new(&((struct check *)ctx)->source, e);
}

static int
work(void *ctx, void *worker, void *job, struct err *e)
{
	return verify_worker_work(&((struct check *)ctx)->source, worker, job, e);
}

static int
run_pipeline(struct check *c, struct err *e)
{
	struct pipeline_opts o = {.ctx = c,
	    .workers = (unsigned)c->opts->jobs,
	    .worker_new = worker_new,
	    .worker_free = verify_worker_free,
	    .work = work,
	    .sink = sink,
	    .job_free = verify_job_free};
	struct pipeline *p = NULL;

	if (pipeline_new(&p, &o, e) < 0)
		return -1;
	if (submit_all(c, p, e) < 0) {
		pipeline_abort(p);
		return -1;
	}
	return pipeline_finish(p, e);
}

/* ---- after it ---- */

/* A whole archive is good news where its manifest is hurt: tar can read it. */
static void
check_archive_digest(struct check *c)
{
	uint8_t digest[SHA256_LEN];

	if (c->source.archive_fd < 0 || c->archive_incomplete)
		return;
	sha256_final(&c->archive_hash, digest);
	if (memcmp(digest, c->seal->archive_digest, SHA256_LEN) != 0) {
		if (!c->archive_damaged)
			found(c, VERIFY_DAMAGE, "archive-digest",
			    "the archive's digest differs from the sealed one");
	} else if (!c->manifest_good && c->archive_len == c->seal->archive_size)
		found(c, VERIFY_NOTE, "archive-whole",
		    "the archive itself is as it was sealed, to the last bit");
}

/* What the seal counts, if nothing was lost in counting. */
static void
check_totals(struct check *c)
{
	if (c->reader == NULL || !verify_report_ok(c->report))
		return;
	if (c->counts.entries != c->seal->entries)
		found(c, VERIFY_DAMAGE, "totals",
		    "the seal counts %" PRIu64 " entries, the manifest has %" PRIu64,
		    c->seal->entries, c->counts.entries);
	if (c->files_bytes != c->seal->bytes)
		found(c, VERIFY_DAMAGE, "totals",
		    "the seal counts %" PRIu64 " bytes in files, the manifest has %" PRIu64,
		    c->seal->bytes, c->files_bytes);
}

static int
check_data(struct check *c, struct err *e)
{
	if (c->source.manifest_fd >= 0 && check_manifest_digest(c, e) < 0)
		return -1;
	sha256_init(&c->archive_hash);
	if (run_pipeline(c, e) < 0)
		return -1;
	check_archive_digest(c);
	check_totals(c);
	return verify_links_report(&c->links, c->reader, c->report, e);
}

/* quick: every index line is sound, and they tile the archive. */
static int
check_index(struct check *c, struct err *e)
{
	struct manifest_member m;
	struct err why = {0};
	int next;

	while (c->reader != NULL && (next = manifest_next(c->reader, &m, &why)) != 0) {
		if (stop_check(e) < 0)
			return -1;
		if (next < 0 && is_our_trouble(&why))
			return *e = why, -1;
		if (next < 0) {
			found(c, VERIFY_DAMAGE, "manifest-index", "%s", why.msg);
			err_clear(&why);
			continue;
		}
		c->counts.members++;
		c->counts.entries += m.entries;
	}
	return 0;
}

static uint64_t
now_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int
check_all(struct check *c, const struct repo *r, struct err *e)
{
	c->source.archive_fd = open_part(c, r, REPO_ARCHIVE, &c->archive_len, e);
	if (c->source.archive_fd == -2)
		return -1;
	c->source.manifest_fd = open_part(c, r, REPO_MANIFEST, &c->manifest_len, e);
	if (c->source.manifest_fd == -2 || open_index(c, e) < 0)
		return -1;
	return c->opts->level == VERIFY_QUICK ? check_index(c, e) : check_data(c, e);
}

int
verify_check(const struct repo *r, const struct repo_backup *b, const struct verify_opts *opts,
    struct verify_report *report, struct err *e)
{
	uint64_t start = now_ms();
	struct check c = {.backup = b, .seal = &b->seal, .opts = opts, .report = report};
	int rc;

	c.source = (struct verify_source){
	    .level = opts->level, .archive_fd = -1, .manifest_fd = -1, .seal = &b->seal};
	if (b->seal.unreadable > 0)
		found(&c, VERIFY_DAMAGE, "incomplete",
		    "incomplete: %" PRIu64 " paths could not be read when it was made",
		    b->seal.unreadable);
	rc = check_all(&c, r, e);
	manifest_reader_free(c.reader);
	verify_bigfile_done(&c.big);
	verify_links_done(&c.links);
	free(c.last_path);
	if (c.source.archive_fd >= 0)
		(void)close(c.source.archive_fd);
	if (c.source.manifest_fd >= 0)
		(void)close(c.source.manifest_fd);
	c.counts.ms = now_ms() - start;
	verify_report_backup_end(report, rc == 0 ? &c.counts : NULL);
	return rc;
}
