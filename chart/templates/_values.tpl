{{- /* SPDX-License-Identifier: BSD-2-Clause */ -}}

{{- /*
tarseal.values: the values that count, as YAML.  Those under `backup:` are overlaid by what stands
at the root, for that is where the parent's `backup.retention` arrives when this chart has the
alias `backup`.  mergeOverwrite will not do: it passes over false, 0 and "".  null takes a limit out, as helm does.

The first template that asks has them checked.  That they are is remembered in .Subcharts, which is
a map of this chart alone; what is put into .Values a parent sees, too.
*/ -}}
{{- define "tarseal.values" -}}
{{- $v := deepCopy (.Values.backup | default dict) -}}
{{- $_ := include "tarseal.overlay" (dict "into" $v "from" (omit .Values "backup" "global")) -}}
{{- range list "resources" "labels" "annotations" "podLabels" "podAnnotations" -}}
{{- if not (get $v .) -}}{{- $_ := set $v . dict -}}{{- end -}}
{{- end -}}
{{- if not (hasKey .Subcharts "checked") -}}
{{- $_ := set .Subcharts "checked" true -}}
{{- include "tarseal.check" (dict "root" . "v" $v) -}}
{{- end -}}
{{- toYaml $v -}}
{{- end -}}

{{- define "tarseal.overlay" -}}
{{- $into := .into -}}
{{- range $name, $value := .from -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $into $name)) -}}
{{- $_ := include "tarseal.overlay" (dict "into" (get $into $name) "from" $value) -}}
{{- else if kindIs "invalid" $value -}}
{{- $_ := unset $into $name -}}
{{- else -}}
{{- $_ := set $into $name $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* ---- names ---- */ -}}

{{- define "tarseal.repository" -}}
{{- .existingClaim | default (printf "%s-backup" .application.name) -}}
{{- end -}}

{{- define "tarseal.source" -}}
{{- .source.claimName | default (printf "%s-storage-%s-0" .application.name .application.name) -}}
{{- end -}}

{{- define "tarseal.target" -}}
{{- .restore.target.claimName | default (include "tarseal.source" .) -}}
{{- end -}}

{{- define "tarseal.keyName" -}}
{{- .keys.existingSecret | default (.keys.name | default (printf "%s-backup-key" .application.name)) -}}
{{- end -}}

{{- define "tarseal.trustName" -}}
{{- if or .keys.existingSecret (not .keys.create) -}}
{{- printf "%s-backup-trust" .application.name -}}
{{- else -}}
{{- printf "%s-trust" (include "tarseal.keyName" .) -}}
{{- end -}}
{{- end -}}

{{- /* Whether the public part is in a ConfigMap, or in the Secret that exists. */ -}}
{{- define "tarseal.trustIsMap" -}}
{{- if or (not .keys.existingSecret) .keys.trust -}}yes{{- end -}}
{{- end -}}

{{- define "tarseal.image" -}}
{{- .v.image | default (printf "tarseal:%s" .root.Chart.AppVersion) -}}
{{- end -}}

{{- /* ---- quantities ---- */ -}}

{{- /* tarseal.bytes: "5Gi", "500M", "1e9", 1000 as a whole number; "" for what is none. */ -}}
{{- define "tarseal.bytes" -}}
{{- $q := toString . -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?([eE][0-9]+)?" $q -}}
{{- $unit := trimPrefix $number $q -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "P" 1000000000000000
    "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- if and $number (hasKey $units $unit) -}}
{{- mulf (float64 $number) (float64 (get $units $unit)) | int64 -}}
{{- end -}}
{{- end -}}

{{- /* tarseal.milli: "200m", "0.2", 1 of a processor as thousandths. */ -}}
{{- define "tarseal.milli" -}}
{{- $q := toString . -}}
{{- if hasSuffix "m" $q -}}
{{- trimSuffix "m" $q | float64 | int64 -}}
{{- else -}}
{{- mulf (float64 $q) 1000.0 | int64 -}}
{{- end -}}
{{- end -}}

{{- /*
tarseal.deadline: seconds that a run may take.  What fills the volume for backups is packed at
5 MiB a second and processor, a small part of what was measured; ten minutes to find a node and an
image.  At least an hour, less than a day.  A .factor makes it longer.
*/ -}}
{{- define "tarseal.deadline" -}}
{{- $own := int64 .v.activeDeadlineSeconds -}}
{{- if gt $own 0 -}}
{{- $own -}}
{{- else -}}
{{- $mib := divf (float64 (include "tarseal.bytes" .v.storageSize)) 1048576.0 -}}
{{- $limits := get .resources "limits" | default dict -}}
{{- $milli := 1000 -}}
{{- if get $limits "cpu" -}}{{- $milli = include "tarseal.milli" (get $limits "cpu") -}}{{- end -}}
{{- $seconds := addf 600.0 (divf $mib (mulf 0.005 (float64 $milli))) | ceil | int64 -}}
{{- mul (.factor | default 1) (min 82800 (max 3600 $seconds)) -}}
{{- end -}}
{{- end -}}

{{- /*
tarseal.maxAge: of the newest backup, by the schedule: a day and two hours; for one that names
days of the week, of the month, or months, as much longer.
*/ -}}
{{- define "tarseal.maxAge" -}}
{{- if .verify.maxAge -}}
{{- .verify.maxAge -}}
{{- else if hasPrefix "@" .schedule -}}
{{- get (dict "@hourly" "26h" "@daily" "26h" "@midnight" "26h" "@weekly" "8d" "@monthly" "32d") .schedule | default "367d" -}}
{{- else -}}
{{- $f := regexSplit "\\s+" (trim .schedule) -1 -}}
{{- if not (has (index $f 3) (list "*" "*/1")) -}}367d
{{- else if not (has (index $f 2) (list "*" "*/1" "?")) -}}32d
{{- else if not (has (index $f 4) (list "*" "*/1" "?" "0-6" "1-7")) -}}8d
{{- else -}}26h{{- end -}}
{{- end -}}
{{- end -}}
