/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/path.h"

/*
 * Both levels, characters within a component and components within a path, go
 * forward and come back only to the last star: what stands before it matched the
 * shortest way, and a longer one there could not help.  So the worst case is
 * length times length, whatever the pattern.
 */

bool
path_has_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

/*
 * A set at p, which stands behind its '['.  Its end (behind the ']'), or NULL when it is
 * not closed: then the '[' is an ordinary character.  *hit: is c in it?
 */
static const char *
match_set(const char *p, const char *end, unsigned char c, bool *hit)
{
	bool negate = p < end && (*p == '!' || *p == '^');
	const char *first;
	unsigned char low, high;

	*hit = false;
	if (negate)
		p++;
	for (first = p; p < end && (*p != ']' || p == first); p++) {
		low = high = (unsigned char)*p;
		if (end - p > 2 && p[1] == '-' && p[2] != ']') {
			high = (unsigned char)p[2];
			p += 2;
		}
		if (low <= c && c <= high)
			*hit = true;
	}
	if (p >= end)
		return NULL;
	if (negate)
		*hit = !*hit;
	return p + 1;
}

/* Does one character of the pattern at p take c?  Where the pattern goes on, or NULL. */
static const char *
match_one(const char *p, const char *end, unsigned char c)
{
	const char *next;
	bool hit;

	if (*p == '?')
		return p + 1;
	if (*p == '[' && (next = match_set(p + 1, end, c, &hit)) != NULL)
		return hit ? next : NULL;
	if (*p == '\\' && end - p > 1)
		p++;
	return (unsigned char)*p == c ? p + 1 : NULL;
}

static bool
match_component(const char *p, size_t p_len, const char *s, size_t s_len)
{
	const char *end = p + p_len, *s_end = s + s_len;
	const char *star = NULL, *back = NULL, *next;

	while (s < s_end) {
		if (p < end && *p == '*') {
			star = ++p;
			back = s;
		} else if (p < end && (next = match_one(p, end, (unsigned char)*s)) != NULL) {
			p = next;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++back;
		} else
			return false;
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

/* A run of components: the rest of a pattern or of a path. */
struct rest {
	const char *p, *end; /* p NULL: nothing is left */
};

static size_t
head_len(const struct rest *r)
{
	const char *slash = memchr(r->p, '/', (size_t)(r->end - r->p));

	return (size_t)((slash == NULL ? r->end : slash) - r->p);
}

static void
drop_head(struct rest *r)
{
	const char *next = r->p + head_len(r);

	r->p = next == r->end ? NULL : next + 1;
}

static bool
is_any_depth(const struct rest *r)
{
	return r->p != NULL && head_len(r) == 2 && memcmp(r->p, "**", 2) == 0;
}

static bool
match_path(struct rest pat, struct rest path)
{
	struct rest star = {0}, back = {0};
	bool starred = false;

	while (path.p != NULL) {
		if (is_any_depth(&pat)) {
			drop_head(&pat);
			star = pat;
			back = path;
			starred = true;
		} else if (pat.p != NULL &&
		    match_component(pat.p, head_len(&pat), path.p, head_len(&path))) {
			drop_head(&pat);
			drop_head(&path);
		} else if (starred) {
			pat = star;
			drop_head(&back);
			path = back;
		} else
			return false;
	}
	while (is_any_depth(&pat))
		drop_head(&pat);
	return pat.p == NULL;
}

bool
path_glob(const char *pattern, const char *path, size_t len, bool is_dir)
{
	struct rest pat = {pattern, pattern + strlen(pattern)};
	struct rest whole = {path, path + len};
	const char *last;

	if (pat.end > pat.p && pat.end[-1] == '/') {
		if (!is_dir)
			return false;
		pat.end--;
	}
	if (memchr(pat.p, '/', (size_t)(pat.end - pat.p)) == NULL) {
		last = memrchr(path, '/', len);
		if (last != NULL)
			whole.p = last + 1;
		return match_component(
		    pat.p, (size_t)(pat.end - pat.p), whole.p, (size_t)(whole.end - whole.p));
	}
	if (*pat.p == '/')
		pat.p++;
	return match_path(pat, whole);
}
