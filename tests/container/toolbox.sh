#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# The operator's pod: it sleeps, and commands are run in it: lists, queries, a shell, and what kubectl cp does.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 50M
disk backups 50M
pair
sample_tree data/app
expect 0 backup_pod
name=$(newest_name)

box -d --name "$BOX" -v "$PWD/backups:/backups:ro" -v "$PWD/public:/trust:ro" --tmpfs /tmp:size=64m \
    -e TARSEAL_REPO=/backups -e TARSEAL_TRUST=/trust/key.pub -- sh -c 'trap "exit 0" TERM; sleep 3600 & wait' >/dev/null
in_it() {
	podman exec "$BOX" "$@"
}

expect 0 in_it manifest list
grep -q "$name" "$CASE_BASE/stdout" || fail "not listed: $(cat "$CASE_BASE/stdout")"
expect 0 in_it manifest find --name config.json
expect 0 in_it verify --level deep
expect 0 in_it restore --target /tmp/out app/config.json
expect 0 in_it cat /tmp/out/app/config.json
cmp "$CASE_BASE/stdout" data/app/config.json
expect 0 in_it sh -c 'cd /backups && tar -tzf '"$name"'.tar.gz | grep config && grep -v "^#" *.seal | sha256sum -c -'
expect 1 in_it touch /backups/x

# kubectl cp POD:/backups DIR, and DIR POD:/tmp, are this.
mkdir copy
in_it tar cf - /backups 2>/dev/null | tar xf - -C copy
for f in "$name".{tar.gz,manifest.gz,seal}; do
	cmp "backups/$f" "copy/backups/$f"
done
tar cf - -C data app | podman exec -i "$BOX" tar xmf - -C /tmp
expect 0 in_it cat /tmp/app/db/table
cmp "$CASE_BASE/stdout" data/app/db/table

# It goes when it is told to, not only when it is killed.
begin=$SECONDS
expect 0 podman stop -t 30 "$BOX"
[ $((SECONDS - begin)) -lt 20 ] || fail "it took $((SECONDS - begin)) s to stop"
