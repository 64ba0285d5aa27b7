/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/place.h"

#include <inttypes.h>

#include "core/buf.h"
#include "core/json.h"

void
verify_intact_put(const struct verify_intact *in, struct buf *out)
{
	buf_puts(out, in->names[0]);
	if (in->n > 1)
		buf_printf(out, " and %zu more", in->n - 1);
}

void
verify_place_put(const struct verify_place *p, struct buf *out)
{
	if (!p->in_archive)
		return;
	if (p->has_range)
		buf_printf(
		    out, "; bytes %" PRIu64 " to %" PRIu64 " of the file", p->from, p->to - 1);
	if (!p->intact.asked)
		return;
	if (p->intact.n == 0) {
		buf_puts(out, "; intact in no other backup");
		return;
	}
	buf_puts(out, "; intact in ");
	verify_intact_put(&p->intact, out);
}

void
verify_place_json(const struct verify_place *p, struct json *j)
{
	if (p->in_archive) {
		json_uint(j, "offset", p->offset);
		json_uint(j, "length", p->length);
	}
	if (p->member > 0)
		json_uint(j, "member", p->member);
	if (p->has_range) {
		json_uint(j, "file_from", p->from);
		json_uint(j, "file_to", p->to);
	}
	if (!p->intact.asked)
		return;
	json_array(j, "intact_in");
	for (size_t i = 0; i < p->intact.n; i++)
		json_str(j, NULL, p->intact.names[i]);
	json_end(j);
}
