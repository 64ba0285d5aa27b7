/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_MANIFEST_H
#define SEAL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"

struct err;
struct seal;

/*
 * A manifest file: head, sections, index pages, index root (FORMAT.md,
 * "Manifest").  Writing and reading need constant memory for any size: the writer
 * holds one page of the index, the reader one page.
 */
enum manifest_kind {
	MANIFEST_FILES = 'f',
	MANIFEST_HEADER = 'h',
	MANIFEST_CHUNK = 'c',
	MANIFEST_END = 'e',
};

/* An index line: one archive member and its section. */
struct manifest_member {
	enum manifest_kind kind;
	uint64_t offset; /* in the archive */
	uint64_t packed_len, plain_len;
	uint8_t packed_digest[SHA256_LEN], plain_digest[SHA256_LEN];
	bool has_key;
	uint8_t key[SHA256_LEN]; /* stat key */
	uint64_t section_offset, section_len, section_plain; /* section_len 0: no section */
	uint8_t section_digest[SHA256_LEN];
	uint64_t entries;
	uint64_t file_offset; /* CHUNK */
	const char *path; /* clean; NULL for END */
	size_t path_len;
};

struct manifest_totals {
	uint64_t members, entries, plain;
};

/* ---- writing ---- */
struct manifest_writer;
struct manifest_mark; /* a place to come back to */

/* Writes to fd from its start; name is the backup's. */
int manifest_writer_new(
    struct manifest_writer **out, int fd, const char *name, int level, struct err *e);
void manifest_writer_free(struct manifest_writer *w);
/*
 * Append a section that is packed already (a gzip member of plain_len bytes of
 * text; len 0: none) and the index line of its archive member.  m's section
 * fields, except entries, are set here; offset and the rest by the caller.
 * ERR_UNSUPPORTED for a member that a reader would refuse (FORMAT.md, end of
 * "Manifest"); nothing was written then.  After any other failure only
 * manifest_rewind makes the writer usable again.
 */
int manifest_write(struct manifest_writer *w, struct manifest_member *m, const void *section,
    size_t len, size_t plain_len, struct err *e);
/* Remember the present state; go back to it (cuts the file).  The mark may be used again. */
int manifest_mark_new(struct manifest_mark **out, const struct manifest_writer *w, struct err *e);
int manifest_rewind(struct manifest_writer *w, const struct manifest_mark *m, struct err *e);
void manifest_mark_free(struct manifest_mark *m);
/* Last page and root. Fills in manifest_size, manifest_digest, root_*, entries of *s.  Does not
 * sync. */
int manifest_writer_finish(struct manifest_writer *w, struct seal *s, struct err *e);

/* ---- reading ---- */
struct manifest_reader;

/*
 * Reads fd (borrowed) with pread, from the root that s names: a manifest that is
 * not the one that was sealed gives ERR_CORRUPT.  s is copied from.
 * One thread at a time; open one for each thread.
 *
 * Every byte of the manifest is covered by: root (checked here), head
 * (manifest_check_head), pages (manifest_next) and sections (manifest_section).
 * The head says nothing that a restore needs, so that its damage does not get in
 * the way of one; verify asks for it.
 */
int manifest_reader_new(struct manifest_reader **out, int fd, const struct seal *s, struct err *e);
void manifest_reader_free(struct manifest_reader *r);
struct manifest_totals manifest_totals(const struct manifest_reader *r);
/* ERR_CORRUPT when the head is not what the root and the seal's name say. */
int manifest_check_head(struct manifest_reader *r, struct err *e);
/*
 * Members in order, from number 0 or from where a seek went.  *m lives until the next
 * call.  1, 0 at the end, -1.  Members tile the archive: offsets are checked here
 * to be contiguous from 0 and to end at the seal's archive_size, and END to be last.
 *
 * A damaged page gives -1 once with ERR_CORRUPT, naming the paths between which
 * it lies; the next call goes on after it, so that a verifier can list all damage.
 * (What cannot be read at all, ERR_SYS, is stepped over likewise.)  When all members
 * were given from number 0 on, but do not add up to the root's totals, -1 comes once
 * before the 0.
 */
int manifest_next(struct manifest_reader *r, struct manifest_member *m, struct err *e);
/* ERR_NOTFOUND behind the last one; the place just behind it is good. */
int manifest_seek(struct manifest_reader *r, uint64_t first, struct err *e);
/*
 * Go to the first member that may hold path or anything below it; manifest_next
 * gives it and those after it.  Binary search in root and page.  Reads one page: when
 * that is damaged, -1, and manifest_next goes on after it.
 */
int manifest_seek_path(struct manifest_reader *r, const char *path, size_t len, struct err *e);
/* Number of the member that manifest_next gave last. */
uint64_t manifest_tell(const struct manifest_reader *r);
/*
 * The text of m's section, checked against its digest, in *text (cleared first; it
 * stays empty without a section).  A damaged one names its paths, and disturbs nothing.
 */
int manifest_section(
    struct manifest_reader *r, const struct manifest_member *m, struct buf *text, struct err *e);

#endif
