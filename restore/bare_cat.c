/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_cat.h"

#include <stdint.h>

#include "archive/entry.h"
#include "core/err.h"
#include "core/stop.h"
#include "restore/bare_read.h"
#include "restore/cat.h"
#include "restore/report.h"
#include "restore/select.h"

static int
put_zeros(uint64_t len, struct err *e)
{
	static const char zeros[65536];

	while (len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		if (stop_check(e) != 0 || restore_cat_put(zeros, n, e) != 0)
			return -1;
		len -= n;
	}
	return 0;
}

static int
put_file(struct bare_read *read, const struct entry *en, struct err *e)
{
	uint64_t at = 0, offset;
	const void *data;
	size_t len;
	int rc;

	while ((rc = bare_read_data(read, &data, &len, &offset, e)) == 1) {
		if (put_zeros(offset - at, e) != 0 || restore_cat_put(data, len, e) != 0)
			return -1;
		at = offset + len;
	}
	if (rc < 0)
		return err_where(e, "%s", en->path);
	return put_zeros(en->size - at, e);
}

static int
put_entry(struct bare_read *read, const struct restore_select *s, const struct entry *en,
    struct restore_report *r, struct err *e)
{
	bool is_dir = en->type == ENTRY_DIR;

	if (is_dir || restore_select_place(s, en->path, en->path_len, is_dir) == NULL)
		return 0;
	if (en->type == ENTRY_FILE) {
		if (put_file(read, en, e) != 0)
			return -1;
		restore_count(r, en->size);
	} else if (en->type != ENTRY_HARDLINK) /* whose data comes under another name */
		restore_found(r, en->path, en->path_len, "left out: not a regular file");
	return 0;
}

int
bare_cat(const struct restore_select *s, int fd, struct restore_report *r, struct err *e)
{
	struct bare_read read;
	struct entry en;
	int rc;

	if ((rc = bare_read_open(&read, fd, e)) == 0)
		while ((rc = bare_read_next(&read, &en, e)) == 1)
			if ((rc = put_entry(&read, s, &en, r, e)) != 0)
				break;
	bare_read_close(&read);
	return rc;
}
