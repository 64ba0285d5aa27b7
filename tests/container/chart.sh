#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 1200
# What the chart renders, run: each pod with its arguments, limits, user, capabilities and mounts, for both profiles:
# first backup, nightly, verify, query, whole loss, restore, drill, test, wrong key, full volume.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
[ -f "$TOP/chart/Chart.yaml" ] || skip "there is no chart"
need npm
helm=$("$TOP/tools/get-helm")/bin/helm4 || skip "helm cannot be had"
app=autolab-api
disk data 100M
disk backups 100M
disk scratch 100M

# render FILE [OPTION...]: one installation, with a key of its own.
render() {
	"$helm" template autolab "$TOP/chart" --set backup.drill.scratch.type=ephemeral --set backup.drill.scratch.size=1Gi \
	    "${@:2}" >"$1"
}
# pod KIND/NAME [OPTION...]: of $rendered.
pod() {
	"$TESTS/container/pod" --image "$TEST_IMAGE" --podman="--label=box=$BOX" --work "$CASE_BASE/pod" --object "$1" \
	    --claim $app-backup="$PWD/backups" --claim autolab-api-storage-$app-0="$PWD/data" --claim scratch="$PWD/scratch" \
	    "${@:2}" "$rendered"
}
# shows TEXT: it was printed.
shows() {
	grep -qF -- "$1" "$CASE_BASE/stdout" "$CASE_BASE/stderr" || fail "not \"$1\": $(cat "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
}

nightly() {
	local owner=$1 full=$2
	echo "profile $profile" >&2
	sample_tree data/app
	[ "$profile" = app ] || mknod data/app/null c 1 3
	chown -R -h "$owner" data/app
	rm -rf was
	cp -a data/app was
	find data -printf '%p %U:%G %m %C@\n' | sort >before

	expect 0 pod Job/$app-backup-first --uid 1
	shows 'Backup process completed successfully'
	expect 0 pod CronJob/$app-backup --uid 2
	# A retry of the pod: the same Job.
	expect 0 pod CronJob/$app-backup --uid 2
	[ "$(names backups | grep -c '\.seal$')" = 2 ] || fail "backups: $(names backups)"
	find data -printf '%p %U:%G %m %C@\n' | sort | diff before - || fail "the source was touched"
	expect 0 pod CronJob/$app-verify
	shows 'ok (deep'
	expect 0 pod CronJob/$app-drill --uid 3
	[ "$(names scratch)" = lost+found ] || fail "the drill left $(names scratch)"
	expect 0 pod Pod/$app-backup-test

	# The toolbox: commands in it, and its end.
	pod Deployment/$app-toolbox --podman="--name=$BOX" --podman=--detach >/dev/null
	expect 0 podman exec "$BOX" manifest list
	shows "$(newest_name)"
	expect 0 podman exec "$BOX" ls -lh
	mkdir -p copy
	podman exec "$BOX" tar cf - /backups 2>/dev/null | tar xf - -C copy
	cmp "$(newest backups).tar.gz" "copy/$(newest backups).tar.gz"
	rm -r copy
	expect 0 podman stop -t 30 "$BOX"

	# Whole loss: the application's volume is a new one.
	anew data
	[ "$profile" = root ] || chown "$owner" data
	expect 2 pod CronJob/$app-restore
	expect 0 pod CronJob/$app-restore --env TARSEAL_RESTORE_CONFIRM=yes
	same_tree was data/app

	# Somebody else's key: nothing is believed, and nothing of it signed.
	rendered=$full.other
	expect 5 pod CronJob/$app-verify
	expect 5 pod CronJob/$app-restore --env TARSEAL_RESTORE_CONFIRM=yes
	expect 5 pod CronJob/$app-drill
	rendered=$full
	same_tree was data/app

	# No room: nothing is left behind, and what there is stays.
	names backups | grep -v catalog >before
	noise 20000000 1 >data/app/more
	chown "$owner" data/app/more
	fallocate -l $(($(df -B1 --output=avail backups | tail -n 1) - 2000000)) backups/filled
	expect 3 pod CronJob/$app-backup --uid 4
	rm backups/filled
	names backups | grep -v catalog | diff before - || fail "a full volume"
	expect 0 pod CronJob/$app-verify
	expect 0 pod CronJob/$app-backup --uid 4
}

for profile in root app; do
	options=(--set "backup.profile=$profile")
	owner=1000:1001
	if [ $profile = app ]; then
		options+=(--set backup.application.uid=10001 --set backup.application.gid=10001)
		owner=10001:10001
	fi
	render $profile.yaml "${options[@]}"
	render $profile.yaml.other "${options[@]}"
	rendered=$profile.yaml
	for volume in data backups scratch; do
		anew $volume
	done
	[ $profile = root ] || chown "$owner" data
	nightly "$owner" $profile.yaml
done
