/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_set.h"

#include <string.h>
#include <sys/random.h>

#include "core/err.h"
#include "core/hash.h"

static uint64_t
hash_of(const struct bare_set *s, const char *path)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 h;
	uint64_t hash;

	sha256_init(&h);
	sha256_update(&h, s->salt, sizeof(s->salt));
	sha256_update(&h, path, strlen(path));
	sha256_final(&h, digest);
	memcpy(&hash, digest, sizeof(hash));
	return hash;
}

int
bare_set_add(struct bare_set *s, const char *path, struct err *e)
{
	if (s->paths.n >= BARE_SET_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more paths than fit into memory");
	if (s->paths.n == 0 && getrandom(s->salt, sizeof(s->salt), 0) != (ssize_t)sizeof(s->salt))
		return err_sys(e, "getrandom");
	return hashes_add(&s->paths, hash_of(s, path), e) < 0 ? -1 : 0;
}

bool
bare_set_has(const struct bare_set *s, const char *path)
{
	return hashes_has(&s->paths, hash_of(s, path));
}

void
bare_set_done(struct bare_set *s)
{
	hashes_done(&s->paths);
	*s = (struct bare_set){0};
}
