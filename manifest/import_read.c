/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_read.h"

#include <stdbool.h>
#include <stddef.h>

#include "archive/entry.h"
#include "archive/foreign.h"
#include "archive/gunzip.h"
#include "core/err.h"
#include "core/log.h"
#include "core/progress.h"
#include "manifest/import_names.h"
#include "manifest/import_spool.h"
#include "pack/attrs.h"
#include "pack/feed.h"

#define TOLD_MAX 20 /* warnings of one archive */

struct reading {
	struct import_read *out;
	const char *archive;
	struct gunzip *gunzip;
	struct foreign *foreign;
	struct import_spool *spool;
	struct import_names *names;
	uint64_t told, shown;
};

/* gunzip_read() for the tar reader, and for the eye. */
static ssize_t
feed(void *ctx, const void **data, struct err *e)
{
	struct reading *r = ctx;
	ssize_t n = gunzip_read(r->gunzip, data, e);
	uint64_t taken = gunzip_taken(r->gunzip);

	progress_add(taken - r->shown, 0);
	r->shown = taken;
	return n;
}

static void
tell(struct reading *r, const struct entry *en, const char *what)
{
	if (r->told++ < TOLD_MAX)
		log_warn("%s: %.300s: %s; left out", r->archive, en->path_len > 0 ? en->path : "./",
		    what);
	else if (r->told == TOLD_MAX + 1)
		log_warn("%s: and more of this kind", r->archive);
}

/* Data and gaps of a file, in full: a gap takes no room in the spool. */
static int
take_content(struct reading *r, const struct entry *en, struct err *e)
{
	uint64_t at = 0, offset;
	const void *data;
	size_t len;
	int rc;

	while ((rc = foreign_data(r->foreign, &data, &len, &offset, e)) == 1) {
		if (r->spool != NULL &&
		    (import_spool_zeros(r->spool, offset - at, e) != 0 ||
			import_spool_put(r->spool, data, len, e) != 0))
			return -1;
		at = offset + len;
	}
	if (rc < 0)
		return err_where(e, "%s", en->path);
	return r->spool == NULL ? 0 : import_spool_zeros(r->spool, en->size - at, e);
}

static int
take_entry(struct reading *r, struct entry *en, struct err *e)
{
	uint64_t data = r->spool == NULL ? 0 : import_spool_pos(r->spool);
	const char *lost = foreign_lost(r->foreign);

	if (en->path_len > FEED_PATH_MAX)
		return err_set(
		    e, ERR_UNSUPPORTED, "%.200s...: a path of %zu bytes", en->path, en->path_len);
	if (lost != NULL)
		tell(r, en, lost);
	if (!attrs_fit(en)) {
		tell(r, en, "its extended attributes are too long");
		en->xattrs = NULL;
		en->acl_access = en->acl_default = NULL;
		en->n_xattrs = en->acl_access_len = en->acl_default_len = 0;
	}
	if (import_names_add(r->names, en, data, e) != 0)
		return -1;
	r->out->entries += en->path_len > 0;
	if (en->type != ENTRY_FILE)
		return 0;
	r->out->bytes += en->size;
	return take_content(r, en, e);
}

static int
read_all(struct reading *r, struct err *e)
{
	struct entry en;
	int rc;

	while ((rc = foreign_next(r->foreign, &en, e)) == 1)
		if (take_entry(r, &en, e) != 0)
			return -1;
	if (rc < 0)
		return -1;
	gunzip_digest(r->gunzip, r->out->digest);
	if (r->out->entries == 0)
		return err_set(e, ERR_CORRUPT, "holds nothing");
	return r->spool == NULL ? 0 : import_spool_finish(r->spool, e);
}

int
import_read(struct import_read *out, int fd, const char *archive, struct import_spool *spool,
    struct import_names *names, struct err *e)
{
	struct reading r = {.out = out, .archive = archive, .spool = spool, .names = names};
	int rc = -1;

	*out = (struct import_read){0};
	if (gunzip_new(&r.gunzip, fd, e) == 0 && foreign_new(&r.foreign, feed, &r, e) == 0)
		rc = read_all(&r, e);
	foreign_free(r.foreign);
	gunzip_free(r.gunzip);
	return rc == 0 ? 0 : err_where(e, "%s", archive);
}
