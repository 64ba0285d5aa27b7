/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/utf8.h"

#define DEPTH_MAX 30

void
json_init(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

/* What has to stand for c, in text; NULL when c may stand for itself. */
static const char *
instead_of(uint32_t c, char text[8])
{
	if (c == '"' || c == '\\')
		(void)snprintf(text, 8, "\\%c", (char)c);
	else if (c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029)
		(void)snprintf(text, 8, "\\u%04" PRIx32, c);
	else
		return NULL;
	return text;
}

/* len bytes as a JSON string; true when something was no UTF-8 and was replaced. */
static bool
put_string(FILE *out, const char *s, size_t len)
{
	const char *plain = s, *end = s + len, *other;
	bool replaced = false;
	char text[8];
	uint32_t c;
	size_t n;

	(void)fputc('"', out);
	for (; s < end; s += n) {
		n = utf8_next(s, (size_t)(end - s), &c);
		if (n > 0 && (other = instead_of(c, text)) == NULL)
			continue;
		if (n == 0) {
			other = "\xEF\xBF\xBD";
			replaced = true;
			n = 1;
		}
		(void)fwrite(plain, 1, (size_t)(s - plain), out);
		(void)fputs(other, out);
		plain = s + n;
	}
	(void)fwrite(plain, 1, (size_t)(s - plain), out);
	(void)fputc('"', out);
	return replaced;
}

/* What stands before a value: comma, line, key. */
static void
lead(struct json *j, const char *key)
{
	uint64_t bit = 1ull << j->depth;
	unsigned i;

	if (j->depth == 0) {
		assert(key == NULL);
		return;
	}
	assert((key == NULL) == ((j->arrays & bit) != 0));
	(void)fputs((j->nonempty & bit) ? ",\n" : "\n", j->out);
	j->nonempty |= bit;
	for (i = 0; i < j->depth; i++)
		(void)fputs("  ", j->out);
	if (key != NULL) {
		(void)put_string(j->out, key, strlen(key));
		(void)fputs(": ", j->out);
	}
}

static void
nest(struct json *j, const char *key, bool array)
{
	uint64_t bit;

	lead(j, key);
	assert(j->depth < DEPTH_MAX);
	bit = 1ull << ++j->depth;
	j->nonempty &= ~bit;
	j->arrays = array ? j->arrays | bit : j->arrays & ~bit;
	(void)fputc(array ? '[' : '{', j->out);
}

void
json_object(struct json *j, const char *key)
{
	nest(j, key, false);
}

void
json_array(struct json *j, const char *key)
{
	nest(j, key, true);
}

void
json_end(struct json *j)
{
	uint64_t bit = 1ull << j->depth;
	unsigned i;

	assert(j->depth > 0);
	j->depth--;
	if (j->nonempty & bit) {
		(void)fputc('\n', j->out);
		for (i = 0; i < j->depth; i++)
			(void)fputs("  ", j->out);
	}
	(void)fputc((j->arrays & bit) ? ']' : '}', j->out);
	if (j->depth == 0)
		(void)fputc('\n', j->out);
}

/* A document is an object or an array, no bare scalar. */
static void
lead_scalar(struct json *j, const char *key)
{
	assert(j->depth > 0);
	lead(j, key);
}

void
json_str(struct json *j, const char *key, const char *value)
{
	lead_scalar(j, key);
	if (value == NULL)
		(void)fputs("null", j->out);
	else
		(void)put_string(j->out, value, strlen(value));
}

void
json_uint(struct json *j, const char *key, uint64_t value)
{
	lead_scalar(j, key);
	(void)fprintf(j->out, "%" PRIu64, value);
}

void
json_int(struct json *j, const char *key, int64_t value)
{
	lead_scalar(j, key);
	(void)fprintf(j->out, "%" PRId64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	lead_scalar(j, key);
	(void)fputs(value ? "true" : "false", j->out);
}

void
json_path(struct json *j, const char *key, const char *path, size_t len)
{
	size_t i;

	lead_scalar(j, key);
	/* Inside an array there is no place for a second value: text must do. */
	if (!put_string(j->out, path, len) || key == NULL)
		return;
	(void)fprintf(j->out, ", \"%s_hex\": \"", key);
	for (i = 0; i < len; i++)
		(void)fprintf(j->out, "%02x", (unsigned char)path[i]);
	(void)fputc('"', j->out);
}
