/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_ORDER_H
#define MANIFEST_IMPORT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/hash.h"
#include "seal/seal.h"

struct err;
struct opt_list;
struct repo;
struct repo_backup;
struct repo_list;

/*
 * Which archives an import takes, when they were made, and where they stand among the backups.
 *
 * A time is that of the stamp in the name (SERIES-YYYYMMDD_HHMMSS, local time in the zone of this
 * process), because the archive itself tells none: the one place where something is derived
 * from a name.  Where the name has none it is the file's mtime.
 *
 * A backup that was imported says so in its seal's source: "import of NAME.tar.gz sha256:HEX".  An
 * archive with that digest is not imported again.
 *
 * Sequences: imported backups stand in the order of their times, and before all backups that
 * were made as such.  An archive gets one between those of its neighbours in that order, just
 * below the next one, and such that archives that are not imported yet find room as well.
 */
struct import_item {
	char name[SEAL_NAME_MAX + 1]; /* without ".tar.gz" */
	char series[SEAL_NAME_MAX + 1];
	struct timespec created;
	bool from_mtime;
	uint64_t size;
	bool wanted; /* by this run; the others only keep their places */
	/* It was imported already: import_order_find() finds the backup by its digest. */
	bool is_done;
	uint8_t digest[SHA256_LEN];
	uint64_t sequence; /* of a wanted one that is not done; 0: there is none left */
	uint64_t below; /* the number that it had to be below; 0: none */
};

struct import_order {
	struct import_item *items; /* by series, time, name */
	size_t n;
	size_t refused; /* of the series, and no regular files: left out, and told */
};

/*
 * names: NAME or NAME.tar.gz each; none: all archives of the series.  series NULL: the default one;
 * for archives that were named, the one that their names tell.  ERR_NOTFOUND: no such archive;
 * ERR_USAGE: it is a backup already.
 */
#define IMPORT_SERIES "autolab-backup"
int import_order_make(struct import_order *out, const struct repo *repo,
    const struct repo_list *list, const char *series, const struct opt_list *names, struct err *e);
void import_order_done(struct import_order *o);
/* -1, and in *e why an item without a sequence cannot be imported, and what can be done. */
int import_order_no_room(const struct import_item *it, struct err *e);

/* Is b the work of an import? */
bool import_order_made(const struct repo_backup *b);
/* The backup of the series that was made of an archive with this digest, or NULL. */
const struct repo_backup *import_order_find(
    const struct repo_list *l, const char *series, const uint8_t digest[SHA256_LEN]);
/* SHA-256 of a whole file, from its start. */
int import_digest(int fd, uint8_t out[SHA256_LEN], struct err *e);

#endif
