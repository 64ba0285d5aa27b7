/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_MADE_H
#define TESTS_UNIT_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "seal/manifest.h"
#include "seal/seal.h"

struct key;
struct member_packer;
struct tar_writer;

/*
 * A backup put together by hand, member by member, with archive and manifest told
 * apart: so that they can disagree under a good signature, which backup never
 * makes.  Anything that fails ends the test program.
 */
struct made {
	const char *dir;
	struct seal seal; /* entries and bytes are counted by made_section(); change as you like */
	int archive_fd, manifest_fd;
	struct manifest_writer *manifest;
	struct member_packer *packer;
	struct tar_writer *tar;
	struct sha256 hash;
	uint64_t offset; /* archive so far */
	struct buf plain, section; /* of the member being filled */
	uint64_t lines;
	bool lie; /* the index gives the next member another digest of its plain bytes */
};

/* name, series "s", sequence 1 unless changed in m->seal before made_end. */
void made_begin(struct made *m, const char *dir, const char *name);
/* The entry's header, data of its size (NULL: zeros), and padding into the archive's side. */
void made_tar(struct made *m, const struct entry *en, const void *data);
/* Its lines, with the digest of data, into the manifest's side. */
void made_section(struct made *m, const struct entry *en, const void *data);
/* Both sides. */
void made_both(struct made *m, const struct entry *en, const void *data);
/* End the member: what was put into plain and section since the last one. */
void made_member(struct made *m, enum manifest_kind kind, const char *path, uint64_t file_offset);
/* A large file in members of its own: header, chunks, and the line with the last of them. */
void made_large(struct made *m, const struct entry *en, const void *data);
/* The end member, the manifest's index, the seal. */
void made_end(struct made *m, const struct key *key);

/* A file or directory with plain facts. */
struct entry made_file(const char *path, uint64_t size);
struct entry made_dir(const char *path);

#endif
