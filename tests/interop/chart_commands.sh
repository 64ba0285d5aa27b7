#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
#
# The commands of docs/KUBERNETES.md and of NOTES, as they stand there, with helm and kubectl, in a cluster
# that only remembers (tests/fake-api). What is to run in the toolbox runs here, on a repository that
# is made for it; so do the pods' commands, from the objects that came of it.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"
need busybox jq
ln -s "$CHART" chart

# ---- a repository with two nights ----

make_repo repo
mkdir -p src/conf src/sled_db
night_of() {
	echo "{\"night\": \"$1\"}" >src/conf/site.json
	touch -d "$1 20:00" src/conf/site.json
	faketime "$1 00:00:05" backup --source src --repo repo --key key --timezone Europe/Kyiv >"$CASE_BASE/night" 2>&1 || fail "$(cat "$CASE_BASE/night")"
}
seq 5000 >src/sled_db/db
night_of 2026-02-07
night_of 2026-02-08
night_of 2026-02-09
# The page makes a pair of its own here.
mv key ours
mv key.pub ours.pub
[ -f repo/autolab-backup-20260209_020005.seal ] || fail "$(ls repo)"

# ---- what the documents say ----

# blocks LANGUAGE PAGE: what stands between ```LANGUAGE and ```.
blocks() {
	awk -v begin="\`\`\`$1" '$0 == begin { on = 1; next } /^```$/ { on = 0 } on' "$2"
}
blocks bash "$TOP/docs/KUBERNETES.md" >page.sh
[ "$(grep -c kubectl page.sh)" -gt 60 ] || fail "where are the commands?"

cat >there.json <<'JSON'
[{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "autolab-api"},
  "spec": {"replicas": 1, "serviceName": "x", "selector": {"matchLabels": {"app": "a"}},
           "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}},
 {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "autolab-api-0", "labels": {"app": "a"}},
  "spec": {"containers": [{"name": "a", "image": "a"}]}},
 {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "autolab-api-storage-autolab-api-0"},
  "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}}},
 {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "autolab-api-backup-28501200"},
  "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "backup", "image": "a"}]}}}}]
JSON

# kubectl: the real one; where something is to run in a pod, it has to come as far as that, and if the
# pod is the toolbox's, the command runs here.
cat >functions.sh <<'SHELL'
set -euo pipefail
kubectl() {
	local status=0 words=("$@") i
	command kubectl "$@" 2>"$CASE_BASE/kubectl" || status=$?
	if [ "$status" -ne 0 ] && grep -q 'nothing runs here' "$CASE_BASE/kubectl"; then
		for ((i = 0; i < $#; i++)); do
			[ "${words[i]}" != -- ] || break
		done
		[[ $* == *-toolbox* ]] || return 0
		in_toolbox "${words[@]:i+1}"
		return
	fi
	grep -v -e '^Unable to use a TTY' -e '^Warning: ' -e '^No resources found' -e 'reflector.go' "$CASE_BASE/kubectl" >&2 || :
	return "$status"
}
helm() {
	helm3 "$@"
}
in_toolbox() {
	local status=0
	echo "toolbox: $*" >>"$CASE_BASE/ran"
	(cd "$CASE_DIR/repo" && env TARSEAL_REPO="$CASE_DIR/repo" TARSEAL_TRUST="$CASE_DIR/ours.pub" TARSEAL_TIMEZONE=Europe/Kyiv \
	    "${@//\/backups/$CASE_DIR/repo}" </dev/null) || status=$?
	# That two nights differ, and that these are old, is no mistake in a command.
	[ "$status" -le 1 ]
}
# What came out of the toolbox is signed by the key of this case.
verify() {
	command verify "${@/autolab-api-backup.pub/$CASE_DIR/ours.pub}"
}
SHELL

cluster there.json
if ! bash -c '. ./functions.sh; . ./page.sh' >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr"; then
	fail "docs/KUBERNETES.md: $(tail -n 20 "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
fi
[ ! -s "$CASE_BASE/stderr" ] || ! grep -v -e '^tar: ' "$CASE_BASE/stderr" || fail "docs/KUBERNETES.md: said that"
# The right file came out, and the copy is whole.
[ "$(cat site.json)" = '{"night": "2026-02-08"}' ] || fail "site.json is $(cat site.json)"
for file in repo/*.tar.gz repo/*.seal; do cmp "$file" "local-backups/${file#repo/}"; done
for command in 'ls -lh /backups' 'manifest list' 'manifest stats' 'manifest diff previous latest' 'tar -tzf' 'verify --all'; do
	grep -qF "toolbox: $command" "$CASE_BASE/ran" || fail "$command did not run"
done

# The Jobs that were made have what was said.
env_of() {
	kubectl get job "$1" -o json | jq -r --arg name "$2" '.spec.template.spec.containers[0].env[] | select(.name == $name) | .value'
}
[ "$(env_of autolab-restore-20260209 TARSEAL_RESTORE_CONFIRM)" = autolab-api-storage-autolab-api-0 ] || fail "confirm"
[ "$(env_of autolab-restore-20260209 TARSEAL_RESTORE_BACKUP)" = autolab-backup-20260209 ] || fail "which backup"
[ "$(env_of restore-conf RESTORE_PATHS)" = conf ] || fail "paths"
[ "$(env_of restore-beside RESTORE_CLAIM)" = autolab-restored ] || fail "another claim"
[ "$(kubectl get job import-1 -o jsonpath='{.spec.template.spec.containers[0].command}')" = '["manifest","import"]' ] || fail "import"
# And what the chart makes of all that is still what an API server takes.
kubectl get cronjob,deployment,job -o json | jq '.items[] | del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.managedFields, .spec.selector)
	| select(.kind == "CronJob")' | jq -s '{a: .} | .a[]' >cron.json
jq -c . cron.json | sed 's/^/---\n/' >cron.yaml
check_objects cron.yaml

# ---- the pods' own commands, from the objects ----

mkdir bin
for applet in sh sleep setsid wget cat awk sed ls touch kill; do
	ln -s "$(command -v busybox)" "bin/$applet"
done
for program in backup verify restore manifest; do
	ln -s "$TOP/build/$TEST_VARIANT/bin/$program" "bin/$program"
done
ln -s "$TOP/image/run-job" bin/run-job
# pod KIND NAME [VARIABLE=VALUE...]: as its container would run, with the volumes' places exchanged.
pod() {
	local file=pod.json words=() settings=()
	kubectl get "$1" "$2" -o json | jq '(.spec.jobTemplate.spec // .spec).template.spec.containers[0]' >"$file"
	mapfile -d '' words < <(jq -j '(.command + (.args // []))[] | . + "\u0000"' "$file")
	mapfile -d '' settings < <(jq -j '.env[] | .name + "=" + (.value // "uid-of-the-job") + "\u0000"' "$file")
	shift 2
	settings=("${settings[@]}" "$@")
	words=("${words[@]//\/app\/data/$PWD/src}") && words=("${words[@]//\/keys\/key/$PWD/ours}")
	words=("${words[@]//=\/data/=$PWD/out}") && words=("${words[@]//\/scratch/$PWD/scratch}")
	settings=("${settings[@]//=\/backups/=$PWD/repo}") && settings=("${settings[@]//\/trust\/key.pub/$PWD/ours.pub}")
	env PATH="$PWD/bin" TMPDIR="$PWD/tmp" "${settings[@]}" "${words[@]}"
}
mkdir out scratch tmp
expect 0 pod cronjob autolab-api-backup
grep -q 'Backup process completed successfully' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
grep -q 'keeping last 5 backups' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
grep -q ': ok (quick' "$CASE_BASE/stdout" || fail "no look afterwards"
# The same Job again: nothing is made.
n=$(find repo -name '*.seal' | wc -l)
expect 0 pod cronjob autolab-api-backup
[ "$(find repo -name '*.seal' | wc -l)" = "$n" ] || fail "a second backup of one Job"
expect 0 pod cronjob autolab-api-verify
[ "$(grep -c ': ok (deep' "$CASE_BASE/stdout")" = 1 ] || fail "deep: $(cat "$CASE_BASE/stdout")"
expect 0 pod cronjob autolab-api-drill
expect 2 pod cronjob autolab-api-restore
expect 0 pod job autolab-restore-look
[ -z "$(ls out)" ] || fail "a look restored"
expect 0 pod job autolab-restore-20260209
[ "$(cat out/conf/site.json)" = '{"night": "2026-02-09"}' ] || fail "restored $(cat out/conf/site.json)"
[ ! -s "$CASE_BASE/stderr" ] || fail "a restore warns: $(cat "$CASE_BASE/stderr")"
expect 0 pod job restore-conf
[ "$(cat out/conf/site.json)" = '{"night": "2026-02-08"}' ] || fail "restored $(cat out/conf/site.json)"
[ -f out/sled_db/db ] || fail "the rest is gone"

# ---- NOTES ----

cluster_gone
for settings in default=1 backup.enabled=false backup.keys.existingSecret=signing backup.restore.target.claimName=beside; do
	cluster there.json
	kubectl create secret generic signing --from-file=key --from-file=key.pub >/dev/null
	expect 0 helm4 install autolab ./chart --set "${settings/default=1/backup.retention=10}"
	sed -n '/^NOTES/,$p' "$CASE_BASE/stdout" >notes
	awk '/^     kubectl/ || more { print; more = /\|$/ }' notes >notes.sh
	[ "$(grep -c '^     kubectl' notes.sh)" -gt 10 ] || fail "NOTES without commands: $(cat notes)"
	rm -rf local-backups site.json
	mkdir local-backups
	if ! bash -c '. ./functions.sh; . ./notes.sh' >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr"; then
		fail "NOTES ($settings): $(tail "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
	fi
	[ -s site.json ] || fail "NOTES ($settings): no file came out"
	[ -f local-backups/catalog.sqlite3 ] || fail "NOTES ($settings): nothing came out"
	grep -q 'BEGIN PUBLIC KEY' autolab-api-backup.pub || fail "NOTES: no public key"
	cluster_gone
done

# ---- YAML of the page ----

# Values are values; objects are objects.
blocks yaml "$TOP/docs/KUBERNETES.md" | awk '/^backup:/ { n++; kind = "values" } /^apiVersion:/ { n++; kind = "object" } n { print >(kind n ".yaml") }'
for file in values*.yaml; do
	helm3 template autolab ./chart -f "$file" >rendered.yaml || fail "docs/KUBERNETES.md: $(cat "$file")"
	check_objects rendered.yaml
done
check_objects object*.yaml

# ---- each heading of the page before it has its row ----

sed -n '/^## What became of what/,/^## Why/p' "$TOP/docs/KUBERNETES.md" >table
while read -r heading; do
	grep -qF "$heading" table || fail "docs/KUBERNETES.md: no row for $heading"
done <<'HEADINGS'
Overview
Architecture
Default Configuration
How It Works
Backup Process
What Gets Backed Up
Backup Job Behavior
Configuration
Helm Values
Customization Examples
Change Backup Schedule
Adjust Retention Period
Increase Backup Storage
Disable Backups
Use Custom Storage Class
Operations
Monitoring Backups
View CronJob Status
Check Recent Backup Jobs
View Backup Logs
List Backup Files
Manual Backup Trigger
Verify Backup Integrity
Restore Procedures
Full Restore from Backup
Step 1: Stop the Application
Step 2: Create Restore Job
Step 3: Restart Application
Step 4: Verify Restoration
Partial Restore (Extract Specific Files)
Backup to External Storage
Copy Backups to External Location
S3/Cloud Storage Integration
Troubleshooting
Backup Job Fails
Backup Volume Full
Restore Fails
Missing Backups
Best Practices
Disaster Recovery Plan
Quick Recovery Steps
Recovery Time Objective (RTO)
Related Documentation
Support
HEADINGS
! grep -qE '\| *\|' <(tail -n +5 table) || fail "an empty row"
