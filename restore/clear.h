/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_CLEAR_H
#define RESTORE_CLEAR_H

struct err;

/*
 * Remove all that is in a directory, however deep, and not the directory itself.  No link is
 * followed, no mount is entered: one is an error.  Cut short, and done again, it goes on.
 * path is the directory's, for messages.
 */
int clear_dir(int fd, const char *path, struct err *e);
/* The same, but what is called keep at the top stays. */
int clear_dir_but(int fd, const char *path, const char *keep, struct err *e);

#endif
