/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FACTS_H
#define RESTORE_FACTS_H

struct entry;
struct restore_report;

/*
 * Owner, extended attributes, ACLs, mode and times of a thing that was just made, in the order
 * in which one does not undo the other: a change of owner clears set-id bits and
 * capabilities, an ACL gives the mode its group bits, and all of them move no mtime.
 * Then they are read back, because some file systems ignore a chown silently.
 *
 * Nothing here fails: what does not hold is a finding, what a plain user may not set
 * is counted.  path is what to call the thing in messages.
 */
void restore_facts_fd(int fd, const struct entry *en, const char *path, struct restore_report *r);
/* For what is not opened: symlinks, fifos, devices. */
void restore_facts_at(int dirfd, const char *base, const struct entry *en, const char *path,
    struct restore_report *r);
/* The extended attributes alone, without ACLs: of a directory that was just made. */
void restore_facts_xattrs_at(int dirfd, const char *base, const struct entry *en, const char *path,
    struct restore_report *r);

#endif
