/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/catalog_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/member.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "core/io.h"
#include "seal/key.h"
#include "seal/manifest.h"
#include "seal/section.h"

#define ok(rc, e) cf_ok((rc), (e), __FILE__, __LINE__)

static void
cf_ok(int rc, const struct err *e, const char *file, int line)
{
	if (rc != 0) {
		print_error("%s:%d: %s\n", file, line, e->msg);
		fail();
	}
}

const char *
cf_path(struct cf *f, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

void
cf_setup(struct cf *f)
{
	const char *tmp = getenv("TMPDIR");
	char file[512];
	struct err e = {0};

	memset(f, 0, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "%s/catalog-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(file, sizeof(file), "%s.key", f->dir);
	(void)snprintf(f->pub, sizeof(f->pub), "%s.pub", f->dir);
	ok(key_generate(file, f->pub, NULL, &e), &e);
	ok(key_load(&f->key, file, &e), &e);
	ok(trust_new(&f->trust, &e), &e);
	ok(trust_add_key(f->trust, f->key, &e), &e);
	assert_int_equal(unlink(file), 0);
	ok(repo_open(&f->repo, f->dir, &e), &e);
	ok(repo_lock(f->repo, 0, &e), &e);
}

void
cf_teardown(struct cf *f)
{
	char cmd[600];

	repo_close(f->repo);
	key_free(f->key);
	trust_free(f->trust);
	(void)snprintf(cmd, sizeof(cmd), "chmod -R u+rwX '%s' && rm -rf '%s'", f->dir, f->dir);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(unlink(f->pub), 0);
	memset(f, 0, sizeof(*f));
}

void
cf_reopen(struct cf *f)
{
	struct err e = {0};

	repo_close(f->repo);
	f->repo = NULL;
	ok(repo_open(&f->repo, f->dir, &e), &e);
}

void
cf_digest(unsigned version, uint8_t out[SHA256_LEN])
{
	sha256_of(&version, sizeof(version), out);
}

struct cf_writer {
	struct member_packer *packer;
	struct manifest_writer *manifest;
	int archive;
	struct sha256 hash;
	uint64_t offset;
	struct buf plain, packed, text, section;
	struct manifest_member m;
};

/* What stands in w->plain and w->text becomes a member and its section. */
static void
flush_member(struct cf_writer *w)
{
	struct err e = {0};

	buf_clear(&w->packed);
	buf_clear(&w->section);
	ok(member_pack(w->packer, w->plain.data, w->plain.len, &w->packed, &e), &e);
	if (w->text.len > 0)
		ok(member_pack(w->packer, w->text.data, w->text.len, &w->section, &e), &e);
	ok(io_write(w->archive, w->packed.data, w->packed.len, &e), &e);
	sha256_update(&w->hash, w->packed.data, w->packed.len);
	w->m.offset = w->offset;
	w->m.packed_len = w->packed.len;
	w->m.plain_len = w->plain.len;
	sha256_of(w->packed.data, w->packed.len, w->m.packed_digest);
	sha256_of(w->plain.data, w->plain.len, w->m.plain_digest);
	ok(manifest_write(w->manifest, &w->m, w->section.data, w->section.len, w->text.len, &e),
	    &e);
	w->offset += w->packed.len;
	buf_clear(&w->plain);
	buf_clear(&w->text);
	memset(&w->m, 0, sizeof(w->m));
}

static void
put_entry(struct cf_writer *w, const struct cf_entry *in)
{
	struct section_facts facts = {.changed = in->changed};
	struct entry en = {.type = in->type,
	    .path = in->path,
	    .path_len = strlen(in->path),
	    .mode = in->type == ENTRY_DIR ? 0755 : 0644,
	    .mtime_sec = 1000000000 + (int64_t)in->version,
	    .link = in->link,
	    .link_len = in->link != NULL ? strlen(in->link) : 0};

	if (in->mode != 0)
		en.mode = in->mode;
	if (in->still)
		en.mtime_sec = 1000000000;
	if (in->type == ENTRY_FILE)
		en.size = in->still ? 5 : in->version;
	cf_digest(in->version, facts.sha256);
	if (w->m.entries == 0) {
		w->m.kind = MANIFEST_FILES;
		w->m.path = in->path;
		w->m.path_len = strlen(in->path);
	}
	w->m.entries++;
	buf_printf(&w->plain, "%s %u\n", in->path, in->version);
	section_put_entry(&w->text, &en, &facts);
}

static void
fill_seal(struct seal *s, const struct cf_opts *o, const struct cf_writer *w, const char *name)
{
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	(void)snprintf(s->series, sizeof(s->series), "%s", o->series != NULL ? o->series : "data");
	s->sequence = o->sequence;
	s->created.tv_sec = 1770000000 + (time_t)o->sequence * 86400;
	s->source = strdup("/data");
	s->host = strdup("host");
	s->tool = strdup("test");
	s->packer = strdup("test");
	s->bytes = 1;
	s->archive_size = w->offset;
}

void
cf_backup(struct cf *f, const struct cf_opts *o, const struct cf_entry *v, size_t n,
    char out_name[SEAL_NAME_MAX + 1])
{
	struct cf_writer w = {0};
	struct repo_txn *txn = NULL;
	struct seal s = {0};
	struct buf file = {0};
	char name[SEAL_NAME_MAX + 1];
	struct err e = {0};

	ok(repo_free_name(f->repo, o->series != NULL ? o->series : "data",
	       1770000000 + (time_t)o->sequence * 86400, name, &e),
	    &e);
	ok(repo_txn_begin(&txn, f->repo, name, &e), &e);
	w.archive = repo_txn_archive_fd(txn);
	sha256_init(&w.hash);
	ok(member_packer_new(&w.packer, 1, &e), &e);
	ok(manifest_writer_new(&w.manifest, repo_txn_manifest_fd(txn), name, 1, &e), &e);
	for (size_t i = 0; i < n; i++) {
		if (w.m.entries > 0 && !o->no_cuts &&
		    hash_cut(v[i].path, strlen(v[i].path)) % (o->cut > 0 ? o->cut : 4) == 0)
			flush_member(&w);
		put_entry(&w, &v[i]);
	}
	if (w.m.entries > 0)
		flush_member(&w);
	w.m.kind = MANIFEST_END;
	buf_zeros(&w.plain, 1024);
	flush_member(&w);
	fill_seal(&s, o, &w, name);
	ok(manifest_writer_finish(w.manifest, &s, &e), &e);
	sha256_final(&w.hash, s.archive_digest);
	ok(seal_write(&s, o->unsigned_ ? NULL : f->key, &file, &e), &e);
	ok(repo_txn_commit(txn, file.data, file.len, &e), &e);
	if (out_name != NULL)
		strcpy(out_name, name);
	manifest_writer_free(w.manifest);
	member_packer_free(w.packer);
	seal_done(&s);
	buf_done(&file);
	buf_done(&w.plain);
	buf_done(&w.packed);
	buf_done(&w.text);
	buf_done(&w.section);
}

void
cf_remove(struct cf *f, const char *name)
{
	for (int part = REPO_ARCHIVE; part <= REPO_SEAL; part++) {
		struct buf b = {0};

		repo_part_name((enum repo_part)part, name, &b);
		assert_int_equal(unlink(cf_path(f, buf_str(&b))), 0);
		buf_done(&b);
	}
}

void
cf_damage(struct cf *f, enum repo_part part, const char *name, long offset)
{
	struct buf b = {0};
	struct stat st;
	char c;
	int fd;

	repo_part_name(part, name, &b);
	fd = open(cf_path(f, buf_str(&b)), O_RDWR);
	if (fd == -1) {
		assert_int_equal(chmod(cf_path(f, buf_str(&b)), 0600), 0);
		fd = open(cf_path(f, buf_str(&b)), O_RDWR);
	}
	assert_true(fd != -1);
	assert_int_equal(fstat(fd, &st), 0);
	if (offset < 0)
		offset += st.st_size;
	assert_int_equal(pread(fd, &c, 1, offset), 1);
	c = (char)(c ^ 0x40);
	assert_int_equal(pwrite(fd, &c, 1, offset), 1);
	assert_int_equal(close(fd), 0);
	buf_done(&b);
}

void
cf_list(struct cf *f, struct repo_list *l)
{
	struct err e = {0};

	ok(repo_list(f->repo, f->trust, l, &e), &e);
}

struct catalog *
cf_synced(struct cf *f)
{
	struct catalog *c = NULL;
	struct repo_list l;
	struct err e = {0};

	cf_list(f, &l);
	ok(catalog_open_write(&c, f->repo, &e), &e);
	ok(catalog_sync(c, f->repo, &l, &e), &e);
	repo_list_done(&l);
	return c;
}

int
cf_note(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	buf_printf(ctx, "%s %llu-%llu/%llu;", v->path, (unsigned long long)v->first_seq,
	    (unsigned long long)v->last_seq, (unsigned long long)v->backups);
	return 0;
}

int
cf_add_verification(
    struct catalog *c, const char *name, const struct catalog_verification *v, struct err *e)
{
	const struct catalog_backup *b = catalog_backups_need(c, name, e);
	uint8_t digest[SHA256_LEN];

	if (b == NULL)
		return -1;
	memcpy(digest, b->digest, sizeof(digest));
	return catalog_add_verification(c, digest, v, e);
}
