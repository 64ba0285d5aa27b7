/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/entry.h"
#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"
#include "seal/key.h"
#include "seal/manifest.h"
#include "seal/seal.h"
#include "seal/section.h"

/*
 * What this room writes, in the hands of stock tools: openssl, sha256sum, zcat, bsdtar
 * and NetBSD mtree.  The commands are those of docs/VERIFY-BY-HAND.md.
 */
#define NAME "app-backup-20260209_000005"
#define PATHS_MAX 64

struct fixture {
	char dir[200];
	char *paths[PATHS_MAX]; /* of tree/, in order */
	size_t n;
	struct seal seal;
	struct buf text, packed;
	struct err e;
};

/* Run a script in the fixture's directory; its exit status. */
static int
sh(struct fixture *f, const char *script)
{
	struct buf cmd = {.data = NULL};
	int status;

	buf_printf(&cmd, "set -eu; cd '%s'; export LC_ALL=C; { %s\n} >log 2>&1 </dev/null", f->dir,
	    script);
	status = system(buf_str(&cmd));
	buf_done(&cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
succeeds(struct fixture *f, const char *script)
{
	char show[300];
	int status = sh(f, script);

	if (status == 0)
		return;
	(void)snprintf(show, sizeof(show), "head -c 2000 '%s/log' >&2", f->dir);
	(void)!system(show);
	fail_msg("exit %d: %s", status, script);
}

static void
fails(struct fixture *f, const char *script)
{
	if (sh(f, script) == 0)
		fail_msg("succeeds: %s", script);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "%s/seal-stock-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[300];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", f->dir);
	assert_int_equal(system(cmd), 0);
	for (size_t i = 0; i < f->n; i++)
		free(f->paths[i]);
	seal_done(&f->seal);
	buf_done(&f->text);
	buf_done(&f->packed);
	free(f);
	return 0;
}

/* ---- a tree, and its manifest ---- */

static void
make_tree(struct fixture *f)
{
	succeeds(f,
	    "mkdir -p tree/sub/deeper 'tree/dir with space' && cd tree\n"
	    "for n in plain 'sp ace' 'star*?[]' 'ha#sh' 'back\\slash' '\\134' 'eq=ual' \\\n"
	    "    'quo\"te' '~t' ./-dash ./- 'x type=dir' 'trail ' sub/z sub/deeper/z '$v`'; do\n"
	    "	printf '%s' \"$n\" >\"$n\"; done\n"
	    "nl='new\nline'; printf n >\"$nl\"; printf c >\"$(printf 'ctl\\001\\033\\177')\"\n"
	    "printf u >\"$(printf 'bad\\377\\200utf')\"; printf t >\"$(printf 'tab\\t')\"\n"
	    "printf l >\"$(printf %0255d 0)\"\n"
	    "ln -s 'tar get' link; ln -s '\\134' link2; ln -s -- - link3; ln -s x/../y link4\n"
	    "ln plain plain-hard; mkfifo fifo; chmod 4755 plain; chmod 1777 sub; chmod 400 '~t'\n"
	    "touch -d '1969-12-31 23:59:59.5 UTC' plain; touch -d '1950-01-01 UTC' sub/z\n"
	    "touch -h -d '2001-09-09 01:46:40.000000001 UTC' link; touch -d '2200-01-01 UTC' ./-");
}

static void
collect(struct fixture *f, const char *full, const char *path)
{
	struct dirent *d;
	struct stat st;
	DIR *dir;

	assert_true(f->n < PATHS_MAX);
	f->paths[f->n++] = strdup(path);
	assert_int_equal(lstat(full, &st), 0);
	if (!S_ISDIR(st.st_mode))
		return;
	dir = opendir(full);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		char below[600], name[600];

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", full, d->d_name);
		(void)snprintf(
		    name, sizeof(name), "%s%s%s", path, *path == '\0' ? "" : "/", d->d_name);
		collect(f, below, name);
	}
	assert_int_equal(closedir(dir), 0);
}

static int
by_path(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return path_cmp(*x, strlen(*x), *y, strlen(*y));
}

static void
put_entry(struct fixture *f, const char *path)
{
	char full[900], target[600];
	struct section_facts facts = {.changed = strcmp(path, "plain") == 0};
	struct entry en = {.path = path, .path_len = strlen(path)};
	struct buf data = {.data = NULL};
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/tree/%s", f->dir, path);
	assert_int_equal(lstat(full, &st), 0);
	en.mode = st.st_mode & 07777;
	en.uid = st.st_uid;
	en.gid = st.st_gid;
	en.mtime_sec = st.st_mtim.tv_sec;
	en.mtime_nsec = (uint32_t)st.st_mtim.tv_nsec;
	en.type = S_ISDIR(st.st_mode) ? ENTRY_DIR
	    : S_ISLNK(st.st_mode)     ? ENTRY_SYMLINK
	    : S_ISFIFO(st.st_mode)    ? ENTRY_FIFO
				      : ENTRY_FILE;
	if (strcmp(path, "plain-hard") == 0) {
		en.type = ENTRY_HARDLINK;
		en.link = "plain";
		en.link_len = 5;
	} else if (en.type == ENTRY_SYMLINK) {
		en.link_len = (size_t)readlink(full, target, sizeof(target));
		en.link = target;
	} else if (en.type == ENTRY_FILE) {
		en.size = (uint64_t)st.st_size;
		assert_int_equal(chmod(full, 0600), 0);
		assert_int_equal(io_read_file(AT_FDCWD, full, 4096, &data, &f->e), 0);
		assert_int_equal(chmod(full, en.mode), 0);
		sha256_of(data.data, data.len, facts.sha256);
		buf_done(&data);
	}
	section_put_entry(&f->text, &en, en.type == ENTRY_FILE ? &facts : NULL);
}

/* A member of the archive for each few entries, as a real manifest has them. */
static void
write_members(struct fixture *f, struct manifest_writer *w)
{
	struct manifest_member m = {.kind = MANIFEST_FILES, .packed_len = 100, .plain_len = 1024};
	struct member_packer *packer;

	assert_int_equal(member_packer_new(&packer, 6, &f->e), 0);
	for (size_t i = 0; i <= f->n; i += 4) {
		buf_clear(&f->text);
		buf_clear(&f->packed);
		if (i == 4)
			section_put_note(&f->text, SECTION_VANISHED, "was\nhere", 8, NULL);
		for (size_t k = i; k < i + 4 && k < f->n; k++)
			put_entry(f, f->paths[k]);
		m.path = i < f->n ? f->paths[i] : NULL;
		m.path_len = i < f->n ? strlen(f->paths[i]) : 0;
		m.entries = f->text.len > 0 ? f->n - i < 4 ? f->n - i : 4 : 0;
		if (i + 4 > f->n)
			m.kind = i < f->n ? MANIFEST_FILES : MANIFEST_END;
		if (f->text.len > 0)
			assert_int_equal(
			    member_pack(packer, f->text.data, f->text.len, &f->packed, &f->e), 0);
		assert_int_equal(
		    manifest_write(w, &m, f->packed.data, f->packed.len, f->text.len, &f->e), 0);
		m.offset += m.packed_len;
	}
	if (m.kind != MANIFEST_END) {
		m.kind = MANIFEST_END;
		m.path = NULL;
		m.path_len = 0;
		m.entries = 0;
		assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &f->e), 0);
		m.offset += m.packed_len;
	}
	f->seal.archive_size = m.offset;
	member_packer_free(packer);
}

static void
make_manifest(struct fixture *f)
{
	struct manifest_writer *w;
	char full[300];
	int fd;

	(void)snprintf(full, sizeof(full), "%s/tree", f->dir);
	collect(f, full, "");
	qsort(f->paths, f->n, sizeof(f->paths[0]), by_path);
	(void)snprintf(full, sizeof(full), "%s/" NAME ".manifest.gz", f->dir);
	fd = open(full, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(manifest_writer_new(&w, fd, NAME, 6, &f->e), 0);
	write_members(f, w);
	assert_int_equal(manifest_writer_finish(w, &f->seal, &f->e), 0);
	manifest_writer_free(w);
	assert_int_equal(close(fd), 0);
}

/* ---- a seal ---- */

static void
make_seal(struct fixture *f, const char *key_file)
{
	struct key *key;
	struct buf out = {.data = NULL};
	char full[300];
	int fd;

	(void)strcpy(f->seal.name, NAME);
	(void)strcpy(f->seal.series, "app-backup");
	f->seal.sequence = 7;
	f->seal.created.tv_sec = 1770588005;
	if (f->seal.source == NULL)
		f->seal.source = strdup("/app/data # 1\n");
	f->seal.archive_size = 7;
	if (f->seal.manifest_size == 0) {
		f->seal.manifest_size = f->seal.root_len = 8;
		sha256_of("manifest", 8, f->seal.manifest_digest);
	}
	sha256_of("archive", 7, f->seal.archive_digest);
	(void)snprintf(full, sizeof(full), "%s/%s", f->dir, key_file);
	if (key_load(&key, full, &f->e) == -1)
		fail_msg("%s", f->e.msg);
	assert_int_equal(seal_write(&f->seal, key, &out, &f->e), 0);
	key_free(key);
	(void)snprintf(full, sizeof(full), "%s/" NAME ".seal", f->dir);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, out.data, out.len, &f->e), 0);
	assert_int_equal(close(fd), 0);
	buf_done(&out);
}

#define SPLIT                                                                                      \
	"head -n -1 " NAME ".seal >signed; "                                                       \
	"tail -n 1 " NAME ".seal | awk '{print $4}' | base64 -d >signature; "
#define KEY_ID                                                                                     \
	"[ \"$(openssl pkey -pubin -in key.pub -outform DER | sha256sum | cut -d' ' -f1)\" = "     \
	"\"$(tail -n 1 " NAME ".seal | awk '{print $3}')\" ]; "
#define CHECK_ED25519                                                                              \
	"openssl pkeyutl -verify -rawin -pubin -inkey key.pub -in signed -sigfile signature"
#define CHECK_SHA256 "openssl dgst -sha256 -verify key.pub -signature signature signed"
#define FORGE "sed -i 's/^# changed: 0/# changed: 1/' signed; "

static void
openssl_checks_an_ed25519_seal(void **state)
{
	struct fixture *f = *state;
	char key[300], pub[300];

	(void)snprintf(key, sizeof(key), "%s/key", f->dir);
	(void)snprintf(pub, sizeof(pub), "%s/key.pub", f->dir);
	assert_int_equal(key_generate(key, pub, NULL, &f->e), 0);
	make_seal(f, "key");
	succeeds(f, SPLIT KEY_ID CHECK_ED25519);
	fails(f, SPLIT FORGE CHECK_ED25519);
}

static void
keys_that_openssl_makes_sign_what_openssl_checks(void **state)
{
	static const char *const makers[] = {
	    "openssl genpkey -algorithm ED25519 -out key",
	    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key",
	    "openssl ecparam -name prime256v1 -genkey -out key", /* with its parameters */
	    "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -out key",
	    "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key",
	    "openssl genrsa -traditional -out key 2048",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		const char *check = i == 0 ? SPLIT KEY_ID CHECK_ED25519 : SPLIT KEY_ID CHECK_SHA256;
		const char *forged = i == 0 ? SPLIT FORGE CHECK_ED25519 : SPLIT FORGE CHECK_SHA256;

		succeeds(f, makers[i]);
		succeeds(f, "openssl pkey -in key -pubout -out key.pub");
		make_seal(f, "key");
		succeeds(f, check);
		fails(f, forged);
	}
}

static void
openssl_files_of_the_wrong_kind_are_refused(void **state)
{
	static const char *const makers[] = {
	    "openssl genpkey -algorithm ED25519 -aes256 -pass pass:x -out key",
	    "openssl genrsa -traditional -aes128 -passout pass:x -out key 2048",
	    "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out key",
	    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key",
	    "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
	    "-pkeyopt ec_param_enc:explicit -out key",
	    "openssl ecparam -name prime256v1 -out key",
	    "openssl genpkey -algorithm ED25519 -outform DER -out key",
	};
	struct fixture *f = *state;
	struct key *key;
	char full[300];

	(void)snprintf(full, sizeof(full), "%s/key", f->dir);
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		succeeds(f, makers[i]);
		err_clear(&f->e);
		if (key_load(&key, full, &f->e) == 0)
			fail_msg("taken: %s", makers[i]);
		assert_int_equal(f->e.kind, ERR_USAGE);
	}
}

static void
an_openssl_certificate_is_a_trusted_key(void **state)
{
	struct fixture *f = *state;
	struct trust *t;
	char full[300];

	succeeds(f,
	    "openssl req -x509 -newkey ed25519 -nodes -keyout key -out cert -days 1 "
	    "-subj /CN=backup\n"
	    "openssl x509 -in cert -text >key.crt\n" /* with its text around it */
	    "openssl x509 -in cert -trustout >>key.crt");
	assert_int_equal(trust_new(&t, &f->e), 0);
	(void)snprintf(full, sizeof(full), "%s/key.crt", f->dir);
	if (trust_load(t, full, &f->e) == -1)
		fail_msg("%s", f->e.msg);
	assert_int_equal(trust_count(t), 1);
	make_seal(f, "key");
	assert_true(trust_has(t, f->seal.key_id));
	trust_free(t);
}

static void
sha256sum_checks_the_files(void **state)
{
	struct fixture *f = *state;

	succeeds(f,
	    "openssl genpkey -algorithm ED25519 -out key\n"
	    "printf archive >" NAME ".tar.gz; printf manifest >" NAME ".manifest.gz");
	make_seal(f, "key");
	succeeds(f, "sha256sum -c " NAME ".seal");
	succeeds(f, "grep -v '^#' " NAME ".seal | busybox sha256sum -c -");
	succeeds(f, "printf A | dd of=" NAME ".tar.gz conv=notrunc");
	fails(f, "sha256sum -c " NAME ".seal");
	fails(f, "grep -v '^#' " NAME ".seal | busybox sha256sum -c -");
}

static void
zcat_prints_one_text(void **state)
{
	struct fixture *f = *state;

	make_tree(f);
	make_manifest(f);
	succeeds(f,
	    "gzip -t " NAME ".manifest.gz; zcat " NAME ".manifest.gz >text\n"
	    "[ \"$(head -n 1 text)\" = '#mtree' ]\n"
	    "[ \"$(grep -c '^[^#]' text)\" = \"$(find tree -printf . | wc -c)\" ]\n"
	    "grep -qx '#: hardlink ./plain' text; grep -qx '#! vanished ./was.012here' text\n"
	    "! grep -q '[^ -~]' text");
}

/* Every name comes out of bsdtar as tar has it, types and all. */
static void
bsdtar_lists_the_manifest(void **state)
{
	struct fixture *f = *state;

	make_tree(f);
	make_manifest(f);
	succeeds(f,
	    "bsdtar -tf " NAME ".manifest.gz >listed; cd tree\n"
	    "find . -printf . | wc -c | grep -qx \"$(wc -l <../listed)\"\n"
	    "bsdtar -cf ../out.tar --format=pax @../" NAME ".manifest.gz; cd ..\n"
	    "bsdtar -tf out.tar | sed 's,/$,,' | sort >a\n"
	    "bsdtar -tf " NAME ".manifest.gz | sed 's,/$,,' | sort >b; cmp a b");
}

static void
mtree_finds_the_tree_as_it_is(void **state)
{
	struct fixture *f = *state;

	make_tree(f);
	make_manifest(f);
	succeeds(f, "zcat " NAME ".manifest.gz >text; mtree -f text -p tree >out; [ ! -s out ]");
}

static void
mtree_finds_each_change(void **state)
{
	static const char *const changes[] = {
	    "printf S | dd of='tree/sp ace' conv=notrunc; touch -r tree/sub 'tree/sp ace'",
	    "chmod 755 tree/plain",
	    "touch -d '1969-12-31 23:59:59.6 UTC' tree/plain",
	    "touch -d '1950-01-02 UTC' tree/sub/z",
	    "ln -sfn 'tar gex' tree/link",
	    "rm tree/fifo; touch tree/fifo",
	    "rm 'tree/star*?[]'",
	    "touch tree/more",
	};
	struct fixture *f = *state;

	make_tree(f);
	make_manifest(f);
	succeeds(f, "zcat " NAME ".manifest.gz >text; cp -a tree good");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		succeeds(f, changes[i]);
		if (sh(f, "mtree -f text -p tree >out; [ ! -s out ]") == 0)
			fail_msg("mtree does not see: %s", changes[i]);
		succeeds(f, "rm -rf tree; cp -a good tree; mtree -f text -p tree");
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CASE(openssl_checks_an_ed25519_seal),
	    CASE(keys_that_openssl_makes_sign_what_openssl_checks),
	    CASE(openssl_files_of_the_wrong_kind_are_refused),
	    CASE(an_openssl_certificate_is_a_trusted_key),
	    CASE(sha256sum_checks_the_files),
	    CASE(zcat_prints_one_text),
	    CASE(bsdtar_lists_the_manifest),
	    CASE(mtree_finds_the_tree_as_it_is),
	    CASE(mtree_finds_each_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
