/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/path.h"
#include "seal/section.h"
#include "verify/audit_report.h"

/* Longer targets of links are not shown. */
#define LINKS_SHOWN 100u

/* ---- what differs ---- */

static void
put_type(struct buf *line, const struct audit_finding *f)
{
	bool socket = S_ISSOCK(f->now->mode);

	buf_printf(line, " (%s to %s)", entry_type_name(f->before->type),
	    socket ? "socket" : entry_type_name(entry_type_of_mode(f->now->mode)));
}

static void
put_sizes(struct buf *line, const struct audit_finding *f)
{
	char before[16], now[16];

	if (f->before->size == f->now->size || !f->before->has_sha256)
		return;
	num_human(f->before->size, before);
	num_human(f->now->size, now);
	if (strcmp(before, now) != 0)
		buf_printf(line, " (%s to %s)", before, now);
	else
		buf_printf(
		    line, " (%" PRIu64 " to %" PRIu64 " bytes)", f->before->size, f->now->size);
}

static void
put_times(struct buf *line, const struct audit_finding *f)
{
	char before[64], now[64];

	if (f->before->mtime_sec == f->now->mtime_sec) {
		buf_printf(line, " (by nanoseconds, %09" PRIu32 " to %09" PRIu32 ")",
		    f->before->mtime_nsec, f->now->mtime_nsec);
		return;
	}
	clock_table((time_t)f->before->mtime_sec, before);
	clock_table((time_t)f->now->mtime_sec, now);
	buf_printf(line, " (%s to %s)", before, now);
}

static void
put_links(struct buf *line, const struct audit_finding *f)
{
	const struct section_line *b = f->before;

	if (f->now_link == NULL && b->type == ENTRY_HARDLINK) {
		buf_puts(line, " (was one file with ");
		path_display(line, b->link, b->link_len);
		buf_putc(line, ')');
	} else if (f->now_link == NULL)
		buf_puts(line, " (is one file with another now)");
	else if (b->link_len + strlen(f->now_link) <= LINKS_SHOWN) {
		buf_puts(line, " (");
		path_display(line, b->link, b->link_len);
		buf_puts(line, " to ");
		path_display(line, f->now_link, strlen(f->now_link));
		buf_putc(line, ')');
	}
}

static void
put_values(struct buf *line, const struct audit_finding *f, unsigned bit)
{
	const struct section_line *b = f->before;
	const struct facts *n = f->now;

	switch (bit) {
	case AUDIT_TYPE:
		put_type(line, f);
		break;
	case AUDIT_CONTENT:
		put_sizes(line, f);
		break;
	case AUDIT_MODE:
		buf_printf(line, " (%04" PRIo32 " to %04" PRIo32 ")", b->mode, n->mode & 07777);
		break;
	case AUDIT_OWNER:
		buf_printf(line, " (%" PRIu32 ":%" PRIu32 " to %" PRIu32 ":%" PRIu32 ")", b->uid,
		    b->gid, n->uid, n->gid);
		break;
	case AUDIT_MTIME:
		put_times(line, f);
		break;
	case AUDIT_LINK:
		put_links(line, f);
		break;
	case AUDIT_DEVICE:
		buf_printf(line, " (%" PRIu32 ":%" PRIu32 " to %" PRIu32 ":%" PRIu32 ")",
		    b->rdev_major, b->rdev_minor, n->rdev_major, n->rdev_minor);
		break;
	default:
		break;
	}
}

/* As manifest diff: a directory with "/" at its end, the root as "./". */
static void
put_path(struct buf *line, const struct audit_finding *f)
{
	bool is_dir = f->now != NULL ? S_ISDIR(f->now->mode)
				     : f->before != NULL && f->before->type == ENTRY_DIR;

	if (f->path_len == 0)
		buf_putc(line, '.');
	path_display(line, f->path, f->path_len);
	if (is_dir || f->path_len == 0)
		buf_putc(line, '/');
}

void
audit_text_item(FILE *out, const struct audit_finding *f)
{
	struct buf line = {0};
	const char *before = ": ";

	buf_printf(&line, "%s: ", audit_kind_name(f->kind));
	put_path(&line, f);
	if (f->reason != NULL)
		buf_printf(&line, ": %s", f->reason);
	for (unsigned bit = 1; audit_what_name(bit) != NULL; bit <<= 1) {
		if ((f->what & bit) == 0)
			continue;
		buf_printf(&line, "%s%s", before, audit_what_name(bit));
		put_values(&line, f, bit);
		before = ", ";
	}
	(void)fprintf(out, "%s\n", buf_str(&line));
	buf_done(&line);
}

/* ---- the last line ---- */

static uint64_t
entries(const struct audit_totals *t)
{
	uint64_t n = t->unchanged;

	for (int i = 0; i < AUDIT_KINDS; i++)
		n += t->kinds[i];
	return n;
}

static void
put_extra(FILE *out, uint64_t n, const char *what)
{
	if (n > 0)
		(void)fprintf(out, ", %" PRIu64 " %s", n, what);
}

static void
put_differences(FILE *out, const struct audit_totals *t)
{
	(void)fprintf(out,
	    "%" PRIu64 " added, %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64
	    " with other facts, %" PRIu64 " the same",
	    t->kinds[AUDIT_ADDED], t->kinds[AUDIT_REMOVED], t->kinds[AUDIT_CHANGED],
	    t->kinds[AUDIT_FACTS], t->unchanged);
	put_extra(out, t->kinds[AUDIT_UNREADABLE], "unreadable");
	put_extra(out, t->unknown, "not compared");
	put_extra(out, t->damaged,
	    t->damaged == 1 ? "damage of the manifest" : "damages of the manifest");
}

void
audit_text_end(FILE *out, const char *backup, const struct audit_end *end)
{
	const struct audit_totals *t = end->totals;
	char size[16];

	num_human(t->bytes, size);
	(void)fprintf(out, "%s: ", backup);
	if (audit_clean(t)) {
		(void)fputs("ok", out);
		put_extra(out, t->unknown, "not compared");
	} else {
		(void)fputs("DIFFERS: ", out);
		put_differences(out, t);
	}
	(void)fprintf(out, " (source: %" PRIu64 " %s, %s, %" PRIu64 ".%" PRIu64 " s)\n", entries(t),
	    entries(t) == 1 ? "entry" : "entries", size, end->ms / 1000, end->ms / 100 % 10);
}
