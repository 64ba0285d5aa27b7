#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
#
# The chart over a matrix of values, by helm 3 and 4, stand-alone and below a parent: helm lint
# --strict, each object as strictly as an API server, and the same objects by whatever way.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"

# ---- values: a name, and what follows --set ----

cat >matrix <<'MATRIX'
default
schedule schedule=0 */6 * * *
retention retention=30
size storageSize=20Gi,storageClassName=fast-ssd
disabled enabled=false
app profile=app,application.uid=1000,application.gid=1000
names application.name=shop,series=shop,source.claimName=data-shop-0,source.mountPath=/var/lib/shop
labels application.podLabels.app=autolab,nearApplication=false
keep keep.daily=7,keep.weekly=4,keep.monthly=12,keep.yearly=3,makeRoom=true
exclude exclude={*.cache,/tmp},extraArgs={--compression=9}
existing existingClaim=old-backups,keys.existingSecret=signing
public keys.create=false,enabled=false,keys.trust=-----BEGIN PUBLIC KEY-----
rotated keys.name=second,keys.trust=-----BEGIN PUBLIC KEY-----
clone source.clone.enabled=true,source.clone.size=10Gi,source.clone.storageClassName=csi
onfailure restartPolicy=OnFailure,backoffLimit=6,activeDeadlineSeconds=7200
hooks hooks.pre.command=echo flush,hooks.post.url=https://example.org/done/{status},hooks.post.method=POST,networkPolicy.enabled=false
egress hooks.pre.url=http://autolab-api/flush,hooks.pre.onFailure=report,networkPolicy.egress[0].ports[0].port=80
verify verify.standard.oldest=0,verify.standard.budget=2h,verify.deep.oldest=0,verify.anchorClaim=anchor,verify.maxAge=8d,verify.afterBackup=false
noverify verify.enabled=false,toolbox.enabled=false,firstRun=false,networkPolicy.enabled=false
target restore.target.claimName=beside,restore.target.create=true,restore.target.size=20Gi,restore.target.storageClassName=fast-ssd
apart restore.antiAffinity=false,restore.mountPath=/app/data
drill drill.schedule=0 5 * * 0,drill.scratch.type=ephemeral,drill.scratch.size=20Gi,drill.checkCommand=test -s config.json,drill.note=false
pods imagePullSecrets[0].name=registry,nodeSelector.disk=ssd,tolerations[0].key=backup,tolerations[0].operator=Exists,priorityClassName=low,serviceAccountName=backup,labels.team=ops,podLabels.team=ops,podAnnotations.note=x,annotations.note=y,seLinuxOptions.level=s0:c1,extraEnv[0].name=HTTPS_PROXY,extraEnv[0].value=proxy,extraVolumes[0].name=more,extraVolumes[0].emptyDir.medium=Memory,extraVolumeMounts[0].name=more,extraVolumeMounts[0].mountPath=/more,initContainers[0].name=flush,initContainers[0].image=busybox
MATRIX

# settings PREFIX LINE: as arguments of helm.
settings() {
	local rest=${2#"${2%% *}"}
	rest=${rest# }
	[ "$rest" ] || return 0
	# Every name gets the prefix; a comma in { } separates values.
	echo --set
	sed -E "s/(^|,)([a-zA-Z]+[][0-9.a-zA-Z]*=)/\1$1\2/g" <<<"$rest"
}

for h in 3 4; do
	quiet "helm$h" lint --strict "$CHART"
done
parent alias backup
parent plain
quiet helm3 lint --strict alias
quiet helm4 lint --strict alias

# Two processors: the two helms at once.
render_all() {
	local h=$1 name line args
	mkdir "r$h"
	while read -r line; do
		name=${line%% *}
		mapfile -t args < <(settings backup. "$line")
		"helm$h" template autolab "$CHART" "${args[@]}" >"r$h/$name.yaml"
		"helm$h" template autolab alias "${args[@]}" >"r$h/$name.alias"
	done <matrix
	# One line of them under the chart's own name, below a parent without an alias.
	"helm$h" template autolab plain --set tarseal.backup.retention=30 >"r$h/plain"
	# What stands at the root counts in any case.
	"helm$h" template autolab "$CHART" --set retention=30 >"r$h/root"
}
render_all 3 &
render_all 4
wait $!

check_objects r3/*.yaml r4/*.yaml r3/*.alias r4/*.alias
check_objects --pods baseline r3/*.yaml
check_objects --pods restricted r3/app.yaml r4/app.alias

# The same by both helms; below a parent only the name of the chart is another one.
plainly() {
	same_keys <"$1" | sed -E -e '/^# Source: /d' -e 's/(helm.sh\/chart: ).*/\1CHART/'
}
while read -r name _; do
	for file in "r4/$name.yaml" "r3/$name.alias" "r4/$name.alias"; do
		diff <(plainly "r3/$name.yaml") <(plainly "$file") || fail "$file differs from r3/$name.yaml"
	done
	[ "$name" = default ] || ! diff -q <(plainly r3/default.yaml) <(plainly "r3/$name.yaml") >/dev/null || fail "$name changes nothing"
done <matrix
for file in r3/plain r4/plain r3/root r4/root; do
	diff <(plainly r3/retention.yaml) <(plainly "$file") || fail "$file differs"
done

# ---- clusters, old and new ----

for kube in 1.20 1.21 1.24 1.25 1.26 1.27 1.35; do
	for name in default clone app onfailure; do
		[ "$kube/$name" != 1.20/clone ] || continue
		line=$(grep "^$name" matrix)
		mapfile -t args < <(settings backup. "$line")
		helm3 template autolab "$CHART" --kube-version "$kube" "${args[@]}" >"$kube.$name.yaml"
	done
	check_objects --kube "$kube" "$kube".*.yaml
done
apis() {
	grep -A 1 "^apiVersion: batch" "$1" | grep -B 1 'kind: CronJob' | sed -n 's/^apiVersion: //p' | sort -u
}
[ "$(apis 1.20.default.yaml)" = batch/v1beta1 ] || fail "1.20: $(apis 1.20.default.yaml)"
[ "$(apis 1.21.default.yaml)" = batch/v1 ] || fail "1.21"
# A cluster that says what it knows is believed.
helm4 template autolab "$CHART" --kube-version 1.20 --api-versions batch/v1/CronJob >asked
[ "$(apis asked)" = batch/v1 ] || fail "--api-versions"
has() {
	grep -q -- "$2" "$1" || fail "$1 has no $2"
}
lacks() {
	! grep -q -- "$2" "$1" || fail "$1 has $2"
}
lacks 1.24.default.yaml timeZone:
has 1.25.default.yaml 'timeZone: "Etc/UTC"'
lacks 1.25.default.yaml podFailurePolicy
has 1.26.default.yaml podFailurePolicy
has 1.26.default.yaml "labels\['controller-uid'\]"
has 1.27.default.yaml "labels\['batch.kubernetes.io/controller-uid'\]"
# Other Jobs than the backup's keep to Never.
[ "$(grep -c 'restartPolicy: OnFailure' 1.35.onfailure.yaml)" = 2 ] || fail "OnFailure"
