/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_MAKER_H
#define PACK_MAKER_H

struct err;
struct seal;

/*
 * Who makes a backup, and of what: source, host, tool and packer of its seal.  level is that of
 * --compression.
 */
int maker_fill(struct seal *s, const char *source, int level, struct err *e);

#endif
