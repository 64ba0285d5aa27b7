#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Values that are refused, and in which words: chart_refuses.out.  The chart's own words are the same
# from helm 3 and 4; for what the schema refuses the two have words of their own.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"
parent alias backup

words() {
	sed -n -E -e '/^Error: values don.t meet/d' -e '/^- at .*: validation failed$/d' -e '/^(Use|level=)/d' \
	    -e 's/^Error: execution error at \([^)]*\): /  /p' -e 's/^ *- /  - /p' -e 's/^Error: /  /p' "$1" | grep -v '^$'
}

# refused ARGS...: by both, stand-alone and below a parent.
refused() {
	local h
	local told="$*"
	told=${told//--set /}
	echo "${told//--set-file /}"
	for h in 3 4; do
		! "helm$h" template autolab "$CHART" "$@" >"out$h" 2>"err$h" || fail "helm$h takes $*"
		! "helm$h" template autolab alias "$@" >"out$h" 2>"sub$h" || fail "helm$h takes $* below a parent"
	done
	words err3 >w3
	words err4 >w4
	cat w3
	if grep -q 'execution error' err3; then
		cmp -s w3 w4 || fail "helm 4 says: $(cat err4)"
		# Only the place is another one.
		diff <(words err3) <(words sub3) || fail "below a parent: $(cat sub3)"
	else
		sed 's/^  -/  4:/' w4
	fi
}

# ---- the chart's words ----

refused --set backup.retention=0
refused --set backup.image=busybox:1.36
refused --set backup.schedule='0 0 * *'
refused --set backup.schedule='0 24 * * *'
refused --set backup.schedule='0 0 0 * *'
refused --set backup.schedule='CRON_TZ=UTC 0 0 * * *'
refused --set backup.verify.schedule='every day'
refused --set backup.drill.schedule='@often'
refused --kube-version 1.24 --set backup.scheduleTimeZone=Europe/Kyiv
refused --kube-version 1.20 --set backup.drill.scratch.type=ephemeral,backup.drill.scratch.size=1Gi
refused --set backup.keys.existingSecret=mine,backup.keys.name=other
refused --set backup.keys.create=false
refused --set backup.keys.create=false,backup.enabled=false
openssl genpkey -algorithm ED25519 -out key 2>/dev/null
echo hello >text
refused --set-file backup.keys.trust=key
refused --set-file backup.keys.trust=text
refused --set backup.hooks.pre.command=a,backup.hooks.pre.url=http://b
refused --set backup.hooks.post.url=http://b
refused --set backup.verify.maxAge=tomorrow
refused --set backup.verify.anchorClaim=autolab-api-backup
refused --set backup.restore.target.create=true
refused --set backup.restore.target.create=true,backup.restore.target.claimName=beside
refused --set backup.restore.target.claimName=autolab-api-backup
refused --set backup.drill.scratch.type=ephemeral
refused --set backup.source.clone.enabled=true
refused --set backup.source.claimName=autolab-api-backup
refused --set backup.source.mountPath=/backups
refused --set backup.restore.mountPath=data
refused --set backup.profile=app
refused --set backup.profile=app,backup.application.uid=1000
refused --set backup.application.name=a-name-that-is-far-too-long-for-the-names-of-jobs
refused --set backup.storageSize=0Gi

refused --set backup.storageSize=5GB
refused --set backup.storageSize=
refused --set-string backup.timezone=+2
refused --set backup.series=a/b
refused --set backup.application.name=Shop
refused --set backup.keys.existingSecret=Not_A_Name
refused --set 'backup.extraArgs={x}'
refused --set 'backup.extraArgs={--unsigned}'
refused --set backup.hooks.pre.url=autolab-api/flush
refused --set backup.verify.deep.budget=soon
refused --set backup.source.mountPath='/a: b'
refused --set backup.source.mountPath=/backups/data
refused --set 'backup.extraEnv[0].name=TARSEAL_RESTORE_CONFIRM,backup.extraEnv[0].value=yes'
refused --set 'backup.extraEnv[0].name=TZ,backup.extraEnv[0].value=UTC'

# ---- the schema's ----

refused --set backup.retentoin=30
refused --set backup.retention=many
refused --set-string backup.retention=30
refused --set backup.profile=admin
refused --set backup.retention=true
refused --set backup.enabled=yes
refused --set backup.restartPolicy=Always
refused --set backup.resources.limit.cpu=1

# A section that is taken out; below a parent helm puts the defaults back.
for h in 3 4; do
	for section in backup backup.keys backup.application; do
		! "helm$h" template autolab "$CHART" --set $section=null >out 2>err || fail "helm$h takes $section=null"
		grep -q 'is null: leave it out' err || fail "$section=null: $(cat err)"
	done
done
