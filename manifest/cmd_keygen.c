/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "seal/key.h"

static const char *key_file, *public_file;

static const struct opt options[] = {
    {"key", 'k', OPT_STRING, "FILE", "where the private key goes", &key_file, NULL, 0, 0, NULL},
    {"public", 'p', OPT_STRING, "FILE", "where the public key goes; else the same with .pub",
	&public_file, NULL, 0, 0, NULL},
    {0},
};

const struct opt_program cmd_keygen_program = {
    .name = "manifest keygen",
    .synopsis = "[--public FILE] {--key FILE | FILE}",
    .description = "Makes a pair of Ed25519 keys: one signs backups, the other checks them. "
		   "Nothing that is there is overwritten.",
    .opts = options,
    .max_args = 1,
    .args_name = "FILE",
    .siblings = cmd_programs,
};

static void
print_human(const char *file, const char *pub, const char *id)
{
	struct buf f = {0}, p = {0};

	path_display(&f, file, strlen(file));
	path_display(&p, pub, strlen(pub));
	printf(
	    "key id   %s\n"
	    "private  %s\n"
	    "         Signs backups (backup --key). Whoever has it can forge one: keep it where\n"
	    "         only backup runs, and a copy offline. It is not needed to restore.\n"
	    "public   %s\n"
	    "         Checks backups (verify --trust, restore --trust). It is no secret; keep it\n"
	    "         apart from the repository, so that nobody can change both.\n",
	    id, buf_str(&f), buf_str(&p));
	buf_done(&f);
	buf_done(&p);
}

static void
print_json(const char *file, const char *pub, const uint8_t *id)
{
	struct json j;

	cmd_json_begin(&j, "keygen");
	cmd_json_digest(&j, "key_id", id);
	json_str(&j, "algorithm", "Ed25519");
	json_path(&j, "private", file, strlen(file));
	json_path(&j, "public", pub, strlen(pub));
	json_end(&j);
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	const char *file = args->n > 0 ? args->items[0] : key_file;
	uint8_t id[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1], *pub = NULL;

	if (file == NULL || (args->n > 0 && key_file != NULL)) {
		(void)err_set(e, ERR_USAGE, "one FILE is needed for the private key");
		return CLI_USAGE;
	}
	if (public_file == NULL && asprintf(&pub, "%s.pub", file) == -1) {
		(void)err_nomem(e);
		return CLI_FAILED;
	}
	if (key_generate(file, pub != NULL ? pub : public_file, id, e) == 0) {
		sha256_hex(id, hex);
		if (common->json)
			print_json(file, pub != NULL ? pub : public_file, id);
		else
			print_human(file, pub != NULL ? pub : public_file, hex);
	}
	free(pub);
	return CLI_OK;
}

const struct cmd cmd_keygen = {
    "keygen", "make a pair of keys: one signs backups, one checks them", &cmd_keygen_program, run};
