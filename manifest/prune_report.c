/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "manifest/prune.h"
#include "manifest/table.h"

static const struct table_column columns[] = {
    {.title = "NAME", .elastic = true},
    {.title = "CREATED", .drop = 2},
    {.title = "AGE", .right = true, .drop = 1},
    {.title = "SIZE", .right = true},
    {.title = "FATE"},
    {.title = "WHY"},
};

void
prune_tell_policy(const struct prune *p)
{
	struct buf policy = {0};

	retain_policy_put(&p->policy, &policy);
	if (p->policy_of_seal)
		log_note("series %s: %s, as %s says", p->newest->seal.series, buf_str(&policy),
		    p->newest->name);
	else
		log_verbose("series %s: %s", p->newest->seal.series, buf_str(&policy));
	buf_done(&policy);
}

static const char *
fate(const struct prune *p, size_t i)
{
	switch (p->fates[i]) {
	case PRUNE_REMOVE:
		return p->dry_run ? "would go" : "removed";
	case PRUNE_HELD:
		return p->dry_run ? "would go" : "stays";
	case PRUNE_FAILED:
		return "FAILED";
	case PRUNE_KEEP:
		break;
	}
	return "stays";
}

static void
put_why(const struct prune *p, size_t i, struct buf *out)
{
	retain_why_put(&p->set.items[i], out);
	if (p->fates[i] == PRUNE_HELD)
		buf_puts(out, "; held by the newest seal");
}

static int
print_table(const struct prune *p, struct err *e)
{
	struct buf why = {0};
	struct table t;
	char text[64];

	table_init(&t, stdout, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < p->set.n; i++) {
		const struct repo_backup *b = p->set.items[i].backup;

		table_cell(&t, b->name);
		clock_table(b->seal.created.tv_sec, text);
		table_cell(&t, text);
		cmd_age(b->seal.created.tv_sec, text);
		table_cell(&t, text);
		num_human(b->seal.archive_size + b->seal.manifest_size, text);
		table_cell(&t, text);
		table_cell(&t, fate(p, i));
		buf_clear(&why);
		put_why(p, i, &why);
		table_cell(&t, buf_str(&why));
	}
	buf_done(&why);
	return table_done(&t, e);
}

static void
json_list(struct json *j, const char *key, const struct prune *p, enum prune_fate which)
{
	struct buf why = {0};

	json_array(j, key);
	for (size_t i = 0; i < p->set.n; i++) {
		const struct repo_backup *b = p->set.items[i].backup;

		if (p->fates[i] != which)
			continue;
		buf_clear(&why);
		retain_why_put(&p->set.items[i], &why);
		json_object(j, NULL);
		json_str(j, "name", b->name);
		json_uint(j, "sequence", b->seal.sequence);
		cmd_json_time(
		    j, "created", b->seal.created.tv_sec, (uint32_t)b->seal.created.tv_nsec);
		json_uint(j, "archive_size", b->seal.archive_size);
		json_uint(j, "manifest_size", b->seal.manifest_size);
		json_str(j, "why", buf_str(&why));
		if (which == PRUNE_FAILED)
			json_str(j, "error", p->errors[i]);
		json_end(j);
	}
	json_end(j);
	buf_done(&why);
}

static void
print_json(const struct prune *p)
{
	struct buf policy = {0};
	struct json j;

	retain_policy_put(&p->policy, &policy);
	cmd_json_begin(&j, "prune");
	json_bool(&j, "dry_run", p->dry_run);
	json_str(&j, "series", p->newest->seal.series);
	json_str(&j, "policy", buf_str(&policy));
	json_str(&j, "policy_from", p->policy_of_seal ? "seal" : "options");
	json_str(&j, "newest", p->newest->name);
	json_bool(&j, "sealed_anew", p->needs_seal && !p->dry_run);
	json_list(&j, "pruned", p, PRUNE_REMOVE);
	json_list(&j, "not_pruned", p, PRUNE_FAILED);
	json_list(&j, "needs_key", p, PRUNE_HELD);
	json_list(&j, "kept", p, PRUNE_KEEP);
	json_end(&j);
	buf_done(&policy);
}

/* What goes, or went; in a dry run what a key would let go, too. */
static void
print_null(const struct prune *p)
{
	for (size_t i = 0; i < p->set.n; i++)
		if (p->fates[i] == PRUNE_REMOVE || (p->dry_run && p->fates[i] == PRUNE_HELD))
			(void)fwrite(p->set.items[i].backup->name, 1,
			    strlen(p->set.items[i].backup->name) + 1, stdout);
}

/* On stderr, after the table: what it comes to. */
static void
tell_sum(const struct prune *p)
{
	uint64_t bytes = 0;
	size_t n = 0;
	char human[16];

	for (size_t i = 0; i < p->set.n; i++) {
		const struct seal *s = &p->set.items[i].backup->seal;

		if (p->fates[i] != PRUNE_REMOVE && !(p->dry_run && p->fates[i] == PRUNE_HELD))
			continue;
		bytes += s->archive_size + s->manifest_size;
		n++;
	}
	num_human(bytes, human);
	if (n > 0)
		log_note("%zu of %zu backups %s, %s", n, p->set.n,
		    p->dry_run ? "would go" : "removed", human);
}

int
prune_report(const struct prune *p, const struct opt_common *common, bool null, struct err *e)
{
	if (common->json)
		print_json(p);
	else if (null)
		print_null(p);
	else if (print_table(p, e) != 0)
		return -1;
	else
		tell_sum(p);
	return 0;
}
