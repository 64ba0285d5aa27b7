#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What each pod of the chart may do, asserted on what is rendered, for both profiles.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
# shellcheck source=tests/chart.sh
. "$TESTS/chart.sh"

# Every pod as {name, kind, component, labels, annotations, spec}.
# shellcheck disable=SC2016 # for jq
PODS='[.[] | . as $o
	| (if .kind == "CronJob" then .spec.jobTemplate.spec.template
	   elif .kind == "Pod" then {metadata, spec}
	   elif .spec.template? then .spec.template else empty end)
	| {name: $o.metadata.name, kind: $o.kind, component: .metadata.labels["app.kubernetes.io/component"],
	   labels: .metadata.labels, annotations: .metadata.annotations, spec}]'
render() {
	local out=$1
	shift
	helm3 template autolab "$CHART" "$@" >"$out.yaml"
	objects "$out.yaml" >"$out.json"
	jq "$PODS" "$out.json" >"$out.pods"
}
# holds FILE TEXT FILTER: the filter gives true.
holds() {
	jq -e "$3" "$1" >/dev/null || fail "$1: $2: $(jq -c "$3" "$1")"
}
# each FILE TEXT FILTER: of every pod.
each() {
	local bad
	bad=$(jq -r ".[] | select(($3) | not) | .kind + \" \" + .name" "$1")
	[ -z "$bad" ] || fail "$1: $2 does not hold of $bad"
}

render root
render app --set backup.profile=app,backup.application.uid=1000,backup.application.gid=2000
render existing --set backup.keys.existingSecret=signing,backup.existingClaim=old
render target --set backup.restore.target.claimName=beside,backup.restore.target.create=true,backup.restore.target.size=9Gi,backup.profile=app,backup.application.uid=1000,backup.application.gid=2000
render clone --set backup.source.clone.enabled=true,backup.source.clone.size=9Gi,backup.drill.scratch.type=ephemeral,backup.drill.scratch.size=9Gi
render anchor --set backup.verify.anchorClaim=anchor,backup.drill.note=false

for r in root app existing target clone anchor; do
	holds $r.pods 'there are seven pods' '[.[] | .kind + " " + .name] | sort == ["CronJob autolab-api-backup", "CronJob autolab-api-drill",
		"CronJob autolab-api-restore", "CronJob autolab-api-verify", "Deployment autolab-api-toolbox", "Job autolab-api-backup-first", "Pod autolab-api-backup-test"]'
	each $r.pods 'no token' '.spec.automountServiceAccountToken == false'
	each $r.pods 'no service links' '.spec.enableServiceLinks == false'
	each $r.pods 'seccomp' '.spec.securityContext.seccompProfile.type == "RuntimeDefault"'
	each $r.pods 'nothing of the host' '[.spec.hostNetwork, .spec.hostPID, .spec.hostIPC, .spec.shareProcessNamespace] | all(. == null)'
	each $r.pods 'one container' '(.spec.containers | length) == 1 and .spec.initContainers == null'
	each $r.pods 'read-only root' '.spec.containers[0].securityContext.readOnlyRootFilesystem'
	each $r.pods 'no escalation' '.spec.containers[0].securityContext.allowPrivilegeEscalation == false'
	each $r.pods 'all dropped' '.spec.containers[0].securityContext.capabilities.drop == ["ALL"]'
	each $r.pods 'limits' '.spec.containers[0].resources == {limits: {cpu: "200m", memory: "256Mi"}, requests: {cpu: "50m", memory: "128Mi"}}'
	each $r.pods 'no sidecar' '.labels["sidecar.istio.io/inject"] == "false" and .annotations["sidecar.istio.io/inject"] == "false"'
	each $r.pods 'not evicted' '.annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"'
	each $r.pods 'room in /tmp' '[.spec.volumes[] | select(.name == "tmp") | .emptyDir.sizeLimit] | length == 1'
	# The network policy is of them all, and lets nothing through.
	selector=$(jq -c '.[] | select(.kind == "NetworkPolicy") | .spec.podSelector.matchLabels' $r.json)
	each $r.pods 'no network' "$selector as \$s | .labels | contains(\$s)"
	holds $r.json 'nothing is let through' '.[] | select(.kind == "NetworkPolicy") | .spec.policyTypes == ["Ingress", "Egress"] and .spec.egress == null and .spec.ingress == null'

	# The signing key: in pods that back up, and in no other, not even beside the public part.
	each $r.pods 'the key' '([.spec.volumes[].secret // empty | .items[] | select(.key == "key")] | length) == (if .component == "backup" then 1 else 0 end)'
	each $r.pods 'whole secrets' '[.spec.volumes[].secret // empty | .items] | all(. != null)'
	each $r.pods 'keys in the environment' '[.spec.containers[0].env[] | .valueFrom.secretKeyRef // empty] | length == 0'
	each $r.pods 'what the key may be read by' '[.spec.volumes[] | select(.name == "key") | .secret.defaultMode] | all(. == 256)'
	each $r.pods 'the key is read-only' '[.spec.containers[0].volumeMounts[] | select(.name | IN("key", "trust", "source")) | .readOnly] | all'

	# The volumes.
	repository=autolab-api-backup
	[ $r != existing ] || repository=old
	each $r.pods 'the repository' "[.spec.volumes[] | select(.name == \"backups\") | .persistentVolumeClaim.claimName] == [\"$repository\"]"
	each $r.pods 'who writes to it' '([.spec.volumes[] | select(.name == "backups") | .persistentVolumeClaim.readOnly] == [true])
		== (.component | IN("restore", "toolbox", "test"'"$([ $r != anchor ] || echo ', "drill"')"'))'
	each $r.pods 'mount and volume say the same' '([.spec.volumes[] | select(.name == "backups") | .persistentVolumeClaim.readOnly]
		== [.spec.containers[0].volumeMounts[] | select(.name == "backups") | .readOnly])'
	each $r.pods 'who sees the data' '([.spec.volumes[] | select(.name | IN("source", "target"))] | length) == (if .component | IN("backup", "restore") then 1 else 0 end)'
	[ $r = clone ] || each $r.pods 'the source is read-only where it comes from' '[.spec.volumes[] | select(.name == "source") | .persistentVolumeClaim.readOnly] | all'
done
holds clone.pods 'a clone' '[.[] | .spec.volumes[] | select(.name == "source") | .ephemeral.volumeClaimTemplate.spec.dataSource]
	| unique == [{kind: "PersistentVolumeClaim", name: "autolab-api-storage-autolab-api-0"}]'

# ---- users and capabilities ----

caps() {
	jq -c "[.[] | select(.component == \"$2\") | .spec.containers[0].securityContext.capabilities.add] | unique" "$1"
}
writer='[["CHOWN","DAC_OVERRIDE","FOWNER","FSETID","MKNOD","SETFCAP"]]'
[ "$(caps root.pods backup)" = '[["DAC_OVERRIDE"]]' ] || fail "backup: $(caps root.pods backup)"
[ "$(caps root.pods verify)" = '[null]' ] || fail "verify: $(caps root.pods verify)"
[ "$(caps root.pods toolbox)" = '[null]' ] || fail "toolbox: $(caps root.pods toolbox)"
[ "$(caps root.pods restore)" = "$writer" ] || fail "restore: $(caps root.pods restore)"
[ "$(caps root.pods drill)" = "$writer" ] || fail "drill: $(caps root.pods drill)"
each root.pods 'root' '.spec.securityContext | .runAsUser == 0 and .runAsGroup == 0 and .fsGroup == null'
each app.pods 'the application' '.spec.securityContext | .runAsNonRoot and .runAsUser == 1000 and .runAsGroup == 2000'
each app.pods 'no capability' '.spec.containers[0].securityContext.capabilities.add == null'
# Only where a volume may be new, and no volume of the application is mounted to be written to.
each app.pods 'fsGroup' '(.spec.securityContext.fsGroup == 2000) == (.component | IN("backup", "verify"))'
render appclone --set backup.profile=app,backup.application.uid=1000,backup.application.gid=2000,backup.source.clone.enabled=true,backup.source.clone.size=9Gi
each appclone.pods 'no fsGroup on a clone' '(.spec.securityContext.fsGroup == 2000) == (.component == "verify")'
each target.pods 'fsGroup of a new target' '(.spec.securityContext.fsGroup == 2000) == (.component | IN("backup", "verify", "restore"))'
each app.pods 'fsGroup only at the root' '.spec.securityContext | .fsGroup == null or .fsGroupChangePolicy == "OnRootMismatch"'
check_objects --pods baseline root.yaml existing.yaml clone.yaml anchor.yaml
check_objects --pods restricted app.yaml target.yaml

# ---- where they run ----

each root.pods 'near the application' '([.spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[]?
	| .podAffinityTerm.labelSelector.matchLabels["statefulset.kubernetes.io/pod-name"]] == ["autolab-api-0"])
	== (.component | IN("backup", "verify", "toolbox", "test"))'
each root.pods 'apart from it' '([.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[]?
	| .labelSelector.matchLabels["statefulset.kubernetes.io/pod-name"]] == ["autolab-api-0"]) == (.component == "restore")'
each root.pods 'a drill anywhere' '.component != "drill" or .spec.affinity == null'
# Onto another volume the application is no matter.
each target.pods 'a restore beside' '.component != "restore" or .spec.affinity == null'

# ---- what is never by itself ----

for r in root app; do
	holds $r.json 'restore and drill are suspended' '[.[] | select(.kind == "CronJob" and .spec.suspend) | .metadata.name] == ["autolab-api-drill", "autolab-api-restore"]'
	holds $r.json 'one at a time' '[.[] | select(.kind == "CronJob") | .spec.concurrencyPolicy] | all(. == "Forbid")'
	holds $r.json 'the toolbox is empty' '[.[] | select(.kind == "Deployment") | .spec.replicas] == [0]'
	holds $r.json 'a restore is tried once' '[.[] | select(.metadata.name == "autolab-api-restore") | .spec.jobTemplate.spec.backoffLimit] == [0]'
	holds $r.json 'what stays' '[.[] | select(.metadata.annotations["helm.sh/resource-policy"] == "keep") | .kind] | sort == ["ConfigMap", "PersistentVolumeClaim", "Secret"]'
	holds $r.json 'keys do not change' '[.[] | select(.kind | IN("Secret", "ConfigMap")) | .immutable] | all'
done
helm3 template autolab "$CHART" --set backup.enabled=false >off.yaml
objects off.yaml >off.json
holds off.json 'all is suspended' '[.[] | select(.kind == "CronJob") | .spec.suspend] | all'
holds off.json 'what is there' '[.[] | .kind + " " + .metadata.name] | sort == ["ConfigMap autolab-api-backup-key-trust", "CronJob autolab-api-backup",
	"CronJob autolab-api-drill", "CronJob autolab-api-restore", "CronJob autolab-api-verify", "Deployment autolab-api-toolbox",
	"NetworkPolicy autolab-api-backup", "PersistentVolumeClaim autolab-api-backup", "Pod autolab-api-backup-test", "Secret autolab-api-backup-key"]'

# ---- the keys are keys, the public one that of the private one ----

for h in 3 4; do
	"helm$h" template autolab "$CHART" >"k$h.yaml"
	objects "k$h.yaml" >"k$h.json"
	jq -r '.[] | select(.kind == "Secret") | .data.key' "k$h.json" | base64 -d >key
	jq -r '.[] | select(.kind == "ConfigMap") | .data["key.pub"]' "k$h.json" >key.pub
	diff <(openssl pkey -in key -pubout) <(grep . key.pub) || fail "helm $h: not the public key"
	mkdir -p src "repo$h"
	echo x >src/file
	quiet backup --source src --repo "repo$h" --key key
	quiet verify --repo "repo$h" --trust key.pub --level deep
	# NOTES tell its id as the programs do.
	id=$(openssl pkey -in key -pubout -outform DER | sha256sum | cut -d' ' -f1)
	manifest show --repo "repo$h" --trust key.pub | grep -q "$id" || fail "manifest show has no $id"
done
[ "$(jq -r '.[] | select(.kind == "Secret") | .data.key' k3.json)" != "$(jq -r '.[] | select(.kind == "Secret") | .data.key' k4.json)" ] || fail "twice the same key"
# certificates are taken as well, and keys of before stay trusted
quiet manifest keygen --key old --public old.pub
helm3 template autolab "$CHART" --set backup.keys.name=second --set-file backup.keys.trust=old.pub >second.yaml
objects second.yaml | jq -r '.[] | select(.kind == "ConfigMap") | .data["key.pub"]' >trust
mkdir repo
quiet backup --source src --repo repo --key old
quiet verify --repo repo --trust trust
