#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 600
# A random history of nights, each backed up with reuse and without: the same archives and
# manifests, byte for byte; sound, and now and then restored.  REUSE_SEED, REUSE_NIGHTS for others.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime python3 rsync setfattr
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
need_ctimes
FAKETIME_LIB=$(faketime -f '+0' printenv LD_PRELOAD)
export FAKETIME_LIB
make_repo with without
PYTHONDONTWRITEBYTECODE=1 python3 "$TESTS/interop/reuse_history.py" \
    "${REUSE_NIGHTS:-200}" "${REUSE_SEED:-$(date +%s)}"
