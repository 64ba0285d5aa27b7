{{- /* SPDX-License-Identifier: BSD-2-Clause */ -}}

{{- /* tarseal.backupJob: the Job's spec, for the CronJob and for the first run.  A clone is no read-only
volume, so an fsGroup would change groups and modes of what is backed up.  Kubernetes makes $ of $$, in arguments and variables. */ -}}
{{- define "tarseal.backupJob" -}}
{{- $x := merge (dict "component" "backup" "fsGroup" (not .v.source.clone.enabled) "resources" .v.resources "add" (list "DAC_OVERRIDE")
    "retries" .v.backoffLimit "restartPolicy" .v.restartPolicy "codes" (list 1 2 5)) . -}}
{{- $_ := set $x "deadline" (include "tarseal.deadline" $x) -}}
{{- $v := .v -}}
{{- include "tarseal.job" $x }}
template:
  metadata:
    {{- include "tarseal.podMetadata" $x | nindent 4 }}
  spec:
    restartPolicy: {{ $v.restartPolicy }}
    {{- include "tarseal.podSpec" $x | nindent 4 }}
    {{- with include "tarseal.near" $x }}
    {{- nindent 4 . }}
    {{- end }}
    {{- with $v.initContainers }}
    initContainers:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: backup
        command: [run-job, backup]
        args:
          - --source={{ $v.source.mountPath }}
          - --key=/keys/key
          - --keep-last={{ int64 $v.retention }}
          {{- range $unit, $number := $v.keep }}
          {{- if $number }}
          - --keep-{{ $unit }}={{ int64 $number }}
          {{- end }}
          {{- end }}
          {{- if $v.makeRoom }}
          - --make-room
          {{- end }}
          {{- range $v.exclude }}
          - {{ printf "--exclude=%s" . | replace "$$" "$$$$" | quote }}
          {{- end }}
          {{- range $v.extraArgs }}
          - {{ . | replace "$$" "$$$$" | quote }}
          {{- end }}
        env:
          - name: TARSEAL_BACKUP_RUN_ID
            valueFrom:
              fieldRef:
                fieldPath: metadata.labels['{{ if include "tarseal.knows" (dict "root" .root "since" "1.27") }}batch.kubernetes.io/{{ end }}controller-uid']
          {{- include "tarseal.env" $x | nindent 10 }}
          {{- if $v.verify.afterBackup }}
          - name: VERIFY_MAX_AGE
            value: {{ include "tarseal.maxAge" $v | quote }}
          {{- end }}
          {{- range $when, $hook := $v.hooks }}
          {{- if or $hook.command $hook.url }}
          {{- $name := upper $when }}
          - name: HOOK_{{ $name }}_TIMEOUT
            value: {{ int64 $hook.timeoutSeconds | quote }}
          {{- if $hook.command }}
          - name: HOOK_{{ $name }}_COMMAND
            value: {{ $hook.command | replace "$$" "$$$$" | quote }}
          {{- else }}
          - name: HOOK_{{ $name }}_URL
            value: {{ $hook.url | replace "$$" "$$$$" | quote }}
          - name: HOOK_{{ $name }}_METHOD
            value: {{ $hook.method }}
          {{- end }}
          {{- if $hook.onFailure }}
          - name: HOOK_{{ $name }}_ON_FAILURE
            value: {{ $hook.onFailure }}
          {{- end }}
          {{- end }}
          {{- end }}
        {{- include "tarseal.container" $x | nindent 8 }}
        volumeMounts:
          {{- include "tarseal.mounts" $x | nindent 10 }}
          - name: source
            mountPath: {{ $v.source.mountPath }}
            readOnly: true
          - name: key
            mountPath: /keys
            readOnly: true
    volumes:
      {{- include "tarseal.volumes" $x | nindent 6 }}
      - name: source
        {{- if $v.source.clone.enabled }}
        ephemeral:
          volumeClaimTemplate:
            spec:
              accessModes: [ReadWriteOnce]
              {{- with $v.source.clone.storageClassName }}
              storageClassName: {{ toYaml . }}
              {{- end }}
              dataSource:
                kind: PersistentVolumeClaim
                name: {{ include "tarseal.source" $v | toYaml }}
              resources:
                requests:
                  storage: {{ $v.source.clone.size }}
        {{- else }}
        persistentVolumeClaim:
          claimName: {{ include "tarseal.source" $v | toYaml }}
          readOnly: true
        {{- end }}
      - name: key
        secret:
          secretName: {{ include "tarseal.keyName" $v | toYaml }}
          items: [{key: key, path: key}]
          defaultMode: 256 # 0400
{{- end -}}
