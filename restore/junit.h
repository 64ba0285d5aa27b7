/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_JUNIT_H
#define RESTORE_JUNIT_H

#include <stdio.h>

struct drill;
struct err;

/*
 * The result of a drill as CI servers read it: a test suite in JUnit's XML, a test case a step.
 * There is no norm; elements and attributes are those of
 * https://github.com/testmoapp/junitxml which Jenkins, GitLab and others take.
 */
struct junit {
	const char *file;
	FILE *out; /* NULL: not asked for */
};

/* Empties the file, so that it never tells of an older drill.  file NULL: nothing is to be done. */
int junit_open(struct junit *j, const char *file, struct err *e);
/* A failure to write joins *e when that is empty, else it is a warning.  e: how the drill ended. */
void junit_write(struct junit *j, const struct drill *d, struct err *e);

#endif
