#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# Retention against a small model of its own: random histories of two series in one repository, in
# a zone with DST, with a clock that is set back, archives from before Tarseal in between, holds,
# verifications, incomplete backups, and prunings by hand.
# RETENTION_SEED and RETENTION_RUNS for more of them.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime python3 busybox
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
[ -f /usr/share/zoneinfo/Europe/Kyiv ] || skip "needs zones"

FAKETIME_LIB=$(faketime -f '+0' printenv LD_PRELOAD)
export FAKETIME_LIB
make_key
[ "$(id -u)" != 0 ] || chown -R 65534:65534 .
as_user true
as_user env LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 python3 "$TESTS/interop/retention.py"
