#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
#
# The chart's life in a cluster that remembers (tests/fake-api), with helm 3 and 4: installed, upgraded
# with the seed's commands, tested, uninstalled, installed again. What lookup finds: keys are taken
# again and never replaced, volumes are not shrunk, and other releases' are not taken.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"

tells() {
	grep -qF -- "$1" "$CASE_BASE/stdout" "$CASE_BASE/stderr" || fail "not told: $1
$(cat "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
}
get() {
	kubectl get "$1" "$2" -o "jsonpath=$3"
}
is() {
	[ "$(get "$1" "$2" "$3")" = "$4" ] || fail "$1 $2 $3 is $(get "$1" "$2" "$3"), not $4"
}
args() {
	get cronjob autolab-api-backup '{.spec.jobTemplate.spec.template.spec.containers[0].args}'
}
# helm ends with 1 for whatever is wrong.
refused() {
	expect 1 "$@"
}

life() {
	# shellcheck disable=SC2153
	local helm=$1 chart=$2 key trust notes=()
	# NOTES of a chart below are printed when asked for.
	[ "$chart" = "$CHART" ] || notes=(--render-subchart-notes)
	cluster
	expect 0 "$helm" install autolab "$chart" "${notes[@]}"
	# Its NOTES: what is next.
	tells 'logs -f job/autolab-api-backup-first'
	tells 'no disaster recovery'
	is job autolab-api-backup-first '{.metadata.name}' autolab-api-backup-first
	key=$(get secret autolab-api-backup-key '{.data.key}')
	trust=$(get configmap autolab-api-backup-key-trust '{.data.key\.pub}')
	base64 -d <<<"$key" | openssl pkey -pubout | diff - <(printf '%s\n' "$trust") || fail "not a pair"
	tells "$(openssl pkey -pubin -outform DER <<<"$trust" | sha256sum | cut -d' ' -f1)"

	# The seed's own commands.
	expect 0 "$helm" upgrade autolab "$chart" --set backup.schedule="0 */6 * * *" "${notes[@]}"
	is cronjob autolab-api-backup '{.spec.schedule}' '0 */6 * * *'
	tells 'manual-backup-'
	expect 0 "$helm" upgrade autolab "$chart" --set backup.schedule="0 2 * * 0"
	expect 0 "$helm" upgrade autolab "$chart" --set backup.schedule="0 * * * *"
	is cronjob autolab-api-backup '{.spec.schedule}' '0 * * * *'
	expect 0 "$helm" upgrade autolab "$chart" --set backup.retention=30
	[[ $(args) == *'"--keep-last=30"'* ]] || fail "$(args)"
	expect 0 "$helm" upgrade autolab "$chart" --set backup.retention=3
	expect 0 "$helm" upgrade autolab "$chart" --set backup.storageSize=20Gi
	is pvc autolab-api-backup '{.spec.resources.requests.storage}' 20Gi
	expect 0 "$helm" upgrade autolab "$chart" --reuse-values --set backup.enabled=false
	is cronjob autolab-api-backup '{.spec.suspend}' true
	is cronjob autolab-api-verify '{.spec.suspend}' true
	kubectl get cronjob autolab-api-backup -o yaml | grep suspend | grep -q true || fail "the seed's way of asking"
	# The first run was of the installation.
	! kubectl get job autolab-api-backup-first >/dev/null 2>&1 || fail "a first run again"
	[ "$(get secret autolab-api-backup-key '{.data.key}')" = "$key" ] || fail "another key after upgrades"

	# What cannot be changed.
	refused "$helm" upgrade autolab "$chart" --set backup.storageClassName="fast-ssd",backup.storageSize=20Gi
	tells 'is of the class "standard", and that of a volume cannot be changed'
	expect 0 "$helm" upgrade autolab "$chart" --set backup.storageClassName=standard,backup.storageSize=20Gi
	refused "$helm" upgrade autolab "$chart" --set backup.storageSize=19Gi
	tells 'backup.storageSize=19Gi is less than the claim autolab-api-backup has (20Gi), and a volume cannot shrink: give 20Gi or more'
	expect 0 "$helm" upgrade autolab "$chart" --set backup.storageSize=20480Mi
	rm -f other other.pub
	quiet manifest keygen --key other --public other.pub
	refused "$helm" upgrade autolab "$chart" --set backup.storageSize=20Gi --set-file "backup.keys.trust=other.pub"
	tells 'backup.keys.trust cannot change for the key autolab-api-backup-key'

	# helm test: the pod succeeds here in any case; that it is made is what is seen.
	expect 0 "$helm" test autolab
	tells Succeeded

	# Who renders without a look at the cluster (GitOps) has another key, and cannot bring it in.
	"$helm" template autolab "$chart" --set backup.storageSize=20Gi --show-only "$keys" >gitops.yaml
	expect 1 kubectl apply --server-side --force-conflicts -f gitops.yaml
	# shellcheck disable=SC2016
	tells 'field is immutable when `immutable` is set'
	[ "$(get secret autolab-api-backup-key '{.data.key}')" = "$key" ] || fail "another key from GitOps"

	# Uninstalled: volume and keys stay; and are taken again.
	expect 0 "$helm" uninstall autolab
	tells '[PersistentVolumeClaim] autolab-api-backup'
	[ -z "$(kubectl get cronjob,deployment,job -o name)" ] || fail "left: $(kubectl get cronjob,deployment,job -o name)"
	# Not by another release, with other rights.
	refused "$helm" install shop "$chart"
	tells 'the claim autolab-api-backup is there already, and of the release autolab: set backup.existingClaim=autolab-api-backup'
	expect 0 "$helm" install autolab "$chart" --set backup.storageSize=20Gi
	is job autolab-api-backup-first '{.metadata.name}' autolab-api-backup-first
	[ "$(get secret autolab-api-backup-key '{.data.key}')" = "$key" ] || fail "another key after a new installation"

	# The public part was lost: it comes back from the private one.
	kubectl delete configmap autolab-api-backup-key-trust >/dev/null
	expect 0 "$helm" upgrade autolab "$chart" --set backup.storageSize=20Gi
	[ "$(get configmap autolab-api-backup-key-trust '{.data.key\.pub}')" = "$trust" ] || fail "another public key"
	# The private one was lost: that is told, and how it goes on.
	kubectl delete secret autolab-api-backup-key >/dev/null
	refused "$helm" upgrade autolab "$chart" --set backup.storageSize=20Gi
	tells 'the signing key is gone'
	kubectl get configmap autolab-api-backup-key-trust -o jsonpath='{.data.key\.pub}' >old.pub
	expect 0 "$helm" upgrade autolab "$chart" --set backup.storageSize=20Gi,backup.keys.name=second --set-file backup.keys.trust=old.pub
	get configmap second-trust '{.data.key\.pub}' >now
	[ "$(grep -c BEGIN now)" = 2 ] || fail "the old key is not trusted: $(cat now)"
	expect 0 "$helm" upgrade autolab "$chart" --reuse-values --set backup.retention=11
	[ "$(get configmap second-trust '{.data.key\.pub}')" = "$(cat now)" ] || fail "trust changed"
	expect 0 "$helm" uninstall autolab
	cluster_gone
}

# One after the other, each in its cluster.
keys=templates/keys.yaml
life helm3 "$CHART"
life helm4 "$CHART"
parent umbrella backup
keys=charts/tarseal/templates/keys.yaml
"helm3" template autolab umbrella | grep -q "^# Source: autolab/charts/backup/templates/keys.yaml" && keys=charts/backup/templates/keys.yaml
life helm3 umbrella

# ---- coming from the seed's own chart ----

# Its claim and its CronJob are of the release autolab, in the parent's templates; then ours takes them over.
cluster
mkdir -p seed/templates
cat >seed/Chart.yaml <<-CHART
	apiVersion: v2
	name: autolab
	version: 0.9.0
CHART
cat >seed/templates/backup.yaml <<-'YAML'
	apiVersion: v1
	kind: PersistentVolumeClaim
	metadata:
	  name: autolab-api-backup
	spec:
	  accessModes: [ReadWriteOnce]
	  resources: {requests: {storage: 5Gi}}
	---
	apiVersion: batch/v1
	kind: CronJob
	metadata:
	  name: autolab-api-backup
	spec:
	  schedule: "0 0 * * *"
	  jobTemplate:
	    spec:
	      template:
	        spec:
	          restartPolicy: OnFailure
	          containers: [{name: backup, image: "busybox:1.36", command: [sh, -c, "tar czf"]}]
YAML
expect 0 helm3 install autolab seed
uid=$(get pvc autolab-api-backup '{.metadata.uid}')
expect 0 helm3 upgrade autolab umbrella
is pvc autolab-api-backup '{.metadata.uid}' "$uid"
[[ $(args) == *--keep-last=10* ]] || fail "$(args)"
# It is new in the release, so there is a first backup at once.
is job autolab-api-backup-first '{.metadata.name}' autolab-api-backup-first
expect 0 helm3 upgrade autolab umbrella
! kubectl get job autolab-api-backup-first >/dev/null 2>&1 || fail "a first run at the second upgrade"
# And it stays from now on.
expect 0 helm3 uninstall autolab
is pvc autolab-api-backup '{.metadata.uid}' "$uid"
cluster_gone

# A claim that nobody of Helm made, and a key that exists.
cluster
cat >claim.yaml <<-'YAML'
	apiVersion: v1
	kind: PersistentVolumeClaim
	metadata: {name: autolab-api-backup}
	spec: {accessModes: [ReadWriteOnce], storageClassName: slow, resources: {requests: {storage: 2Gi}}}
	---
	apiVersion: v1
	kind: PersistentVolumeClaim
	metadata: {name: autolab-api-storage-autolab-api-0}
	spec: {accessModes: [ReadWriteOnce], storageClassName: data, resources: {requests: {storage: 2Gi}}}
YAML
quiet kubectl create -f claim.yaml
refused helm4 install autolab "$CHART"
tells 'the claim autolab-api-backup is there already, and not made by Helm: set backup.existingClaim=autolab-api-backup'
openssl genpkey -algorithm ED25519 -out key 2>/dev/null
openssl pkey -in key -pubout -out key.pub
quiet kubectl create secret generic signing --from-file=key
refused helm4 install autolab "$CHART" --set backup.existingClaim=autolab-api-backup,backup.keys.existingSecret=signing
tells 'the Secret signing has no "key.pub"'
quiet kubectl delete secret signing
quiet kubectl create secret generic signing --from-file=key --from-file=key.pub
expect 0 helm4 install autolab "$CHART" --set backup.existingClaim=autolab-api-backup,backup.keys.existingSecret=signing
tells "$(openssl pkey -pubin -in key.pub -outform DER | sha256sum | cut -d' ' -f1)"
! grep -q WARNING "$CASE_BASE/stdout" || fail "a warning of a storage class that nobody chose here"
expect 0 helm4 uninstall autolab
is pvc autolab-api-backup '{.spec.storageClassName}' slow
is secret signing '{.metadata.name}' signing
quiet kubectl delete pvc autolab-api-backup
# The class of the data: on the same disks, maybe; another one is not warned of.
expect 0 helm4 install autolab "$CHART" --set backup.storageClassName=data
tells 'the storage class of the data (data)'
expect 0 helm4 uninstall autolab
quiet kubectl delete pvc autolab-api-backup
expect 0 helm4 install autolab "$CHART" --set backup.storageClassName=other
! grep -q WARNING "$CASE_BASE/stdout" || fail "a warning without need"
cluster_gone

# ---- a cluster of 1.20 ----

cluster --kube 1.20
expect 0 helm3 install autolab "$CHART"
is cronjobs.v1beta1.batch autolab-api-backup '{.apiVersion}' batch/v1beta1
cluster_gone
