{{- /* SPDX-License-Identifier: BSD-2-Clause */ -}}

{{- /* What the schema cannot say, each refused in a sentence that tells what to do. */ -}}

{{- define "tarseal.check" -}}
{{- $v := .v -}}
{{- $root := .root -}}
{{- $ns := $root.Release.Namespace -}}
{{- $kube := printf "%s.%s" $root.Capabilities.KubeVersion.Major $root.Capabilities.KubeVersion.Minor -}}

{{- /* sections that were taken out */ -}}
{{- range list "application" "source" "keys" "verify" "restore" "drill" "toolbox" "networkPolicy" -}}
{{- if not (kindIs "map" (get $v .)) -}}
{{- fail (printf "backup.%s is null: leave it out, and its defaults hold" .) -}}
{{- end -}}
{{- end -}}

{{- /* names */ -}}
{{- range $name, $value := dict "application.name" $v.application.name "storageClassName" $v.storageClassName "existingClaim" $v.existingClaim
    "source.claimName" $v.source.claimName "source.clone.storageClassName" $v.source.clone.storageClassName "keys.name" $v.keys.name
    "keys.existingSecret" $v.keys.existingSecret "verify.anchorClaim" $v.verify.anchorClaim "restore.target.claimName" $v.restore.target.claimName
    "restore.target.storageClassName" $v.restore.target.storageClassName "drill.scratch.storageClassName" $v.drill.scratch.storageClassName
    "serviceAccountName" $v.serviceAccountName "priorityClassName" $v.priorityClassName -}}
{{- if not (regexMatch "^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$" $value) -}}
{{- fail (printf "backup.%s=%s is not a name of an object: small letters, digits, and - between them" $name $value) -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $v.application.name) -}}
{{- fail (printf "backup.application.name=%s: the name of the application's StatefulSet, with which the names of all objects begin" $v.application.name) -}}
{{- end -}}
{{- if not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*$" $v.series) -}}
{{- fail (printf "backup.series=%s: letters, digits, and . _ - between them, such as autolab-backup" $v.series) -}}
{{- end -}}
{{- range $name, $zone := dict "timezone" $v.timezone "scheduleTimeZone" $v.scheduleTimeZone -}}
{{- if not (regexMatch "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$" $zone) -}}
{{- fail (printf "backup.%s=%s is not the name of a time zone, such as Europe/Kyiv or Etc/UTC" $name $zone) -}}
{{- end -}}
{{- end -}}
{{- range $v.extraArgs -}}
{{- if not (hasPrefix "--" .) -}}
{{- fail (printf "backup.extraArgs: %s: options only, each with its value in one item, such as --compression=9" .) -}}
{{- end -}}
{{- if regexMatch "^--(source|repo|key|trust|series|timezone|run-id|unsigned)(=|$)" . -}}
{{- fail (printf "backup.extraArgs: %s: the chart sets that itself; see its values" .) -}}
{{- end -}}
{{- end -}}
{{- range $v.extraEnv -}}
{{- if eq .name "TARSEAL_RESTORE_CONFIRM" -}}
{{- fail "backup.extraEnv: TARSEAL_RESTORE_CONFIRM would confirm every restore: it is given to one Job, when that is made" -}}
{{- end -}}
{{- if regexMatch "^(TARSEAL_(REPO|TRUST|SERIES|TIMEZONE|BACKUP_RUN_ID)|TZ|RESTORE_CLAIM|VERIFY_MAX_AGE|HOOK_(PRE|POST)_.*)$" .name -}}
{{- fail (printf "backup.extraEnv: %s: the chart sets that itself; see its values" .name) -}}
{{- end -}}
{{- end -}}
{{- if gt (len $v.application.name) 38 -}}
{{- fail (printf "backup.application.name=%s is too long: the names of Jobs begin with it, so 38 characters at the most" $v.application.name) -}}
{{- end -}}
{{- if regexMatch "(^|/)busybox([:@]|$)" $v.image -}}
{{- fail (printf "backup.image=%s has none of the programs backup, verify, restore and manifest: take the value out (the default is Tarseal's image), or name yours" $v.image) -}}
{{- end -}}

{{- /* schedules */ -}}
{{- include "tarseal.checkCron" (list "backup.schedule" $v.schedule) -}}
{{- if $v.verify.enabled -}}{{- include "tarseal.checkCron" (list "backup.verify.schedule" $v.verify.schedule) -}}{{- end -}}
{{- if $v.drill.schedule -}}{{- include "tarseal.checkCron" (list "backup.drill.schedule" $v.drill.schedule) -}}{{- end -}}
{{- if and (not (has $v.scheduleTimeZone (list "Etc/UTC" "UTC"))) (not (include "tarseal.knows" (dict "root" $root "since" "1.25"))) -}}
{{- fail (printf "backup.scheduleTimeZone=%s: Kubernetes %s knows no time zones for CronJobs (1.25 does), so leave it at Etc/UTC and write the schedules in UTC" $v.scheduleTimeZone $kube) -}}
{{- end -}}

{{- /* retention */ -}}
{{- if lt (int64 $v.retention) 1 -}}
{{- fail (printf "backup.retention=%d would keep nothing: 1 or more; to stop making backups set backup.enabled=false" (int64 $v.retention)) -}}
{{- end -}}

{{- /* sizes, and the claim that is there */ -}}
{{- if not $v.storageSize -}}
{{- fail "backup.storageSize is empty: how large the volume for backups is to be, such as 20Gi" -}}
{{- end -}}
{{- range $name, $size := dict "storageSize" $v.storageSize "source.clone.size" $v.source.clone.size "restore.target.size" $v.restore.target.size "drill.scratch.size" $v.drill.scratch.size "toolbox.tmpSize" $v.toolbox.tmpSize -}}
{{- if and $size (eq (include "tarseal.bytes" $size | default "0" | int64) 0) -}}
{{- fail (printf "backup.%s=%v is not a size: a number with Ki, Mi, Gi, Ti (or k, M, G, T), such as 20Gi" $name $size) -}}
{{- end -}}
{{- end -}}
{{- include "tarseal.checkClaim" (dict "root" $root "name" (include "tarseal.repository" $v) "made" (not $v.existingClaim) "size" $v.storageSize "class" $v.storageClassName "values" "backup.storageSize" "classValue" "backup.storageClassName" "instead" "backup.existingClaim") -}}
{{- if eq (include "tarseal.repository" $v) (include "tarseal.source" $v) -}}
{{- fail (printf "the claim %s cannot be source and repository at once: see backup.source.claimName and backup.existingClaim" (include "tarseal.source" $v)) -}}
{{- end -}}

{{- /* source */ -}}
{{- if $v.source.clone.enabled -}}
{{- if not $v.source.clone.size -}}
{{- fail (printf "backup.source.clone.enabled needs backup.source.clone.size: that of the claim %s (kubectl get pvc %s)" (include "tarseal.source" $v) (include "tarseal.source" $v)) -}}
{{- end -}}
{{- include "tarseal.checkEphemeral" (list $root "backup.source.clone.enabled=true") -}}
{{- end -}}
{{- range $path := list $v.source.mountPath $v.restore.mountPath -}}
{{- if or (not (regexMatch "^(/[.]?[A-Za-z0-9_@+][A-Za-z0-9._@+-]*)+/?$" $path)) (regexMatch "^/(backups|keys|trust)/" $path) (has (trimSuffix "/" $path) (list "" "/backups" "/keys" "/trust" "/tmp" "/anchor" "/scratch" "/usr" "/bin" "/etc" "/proc" "/sys" "/dev")) -}}
{{- fail (printf "mountPath=%s: an absolute path that the image and the chart have no use for, such as /app/data" $path) -}}
{{- end -}}
{{- end -}}

{{- /* keys */ -}}
{{- if and $v.keys.existingSecret $v.keys.name -}}
{{- fail "backup.keys.name is for a key that the chart makes, and backup.keys.existingSecret for one that exists: set one of them" -}}
{{- end -}}
{{- if contains "PRIVATE KEY" $v.keys.trust -}}
{{- fail "backup.keys.trust has a private key in it: only public ones go there (openssl pkey -in key -pubout); take that private key for known, and make a new one" -}}
{{- end -}}
{{- if and $v.keys.trust (not (contains "-----BEGIN PUBLIC KEY-----" $v.keys.trust)) (not (contains "-----BEGIN CERTIFICATE-----" $v.keys.trust)) -}}
{{- fail "backup.keys.trust is not a public key in PEM: give the file by --set-file backup.keys.trust=key.pub" -}}
{{- end -}}
{{- if and (not $v.keys.create) (not $v.keys.existingSecret) -}}
{{- if $v.enabled -}}
{{- fail "backup.keys.create=false leaves no key to sign with: name a Secret in backup.keys.existingSecret, or set backup.enabled=false for an installation that only checks and restores" -}}
{{- end -}}
{{- if not $v.keys.trust -}}
{{- fail "backup.keys.create=false without backup.keys.existingSecret needs the public key: --set-file backup.keys.trust=key.pub" -}}
{{- end -}}
{{- end -}}
{{- with $v.keys.existingSecret -}}
{{- $secret := lookup "v1" "Secret" $ns . -}}
{{- if $secret -}}
{{- if not (hasKey ($secret.data | default dict) "key") -}}
{{- fail (printf "the Secret %s has no \"key\": make it by kubectl create secret generic %s --from-file=key --from-file=key.pub" . .) -}}
{{- end -}}
{{- if and (not $v.keys.trust) (not (hasKey $secret.data "key.pub")) -}}
{{- fail (printf "the Secret %s has no \"key.pub\": add the public key (openssl pkey -in key -pubout), or give it by --set-file backup.keys.trust=key.pub" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* hooks */ -}}
{{- range $when, $hook := $v.hooks -}}
{{- if and $hook.command $hook.url -}}
{{- fail (printf "backup.hooks.%s has both a command and a url: set one of them" $when) -}}
{{- end -}}
{{- if and $hook.url (not (regexMatch "^https?://[^/]" $hook.url)) -}}
{{- fail (printf "backup.hooks.%s.url=%s: an http:// or https:// address" $when $hook.url) -}}
{{- end -}}
{{- if and $hook.url $v.networkPolicy.enabled (not $v.networkPolicy.egress) -}}
{{- fail (printf "backup.hooks.%s.url calls over a network that backup.networkPolicy closes: allow it in backup.networkPolicy.egress (also DNS), or set backup.networkPolicy.enabled=false" $when) -}}
{{- end -}}
{{- end -}}

{{- /* verify */ -}}
{{- if and $v.verify.maxAge (ne $v.verify.maxAge "none") (not (regexMatch "^[0-9]+[smhdw]$" $v.verify.maxAge)) -}}
{{- fail (printf "backup.verify.maxAge=%s: a number with s, m, h, d or w, such as 26h, or none" $v.verify.maxAge) -}}
{{- end -}}
{{- range $level := list "standard" "deep" -}}
{{- $budget := (get $v.verify $level).budget -}}
{{- if and $budget (not (regexMatch "^[0-9]+([smh]|[KMGT](i?B)?)$" $budget)) -}}
{{- fail (printf "backup.verify.%s.budget=%s: a time (90s, 10m, 2h) or an amount of data (500M, 5GiB)" $level $budget) -}}
{{- end -}}
{{- end -}}
{{- if and $v.verify.anchorClaim (eq $v.verify.anchorClaim (include "tarseal.repository" $v)) -}}
{{- fail "backup.verify.anchorClaim is the volume of the backups: the anchor has to lie elsewhere, or it is rolled back together with them" -}}
{{- end -}}

{{- /* restore and drill */ -}}
{{- if $v.restore.target.create -}}
{{- if eq (include "tarseal.target" $v) (include "tarseal.source" $v) -}}
{{- fail "backup.restore.target.create makes a volume beside the application's: name it in backup.restore.target.claimName" -}}
{{- end -}}
{{- if not $v.restore.target.size -}}
{{- fail "backup.restore.target.create needs backup.restore.target.size, such as 20Gi" -}}
{{- end -}}
{{- include "tarseal.checkClaim" (dict "root" $root "name" (include "tarseal.target" $v) "made" true "size" $v.restore.target.size "class" $v.restore.target.storageClassName "values" "backup.restore.target.size" "classValue" "backup.restore.target.storageClassName" "instead" "backup.restore.target.create=false and backup.restore.target.claimName") -}}
{{- end -}}
{{- if eq (include "tarseal.target" $v) (include "tarseal.repository" $v) -}}
{{- fail (printf "backup.restore.target.claimName=%s is the volume of the backups" (include "tarseal.target" $v)) -}}
{{- end -}}
{{- if eq $v.drill.scratch.type "ephemeral" -}}
{{- if not $v.drill.scratch.size -}}
{{- fail "backup.drill.scratch.type=ephemeral needs backup.drill.scratch.size: room for the data, such as 20Gi" -}}
{{- end -}}
{{- include "tarseal.checkEphemeral" (list $root "backup.drill.scratch.type=ephemeral") -}}
{{- end -}}

{{- /* users */ -}}
{{- if eq $v.profile "app" -}}
{{- if lt (int64 $v.application.uid) 1 -}}
{{- fail "backup.profile=app needs backup.application.uid, the user that the application runs as (kubectl exec autolab-api-0 -- id)" -}}
{{- end -}}
{{- if lt (int64 $v.application.gid) 1 -}}
{{- fail "backup.profile=app needs backup.application.gid, the group that the application runs as (kubectl exec autolab-api-0 -- id)" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tarseal.checkCron" -}}
{{- $name := index . 0 -}}
{{- $cron := index . 1 -}}
{{- if regexMatch "TZ=" $cron -}}
{{- fail (printf "%s=%s: the zone goes to backup.scheduleTimeZone" $name $cron) -}}
{{- end -}}
{{- if not (regexMatch "^@(hourly|daily|midnight|weekly|monthly|yearly|annually)$" $cron) -}}
{{- $fields := regexSplit "\\s+" (trim $cron) -1 -}}
{{- if ne (len $fields) 5 -}}
{{- fail (printf "%s=%s has %d fields, and cron has five: minute, hour, day of the month, month, day of the week, as in \"0 */6 * * *\"" $name $cron (len $fields)) -}}
{{- end -}}
{{- range $i, $field := $fields -}}
{{- if not (regexMatch "^[0-9A-Za-z*/,?-]+$" $field) -}}
{{- fail (printf "%s=%s: cron does not know %s" $name $cron $field) -}}
{{- end -}}
{{- range regexFindAll "[0-9]+" (regexReplaceAll "/[0-9]+" $field "") -1 -}}
{{- if or (gt (int .) (index (list 59 23 31 12 7) $i)) (and (lt (int .) 1) (has $i (list 2 3))) -}}
{{- fail (printf "%s=%s: there is no %s %s" $name $cron (index (list "minute" "hour" "day of the month" "month" "day of the week") $i) .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tarseal.checkEphemeral" -}}
{{- $root := index . 0 -}}
{{- if not (include "tarseal.knows" (dict "root" $root "since" "1.21")) -}}
{{- fail (printf "%s: Kubernetes before 1.21 knows no ephemeral volumes of a storage class" (index . 1)) -}}
{{- end -}}
{{- end -}}

{{- /* A claim in the cluster against what is wanted.  What cannot be changed is told before the API server refuses it. */ -}}
{{- define "tarseal.checkClaim" -}}
{{- $pvc := lookup "v1" "PersistentVolumeClaim" .root.Release.Namespace .name -}}
{{- if and $pvc .made -}}
{{- $owner := index ($pvc.metadata.annotations | default dict) "meta.helm.sh/release-name" | default "" -}}
{{- if ne $owner .root.Release.Name -}}
{{- fail (printf "the claim %s is there already, and %s: set %s=%s to take it as it is" .name (empty $owner | ternary "not made by Helm" (printf "of the release %s" $owner)) .instead .name) -}}
{{- end -}}
{{- $class := $pvc.spec.storageClassName | default "" -}}
{{- if and .class (ne .class $class) -}}
{{- fail (printf "%s=%s: the claim %s is of the class %s, and that of a volume cannot be changed: leave it at %s, or make another claim, copy (manifest copy), and name it in %s" .classValue .class .name ($class | quote) ($class | quote) .instead) -}}
{{- end -}}
{{- $now := $pvc.spec.resources.requests.storage -}}
{{- if lt (include "tarseal.bytes" .size | int64) (include "tarseal.bytes" $now | int64) -}}
{{- fail (printf "%s=%s is less than the claim %s has (%s), and a volume cannot shrink: give %s or more" .values .size .name $now $now) -}}
{{- end -}}
{{- end -}}
{{- end -}}
