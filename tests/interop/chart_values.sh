#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The table of values and the schema have what values.yaml has; and what is computed from values.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"

quiet "$TOP/tools/chart-doc" --check

# deadline SECONDS ARGS...
deadline() {
	local got
	got=$(helm4 template autolab "$CHART" --show-only templates/backup.yaml "${@:2}" | sed -n 's/^ *activeDeadlineSeconds: //p')
	[ "$got" = "$1" ] || fail "${*:2}: $got s, expected $1"
}
deadline 5720
deadline 3600 --set backup.storageSize=1Gi
deadline 82800 --set backup.storageSize=1Ti
deadline 10840 --set backup.storageSize=10Gi
deadline 10840 --set backup.storageSize=10240Mi
deadline 10840 --set-string backup.storageSize=10737418240
deadline 10137 --set backup.storageSize=10G
deadline 4696 --set backup.storageSize=20Gi,backup.resources.limits.cpu=1
deadline 4696 --set backup.storageSize=20Gi --set-string backup.resources.limits.cpu=1000m
deadline 8792 --set backup.storageSize=20Gi --set-string backup.resources.limits.cpu=0.5
deadline 4696 --set backup.storageSize=20Gi,backup.resources.limits.cpu=null
deadline 60 --set backup.activeDeadlineSeconds=60

deadline 3600 --set backup.resources=null,backup.labels=null,backup.annotations=null,backup.podLabels=null,backup.podAnnotations=null
# Names that YAML would take for something else.
helm4 template autolab "$CHART" --namespace 123 --set-string backup.application.name=yes,backup.existingClaim=1,backup.source.claimName=2,backup.keys.name=3 \
	--set-string backup.verify.anchorClaim=4,backup.restore.target.claimName=5,backup.serviceAccountName=6,backup.priorityClassName=7 >odd.yaml
helm4 template autolab "$CHART" --set-string backup.storageClassName=1,backup.source.clone.storageClassName=2,backup.source.clone.size=1Gi,backup.source.claimName=3 \
	--set backup.source.clone.enabled=true >odd2.yaml
check_objects odd.yaml odd2.yaml

# Kubernetes makes $ of $$.
# shellcheck disable=SC2016
helm3 template autolab "$CHART" --set 'backup.hooks.pre.command=kill $$ $x,backup.drill.checkCommand=echo $$' >dollars
# shellcheck disable=SC2016
[ "$(grep -cF -e '"kill $$$$ $x"' -e '"--check-command=echo $$$$"' dollars)" = 3 ] || fail "dollars: $(grep -F '$$' dollars)"

# Limits are taken out by null, below a parent, too.
parent unlimited backup
for h in helm3 helm4; do
	for what in resources resources.limits resources.limits.cpu; do
		for chart in "$CHART" unlimited; do
			"$h" template autolab "$chart" --set backup.$what=null >null.yaml
			objects null.yaml | jq -e '[.. | objects | .limits? // empty | .cpu] | all(. == null)' >/dev/null || fail "$h, $chart: a limit of the processor with $what=null"
		done
	done
done

# age AGE SCHEDULE
age() {
	local got
	got=$(helm4 template autolab "$CHART" --show-only templates/verify.yaml --set-string backup.schedule="$2" | sed -n 's/^ *- --max-age=//p')
	[ "$got" = "$1" ] || fail "$2: $got, expected $1"
}
age 26h '0 0 * * *'
age 26h '*/10 * * * *'
age 26h '0 2  * * *'
age 26h @daily
age 26h @hourly
age 8d '0 2 * * 0'
age 8d '0 2 * * MON-FRI'
age 8d @weekly
age 32d '0 2 1 * *'
age 367d '0 2 1 1 *'
age 367d @yearly

# Nothing of one chart is in another: two applications in a namespace.
helm4 template one "$CHART" >one.yaml
helm4 template two "$CHART" --set backup.application.name=shop >two.yaml
names() {
	objects "$1" | jq -r '.[] | .kind + " " + .metadata.name' | sort
}
[ -z "$(comm -12 <(names one.yaml) <(names two.yaml))" ] || fail "both have $(comm -12 <(names one.yaml) <(names two.yaml))"
# and the policy of the one is not of the other's pods
objects one.yaml | jq -e '.[] | select(.kind == "NetworkPolicy") | .spec.podSelector.matchLabels["app.kubernetes.io/part-of"] == "autolab-api"' >/dev/null || fail "policy"

# The private key is nowhere but in the Secret, also not where a parent shows its values.
parent umbrella backup
echo 'apiVersion: v1
kind: ConfigMap
metadata: {name: z}
data:
  values: {{ .Values | toJson | quote }}
  under: {{ .Subcharts.backup.Values | toJson | quote }}' >umbrella/templates/z.yaml
helm3 template autolab umbrella >umbrella.yaml
key=$(sed -n 's/^  key: //p' umbrella.yaml)
[ "$(base64 -d <<<"$key" | head -n 1)" = '-----BEGIN PRIVATE KEY-----' ] || fail "no key"
[ "$(grep -c "$(base64 -d <<<"$key" | sed -n 2p)" umbrella.yaml || :)" = 0 ] || fail "the key is in the values of the parent"
