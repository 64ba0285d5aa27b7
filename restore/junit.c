/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/junit.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "core/utf8.h"
#include "restore/drill.h"
#include "restore/report.h"
#include "store/repo.h"

int
junit_open(struct junit *j, const char *file, struct err *e)
{
	*j = (struct junit){.file = file};
	if (file == NULL || (j->out = fopen(file, "we")) != NULL)
		return 0;
	return err_sys(e, "--junit %s", file);
}

/* What XML cannot hold, escaped or not, becomes U+FFFD. */
static void
put_text(FILE *out, const char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		uint32_t c;
		size_t n = utf8_next(s, (size_t)(end - s), &c);

		if (n == 0 || (c < 0x20 && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff)
			(void)fputs("\xef\xbf\xbd", out);
		else if (strchr("<>&\"", (int)c) != NULL && c < 0x80)
			(void)fprintf(out, "&#%u;", (unsigned)c);
		else
			(void)fwrite(s, 1, n, out);
		s += n == 0 ? 1 : n;
	}
}

static void
put_attr(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, " %s=\"", name);
	put_text(out, value);
	(void)fputc('"', out);
}

/* The lines behind a failure. */
static void
put_details(FILE *out, const struct drill *d, enum drill_step step)
{
	const struct restore_report *r = d->report;
	const char *all = d->backup != NULL ? d->backup->name : "backup";

	for (size_t i = 0; step == DRILL_RESTORE && i < r->n_kept; i++) {
		put_text(out, r->kept[i].path != NULL ? r->kept[i].path : all);
		(void)fputs(": ", out);
		put_text(out, r->kept[i].why);
		(void)fputc('\n', out);
	}
	for (size_t i = 0; step == DRILL_COMPARE && i < d->n_kept; i++) {
		put_text(out, d->differences[i].path_len == 0 ? "." : d->differences[i].path);
		(void)fputs(": ", out);
		put_text(out, d->differences[i].how);
		(void)fputc('\n', out);
	}
}

static void
put_case(FILE *out, const struct drill *d, enum drill_step step)
{
	const struct drill_done *s = &d->steps[step];

	(void)fputs("  <testcase", out);
	put_attr(out, "classname", "tarseal.drill");
	put_attr(out, "name", drill_step_name(step));
	(void)fprintf(out, " time=\"%.3f\"", (double)s->ms / 1000);
	if (s->outcome == DRILL_PASSED) {
		(void)fputs("/>\n", out);
		return;
	}
	(void)fputs(">\n", out);
	if (s->outcome == DRILL_SKIPPED)
		(void)fputs("    <skipped/>\n", out);
	else {
		(void)fputs("    <failure", out);
		put_attr(out, "message", s->why);
		(void)fputs(">", out);
		put_details(out, d, step);
		(void)fputs("</failure>\n", out);
	}
	(void)fputs("  </testcase>\n", out);
}

static unsigned
count(const struct drill *d, enum drill_outcome outcome)
{
	unsigned n = 0;

	for (int i = 0; i < DRILL_STEPS; i++)
		n += d->steps[i].outcome == outcome;
	return n;
}

static void
put_suite(FILE *out, const struct drill *d)
{
	uint64_t ms = 0;

	for (int i = 0; i < DRILL_STEPS; i++)
		ms += d->steps[i].ms;
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite", out);
	put_attr(out, "name", d->backup != NULL ? d->backup->name : "tarseal drill");
	(void)fprintf(out,
	    " tests=\"%d\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.3f\">\n",
	    DRILL_STEPS, count(d, DRILL_FAILED), count(d, DRILL_SKIPPED), (double)ms / 1000);
	for (int i = 0; i < DRILL_STEPS; i++)
		put_case(out, d, (enum drill_step)i);
	(void)fputs("</testsuite>\n", out);
}

void
junit_write(struct junit *j, const struct drill *d, struct err *e)
{
	struct err why = {0};
	bool bad;

	if (j->out == NULL)
		return;
	put_suite(j->out, d);
	bad = ferror(j->out) != 0;
	if (fclose(j->out) == 0 && !bad)
		return;
	(void)err_sys(&why, "write %s", j->file);
	if (e->kind == ERR_NONE)
		(void)err_pass(e, &why);
	else
		log_warn("%s", why.msg);
}
