/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/index.h"

#include <string.h>
#include <unistd.h>

#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/members.h"
#include "catalog/place.h"
#include "catalog/spans.h"
#include "core/err.h"
#include "core/log.h"
#include "core/path.h"
#include "core/progress.h"
#include "core/stop.h"
#include "seal/manifest.h"
#include "seal/section.h"
#include "store/repo.h"

/* One backup's way into the catalog. */
struct run {
	struct catalog *c;
	const struct seal *seal;
	struct catalog_place place;
	struct manifest_reader *reader;
	struct catalog_spans *spans;
	struct catalog_members *members;
	struct buf text; /* of a section */
	struct buf last; /* path of the last entry */
	bool has_last;
	bool read_all; /* keep no section unread */
	bool manifest_fault; /* the failure is the manifest's, not the catalog's */
};

static int
in_order(struct run *x, const char *path, size_t len, struct err *e)
{
	if (x->has_last && path_cmp((const char *)x->last.data, x->last.len, path, len) >= 0) {
		x->manifest_fault = true;
		return err_set(e, ERR_CORRUPT, "the manifest's paths are out of order at %s",
		    len > 0 ? path : ".");
	}
	x->has_last = true;
	buf_clear(&x->last);
	buf_append(&x->last, path, len);
	buf_putc(&x->last, '\0');
	x->last.len -= x->last.len > 0;
	return buf_check(&x->last, e);
}

static int
put_lines(struct run *x, struct err *e)
{
	struct section_parser *p = NULL;
	struct section_line line;
	int rc = section_parser_new(&p, x->text.data, x->text.len, e);

	while (rc == 0) {
		rc = section_next(p, &line, e);
		x->manifest_fault = rc < 0;
		if (rc <= 0)
			break;
		rc = 0;
		if (!line.is_note &&
		    (in_order(x, line.path, line.path_len, e) != 0 ||
			catalog_spans_add(x->spans, &line, e) != 0))
			rc = -1;
	}
	section_parser_free(p);
	return rc;
}

static int
put_section(struct run *x, const struct manifest_member *m, struct err *e)
{
	if (manifest_section(x->reader, m, &x->text, e) != 0) {
		x->manifest_fault = true;
		return -1;
	}
	return put_lines(x, e);
}

static int
put_member(struct run *x, const struct manifest_member *m, struct err *e)
{
	int kept = catalog_members_add(x->members, m, e);

	if (kept < 0)
		return -1;
	if (kept == 1)
		return in_order(x, m->path, m->path_len, e);
	return m->section_len > 0 ? put_section(x, m, e) : 0;
}

static int
put_members(struct run *x, struct err *e)
{
	struct manifest_member m;
	int rc;

	while ((rc = manifest_next(x->reader, &m, e)) == 1) {
		if (stop_check(e) != 0 || put_member(x, &m, e) != 0)
			return -1;
		progress_add(m.section_len, m.entries);
	}
	x->manifest_fault = rc < 0;
	return rc;
}

static int
put_all(struct run *x, struct err *e)
{
	struct catalog_members_opts o = {
	    .c = x->c, .sequence = (int64_t)x->seal->sequence, .keep = !x->read_all};

	if (catalog_place_find(&x->place, x->c, x->seal, e) != 0 ||
	    catalog_place_put(&x->place, true, e) != 0 ||
	    catalog_spans_new(&x->spans, x->c, x->place.series, x->seal->sequence,
		(uint64_t)x->place.previous, e) != 0)
		return -1;
	o.series = x->place.series;
	o.previous = x->place.previous;
	o.spans = x->spans;
	if (catalog_members_new(&x->members, &o, e) != 0 || put_members(x, e) != 0)
		return -1;
	return catalog_spans_finish(x->spans, e);
}

static void
run_done(struct run *x)
{
	manifest_reader_free(x->reader);
	catalog_members_free(x->members);
	catalog_spans_free(x->spans);
	buf_done(&x->text);
	buf_done(&x->last);
}

static int
index_try(struct catalog *c, struct repo *r, const struct seal *s, bool read_all,
    bool *manifest_fault, struct err *e)
{
	struct run x = {.c = c, .seal = s, .read_all = read_all};
	int rc = -1, fd = -1;

	if (catalog_db_current(c, e) != 0)
		goto out;
	fd = repo_open_part(r, REPO_MANIFEST, s->name, e);
	if (fd == -1 || manifest_reader_new(&x.reader, fd, s, e) != 0) {
		x.manifest_fault = true;
		goto out;
	}
	if (catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		goto out;
	if (put_all(&x, e) == 0) {
		/* An unfinished scan would stand in the way of the commit. */
		run_done(&x);
		memset(&x, 0, sizeof(x));
		rc = catalog_db_end(c, 0, e);
	}
out:
	*manifest_fault = x.manifest_fault;
	run_done(&x);
	if (fd != -1)
		(void)close(fd);
	if (rc != 0) {
		(void)catalog_db_end(c, -1, NULL);
		return err_where(e, "%s", s->name);
	}
	catalog_backups_unload(c);
	return 0;
}

/*
 * When members and versions do not fit together, it may be a catalog that lies or a
 * manifest that is out of order: to read all of it tells.
 */
static int
index_one(
    struct catalog *c, struct repo *r, const struct seal *s, bool *manifest_fault, struct err *e)
{
	struct err first = {0};

	if (index_try(c, r, s, false, manifest_fault, &first) == 0)
		return 0;
	if (first.kind == ERR_CORRUPT && !*manifest_fault)
		return index_try(c, r, s, true, manifest_fault, e);
	if (e != NULL)
		*e = first;
	return -1;
}

int
catalog_index(struct catalog *c, struct repo *r, const struct seal *s, struct err *e)
{
	bool manifest_fault = false;

	return index_one(c, r, s, &manifest_fault, e);
}

static int
record_unreadable(struct catalog *c, const struct seal *s, struct err *e)
{
	struct catalog_place p;
	int rc;

	if (catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	rc = catalog_place_find(&p, c, s, e);
	if (rc == 0)
		rc = catalog_place_put(&p, false, e);
	if (catalog_db_end(c, rc, e) != 0)
		return err_where(e, "%s", s->name);
	catalog_backups_unload(c);
	return 0;
}

int
catalog_index_lenient(struct catalog *c, struct repo *r, const struct seal *s, struct err *e)
{
	struct err why = {0};
	bool manifest_fault = false;

	if (index_one(c, r, s, &manifest_fault, &why) == 0)
		return 0;
	if (!manifest_fault ||
	    (why.kind != ERR_CORRUPT && why.kind != ERR_NOTFOUND && why.kind != ERR_UNSUPPORTED))
		return err_pass(e, &why);
	log_warn("what this backup holds is not known: %s", why.msg);
	return record_unreadable(c, s, e);
}

/* The section's lines, in order behind *last. */
static bool
lines_readable(const struct buf *text, struct buf *last, bool *any)
{
	struct section_parser *p = NULL;
	struct section_line line;
	int rc = section_parser_new(&p, text->data, text->len, NULL);

	while (rc == 0 && (rc = section_next(p, &line, NULL)) == 1) {
		rc = 0;
		if (line.is_note)
			continue;
		if (*any &&
		    path_cmp((const char *)last->data, last->len, line.path, line.path_len) >= 0)
			rc = -1;
		*any = true;
		buf_clear(last);
		buf_append(last, line.path, line.path_len);
		if (buf_check(last, NULL) != 0)
			rc = -1;
	}
	section_parser_free(p);
	return rc == 0;
}

bool
catalog_index_readable(struct repo *r, const struct seal *s)
{
	int fd = repo_open_part(r, REPO_MANIFEST, s->name, NULL);
	struct manifest_reader *reader = NULL;
	struct manifest_member m;
	struct buf text = {0}, last = {0};
	bool any = false;
	int rc = -1;

	if (fd != -1 && manifest_reader_new(&reader, fd, s, NULL) == 0) {
		while ((rc = manifest_next(reader, &m, NULL)) == 1)
			if (stop_check(NULL) != 0 ||
			    (m.section_len > 0 &&
				(manifest_section(reader, &m, &text, NULL) != 0 ||
				    !lines_readable(&text, &last, &any))))
				break;
	}
	manifest_reader_free(reader);
	buf_done(&text);
	buf_done(&last);
	if (fd != -1)
		(void)close(fd);
	return rc == 0;
}
