/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/num.h"
#include "core/progress.h"
#include "manifest/cmd.h"
#include "manifest/import_make.h"
#include "manifest/import_names.h"
#include "manifest/import_order.h"
#include "manifest/import_read.h"
#include "manifest/import_series.h"
#include "seal/key.h"

static const char *repo_dir_name, *key_file, *trust_file, *series, *timezone_name;
static bool is_unsigned, remove_original, dry_run;
static uint64_t wait_lock, compression = MEMBER_LEVEL_DEFAULT, jobs;

static const struct opt options[] = {
    {"repo", 'r', OPT_STRING, "DIR", "the repository", &repo_dir_name, "TARSEAL_REPO", 0, 0, NULL},
    {"key", 'k', OPT_STRING, "FILE", "the private key (PEM) that signs the seals", &key_file,
	"TARSEAL_KEY", 0, 0, NULL},
    {"trust", 't', OPT_STRING, "FILE", "public keys of other backups that are good as well",
	&trust_file, "TARSEAL_TRUST", 0, 0, NULL},
    {"unsigned", 0, OPT_FLAG, NULL, "seal without a signature", &is_unsigned, NULL, 0, 0, NULL},
    {"series", 's', OPT_STRING, "NAME", "the series that they become part of", &series,
	"TARSEAL_SERIES", 0, 0, NULL},
    {"timezone", 0, OPT_STRING, "ZONE", "zone of the times in the archives' names", &timezone_name,
	"TARSEAL_TIMEZONE", 0, 0, NULL},
    {"remove-original", 0, OPT_FLAG, NULL, "remove each archive once its backup has been read back",
	&remove_original, NULL, 0, 0, NULL},
    {"dry-run", 'n', OPT_FLAG, NULL, "read the archives and say what would be made of them",
	&dry_run, NULL, 0, 0, NULL},
    {"compression", 0, OPT_UINT, "LEVEL", "1 (fast) to 12 (small)", &compression, NULL, 1, 12,
	NULL},
    {"jobs", 'j', OPT_UINT, "N", "worker threads; as many as backup has", &jobs, "TARSEAL_JOBS", 1,
	LIMITS_WORKERS_MAX, NULL},
    CMD_WAIT_LOCK(&wait_lock),
    {0},
};

const struct opt_program cmd_import_program = {
    .name = "manifest import",
    .synopsis = "--repo DIR {--key FILE | --unsigned} [OPTION...] [ARCHIVE...]",
    .description = "Makes sealed backups of the content of NAME.tar.gz archives that have no seal, "
		   "such as a busybox CronJob leaves. Without ARCHIVE: of all of the series.",
    .opts = options,
    .max_args = SIZE_MAX,
    .args_name = "ARCHIVE",
    .siblings = cmd_programs,
};

struct import {
	struct import_run run;
	struct import_order order;
	const struct opt_common *common;
	struct json json;
	uint64_t made, before, refused;
	bool wrong; /* an original is kept whose backup is damaged */
};

/* ---- what is said ---- */

static const char *const results[] = {
    [IMPORT_MADE] = "imported",
    [IMPORT_DONE_BEFORE] = "imported-before",
    [IMPORT_REFUSED] = "refused",
};

static void
json_one(struct import *m, const struct import_item *it, const struct import_made *made,
    const char *result, const struct err *why)
{
	struct json *j = &m->json;

	json_object(j, NULL);
	json_str(j, "archive", it->name);
	json_str(j, "result", result);
	json_str(j, "error", why != NULL ? why->msg : NULL);
	json_uint(j, "archive_size", it->size);
	cmd_json_digest(j, "archive_sha256", made->result != IMPORT_REFUSED ? made->digest : NULL);
	json_str(j, "series", it->series);
	cmd_json_time(j, "created", it->created.tv_sec, (uint32_t)it->created.tv_nsec);
	json_str(j, "created_from", it->from_mtime ? "mtime" : "name");
	json_str(j, "backup", made->backup[0] != '\0' ? made->backup : NULL);
	json_uint(j, "sequence", made->sequence);
	json_uint(j, "entries", made->entries);
	json_uint(j, "bytes", made->bytes);
	json_bool(j, "removed_original", made->removed);
	json_end(j);
}

static void
line_made(const struct import_item *it, const struct import_made *made)
{
	char was[16], is[16], when[64];

	num_human(it->size, was);
	num_human(made->archive_size, is);
	clock_table(it->created.tv_sec, when);
	if (made->result == IMPORT_DONE_BEFORE)
		printf("Imported before: %s.tar.gz is backup %s\n", it->name, made->backup);
	else
		printf("Imported: %s.tar.gz (%s) as %s (%s): sequence %" PRIu64 ", %s%s, %" PRIu64
		       " entries\n",
		    it->name, was, made->backup, is, made->sequence, when,
		    it->from_mtime ? " (mtime)" : "", made->entries);
	if (made->removed)
		printf("removed '%s/%s.tar.gz'\n", repo_dir_name, it->name);
}

static void
say(struct import *m, const struct import_item *it, const struct import_made *made,
    const struct err *why)
{
	if (made->result == IMPORT_REFUSED)
		log_warn("not imported: %s", why->msg);
	else if (made->kept)
		log_warn("%s", why->msg);
	if (m->common->json)
		json_one(m, it, made, results[made->result],
		    made->result == IMPORT_REFUSED || made->kept ? why : NULL);
	else if (made->result != IMPORT_REFUSED && !m->common->quiet) {
		progress_hide();
		line_made(it, made);
		(void)fflush(stdout);
	}
}

static void
say_end(struct import *m, const struct err *failure)
{
	uint64_t all = m->made + m->before + m->refused;

	if (m->common->json) {
		json_end(&m->json);
		json_str(&m->json, "error", failure != NULL ? failure->msg : NULL);
		json_uint(&m->json, "warnings", log_warnings());
		json_end(&m->json);
	} else if (failure != NULL) {
		return;
	} else if (all == 0 && !m->common->quiet) {
		printf("Nothing to import: no archive without a seal in series %s\n",
		    series != NULL ? series : IMPORT_SERIES);
	} else if (all > 1 && !m->common->quiet) {
		printf("%s: %" PRIu64 ", imported before: %" PRIu64 ", refused: %" PRIu64 "\n",
		    dry_run ? "Could be imported" : "Imported", m->made, m->before, m->refused);
	}
}

static void
say_begin(struct import *m)
{
	const char *zone = timezone_name != NULL ? timezone_name : getenv("TZ");

	if (zone == NULL || zone[0] == '\0' || strcmp(zone, "UTC0") == 0)
		zone = "UTC";
	if (m->order.n > 0)
		log_note("times are taken from the archives' names, as local time of %s", zone);
	if (!m->common->json)
		return;
	cmd_json_begin(&m->json, "import");
	json_path(&m->json, "repository", repo_dir_name, strlen(repo_dir_name));
	json_bool(&m->json, "dry_run", dry_run);
	json_str(&m->json, "timezone", zone);
	json_array(&m->json, "archives");
}

/* ---- a dry run ---- */

/* Do the names go together, and what would be stored? */
static int
try_names(struct import_names *names, struct import_read *read, struct err *e)
{
	struct import_entry it;
	int rc;

	read->entries = read->bytes = 0;
	while ((rc = import_names_next(names, &it, e)) == 1) {
		read->entries++;
		read->bytes += it.en.size;
	}
	return rc;
}

static int
try_archive(struct import *m, const struct import_item *it, struct import_read *read, struct err *e)
{
	struct import_names *names = NULL;
	char archive[SEAL_NAME_MAX + 16];
	int rc = -1, fd = repo_open_part(m->run.repo, REPO_ARCHIVE, it->name, e);

	if (fd < 0)
		return -1;
	(void)snprintf(archive, sizeof(archive), "%s.tar.gz", it->name);
	if (import_names_new(&names, NULL, NULL, it->created.tv_sec, e) == 0 &&
	    progress_start((enum progress_mode)m->run.progress, "import", e) == 0) {
		progress_total(it->size);
		rc = import_read(read, fd, archive, NULL, names, e);
		progress_stop();
		if (rc == 0 && (rc = try_names(names, read, e)) != 0)
			(void)err_where(e, "%s", archive);
	}
	import_names_free(names);
	(void)close(fd);
	return rc;
}

static void
say_tried(struct import *m, const struct import_item *it, const struct import_made *made)
{
	char when[64];

	if (m->common->json) {
		json_one(m, it, made, "could-be-imported", NULL);
		return;
	}
	if (m->common->quiet)
		return;
	clock_table(it->created.tv_sec, when);
	printf("Could be imported: %s.tar.gz as %s: sequence %" PRIu64 ", %s%s, %" PRIu64
	       " entries\n",
	    it->name, made->backup, made->sequence, when, it->from_mtime ? " (mtime)" : "",
	    made->entries);
}

static int
dry_one(struct import *m, const struct import_item *it, struct err *e)
{
	struct import_made made = {.result = IMPORT_DONE_BEFORE};
	struct import_read read;

	if (it->is_done) {
		memcpy(made.digest, it->digest, sizeof(made.digest));
		import_made_tell(
		    &made, &import_order_find(&m->run.list, it->series, it->digest)->seal);
		m->before++;
		say(m, it, &made, NULL);
		return 0;
	}
	if (try_archive(m, it, &read, e) != 0) {
		if (e->kind != ERR_CORRUPT && e->kind != ERR_UNSUPPORTED)
			return -1;
		made.result = IMPORT_REFUSED;
		m->refused++;
		say(m, it, &made, e);
		err_clear(e);
		return 0;
	}
	if (repo_free_name(m->run.repo, it->series, it->created.tv_sec, made.backup, e) != 0)
		return -1;
	made.sequence = it->sequence;
	made.entries = read.entries;
	made.bytes = read.bytes;
	memcpy(made.digest, read.digest, sizeof(made.digest));
	m->made++;
	say_tried(m, it, &made);
	return 0;
}

/* ---- the run ---- */

static int
import_one(struct import *m, const struct import_item *it, struct err *e)
{
	struct import_made made = {.result = IMPORT_REFUSED};

	if (!it->is_done && it->sequence == 0) {
		(void)import_order_no_room(it, e);
		m->refused++;
		say(m, it, &made, e);
		err_clear(e);
		return 0;
	}
	if (dry_run)
		return dry_one(m, it, e);
	if (import_make(&m->run, it, &made, e) != 0)
		return -1;
	m->made += made.result == IMPORT_MADE;
	m->before += made.result == IMPORT_DONE_BEFORE;
	m->refused += made.result == IMPORT_REFUSED;
	m->wrong |= made.kept;
	say(m, it, &made, e);
	err_clear(e);
	return 0;
}

/* Series by series, as the items stand. */
static int
prepare_series(struct import *m, struct err *e)
{
	const char *last = "";

	for (size_t i = 0; i < m->order.n; i++) {
		const struct import_item *it = &m->order.items[i];
		if (!it->wanted || strcmp(it->series, last) == 0)
			continue;
		last = it->series;
		if (dry_run && key_file == NULL)
			continue; /* nobody says what would sign */
		if (import_series_ok(&m->run, last, e) != 0 ||
		    (!dry_run && import_series_hold(&m->run, last, e) != 0))
			return -1;
	}
	return 0;
}

static int
import_all(struct import *m, struct err *e)
{
	if (prepare_series(m, e) != 0)
		return -1;
	for (size_t i = 0; i < m->order.n; i++)
		if (m->order.items[i].wanted && import_one(m, &m->order.items[i], e) != 0)
			return -1;
	return 0;
}

/* The backups stand, whatever becomes of the catalog. */
static void
update_catalog(struct import *m)
{
	struct err e = {0};

	if (catalog_update(m->run.repo, &m->run.list, &e) != 0)
		log_warn("catalog: %s; the backups are sound, \"manifest rebuild\" makes the "
			 "catalog again",
		    e.msg);
}

static int
check_options(struct err *e)
{
	if (repo_dir_name == NULL)
		return err_set(e, ERR_USAGE, "which repository? (--repo DIR or TARSEAL_REPO)");
	if (series != NULL && (!seal_name_ok(series) || strlen(series) > SEAL_NAME_MAX - 24))
		return err_set(e, ERR_USAGE, "--series %s: is not a series' name", series);
	if (key_file != NULL && is_unsigned)
		return err_set(e, ERR_USAGE, "--key and --unsigned exclude each other");
	if (key_file == NULL && !is_unsigned && !dry_run)
		return err_set(e, ERR_USAGE,
		    "no key to sign with: give the one that backup uses with --key FILE (or write "
		    "--unsigned)");
	return 0;
}

/* A dry run looks, and neither locks nor cleans up. */
static int
open_repo(struct import *m, struct err *e)
{
	if (repo_open(&m->run.repo, repo_dir_name, e) != 0)
		return -1;
	if (!dry_run &&
	    (repo_lock(m->run.repo, wait_lock, e) != 0 || repo_recover(m->run.repo, e) != 0))
		return -1;
	return repo_list(m->run.repo, m->run.trust, &m->run.list, e);
}

static int
import(struct import *m, const struct opt_list *args, struct err *e)
{
	if (check_options(e) != 0 || clock_zone_set(timezone_name, e) != 0 ||
	    key_load_ours(&m->run.key, &m->run.trust, key_file, trust_file, e) != 0 ||
	    open_repo(m, e) != 0 ||
	    import_order_make(&m->order, m->run.repo, &m->run.list, series, args, e) != 0)
		return -1;
	m->refused = m->order.refused;
	say_begin(m);
	if (!dry_run)
		limits_tell(m->run.jobs);
	int rc = import_all(m, e);
	if (m->run.list.n > 0 && !dry_run)
		update_catalog(m); /* also what an earlier run was stopped in */
	say_end(m, rc == 0 ? NULL : e);
	return rc;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct import m = {
	    .common = common,
	    .run =
		{
		    .level = (int)compression,
		    .jobs = jobs > 0 ? (unsigned)jobs : limits_workers_here(),
		    .progress = common->progress,
		    .remove_original = remove_original,
		},
	};

	(void)import(&m, args, e);
	import_order_done(&m.order);
	repo_list_done(&m.run.list);
	repo_close(m.run.repo);
	trust_free(m.run.trust);
	key_free(m.run.key);
	return m.refused > 0 || m.wrong ? CLI_WRONG : CLI_OK;
}

const struct cmd cmd_import = {
    "import", "make sealed backups of archives that have no seal", &cmd_import_program, run};
