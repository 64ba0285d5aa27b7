/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_PUT_H
#define RESTORE_BARE_PUT_H

struct bare_look;
struct err;
struct restore_job_ctx;

/*
 * The second time that it is read: what is wanted is made beneath the target, one entry after the
 * other, in the order of the archive, by the same means as from a sealed one (target.h, place.h,
 * facts.h).  A name that comes again replaces what it was, as tar(1) does, but no directory.  The
 * directories' facts come last.
 *
 * Where the archive breaks off, or is not what the look found, that is a finding; -1 when the work
 * cannot go on.  Of ctx only select, target and report are needed.
 */
int bare_put(const struct restore_job_ctx *ctx, int fd, struct bare_look *l, struct err *e);

#endif
