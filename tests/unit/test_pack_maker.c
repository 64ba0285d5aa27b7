/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "seal/seal.h"

static void
a_seal_is_told_who_made_it_of_what(void **state)
{
	char host[256] = "";
	struct seal s = {.sequence = 1};
	struct err e = {0};

	(void)state;
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	assert_int_equal(maker_fill(&s, "/app/data", 6, &e), 0);
	assert_string_equal(s.source, "/app/data");
	assert_string_equal(s.host, host);
	assert_memory_equal(s.tool, "tarseal ", 8);
	assert_non_null(strstr(s.packer, "6"));
	/* A run that begins again says it again. */
	assert_int_equal(maker_fill(&s, "/app", 12, &e), 0);
	assert_string_equal(s.source, "/app");
	assert_non_null(strstr(s.packer, "12"));
	seal_done(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_seal_is_told_who_made_it_of_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
