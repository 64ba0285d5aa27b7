#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the chart renders, read by people: all of it as it is by default, and what some values change.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"

render() {
	helm4 template autolab "$CHART" "$@" | same_keys
}
changes() {
	echo
	echo "==== $*"
	# Where it is: the first column of its object's kind stands in the line.
	diff -U 0 <(tagged "${common[@]}") <(tagged "${common[@]}" "$@") | sed -n '/^[-+][^-+]/p' || :
}
# Each line led by the object it is of.
tagged() {
	render "$@" | awk '/^# Source: / { n = split($3, p, "/"); at = p[n] } { print at ": " $0 }'
}
common=(--kube-version 1.35)
render "${common[@]}"
# The first run's pod is the backup's.
common+=(--set backup.firstRun=false)
changes --set backup.enabled=false
changes --set backup.profile=app,backup.application.uid=1000,backup.application.gid=1000
changes --set backup.existingClaim=old,backup.keys.existingSecret=signing
changes --set backup.restartPolicy=OnFailure
changes --set backup.source.clone.enabled=true,backup.source.clone.size=10Gi
changes --set backup.hooks.pre.command=flush,backup.hooks.post.url='https://example.org/{status}',backup.networkPolicy.enabled=false
changes --set backup.restore.target.claimName=beside,backup.restore.target.create=true,backup.restore.target.size=20Gi
changes --set backup.drill.schedule='0 5 * * 0',backup.drill.scratch.type=ephemeral,backup.drill.scratch.size=20Gi,backup.drill.checkCommand='test -s a'
changes --set backup.verify.anchorClaim=anchor,backup.verify.standard.oldest=0,backup.verify.deep.budget=2h
changes --set backup.schedule='0 2 * * 0'
changes --set backup.storageSize=100Gi
changes --set backup.resources.limits.cpu=2
changes --kube-version 1.20
