/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/checks.h"

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "manifest/cmd.h"
#include "store/repo.h"

struct checks
checks_of(struct catalog *c, const struct repo_backup *b)
{
	const uint8_t *digest = b->seal.text_digest;
	struct checks h = {0};
	struct err e = {0};

	if (c == NULL)
		return h;
	h.checked = catalog_verified(c, digest, &h.last, &e) == 1;
	h.read = h.checked && catalog_checked(c, digest, CATALOG_STANDARD, &h.last_read, &e) == 1;
	if (e.kind != ERR_NONE)
		log_verbose("%s: %s", b->name, e.msg);
	return h;
}

static void
put_one(const struct catalog_verification *v, struct buf *out)
{
	char age[32];

	cmd_age(v->at, age);
	buf_printf(out, "%s %s ago%s", cmd_level_name(v->level), age, v->ok ? "" : ": FAILED");
}

/* A quick look afterwards does not hide what was read, when, and how that ended. */
void
checks_put(const struct checks *h, struct buf *out)
{
	if (!h->checked)
		buf_puts(out, "never");
	if (h->read)
		put_one(&h->last_read, out);
	if (h->checked && (!h->read || h->last.level < CATALOG_STANDARD)) {
		buf_puts(out, h->read ? ", " : "");
		put_one(&h->last, out);
	}
}

static void
json_one(struct json *j, const char *key, bool there, const struct catalog_verification *v)
{
	if (!there) {
		json_str(j, key, NULL);
		return;
	}
	json_object(j, key);
	json_str(j, "level", cmd_level_name(v->level));
	cmd_json_time(j, "at", v->at, 0);
	json_bool(j, "ok", v->ok);
	json_end(j);
}

void
checks_json(const struct checks *h, struct json *j)
{
	json_one(j, "verified", h->checked, &h->last);
	json_one(j, "read", h->read, &h->last_read);
}
