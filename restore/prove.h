/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_PROVE_H
#define RESTORE_PROVE_H

struct err;
struct repo;
struct seal;

/* Read archive and manifest, every byte: ERR_CORRUPT when one is not what the seal says. */
int prove_packed(const struct repo *r, const struct seal *s, struct err *e);

#endif
