/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/tally.h"

#include <stdbool.h>
#include <string.h>

#include "core/log.h"

#define PATH_SHOWN_MAX 1024 /* nobody reads more of a line */

static const struct {
	bool warn;
	const char *what;
} events[TALLY_EVENTS] = {
    [TALLY_CHANGED] = {true, "changed while it was read; what is stored may mix states"},
    [TALLY_GREW] = {false, "grew while it was read; stored as it was before"},
    [TALLY_VANISHED] = {false, "vanished before it was read"},
    [TALLY_UNREADABLE] = {true, "cannot be read"},
    [TALLY_SKIPPED] = {false, "skipped"},
    [TALLY_ATTRS] = {true, "extended attributes cannot be read"},
    [TALLY_UNCOPIED] = {true, "cannot be copied from the last backup, and is packed anew"},
    [TALLY_UNTRACED] = {true,
	"changed without a trace: size, times and inode are as they were when "
	"it was last read"},
};

void
tally_done(struct tally *t)
{
	buf_done(&t->told);
}

void
tally_event(
    struct tally *t, enum tally_event event, const char *path, size_t len, const char *detail)
{
	t->events[event]++;
	buf_putc(&t->told, (char)event);
	if (len == 0)
		buf_puts(&t->told, "the source directory");
	buf_append(&t->told, path, len < PATH_SHOWN_MAX ? len : PATH_SHOWN_MAX);
	if (len > PATH_SHOWN_MAX)
		buf_puts(&t->told, "...");
	buf_puts(&t->told, ": ");
	buf_puts(&t->told, events[event].what);
	if (detail != NULL) {
		buf_puts(&t->told, ": ");
		buf_puts(&t->told, detail);
	}
	buf_putc(&t->told, '\0');
}

/* seen: how many of its kind came before. */
static void
tell(enum tally_event event, const char *text, uint64_t seen)
{
	if (!events[event].warn)
		log_verbose("%s", text);
	else if (seen < TALLY_TOLD_MAX)
		log_warn("%s", text);
	else if (seen == TALLY_TOLD_MAX)
		log_warn("and more of this kind");
}

void
tally_add(struct tally *t, const struct tally *from)
{
	uint64_t seen[TALLY_EVENTS];

	memcpy(seen, t->events, sizeof(seen));
	t->entries += from->entries;
	t->bytes += from->bytes;
	for (int i = 0; i < TALLY_EVENTS; i++)
		t->events[i] += from->events[i];
	if (from->told.failed) /* no memory for messages; the counts are right */
		return;
	for (size_t at = 0; at < from->told.len;) {
		enum tally_event event = from->told.data[at];
		const char *text = (const char *)from->told.data + at + 1;
		tell(event, text, seen[event]++);
		at += strlen(text) + 2;
	}
}
