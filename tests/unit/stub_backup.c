/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "seal/key.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static void
must(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "stub_backup: %s\n", e->msg);
	abort();
}

static char *
dup(const char *s)
{
	char *d = strdup(s);

	if (d == NULL)
		abort();
	return d;
}

void
stub_key(const char *dir, const char *name, struct key **k)
{
	char file[SCRATCH_MAX + 16], pub[SCRATCH_MAX + 16];
	struct err e = {0};

	(void)snprintf(file, sizeof(file), "%s/%s", dir, name);
	(void)snprintf(pub, sizeof(pub), "%s/%s.pub", dir, name);
	must(key_generate(file, pub, NULL, &e), &e);
	must(key_load(k, file, &e), &e);
}

void
stub_seal(const char *name, const struct stub *b, struct buf *text, struct seal *out)
{
	struct err e = {0};
	struct seal s = {.sequence = b->sequence,
	    .unreadable = b->unreadable,
	    .archive_size = strlen(STUB_ARCHIVE),
	    .manifest_size = strlen(STUB_MANIFEST),
	    .root_len = strlen(STUB_MANIFEST)};

	(void)snprintf(s.name, sizeof(s.name), "%s", name);
	(void)snprintf(s.series, sizeof(s.series), "%s", b->series != NULL ? b->series : "s");
	s.created.tv_sec = b->created != 0 ? b->created : (int64_t)(1000 * b->sequence);
	s.source = dup("/src");
	s.host = dup("host");
	s.tool = dup("tarseal test");
	s.packer = dup("none");
	sha256_of(STUB_ARCHIVE, strlen(STUB_ARCHIVE), s.archive_digest);
	sha256_of(STUB_MANIFEST, strlen(STUB_MANIFEST), s.manifest_digest);
	for (size_t i = 0; b->holds != NULL && b->holds[i] != NULL; i++)
		must(seal_add_hold(&s, b->holds[i], &e), &e);
	must(seal_write(&s, b->key, text, &e), &e);
	if (out != NULL)
		*out = s;
	else
		seal_done(&s);
}

void
stub_backup(const char *dir, const char *name, const struct stub *b, struct seal *s)
{
	char file[512];
	struct buf text = {0};

	stub_seal(name, b, &text, s);
	(void)snprintf(file, sizeof(file), "%s.tar.gz", name);
	scratch_puts(dir, file, STUB_ARCHIVE);
	(void)snprintf(file, sizeof(file), "%s.manifest.gz", name);
	scratch_puts(dir, file, STUB_MANIFEST);
	(void)snprintf(file, sizeof(file), "%s.seal", name);
	scratch_put(dir, file, text.data, text.len);
	buf_done(&text);
}
