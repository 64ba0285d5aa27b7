#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A pair of keys: modes, what is printed, and that nothing is overwritten.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

run manifest keygen --key key --public trust.pem
run_sh 'stat -c "%a %n" key trust.pem'
run_sh 'openssl pkey -in key -noout -text | head -n 1'
[ "$(openssl pkey -in key -pubout)" = "$(cat trust.pem)" ] || fail "the keys do not belong together"
cp key before
run manifest keygen --key key
run manifest keygen --key other --public trust.pem
cmp key before
[ ! -e other ] || fail "half a pair was left"
run manifest keygen second
run manifest keygen --json third
run manifest keygen
run manifest keygen --key no/such/dir/key
