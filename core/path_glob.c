/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Globs.  Both levels, characters within a component and components within a
 * path, are matched by the same rule: when something does not fit, go back to
 * the last star and let it take one more.  Earlier stars need never be tried
 * again, so that no pattern costs more than its length times the path's.
 */
#include <stdint.h>
#include <string.h>

#include "core/path.h"
#include "core/utf8.h"

struct span {
	const char *s;
	const char *end;
};

/* The character at s->s, which moves past it.  A byte that is not UTF-8 counts above all others. */
static uint32_t
next_char(struct span *s)
{
	uint32_t c;
	size_t n = utf8_next(s->s, (size_t)(s->end - s->s), &c);

	if (n == 0) {
		c = 0x110000u + (unsigned char)*s->s;
		n = 1;
	}
	s->s += n;
	return c;
}

/* One end of a range in a set; a backslash takes the next character as it is. */
static uint32_t
set_char(struct span *set)
{
	if (*set->s == '\\' && set->end - set->s > 1)
		set->s++;
	return next_char(set);
}

/*
 * The set after '[' at p: 1 or 0 whether c is in it, and p moved past the ']';
 * -1 and p where it was when no ']' ends it.
 */
static int
match_set(struct span *p, uint32_t c)
{
	struct span set = *p;
	bool in = false, negated = false, first = true;
	uint32_t low, high;

	/* Many a '[' without any ']' must not make each look through all the rest. */
	if (memchr(set.s, ']', (size_t)(set.end - set.s)) == NULL)
		return -1;
	if (*set.s == '!' || *set.s == '^') {
		negated = true;
		set.s++;
	}
	for (; set.s < set.end && (first || *set.s != ']'); first = false) {
		low = high = set_char(&set);
		if (set.end - set.s > 1 && set.s[0] == '-' && set.s[1] != ']') {
			set.s++;
			high = set_char(&set);
		}
		in |= low <= c && c <= high;
	}
	if (set.s == set.end)
		return -1;
	p->s = set.s + 1;
	return in != negated;
}

/* Does the element at p (no star) match the character at s?  Both move past it if so. */
static bool
match_one(struct span *p, struct span *s)
{
	struct span pattern = *p, name = *s;
	uint32_t c = next_char(&name), want;
	int in;

	want = next_char(&pattern);
	if (want == '[' && (in = match_set(&pattern, c)) >= 0) {
		if (in == 0)
			return false;
	} else if (want != '?') {
		if (want == '\\' && pattern.s < pattern.end)
			want = next_char(&pattern);
		if (want != c)
			return false;
	}
	*p = pattern;
	*s = name;
	return true;
}

static bool
match_component(struct span p, struct span s)
{
	struct span star = {0}, taken = {0};

	while (s.s < s.end) {
		if (p.s < p.end && *p.s == '*') {
			p.s++;
			star = p;
			taken = s;
		} else if (p.s == p.end || !match_one(&p, &s)) {
			if (star.s == NULL)
				return false;
			(void)next_char(&taken);
			s = taken;
			p = star;
		}
	}
	while (p.s < p.end && *p.s == '*')
		p.s++;
	return p.s == p.end;
}

/* The next component of what is left, which moves past it; false when there is none. */
static bool
component(struct span *left, struct span *out)
{
	const char *slash;

	do {
		while (left->s < left->end && *left->s == '/')
			left->s++;
		if (left->s == left->end)
			return false;
		slash = memchr(left->s, '/', (size_t)(left->end - left->s));
		out->s = left->s;
		out->end = left->s = slash == NULL ? left->end : slash;
	} while (out->end - out->s == 1 && *out->s == '.');
	return true;
}

static bool
is_double_star(struct span p)
{
	return p.end - p.s == 2 && memcmp(p.s, "**", 2) == 0;
}

static bool
match_path(struct span p, struct span s)
{
	struct span star = {0}, taken = {0}, want = {0}, name;
	bool any = false, more;

	for (;;) {
		struct span p_next = p, s_next = s;

		more = component(&p_next, &want);
		if (more && is_double_star(want)) {
			any = true;
			p = star = p_next;
			taken = s;
			continue;
		}
		if (!component(&s_next, &name))
			return !more;
		if (more && match_component(want, name)) {
			p = p_next;
			s = s_next;
			continue;
		}
		if (!any || !component(&taken, &name))
			return false;
		s = taken;
		p = star;
	}
}

bool
path_has_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

bool
path_glob(const char *pattern, const char *path, size_t len, bool is_dir)
{
	struct span p = {pattern, pattern + strlen(pattern)}, s = {path, path + len};
	const char *slash;

	if (len == 0)
		return false;
	if (p.s < p.end && p.end[-1] == '/') {
		if (!is_dir)
			return false;
		while (p.s < p.end && p.end[-1] == '/')
			p.end--;
	}
	if (p.s == p.end)
		return false;
	if (memchr(p.s, '/', (size_t)(p.end - p.s)) == NULL) {
		if ((slash = memrchr(path, '/', len)) != NULL)
			s.s = slash + 1;
		return match_component(p, s);
	}
	return match_path(p, s);
}
