/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_SEAL_TEXT_H
#define SEAL_SEAL_TEXT_H

#include "core/buf.h"
#include "seal/seal.h"

struct err;

/* The signed text of a seal: all but its last line.  Within this room only. */

void seal_text_put(struct buf *text, const struct seal *s);
/* ERR_CORRUPT naming the line; *s is then left half filled, for seal_done. */
int seal_text_parse(struct seal *s, const char *text, size_t len, struct err *e);

#endif
