/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/exclude.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/path.h"

#define FILE_MAX (16u << 20)

struct exclude {
	char **patterns;
	size_t n;
};

int
exclude_new(struct exclude **out, struct err *e)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(e) : 0;
}

void
exclude_free(struct exclude *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++)
		free(x->patterns[i]);
	free(x->patterns);
	free(x);
}

/* "." and ".." never stand in a path, so such a pattern is a misunderstanding: say so. */
static bool
can_match(const char *s)
{
	if (*s == '\0')
		return false;
	while (*s != '\0') {
		size_t n = strcspn(s, "/");
		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += n;
		if (*s == '/')
			s++;
	}
	return true;
}

int
exclude_add(struct exclude *x, const char *pattern, struct err *e)
{
	/* path_glob() takes "/x" as "only at the top"; "./x" means the same. */
	const char *text = pattern[0] == '.' && pattern[1] == '/' ? pattern + 1 : pattern;
	char **grown, *copy;

	if (!can_match(*text == '/' ? text + 1 : text))
		return err_set(e, ERR_USAGE, "pattern \"%s\" can match nothing", pattern);
	grown = realloc(x->patterns, (x->n + 1) * sizeof(*grown));
	if (grown == NULL)
		return err_nomem(e);
	x->patterns = grown;
	if ((copy = strdup(text)) == NULL)
		return err_nomem(e);
	x->patterns[x->n++] = copy;
	return 0;
}

static int
add_line(struct exclude *x, char *line, size_t len, struct err *e)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return 0;
	if (memchr(line, '\0', len) != NULL)
		return err_set(e, ERR_USAGE, "a pattern holds a NUL byte");
	line[len] = '\0';
	return exclude_add(x, line, e);
}

int
exclude_add_file(struct exclude *x, const char *file, struct err *e)
{
	struct buf text = {0};
	unsigned long number = 0;
	int rc = -1;

	if (io_read_file(AT_FDCWD, file, FILE_MAX, &text, e) != 0)
		goto out;
	buf_putc(&text, '\n'); /* room for the last line's NUL */
	if (buf_check(&text, e) != 0)
		goto out;
	for (size_t at = 0; at < text.len;) {
		char *line = (char *)text.data + at;
		size_t len = (size_t)((char *)memchr(line, '\n', text.len - at) - line);
		number++;
		if (add_line(x, line, len, e) != 0) {
			err_where(e, "line %lu", number);
			goto out;
		}
		at += len + 1;
	}
	rc = 0;
out:
	buf_done(&text);
	if (rc != 0)
		err_where(e, "%s", file);
	return rc;
}

bool
exclude_match(const struct exclude *x, const char *path, size_t len, bool is_dir)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < x->n; i++) {
		if (path_glob(x->patterns[i], path, len, is_dir))
			return true;
	}
	return false;
}
