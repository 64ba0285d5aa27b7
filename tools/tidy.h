/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tools/lint: clang-tidy sees one file at a time, so it is told here what the
 * header promises in words, that these return -1.
 */
#include "core/err.h"

#define err_set(...) ((void)(err_set)(__VA_ARGS__), -1)
#define err_sys(...) ((void)(err_sys)(__VA_ARGS__), -1)
#define err_nomem(e) ((void)(err_nomem)(e), -1)
#define err_where(...) ((void)(err_where)(__VA_ARGS__), -1)
