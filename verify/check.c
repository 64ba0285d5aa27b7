/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/io.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "store/repo.h"
#include "verify/copies.h"
#include "verify/opts.h"
#include "verify/report.h"
#include "verify/sweep.h"

#define PIECE (1u << 20)

struct check {
	const struct repo *repo;
	const struct repo_list *list;
	const struct repo_backup *backup;
	const struct seal *seal;
	struct verify_report *report;
	struct verify_copies_of others;
	struct verify_sweep sweep; /* with level, descriptors, and the index */
	bool manifest_good; /* the whole file's digest */
	bool pruned;
	struct verify_counts counts;
};

/* ---- the two files ---- */

/* Pruning takes the seal away first: then there is nothing wrong, and nothing to check. */
static bool
was_pruned(const struct check *c, const struct err *why)
{
	uint64_t size;
	struct err e = {0};

	return why->kind == ERR_NOTFOUND &&
	    repo_stat_part(c->repo, REPO_SEAL, c->backup->name, &size, &e) < 0 &&
	    e.kind == ERR_NOTFOUND;
}

static void
check_size(const struct check *c, const char *word, const char *code, uint64_t is, uint64_t want)
{
	if (is != want)
		verify_report_put(c->report, VERIFY_DAMAGE, code,
		    "the %s has %" PRIu64 " bytes, sealed were %" PRIu64 ": %" PRIu64 " are %s",
		    word, is, want, is > want ? is - want : want - is,
		    is > want ? "added behind its end" : "missing at its end");
}

/* Digest of the first len bytes of a file, or of what there is. */
static int
hash_file(int fd, uint64_t len, uint8_t digest[SHA256_LEN], struct err *e)
{
	struct sha256 h;
	uint8_t *piece = malloc(PIECE);
	ssize_t n = 1;
	int rc = 0;

	if (piece == NULL)
		return err_nomem(e);
	sha256_init(&h);
	for (uint64_t at = 0; at < len && n > 0; at += (uint64_t)n) {
		if ((rc = stop_check(e)) < 0 ||
		    (n = io_pread(
			 fd, piece, len - at < PIECE ? (size_t)(len - at) : PIECE, at, e)) < 0)
			break;
		sha256_update(&h, piece, (size_t)n);
	}
	free(piece);
	sha256_final(&h, digest);
	return n < 0 ? -1 : rc;
}

/* ---- another's ---- */

static uint64_t
sealed_size(const struct seal *s, enum repo_part part)
{
	return part == REPO_ARCHIVE ? s->archive_size : s->manifest_size;
}

static const uint8_t *
sealed_digest(const struct seal *s, enum repo_part part)
{
	return part == REPO_ARCHIVE ? s->archive_digest : s->manifest_digest;
}

/* Another backup that a file of this size, and of this digest when it is not NULL, was made for. */
static const struct repo_backup *
owner_of(const struct check *c, enum repo_part part, uint64_t size, const uint8_t *digest)
{
	const uint8_t *ours = sealed_digest(c->seal, part);

	for (size_t i = 0; i < c->list->n; i++) {
		const struct repo_backup *b = &c->list->backups[i];
		const uint8_t *theirs = sealed_digest(&b->seal, part);

		if (b->state != REPO_BAD && sealed_size(&b->seal, part) == size &&
		    memcmp(theirs, ours, SHA256_LEN) != 0 &&
		    (digest == NULL || memcmp(theirs, digest, SHA256_LEN) == 0))
			return b;
	}
	return NULL;
}

static void
put_exchanged(const struct check *c, enum repo_part part, const struct repo_backup *owner)
{
	bool archive = part == REPO_ARCHIVE;

	verify_report_put(c->report, VERIFY_DAMAGE,
	    archive ? "archive-exchanged" : "manifest-exchanged",
	    "the %s is that of %s: it was exchanged, or put under the wrong name",
	    archive ? "archive" : "manifest", owner->name);
}

/*
 * A file that is whole, and another backup's: to hold it against this one's index would call
 * every file damaged.  1: so it is, and told.  An archive of the sealed size is not read twice for
 * that: its digest comes out of the sweep.
 */
static int
check_exchanged(struct check *c, enum repo_part part, int fd, uint64_t len, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	const struct repo_backup *owner;
	struct err why = {0};

	if (owner_of(c, part, len, NULL) == NULL ||
	    (part == REPO_ARCHIVE && len == c->seal->archive_size))
		return 0;
	if (hash_file(fd, len, digest, &why) < 0)
		return err_is_ours(&why) ? err_pass(e, &why) : 0; /* the sweep will tell */
	if ((owner = owner_of(c, part, len, digest)) == NULL)
		return 0;
	put_exchanged(c, part, owner);
	return 1;
}

/* ---- the two files, opened ---- */

static int
close_other(int *fd, int rc)
{
	(void)close(*fd);
	*fd = -1;
	return rc < 0 ? -1 : 0;
}

/* 1: open; 0: not, with a finding; -1. */
static int
open_part(struct check *c, enum repo_part part, int *fd, uint64_t *len, struct err *e)
{
	bool archive = part == REPO_ARCHIVE;
	const char *word = archive ? "archive" : "manifest";
	const char *code = archive ? "archive-file" : "manifest-file";
	struct err why = {0};
	struct stat st;
	int other;

	*fd = repo_open_part(c->repo, part, c->backup->name, &why);
	if (*fd >= 0 && fstat(*fd, &st) == 0) {
		*len = (uint64_t)st.st_size;
		if ((other = check_exchanged(c, part, *fd, *len, e)) != 0)
			return close_other(fd, other);
		check_size(
		    c, word, code, *len, archive ? c->seal->archive_size : c->seal->manifest_size);
		(void)posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		return 1;
	}
	if (*fd >= 0)
		(void)err_sys(&why, "%s", word);
	if (err_is_ours(&why))
		return err_pass(e, &why);
	c->pruned = was_pruned(c, &why);
	if (!c->pruned)
		verify_report_put(c->report, VERIFY_DAMAGE, code, "%s", why.msg);
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

	if (hash_file(c->sweep.source.manifest_fd, c->seal->manifest_size, digest, &why) < 0) {
		if (err_is_ours(&why))
			return err_pass(e, &why);
		verify_report_put(
		    c->report, VERIFY_DAMAGE, "manifest-read", "the manifest: %s", why.msg);
		return 0;
	}
	c->manifest_good = memcmp(digest, c->seal->manifest_digest, SHA256_LEN) == 0;
	if (!c->manifest_good)
		verify_report_put(c->report, VERIFY_DAMAGE, "manifest-digest",
		    "the manifest's digest differs from the sealed one");
	return 0;
}

static int
open_index(struct check *c, struct err *e)
{
	struct verify_sweep *s = &c->sweep;
	struct err why = {0};

	if (manifest_reader_new(&s->reader, s->source.manifest_fd, c->seal, &why) < 0) {
		if (err_is_ours(&why))
			return err_pass(e, &why);
		verify_report_put(c->report, VERIFY_DAMAGE, "manifest-index",
		    "%s (so damage cannot be named by file)", why.msg);
		return 0;
	}
	s->source.has_index = true;
	if (manifest_check_head(s->reader, &why) == 0)
		return 0;
	if (err_is_ours(&why))
		return err_pass(e, &why);
	verify_report_put(c->report, VERIFY_DAMAGE, "manifest-head", "%s", why.msg);
	return 0;
}

/* ---- standard and deep ---- */

/* A whole archive is good news where its manifest is hurt: tar can read it. */
static void
check_archive_digest(struct check *c, const struct verify_swept *swept)
{
	const struct repo_backup *owner;

	if (c->sweep.source.archive_fd < 0 || swept->incomplete)
		return;
	if (memcmp(swept->digest, c->seal->archive_digest, SHA256_LEN) != 0) {
		owner = owner_of(c, REPO_ARCHIVE, c->sweep.archive_len, swept->digest);
		if (owner != NULL)
			put_exchanged(c, REPO_ARCHIVE, owner);
		else if (!swept->damaged)
			verify_report_put(c->report, VERIFY_DAMAGE, "archive-digest",
			    "the archive's digest differs from the sealed one%s",
			    swept->gap && c->sweep.reader != NULL
				? ", by damage where the index is lost"
				: "");
	} else if (!c->manifest_good && c->sweep.archive_len == c->seal->archive_size)
		verify_report_put(c->report, VERIFY_NOTE, "archive-whole",
		    "the archive itself is as it was sealed, to the last bit");
}

/* What the seal counts, if nothing was lost in counting. */
static void
check_totals(struct check *c, const struct verify_swept *swept)
{
	if (c->sweep.reader == NULL || !verify_report_ok(c->report))
		return;
	if (swept->entries != c->seal->entries)
		verify_report_put(c->report, VERIFY_DAMAGE, "totals",
		    "the seal counts %" PRIu64 " entries, the manifest has %" PRIu64,
		    c->seal->entries, swept->entries);
	if (swept->files_bytes != c->seal->bytes)
		verify_report_put(c->report, VERIFY_DAMAGE, "totals",
		    "the seal counts %" PRIu64 " bytes in files, the manifest has %" PRIu64,
		    c->seal->bytes, swept->files_bytes);
}

static int
check_data(struct check *c, struct err *e)
{
	struct verify_swept swept;

	if (c->sweep.source.manifest_fd >= 0 && check_manifest_digest(c, e) < 0)
		return -1;
	if (verify_sweep(&c->sweep, &swept, e) < 0)
		return -1;
	c->counts.members = swept.members;
	c->counts.entries = swept.entries;
	c->counts.bytes = swept.bytes;
	check_archive_digest(c, &swept);
	check_totals(c, &swept);
	return 0;
}

/* ---- quick ---- */

/* Every index line is sound, and they tile the archive. */
static int
check_index(struct check *c, struct err *e)
{
	struct manifest_member m;
	struct err why = {0};
	int next;

	while (c->sweep.reader != NULL && (next = manifest_next(c->sweep.reader, &m, &why)) != 0) {
		if (stop_check(e) < 0)
			return -1;
		if (next < 0 && err_is_ours(&why))
			return err_pass(e, &why);
		if (next < 0) {
			verify_report_put(
			    c->report, VERIFY_DAMAGE, "manifest-index", "%s", why.msg);
			continue;
		}
		c->counts.members++;
		c->counts.entries += m.entries;
	}
	return 0;
}

/* ---- all ---- */

static int
check_all(struct check *c, struct err *e)
{
	struct verify_sweep *s = &c->sweep;
	uint64_t manifest_len;
	int rc;

	if (c->seal->unreadable > 0)
		verify_report_put(c->report, VERIFY_DAMAGE, "incomplete",
		    "incomplete: %" PRIu64 " path%s could not be read when it was made",
		    c->seal->unreadable, c->seal->unreadable == 1 ? "" : "s");
	if (open_part(c, REPO_ARCHIVE, &s->source.archive_fd, &s->archive_len, e) < 0 ||
	    (rc = open_part(c, REPO_MANIFEST, &s->source.manifest_fd, &manifest_len, e)) < 0 ||
	    (rc == 1 && open_index(c, e) < 0))
		return -1;
	if (c->pruned) {
		verify_report_put(
		    c->report, VERIFY_NOTE, "pruned", "it was removed while verify ran");
		return 0;
	}
	return s->source.level == VERIFY_QUICK ? check_index(c, e) : check_data(c, e);
}

/*
 * What nobody vouches for is not unpacked: a few bytes can claim to be a file that takes
 * years to hash, and a check that never ends tells nobody.
 */
static int
level_for(const struct verify_opts *o, const struct repo_backup *b)
{
	bool vouched = o->untrusted || b->state == REPO_TRUSTED;

	return o->level == VERIFY_DEEP && !vouched ? VERIFY_STANDARD : o->level;
}

int
verify_check(const struct verify_subject *s, const struct verify_opts *opts,
    struct verify_report *report, struct verify_checked *out, struct err *e)
{
	uint64_t start = clock_mono_ns();
	const struct repo_backup *b = s->backup;
	struct check c = {
	    .repo = s->repo, .list = s->list, .backup = b, .seal = &b->seal, .report = report};
	int rc;

	c.counts.level = level_for(opts, b);
	c.others =
	    (struct verify_copies_of){.repo = s->repo, .list = s->list, .backup = b, .opts = opts};
	c.sweep = (struct verify_sweep){
	    .jobs = (unsigned)opts->jobs, .report = report, .others = &c.others};
	c.sweep.source = (struct verify_source){
	    .level = c.counts.level, .archive_fd = -1, .manifest_fd = -1, .seal = &b->seal};
	rc = check_all(&c, e);
	manifest_reader_free(c.sweep.reader);
	if (c.sweep.source.archive_fd >= 0)
		(void)close(c.sweep.source.archive_fd);
	if (c.sweep.source.manifest_fd >= 0)
		(void)close(c.sweep.source.manifest_fd);
	c.counts.ms = (clock_mono_ns() - start) / 1000000;
	verify_report_backup_end(report, rc == 0 && !c.pruned ? &c.counts : NULL);
	*out = (struct verify_checked){.level = c.counts.level, .pruned = c.pruned};
	return rc;
}
