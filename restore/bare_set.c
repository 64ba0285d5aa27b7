/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/err.h"
#include "core/hash.h"

static uint64_t
key_of(const struct bare_set *s, const char *path)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 h;
	uint64_t key;

	sha256_init(&h);
	sha256_update(&h, s->salt, sizeof(s->salt));
	sha256_update(&h, path, strlen(path));
	sha256_final(&h, digest);
	memcpy(&key, digest, sizeof(key));
	return key != 0 ? key : 1;
}

/* Where key is, or would go. */
static uint64_t *
slot(uint64_t *v, size_t cap, uint64_t key)
{
	size_t i = (size_t)key & (cap - 1);

	while (v[i] != 0 && v[i] != key)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

/* Room for one more, with half of it free. */
static int
grow(struct bare_set *s, struct err *e)
{
	size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
	uint64_t *more;

	if (2 * s->n < s->cap)
		return 0;
	if (s->n >= BARE_SET_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more paths than fit into memory");
	if (s->cap == 0 && getrandom(s->salt, sizeof(s->salt), 0) != (ssize_t)sizeof(s->salt))
		return err_sys(e, "getrandom");
	if ((more = calloc(cap, sizeof(*more))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->cap; i++)
		if (s->v[i] != 0)
			*slot(more, cap, s->v[i]) = s->v[i];
	free(s->v);
	s->v = more;
	s->cap = cap;
	return 0;
}

int
bare_set_add(struct bare_set *s, const char *path, struct err *e)
{
	uint64_t key, *at;

	if (grow(s, e) != 0)
		return -1;
	key = key_of(s, path);
	at = slot(s->v, s->cap, key);
	s->n += *at == 0;
	*at = key;
	return 0;
}

bool
bare_set_has(const struct bare_set *s, const char *path)
{
	return s->n > 0 && *slot(s->v, s->cap, key_of(s, path)) != 0;
}

void
bare_set_done(struct bare_set *s)
{
	free(s->v);
	*s = (struct bare_set){0};
}
