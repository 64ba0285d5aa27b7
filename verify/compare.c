/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "archive/tarread.h"
#include "core/err.h"
#include "core/path.h"

/*
 * Both sides come in the same order, so one merge sees what only one side has.  The
 * section was gone through before and is sound, or is left out.  When the tar stream
 * is not, it ends there, and the files behind it are only listed.
 */
struct sides {
	struct verify_job *job;
	struct section_parser *parser; /* NULL: no section */
	struct tar_reader *reader;
	struct section_line line;
	struct entry entry;
	bool has_line, has_entry;
	bool cut; /* the tar stream ended in damage */
	struct sha256 plain; /* of the first hashed bytes of the member */
	size_t hashed;
};

static int
is_memory(const struct err *why)
{
	return why->kind == ERR_SYS && why->sys == ENOMEM;
}

static int
next_line(struct sides *s, struct err *e)
{
	int rc = 0;

	while (s->parser != NULL && (rc = section_next(s->parser, &s->line, e)) == 1)
		if (!s->line.is_note)
			break;
	s->has_line = rc == 1;
	return rc < 0 ? -1 : 0;
}

static int
stream_damaged(struct sides *s, const struct err *why, struct err *e)
{
	s->has_entry = false;
	if (is_memory(why))
		return err_pass(e, why);
	s->cut = true;
	verify_finds_add(&s->job->finds, VERIFY_DAMAGE, "tar-stream", NULL,
	    "tar stream in the member of the archive at %" PRIu64 ": %s", s->job->m.offset,
	    why->msg);
	return 0;
}

static int
next_entry(struct sides *s, struct err *e)
{
	struct err why = {0};
	int rc = tar_read_next(s->reader, &s->entry, &why);

	s->has_entry = rc == 1;
	return rc >= 0 ? 0 : stream_damaged(s, &why, e);
}

bool
verify_compare_facts(
    struct verify_finds *f, const struct section_line *line, const struct entry *en)
{
	const char *what = "it";

	if (section_matches(line, en, &what))
		return true;
	verify_finds_add(f, VERIFY_DAMAGE, "entry-differs", line->path,
	    "%s differs between archive and manifest", what);
	return false;
}

void
verify_compare_digest(
    struct verify_finds *f, const struct section_line *line, const uint8_t digest[SHA256_LEN])
{
	if (!line->has_sha256)
		verify_finds_add(f, VERIFY_DAMAGE, "file-digest", line->path,
		    "the manifest has no digest of it");
	else if (memcmp(digest, line->sha256, SHA256_LEN) != 0)
		verify_finds_add(f, VERIFY_DAMAGE, "file-digest", line->path,
		    "its content differs from the manifest's digest");
}

/* The member's digest goes on up to there. */
static void
hash_plain(struct sides *s, size_t up_to)
{
	sha256_update(&s->plain, s->job->plain.data + s->hashed, up_to - s->hashed);
	s->hashed = up_to;
}

/* A file's digest and its member's over the same bytes: the reader hands them out where they lie.
 */
static void
hash_both(struct sides *s, struct sha256 *file, const uint8_t *data, size_t len)
{
	hash_plain(s, (size_t)(data - s->job->plain.data));
	sha256_update_two(&s->plain, file, data, len);
	s->hashed += len;
}

/*
 * The content as it would be restored.  Small files are never stored sparse, so
 * data must come without gaps, and there are no holes to hash.
 */
static int
check_content(struct sides *s, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct err why = {0};
	struct sha256 h;
	const void *data;
	size_t len;
	uint64_t offset, pos = 0;
	int rc;

	sha256_init(&h);
	while ((rc = tar_read_data(s->reader, &data, &len, &offset, &why)) == 1) {
		if (offset != pos)
			break;
		hash_both(s, &h, data, len);
		pos += len;
	}
	if (rc < 0) {
		rc = stream_damaged(s, &why, e);
		verify_finds_file(&s->job->finds, s->line.path);
		return rc;
	}
	if (rc == 1 || s->entry.sparse) {
		verify_finds_add(&s->job->finds, VERIFY_DAMAGE, "entry-differs", s->line.path,
		    "a sparse file in a member of small files");
		return 0;
	}
	sha256_final(&h, digest);
	verify_compare_digest(&s->job->finds, &s->line, digest);
	return 0;
}

static int
compare_one(struct sides *s, struct err *e)
{
	if (verify_compare_facts(&s->job->finds, &s->line, &s->entry) &&
	    s->line.type == ENTRY_FILE && check_content(s, e) < 0)
		return -1;
	return 0;
}

static int
order(const struct sides *s)
{
	if (!s->has_entry)
		return -1;
	if (!s->has_line)
		return 1;
	return path_cmp(s->line.path, s->line.path_len, s->entry.path, s->entry.path_len);
}

static void
only_one_side(struct sides *s, bool in_manifest)
{
	const char *path = in_manifest ? s->line.path : s->entry.path;

	/* Names for the damage that was just told: of the stream, or of the section. */
	if (s->cut || s->parser == NULL)
		verify_finds_file(&s->job->finds, path);
	else if (in_manifest)
		verify_finds_add(&s->job->finds, VERIFY_DAMAGE, "entry-missing", path,
		    "is in the manifest, but not in the archive");
	else
		verify_finds_add(&s->job->finds, VERIFY_DAMAGE, "entry-extra", path,
		    "is in the archive, but not in the manifest");
}

static int
merge(struct sides *s, struct err *e)
{
	if (next_line(s, e) < 0 || next_entry(s, e) < 0)
		return -1;
	while (s->has_line || s->has_entry) {
		int c = order(s);

		if (c == 0 && compare_one(s, e) < 0)
			return -1;
		if (c != 0)
			only_one_side(s, c < 0);
		if (c <= 0 && next_line(s, e) < 0)
			return -1;
		/* After a broken stream in compare_one there is nothing to go on with. */
		if (c >= 0 && s->has_entry && next_entry(s, e) < 0)
			return -1;
	}
	return 0;
}

int
verify_compare_files(struct verify_job *job, uint8_t plain[SHA256_LEN], struct err *e)
{
	struct sides s = {.job = job};
	int rc = -1;

	sha256_init(&s.plain);
	if (!job->section_bad &&
	    section_parser_new(&s.parser, job->section.data, job->section.len, e) < 0)
		goto out;
	if (tar_reader_new_mem(&s.reader, job->plain.data, job->plain.len, e) < 0)
		goto out;
	rc = merge(&s, e);
	hash_plain(&s, job->plain.len);
	sha256_final(&s.plain, plain);
out:
	section_parser_free(s.parser);
	tar_reader_free(s.reader);
	return rc;
}
