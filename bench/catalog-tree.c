/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "archive/entry.h"
#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/num.h"
#include "seal/key.h"
#include "seal/manifest.h"
#include "seal/seal.h"
#include "seal/section.h"
#include "store/repo.h"

/*
 * catalog-tree REPO KEY FILES GIB [CHANGES...]
 *
 * Sealed backups for measuring the catalog, without a tree and without the time that packing one
 * takes.  REPO, a directory, gets the backups of a tree of FILES tiny files, a hundred in a
 * directory, and one large file of GIB GiB: one for the first night, and one more for each CHANGES,
 * with that many files (taken at random) changed since the night before, and as many in a million
 * of the large file's chunks; so 0 is a night without any change.  The nights that REPO has already
 * are not made again, so that a longer list of CHANGES adds to it.
 *
 * KEY is a private key.  Seals and manifests are what backup would write, sections of unchanged
 * members byte for byte those of the night before; archives are holes of the size that the manifest
 * tells.  So everything works that needs no archive.  The same arguments give the same manifests.
 */
enum { FILES_A_DIR = 100, DIRS_A_DIR = 100, LEVEL = 6, MEMBER_PACKED = 3 };

static const time_t first_night = 1770588005;

struct gen {
	struct repo *repo;
	struct key *key;
	struct trust *trust;
	uint64_t n_files, n_chunks;
	uint32_t *versions; /* of each file, then of each chunk */
	uint64_t random;
	/* The backup being made. */
	struct repo_list list; /* those before it */
	struct seal seal;
	struct manifest_writer *manifest;
	struct member_packer *packer;
	uint64_t offset, weight;
	struct manifest_member m;
	struct buf text, section, first; /* of the member being filled */
	/* Packed sections of the night before, by member, with the digest of their text. */
	struct packed {
		uint8_t digest[SHA256_LEN];
		struct buf bytes;
	} * packed;
	size_t n_packed, at;
};

static uint64_t
next_random(struct gen *g)
{
	/* splitmix64 */
	uint64_t z = g->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
change(struct gen *g, uint64_t changes)
{
	uint64_t chunks = (changes * g->n_chunks + 999999) / 1000000;

	for (uint64_t i = 0; i < changes && g->n_files > 0; i++)
		g->versions[next_random(g) % g->n_files]++;
	for (uint64_t i = 0; i < chunks; i++)
		g->versions[g->n_files + next_random(g) % g->n_chunks]++;
}

/* ---- members ---- */

/* The section of the text, packed now or, when it is the same, the night before. */
static int
pack_section(struct gen *g, const uint8_t digest[SHA256_LEN], struct buf **out, struct err *e)
{
	struct packed *p;

	if (g->at == g->n_packed) {
		size_t n = g->n_packed > 0 ? 2 * g->n_packed : 1024;

		p = reallocarray(g->packed, n, sizeof(*p));
		if (p == NULL)
			return err_nomem(e);
		memset(p + g->n_packed, 0, (n - g->n_packed) * sizeof(*p));
		g->packed = p;
		g->n_packed = n;
	}
	p = &g->packed[g->at++];
	*out = &p->bytes;
	if (p->bytes.len > 0 && memcmp(p->digest, digest, SHA256_LEN) == 0)
		return 0;
	memcpy(p->digest, digest, SHA256_LEN);
	buf_clear(&p->bytes);
	return member_pack(g->packer, g->text.data, g->text.len, &p->bytes, e);
}

/* End the member: kind, plain_len and what its bytes depend on are told. */
static int
put_member(struct gen *g, const uint8_t digest[SHA256_LEN], struct err *e)
{
	struct buf none = {0}, *section = &none;
	struct manifest_member *m = &g->m;

	if (g->text.len > 0 && pack_section(g, digest, &section, e) != 0)
		return -1;
	m->offset = g->offset;
	m->packed_len = m->plain_len / MEMBER_PACKED + 64;
	m->has_key = m->kind != MANIFEST_END;
	memcpy(m->packed_digest, digest, SHA256_LEN);
	memcpy(m->plain_digest, digest, SHA256_LEN);
	memcpy(m->key, digest, SHA256_LEN);
	g->offset += m->packed_len;
	if (manifest_write(g->manifest, m, section->data, section->len, g->text.len, e) != 0)
		return -1;
	buf_clear(&g->text);
	g->weight = 0;
	*m = (struct manifest_member){0};
	return 0;
}

static int
end_files(struct gen *g, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (g->weight == 0)
		return 0;
	sha256_of(g->text.data, g->text.len, digest);
	g->m.kind = MANIFEST_FILES;
	g->m.plain_len = g->weight;
	g->m.path = buf_str(&g->first);
	g->m.path_len = g->first.len;
	return put_member(g, digest, e);
}

static int
put_entry(struct gen *g, const struct entry *en, const void *content, size_t len, struct err *e)
{
	struct section_facts facts = {.changed = false};

	if (cut_before(en, g->weight) && end_files(g, e) != 0)
		return -1;
	if (g->weight == 0) {
		buf_clear(&g->first);
		buf_append(&g->first, en->path, en->path_len);
	}
	sha256_of(content, len, facts.sha256);
	section_put_entry(&g->text, en, &facts);
	g->weight += cut_weight(en);
	g->m.entries++;
	g->seal.bytes += en->size;
	return buf_check(&g->text, e);
}

/* ---- the tree ---- */

static struct entry
make_entry(const char *path, enum entry_type type)
{
	return (struct entry){.type = type,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = type == ENTRY_DIR ? 0755 : 0644,
	    .uid = 1000,
	    .gid = 1000,
	    .mtime_sec = first_night - 1000000,
	    .mtime_nsec = 123456789};
}

static int
put_dir(struct gen *g, const char *path, struct err *e)
{
	struct entry en = make_entry(path, ENTRY_DIR);

	return put_entry(g, &en, NULL, 0, e);
}

static int
put_file(struct gen *g, uint64_t number, struct err *e)
{
	const uint64_t content[] = {number, g->versions[number]};
	uint64_t dir = number / FILES_A_DIR;
	char path[128];
	struct entry en;

	if (number % (FILES_A_DIR * DIRS_A_DIR) == 0) {
		(void)snprintf(path, sizeof(path), "users/%05" PRIu64, dir / DIRS_A_DIR);
		if (put_dir(g, path, e) != 0)
			return -1;
	}
	(void)snprintf(path, sizeof(path), "users/%05" PRIu64 "/notes-%02" PRIu64, dir / DIRS_A_DIR,
	    dir % DIRS_A_DIR);
	if (number % FILES_A_DIR == 0 && put_dir(g, path, e) != 0)
		return -1;
	(void)snprintf(
	    path + strlen(path), sizeof(path) - strlen(path), "/item-%08" PRIu64 ".json", number);
	en = make_entry(path, ENTRY_FILE);
	en.size = 20 + number * 7919 % 400;
	en.mtime_sec += (int64_t)(number % 500000 + g->versions[number] * UINT64_C(86400));
	return put_entry(g, &en, content, sizeof(content), e);
}

static int
put_chunk(struct gen *g, const struct entry *large, uint64_t i, struct err *e)
{
	const uint64_t content[] = {UINT64_MAX, i, g->versions[g->n_files + i]};
	struct section_facts facts = {.changed = false};
	uint8_t digest[SHA256_LEN];

	if (i + 1 == g->n_chunks) {
		sha256_of(
		    g->versions + g->n_files, g->n_chunks * sizeof(*g->versions), facts.sha256);
		section_put_entry(&g->text, large, &facts);
		g->m.entries = 1;
		g->seal.bytes += large->size;
	}
	sha256_of(content, sizeof(content), digest);
	g->m.kind = MANIFEST_CHUNK;
	g->m.plain_len = CUT_CHUNK;
	g->m.file_offset = i * CUT_CHUNK;
	g->m.path = large->path;
	g->m.path_len = large->path_len;
	return put_member(g, digest, e);
}

static int
put_large(struct gen *g, struct err *e)
{
	struct entry en = make_entry("database/main.db", ENTRY_FILE);
	uint8_t digest[SHA256_LEN];
	uint64_t sum = 0;

	for (uint64_t i = 0; i < g->n_chunks; i++)
		sum += g->versions[g->n_files + i];
	en.size = g->n_chunks * CUT_CHUNK;
	en.mtime_sec += (int64_t)sum;
	if (g->n_chunks == 0)
		return 0;
	if (put_dir(g, "database", e) != 0 || end_files(g, e) != 0)
		return -1;
	sha256_of(&sum, sizeof(sum), digest);
	g->m.kind = MANIFEST_HEADER;
	g->m.plain_len = 1536;
	g->m.path = en.path;
	g->m.path_len = en.path_len;
	if (put_member(g, digest, e) != 0)
		return -1;
	for (uint64_t i = 0; i < g->n_chunks; i++)
		if (put_chunk(g, &en, i, e) != 0)
			return -1;
	return 0;
}

static int
put_tree(struct gen *g, struct err *e)
{
	static const uint8_t end[SHA256_LEN];

	if (put_dir(g, "", e) != 0 || put_large(g, e) != 0 ||
	    (g->n_files > 0 && put_dir(g, "users", e) != 0))
		return -1;
	for (uint64_t i = 0; i < g->n_files; i++)
		if (put_file(g, i, e) != 0)
			return -1;
	if (end_files(g, e) != 0)
		return -1;
	g->m.kind = MANIFEST_END;
	g->m.plain_len = 1024;
	return put_member(g, end, e);
}

/* ---- backups ---- */

static int
fill_seal(struct gen *g, const char *name, uint64_t night, struct err *e)
{
	struct seal *s = &g->seal;

	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	(void)snprintf(s->series, sizeof(s->series), "autolab-backup");
	s->sequence = night;
	s->created.tv_sec = first_night + (time_t)night * 86400;
	s->source = strdup("/data");
	s->host = strdup("bench");
	s->tool = strdup("catalog-tree");
	s->packer = strdup("none");
	if (s->source == NULL || s->host == NULL || s->tool == NULL || s->packer == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->list.n; i++)
		if (seal_add_hold(s, &g->list.backups[i].seal, e) != 0)
			return -1;
	return 0;
}

static int
write_backup(struct gen *g, struct repo_txn *txn, struct buf *file, struct err *e)
{
	g->offset = 0;
	g->at = 0;
	if (manifest_writer_new(&g->manifest, repo_txn_manifest_fd(txn), g->seal.name, LEVEL, e) !=
		0 ||
	    put_tree(g, e) != 0 || manifest_writer_finish(g->manifest, &g->seal, e) != 0)
		return -1;
	if (ftruncate(repo_txn_archive_fd(txn), (off_t)g->offset) != 0)
		return err_sys(e, "ftruncate");
	g->seal.archive_size = g->offset;
	return seal_write(&g->seal, g->key, file, e);
}

static int
make_backup(struct gen *g, uint64_t night, struct err *e)
{
	char name[SEAL_NAME_MAX + 1];
	struct repo_txn *txn = NULL;
	struct buf file = {0};
	int rc = -1;

	if (repo_free_name(
		g->repo, "autolab-backup", first_night + (time_t)night * 86400, name, e) != 0 ||
	    fill_seal(g, name, night, e) != 0 || repo_txn_begin(&txn, g->repo, name, e) != 0)
		return -1;
	if (write_backup(g, txn, &file, e) == 0) {
		rc = repo_txn_commit(txn, file.data, file.len, e);
		txn = NULL;
	}
	repo_txn_abort(txn);
	buf_done(&file);
	manifest_writer_free(g->manifest);
	g->manifest = NULL;
	seal_done(&g->seal);
	return rc;
}

static int
make_all(struct gen *g, char **changes, uint64_t nights, struct err *e)
{
	uint64_t have, n;

	for (uint64_t night = 1; night <= nights; night++) {
		if (night > 1 &&
		    num_u64(changes[night - 2], strlen(changes[night - 2]), UINT32_MAX, &n) != 0)
			return err_set(e, ERR_USAGE, "%s: not a number", changes[night - 2]);
		if (night > 1)
			change(g, n);
		repo_list_done(&g->list);
		if (repo_list(g->repo, g->trust, &g->list, e) != 0)
			return -1;
		have = g->list.n > 0 ? g->list.backups[g->list.n - 1].seal.sequence : 0;
		if (night > have && make_backup(g, night, e) != 0)
			return -1;
	}
	return 0;
}

static int
prepare(struct gen *g, char **argv, struct err *e)
{
	uint64_t gib;

	if (num_u64(argv[3], strlen(argv[3]), 100000000, &g->n_files) != 0 ||
	    num_u64(argv[4], strlen(argv[4]), 100000, &gib) != 0)
		return err_set(e, ERR_USAGE, "FILES and GIB are numbers");
	g->n_chunks = gib << 10;
	g->versions = calloc(g->n_files + g->n_chunks + 1, sizeof(*g->versions));
	if (g->versions == NULL)
		return err_nomem(e);
	if (key_load_ours(&g->key, &g->trust, argv[2], NULL, e) != 0 ||
	    repo_open(&g->repo, argv[1], e) != 0 || repo_lock(g->repo, 0, e) != 0)
		return -1;
	return member_packer_new(&g->packer, LEVEL, e);
}

int
main(int argc, char **argv)
{
	struct gen g = {0};
	struct err e = {0};
	int rc;

	if (argc < 5) {
		(void)fprintf(stderr, "usage: catalog-tree REPO KEY FILES GIB [CHANGES...]\n");
		return 2;
	}
	rc = prepare(&g, argv, &e);
	if (rc == 0)
		rc = make_all(&g, argv + 5, (uint64_t)argc - 4, &e);
	if (rc != 0)
		(void)fprintf(stderr, "catalog-tree: %s\n", e.msg);
	for (size_t i = 0; i < g.n_packed; i++)
		buf_done(&g.packed[i].bytes);
	free(g.packed);
	free(g.versions);
	buf_done(&g.text);
	buf_done(&g.first);
	repo_list_done(&g.list);
	member_packer_free(g.packer);
	repo_close(g.repo);
	trust_free(g.trust);
	key_free(g.key);
	return rc == 0 ? 0 : 1;
}
