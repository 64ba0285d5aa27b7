/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "core/err.h"
#include "core/path.h"
#include "core/utf8.h"

#define GAP 2
#define ELASTIC_MIN 20

static size_t
terminal_width(FILE *out)
{
	struct winsize ws;
	int fd = fileno(out);

	if (fd == -1 || isatty(fd) == 0)
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &ws) != 0 || ws.ws_col == 0)
		return 80;
	return ws.ws_col;
}

/* The character at s: its bytes in *len, its columns. */
static size_t
char_width(const char *s, size_t left, size_t *len)
{
	uint32_t c;
	int w;

	*len = utf8_next(s, left, &c);
	if (*len == 0) {
		*len = 1;
		return 1;
	}
	w = wcwidth((wchar_t)c);
	return w < 0 ? 1 : (size_t)w;
}

size_t
table_text_width(const char *text)
{
	size_t left = strlen(text), width = 0, len;

	for (; left > 0; text += len, left -= len)
		width += char_width(text, left, &len);
	return width;
}

void
table_init(struct table *t, FILE *out, const struct table_column *columns, size_t n)
{
	assert(n > 0 && n <= TABLE_COLUMNS);
	memset(t, 0, sizeof(*t));
	t->out = out;
	t->columns = columns;
	t->n_columns = n;
	t->width = terminal_width(out);
	for (size_t i = 0; i < n; i++)
		t->widths[i] = table_text_width(columns[i].title);
}

/* The bytes at the start of text that take at most width columns. */
static size_t
head_len(const char *text, size_t width)
{
	size_t left = strlen(text), used = 0, at = 0, len, w;

	for (; left > 0; at += len, left -= len) {
		w = char_width(text + at, left, &len);
		if (used + w > width)
			break;
		used += w;
	}
	return at;
}

/* Where the end of text starts that takes at most width columns. */
static size_t
tail_at(const char *text, size_t width)
{
	size_t left = strlen(text), whole = table_text_width(text), used = 0, at = 0, len;

	for (; left > 0 && whole - used > width; at += len, left -= len)
		used += char_width(text + at, left, &len);
	return at;
}

static void
put_cut(FILE *out, const char *text, size_t width)
{
	size_t tail = (width - 1) / 2, head = width - 1 - tail;

	(void)fwrite(text, 1, head_len(text, head), out);
	(void)fputs("\xe2\x80\xa6", out);
	(void)fputs(text + tail_at(text, tail), out);
}

/* Spaces wait until something follows them: no line ends in one. */
static void
put_text(struct table *t, const char *text, size_t width)
{
	if (*text == '\0')
		return;
	(void)fprintf(t->out, "%*s", (int)t->spaces, "");
	t->spaces = 0;
	if (table_text_width(text) > width)
		put_cut(t->out, text, width);
	else
		(void)fputs(text, t->out);
}

/* Columns of a line with all but the elastic column. */
static size_t
fixed_width(const struct table *t)
{
	size_t width = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		if (!t->hidden[i])
			width += GAP + (t->columns[i].elastic ? 0 : t->widths[i]);
	return width - GAP;
}

/* How wide the elastic column may be. */
static size_t
elastic_max(const struct table *t)
{
	size_t fixed = fixed_width(t);

	if (t->width == 0)
		return SIZE_MAX;
	return fixed + ELASTIC_MIN > t->width ? ELASTIC_MIN : t->width - fixed;
}

static size_t
elastic_min(const struct table *t)
{
	for (size_t i = 0; i < t->n_columns; i++)
		if (t->columns[i].elastic)
			return t->widths[i] < ELASTIC_MIN ? t->widths[i] : ELASTIC_MIN;
	return 0;
}

/* Leave out columns until a line fits, or nothing more may go. */
static void
hide_columns(struct table *t)
{
	for (unsigned drop = 1; drop <= t->n_columns; drop++)
		for (size_t i = 0; i < t->n_columns; i++)
			if (t->columns[i].drop == drop &&
			    fixed_width(t) + elastic_min(t) > t->width)
				t->hidden[i] = true;
}

static void
put_cell(struct table *t, size_t column, const char *text)
{
	const struct table_column *c = &t->columns[column];
	size_t width = t->widths[column], is = table_text_width(text), fill;

	if (c->elastic && width > elastic_max(t))
		width = elastic_max(t);
	fill = is < width ? width - is : 0;
	if (!t->hidden[column]) {
		t->spaces += c->right ? fill : 0;
		put_text(t, text, width);
		t->spaces += GAP + (c->right ? 0 : fill);
	}
	if (column + 1 == t->n_columns) {
		(void)fputc('\n', t->out);
		t->spaces = 0;
	}
}

static void
flush(struct table *t)
{
	const char *text = (const char *)t->cells.data;

	if (!t->titled && t->width > 0)
		hide_columns(t);
	for (size_t i = 0; !t->titled && i < t->n_columns; i++)
		put_cell(t, i, t->columns[i].title);
	t->titled = true;
	for (size_t i = 0, column = 0; i < t->n_cells; i++) {
		put_cell(t, column, text);
		text += strlen(text) + 1;
		column = column + 1 < t->n_columns ? column + 1 : 0;
	}
	buf_clear(&t->cells);
	t->n_cells = 0;
}

/* text stands at the end of t->cells. */
static void
cell_done(struct table *t, size_t start)
{
	size_t column = t->n_cells % t->n_columns, width;

	buf_putc(&t->cells, '\0');
	if (buf_check(&t->cells, NULL) != 0)
		return;
	width = table_text_width((const char *)t->cells.data + start);
	if (width > t->widths[column])
		t->widths[column] = width;
	t->n_cells++;
	if (t->n_cells == TABLE_HELD * t->n_columns)
		flush(t);
}

void
table_cell(struct table *t, const char *text)
{
	size_t start = t->cells.len;

	buf_puts(&t->cells, text);
	cell_done(t, start);
}

void
table_printf(struct table *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(t, text);
}

void
table_path(struct table *t, const char *path, size_t len)
{
	size_t start = t->cells.len;

	path_display(&t->cells, path, len);
	cell_done(t, start);
}

int
table_done(struct table *t, struct err *e)
{
	int rc = buf_check(&t->cells, e);

	if (rc == 0 && (t->n_cells > 0 || !t->titled))
		flush(t);
	buf_done(&t->cells);
	return rc;
}

void
table_note(FILE *out, const char *text)
{
	size_t width = terminal_width(out), used = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (used > 0 && width > 0 && used + 1 + len > width) {
			(void)fputc('\n', out);
			used = 0;
		}
		(void)fprintf(out, "%s%.*s", used > 0 ? " " : "", (int)len, text);
		used += (used > 0) + len;
		text += len + strspn(text + len, " ");
	}
	(void)fputc('\n', out);
}
