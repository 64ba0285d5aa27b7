/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/status.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/path.h"
#include "restore/opts.h"
#include "restore/work.h"

/* What it means for who has to decide what to do. */
static const char *
meaning(enum work_state s)
{
	switch (s) {
	case WORK_STAGING:
		return "What was there is as it was.  The next restore removes what was begun, and "
		       "so does "
		       "--recover.";
	case WORK_MERGING:
		return "What it had restored is there, whole; the rest is not.  Run it again; "
		       "--recover "
		       "only removes what was not whole.";
	case WORK_WIPING:
		return "What was there is gone, or a part of it.  Restore everything again.";
	default:
		return "All of it is on the disk, not yet in its place.  The next restore finishes "
		       "it "
		       "first, and so does --recover.";
	}
}

static void
show_json(const struct restore_opts *o, const struct work *w, bool busy)
{
	struct json j;
	char began[64];

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_str(&j, "type", "tarseal-restore-status");
	json_uint(&j, "version", 1);
	json_path(&j, "target", o->target, strlen(o->target));
	json_str(&j, "state", work_word(w->state));
	json_bool(&j, "busy", busy);
	if (w->backup[0] != '\0') {
		clock_rfc3339(w->began, began);
		json_str(&j, "backup", w->backup);
		json_str(&j, "began", began);
	}
	json_end(&j);
}

static void
show_text(const struct restore_opts *o, const struct work *w, bool busy)
{
	struct buf target = {0};
	char began[64];

	path_display(&target, o->target, strlen(o->target));
	clock_table(w->began, began);
	if (w->state == WORK_NONE)
		(void)printf("%s: no restore was cut short\n", buf_str(&target));
	else if (busy)
		(void)printf("%s: a restore of %s is going on, begun %s (%s)\n", buf_str(&target),
		    w->backup, began, work_word(w->state));
	else if (w->backup[0] == '\0')
		(void)printf("%s: a restore was cut short at its very beginning\n%s\n",
		    buf_str(&target), meaning(w->state));
	else
		(void)printf("%s: a restore of %s, begun %s, was cut short (%s)\n%s\n",
		    buf_str(&target), w->backup, began, work_word(w->state), meaning(w->state));
	buf_done(&target);
}

enum cli_status
status_show(const struct restore_opts *o, struct err *e)
{
	int fd = open(o->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct work w;
	bool busy;

	if (fd < 0) {
		(void)err_sys(e, "target %s", o->target);
		return CLI_FAILED;
	}
	if (work_look(&w, fd, o->target, &busy, e) == 0) {
		if (o->common.json)
			show_json(o, &w, busy);
		else
			show_text(o, &w, busy);
	}
	work_close(&w);
	(void)close(fd);
	return w.state == WORK_NONE ? CLI_OK : CLI_WRONG;
}
