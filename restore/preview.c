/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/preview.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/beneath.h"
#include "core/each_name.h"
#include "core/err.h"
#include "core/restoring.h"
#include "restore/opts.h"
#include "restore/report.h"
#include "seal/section.h"

const char *
preview_word(enum preview_action a)
{
	static const char *const words[PREVIEW_ACTIONS] = {
	    [PREVIEW_CREATE] = "create",
	    [PREVIEW_REPLACE] = "replace",
	    [PREVIEW_KEEP] = "keep",
	};

	return words[a];
}

void
preview_begin(
    struct preview *p, const struct restore_opts *o, enum into_mode mode, struct restore_report *r)
{
	*p = (struct preview){.o = o, .report = r, .mode = mode, .fd = -1};
	/* What is wrong with it, into_open tells. */
	if (o->target != NULL)
		p->fd = open(o->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* false when nothing is there. */
static bool
what_is_there(const struct preview *p, const char *path, struct stat *st)
{
	int fd = beneath_open(p->fd, path, O_PATH | O_NOFOLLOW, 0);
	bool there = fd >= 0 && fstat(fd, st) == 0;

	if (fd >= 0)
		(void)close(fd);
	return there;
}

static enum preview_action
action_of(const struct preview *p, const char *path, const struct section_line *line)
{
	const struct timespec mtime = {(time_t)line->mtime_sec, (long)line->mtime_nsec};
	struct stat st;

	if (p->mode != INTO_MERGE || p->fd < 0 || !what_is_there(p, path, &st))
		return PREVIEW_CREATE;
	if (line->type == ENTRY_DIR && S_ISDIR(st.st_mode))
		return PREVIEW_KEEP;
	return place_may_replace((enum restore_overwrite)p->o->overwrite, &st, &mtime)
	    ? PREVIEW_REPLACE
	    : PREVIEW_KEEP;
}

static void
note(struct preview *p, struct preview_names *l, const char *name)
{
	char **more;

	if ((l->n & (l->n - 1)) == 0) {
		more = reallocarray(l->v, l->n == 0 ? 1 : 2 * l->n, sizeof(*more));
		if (more == NULL) {
			p->no_memory = true;
			return;
		}
		l->v = more;
	}
	if ((l->v[l->n] = strdup(name)) != NULL)
		l->n++;
	else
		p->no_memory = true;
}

void
preview_entry(void *ctx, const char *path, const struct section_line *line)
{
	struct preview *p = ctx;
	enum preview_action action = action_of(p, path, line);

	if (line->type != ENTRY_DIR)
		p->n[action]++;
	if (p->mode != INTO_MERGE && p->fd >= 0 && *path != '\0' && strchr(path, '/') == NULL)
		note(p, &p->tops, path);
	if (p->o->common.json || !p->o->common.quiet)
		restore_report_planned(p->report, path, line, preview_word(action));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
note_there(void *ctx, const char *name, struct err *e)
{
	struct preview *p = ctx;

	(void)e;
	if (strcmp(name, "lost+found") != 0 && strcmp(name, RESTORING_DIR) != 0)
		note(p, &p->there, name);
	return 0;
}

static void
sort(struct preview_names *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
}

static bool
has(const struct preview_names *l, char *const *name)
{
	return l->n > 0 && bsearch(name, l->v, l->n, sizeof(*l->v), by_name) != NULL;
}

int
preview_end(struct preview *p, bool everything, struct err *e)
{
	if (p->fd < 0 || p->mode == INTO_MERGE)
		return 0;
	if (each_name(p->fd, note_there, p, e) != 0)
		return err_where(e, "target %s", p->o->target);
	if (p->no_memory)
		return err_nomem(e);
	sort(&p->tops);
	sort(&p->there);
	for (size_t i = 0; i < p->there.n; i++) {
		bool comes = has(&p->tops, &p->there.v[i]);

		if (comes || everything)
			restore_report_gone(p->report, p->there.v[i], comes);
	}
	return 0;
}

static void
names_done(struct preview_names *l)
{
	while (l->n > 0)
		free(l->v[--l->n]);
	free(l->v);
}

void
preview_done(struct preview *p)
{
	names_done(&p->tops);
	names_done(&p->there);
	if (p->fd >= 0)
		(void)close(p->fd);
	*p = (struct preview){.fd = -1};
}
