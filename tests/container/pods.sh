#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# A pod's spec as a kubelet would run it, by tests/container/pod: what cases of the chart stand on. User, groups and
# modes of volumes and Secrets, rights, limits, environment; and what it does not know is refused.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 50M
disk backups 50M
pair
sample_tree data/app
chown -R -h 10001:10001 data/app
find data -printf '%p %U:%G %m %C@\n' | sort >was

# pod OBJECT [OPTION...]: of pods.json.
pod() {
	"$TESTS/container/pod" --image "$TEST_IMAGE" --podman="--label=box=$BOX" --secret key="$PWD/keys" --config trust="$PWD/public" \
	    --claim backups="$PWD/backups" --claim data="$PWD/data" "${@:2}" - < <(jq "$1" pods.json)
}

cat >pods.json <<'JSON'
{
  "backup": {
    "kind": "CronJob",
    "spec": {"jobTemplate": {"spec": {"template": {
      "metadata": {"labels": {"app": "x"}},
      "spec": {
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "runAsNonRoot": true, "fsGroup": 10001,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [{"name": "look", "image": "x", "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                            "command": ["sh", "-c"], "args": ["id -u >/tmp/who; id -G >/tmp/groups"]}],
        "containers": [{
          "name": "backup", "image": "x",
          "command": ["backup", "--key", "$(KEYS)/key"], "args": ["--source=/app/data", "--run-id=$(RUN)", "--exclude=$$(RUN)"],
          "env": [{"name": "KEYS", "value": "/keys"}, {"name": "TARSEAL_REPO", "value": "/backups"},
                  {"name": "RUN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['controller-uid']"}}}],
          "resources": {"limits": {"cpu": "200m", "memory": "256Mi"}, "requests": {"cpu": "50m"}},
          "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
          "volumeMounts": [{"name": "source", "mountPath": "/app/data", "readOnly": true}, {"name": "backups", "mountPath": "/backups"},
                           {"name": "key", "mountPath": "/keys", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}]
        }],
        "volumes": [{"name": "source", "persistentVolumeClaim": {"claimName": "data", "readOnly": true}},
                    {"name": "backups", "persistentVolumeClaim": {"claimName": "backups"}},
                    {"name": "key", "secret": {"secretName": "key", "defaultMode": 256}},
                    {"name": "tmp", "emptyDir": {}}]
      }}}}}
  },
  "verify": {
    "kind": "Pod", "metadata": {"name": "v"},
    "spec": {
      "securityContext": {"runAsUser": 10001, "runAsGroup": 10001},
      "containers": [{
        "name": "verify", "image": "x", "args": ["verify", "--all"], "workingDir": "/backups",
        "env": [{"name": "TARSEAL_REPO", "value": "."}, {"name": "TARSEAL_TRUST", "value": "/trust/key.pub"}],
        "volumeMounts": [{"name": "backups", "mountPath": "/backups", "readOnly": true}, {"name": "trust", "mountPath": "/trust"}]
      }],
      "volumes": [{"name": "backups", "persistentVolumeClaim": {"claimName": "backups"}},
                  {"name": "trust", "configMap": {"name": "trust", "items": [{"key": "key.pub", "path": "key.pub"}]}}]
    }
  }
}
JSON
mkdir work
expect 0 pod .backup --uid 0b7e --work "$PWD/work"
[ "$(cat work/tmp/who)" = 10001 ] || fail "as $(cat work/tmp/who)"
grep -qw 10001 work/tmp/groups || fail "groups $(cat work/tmp/groups)"
seal=$(newest backups).seal
grep -q '^# run-id: 0b7e$' "$seal" || fail "$(cat "$seal")"
# The volume of the backups became the group's; the source was not touched, not even a ctime.
[ "$(stat -c %g:%a backups)" = 10001:2775 ] || fail "backups: $(stat -c %g:%a backups)"
find data -printf '%p %U:%G %m %C@\n' | sort | diff was - || fail "the source was touched"
[ "$(stat -c %g:%a work/key/..data/key)" = 10001:440 ] || fail "the key: $(stat -c %g:%a work/key/..data/key)"
[ -L work/key/key ] || fail "a Secret's file is a link"
expect 0 pod .verify
expect 0 pod .verify --env TARSEAL_VERIFY_LEVEL=deep
grep -q 'ok (deep' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"

# Without fsGroup the key is root's alone.
expect 3 pod '.backup | del(.spec.jobTemplate.spec.template.spec.securityContext.fsGroup)' --uid 1
grep -q 'Permission denied' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"

# refused TEXT OBJECT
refused() {
	expect 2 pod "$2"
	grep -q "^pod: .*$1" "$CASE_BASE/stderr" || fail "not \"$1\": $(cat "$CASE_BASE/stderr")"
}
refused 'hostPID: not known here' '.verify | .spec.hostPID = true'
refused 'livenessProbe: not known here' '.verify | .spec.containers[0].livenessProbe = {}'
refused 'claim other is Pending' '.verify | .spec.volumes[0].persistentVolumeClaim.claimName = "other"'
refused 'trust has no other.pub' '.verify | .spec.volumes[1].configMap.items[0].key = "other.pub"'
refused 'runAsNonRoot' '.verify | .spec.securityContext = {runAsNonRoot: true}'
refused 'capabilities mean nothing for the user 10001' '.verify | .spec.containers[0].securityContext.capabilities.add = ["CHOWN"]'
