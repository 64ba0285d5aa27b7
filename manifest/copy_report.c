/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "core/progress.h"
#include "manifest/cmd.h"
#include "manifest/copy.h"

/* In the order of enum copy_state; also the names of totals in JSON. */
static const char *const words[COPY_STATES] = {"would_copy", "would_reseal", "present", "copied",
    "resealed", "gone", "damaged", "conflict", "untrusted", "bad"};

void
copy_report_begin(struct copy_report *r, bool authenticated)
{
	r->began_ns = clock_mono_ns();
	if (!r->is_json)
		return;
	cmd_json_begin(&r->json, "copy");
	json_path(&r->json, "destination", r->dest, strlen(r->dest));
	json_bool(&r->json, "dry_run", r->dry_run);
	json_bool(&r->json, "authenticated", authenticated);
	json_array(&r->json, "backups");
}

static void
item_json(struct copy_report *r, struct copy_item *item)
{
	const struct repo_backup *b = item->backup;

	progress_hide();
	json_object(&r->json, NULL);
	json_str(&r->json, "name", b->name);
	if (b->state != REPO_BAD) {
		json_str(&r->json, "series", b->seal.series);
		json_uint(&r->json, "sequence", b->seal.sequence);
		json_uint(&r->json, "archive_size", b->seal.archive_size);
		json_uint(&r->json, "manifest_size", b->seal.manifest_size);
		cmd_json_digest(&r->json, "seal_sha256", b->seal.text_digest);
	}
	json_str(&r->json, "result", words[item->state]);
	json_bool(&r->json, "put_on_hold", item->hold);
	if (item->why.len > 0)
		json_str(&r->json, "why", buf_str(&item->why));
	json_end(&r->json);
}

static void
line(const struct copy_report *r, const struct copy_item *item, const char *what)
{
	char size[16];

	if (r->is_json || r->is_quiet)
		return;
	progress_hide();
	num_human(item->size, size);
	(void)printf("%s: %s", item->backup->name, what);
	if (item->state == COPY_TODO || item->state == COPY_DONE)
		(void)printf(" (%s)", size);
	(void)printf("%s\n", item->hold && item->state != COPY_PRESENT ? ", on hold" : "");
	(void)fflush(stdout);
}

/* What keeps a whole series out is said once. */
static void
tell_why(struct copy_report *r, struct copy_item *item)
{
	if (item->state == COPY_CONFLICT && r->told.len == item->why.len &&
	    memcmp(r->told.data, item->why.data, item->why.len) == 0)
		return;
	log_warn("%s: not copied: %s", item->backup->name, buf_str(&item->why));
	buf_clear(&r->told);
	buf_append(&r->told, item->why.data, item->why.len);
}

void
copy_report_item(struct copy_report *r, struct copy_item *item)
{
	const char *name = item->backup->name;

	r->n[item->state]++;
	if (item->state == COPY_TODO || item->state == COPY_DONE)
		r->bytes += item->size;
	if (r->is_json)
		item_json(r, item);
	switch (item->state) {
	case COPY_TODO:
		line(r, item, "would be copied");
		break;
	case COPY_SEAL_TODO:
		line(r, item, "its seal would be replaced");
		break;
	case COPY_PRESENT:
		if (item->hold)
			line(r, item, r->dry_run ? "would be put on hold" : "put on hold");
		else
			log_verbose("%s: is there already", name);
		break;
	case COPY_DONE:
		line(r, item, "copied");
		break;
	case COPY_SEAL_DONE:
		line(r, item, "seal replaced");
		break;
	case COPY_GONE:
		log_note("%s: was pruned meanwhile, and is not copied", name);
		break;
	case COPY_DAMAGED:
	case COPY_CONFLICT:
	case COPY_UNTRUSTED:
	case COPY_BAD:
		tell_why(r, item);
		break;
	}
}

static uint64_t
not_copied(const struct copy_report *r)
{
	return r->n[COPY_DAMAGED] + r->n[COPY_CONFLICT] + r->n[COPY_UNTRUSTED] + r->n[COPY_BAD];
}

static void
end_json(struct copy_report *r, const struct copy_end *end)
{
	struct json *j = &r->json;

	json_end(j);
	json_object(j, "totals");
	for (size_t i = 0; i < COPY_STATES; i++)
		json_uint(j, words[i], r->n[i]);
	json_end(j);
	json_uint(j, "bytes", r->bytes);
	json_uint(j, "milliseconds", (clock_mono_ns() - r->began_ns) / 1000000);
	if (r->dry_run)
		json_uint(j, "free_bytes", end->free_bytes);
	else
		json_uint(j, "held_missing", end->missing);
	json_uint(j, "warnings", log_warnings());
	json_int(j, "status", end->status);
	json_end(j);
}

static void
end_text(const struct copy_report *r, const struct copy_end *end)
{
	uint64_t n = r->n[r->dry_run ? COPY_TODO : COPY_DONE];
	uint64_t seals = r->n[r->dry_run ? COPY_SEAL_TODO : COPY_SEAL_DONE];
	struct buf dest = {0};
	char size[16], room[16];

	path_display(&dest, r->dest, strlen(r->dest));
	num_human(r->bytes, size);
	num_human(end->free_bytes, room);
	progress_hide();
	(void)printf(
	    "%s %" PRIu64 " backup%s", r->dry_run ? "Would copy" : "Copied", n, n == 1 ? "" : "s");
	if (n > 0)
		(void)printf(" (%s)", size);
	(void)printf(" to %s", buf_str(&dest));
	if (r->n[COPY_PRESENT] > 0)
		(void)printf("; %" PRIu64 " there already", r->n[COPY_PRESENT]);
	if (seals > 0)
		(void)printf("; %" PRIu64 " seal%s %sreplaced", seals, seals == 1 ? "" : "s",
		    r->dry_run ? "would be " : "");
	if (not_copied(r) > 0)
		(void)printf("; %" PRIu64 " not copied (see the warnings)", not_copied(r));
	if (r->dry_run)
		(void)printf("; %s is free", room);
	(void)putchar('\n');
	buf_done(&dest);
}

void
copy_report_end(struct copy_report *r, const struct copy_end *end, bool failed)
{
	buf_done(&r->told);
	if (r->is_json)
		end_json(r, end);
	else if (!r->is_quiet && !failed)
		end_text(r, end);
}
