{{- /* SPDX-License-Identifier: BSD-2-Clause */ -}}

{{- /* What all objects and pods share.  Each takes a dict: root, v (tarseal.values), component, ... */ -}}

{{- define "tarseal.labels" -}}
{{- $all := dict
    "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63)
    "app.kubernetes.io/name" "tarseal"
    "app.kubernetes.io/instance" (trunc 63 .root.Release.Name)
    "app.kubernetes.io/version" .root.Chart.AppVersion
    "app.kubernetes.io/component" .component
    "app.kubernetes.io/part-of" .v.application.name
    "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- toYaml (merge $all (deepCopy .v.labels)) -}}
{{- end -}}

{{- define "tarseal.selector" -}}
app.kubernetes.io/name: tarseal
app.kubernetes.io/part-of: {{ toYaml .v.application.name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- /* metadata of an object; .name, and .annotations beside those of the values */ -}}
{{- define "tarseal.metadata" -}}
name: {{ toYaml .name }}
namespace: {{ toYaml .root.Release.Namespace }}
labels:
  {{- include "tarseal.labels" . | nindent 2 }}
{{- with merge (deepCopy (.annotations | default dict)) (deepCopy .v.annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Nothing is put into these pods, and no autoscaler moves them. */ -}}
{{- define "tarseal.podMetadata" -}}
{{- $labels := merge (include "tarseal.selector" . | fromYaml) (dict "sidecar.istio.io/inject" "false") (deepCopy .v.podLabels) (deepCopy .v.labels) -}}
{{- $annotations := merge (deepCopy .v.podAnnotations) (dict
    "sidecar.istio.io/inject" "false"
    "linkerd.io/inject" "disabled"
    "cluster-autoscaler.kubernetes.io/safe-to-evict" "false"
    "kubectl.kubernetes.io/default-container" .component) -}}
labels:
  {{- toYaml $labels | nindent 2 }}
annotations:
  {{- toYaml $annotations | nindent 2 }}
{{- end -}}

{{- /* The pod's own part.  .fsGroup: for volumes that are new and belong to root. */ -}}
{{- define "tarseal.podSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .v.serviceAccountName }}
serviceAccountName: {{ toYaml . }}
{{- end }}
{{- with .v.priorityClassName }}
priorityClassName: {{ toYaml . }}
{{- end }}
{{- with .v.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .v.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .v.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
terminationGracePeriodSeconds: {{ int64 .v.terminationGracePeriodSeconds }}
securityContext:
  seccompProfile:
    type: RuntimeDefault
  {{- if eq .v.profile "app" }}
  runAsNonRoot: true
  runAsUser: {{ int64 .v.application.uid }}
  runAsGroup: {{ int64 .v.application.gid }}
  {{- if .fsGroup }}
  fsGroup: {{ int64 .v.application.gid }}
  fsGroupChangePolicy: OnRootMismatch
  {{- end }}
  {{- else }}
  runAsUser: 0
  runAsGroup: 0
  {{- end }}
  {{- with .v.seLinuxOptions }}
  seLinuxOptions:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- /* .add: capabilities, in the profile root only */ -}}
{{- define "tarseal.container" -}}
image: {{ include "tarseal.image" . | quote }}
imagePullPolicy: {{ .v.imagePullPolicy }}
{{- with (.resources | default .v.resources) }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
    {{- if and .add (eq .v.profile "root") }}
    add: [{{ join ", " .add }}]
    {{- end }}
{{- end -}}

{{- define "tarseal.env" -}}
- name: TARSEAL_REPO
  value: /backups
- name: TARSEAL_TRUST
  value: /trust/key.pub
- name: TARSEAL_SERIES
  value: {{ .v.series | quote }}
- name: TARSEAL_TIMEZONE
  value: {{ .v.timezone | quote }}
- name: TZ
  value: {{ .v.timezone | quote }}
{{- with .v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tarseal.mounts" -}}
- name: backups
  mountPath: /backups
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
- name: trust
  mountPath: /trust
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- with .v.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The public key and no more of the Secret, where it comes from one. */ -}}
{{- define "tarseal.volumes" -}}
- name: backups
  persistentVolumeClaim:
    claimName: {{ include "tarseal.repository" .v | toYaml }}
    {{- if .readOnly }}
    readOnly: true
    {{- end }}
- name: trust
  {{- if include "tarseal.trustIsMap" .v }}
  configMap:
    name: {{ include "tarseal.trustName" .v | toYaml }}
    items: [{key: key.pub, path: key.pub}]
  {{- else }}
  secret:
    secretName: {{ include "tarseal.keyName" .v | toYaml }}
    items: [{key: key.pub, path: key.pub}]
    defaultMode: 292 # 0444
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .tmpSize | default "64Mi" }}
{{- with .v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* ---- where pods go ---- */ -}}

{{- define "tarseal.applicationLabels" -}}
{{- if .application.podLabels -}}
{{- toYaml .application.podLabels -}}
{{- else -}}
statefulset.kubernetes.io/pod-name: {{ .application.name }}-0
{{- end -}}
{{- end -}}

{{- define "tarseal.near" -}}
{{- if .v.nearApplication -}}
affinity:
  podAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "tarseal.applicationLabels" .v | nindent 14 }}
{{- end -}}
{{- end -}}

{{- /*
In the whole cluster, not on the node only, and both ways: while such a pod runs, none of the
application is scheduled.  All nodes have the same kubernetes.io/os.
*/ -}}
{{- define "tarseal.apart" -}}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/os
        labelSelector:
          matchLabels:
            {{- include "tarseal.applicationLabels" .v | nindent 12 }}
{{- end -}}

{{- /* ---- what the cluster knows ---- */ -}}

{{- define "tarseal.knows" -}}
{{- if semverCompare (printf ">=%s-0" .since) .root.Capabilities.KubeVersion.Version -}}yes{{- end -}}
{{- end -}}

{{- define "tarseal.cronApi" -}}
{{- if or (include "tarseal.knows" (dict "root" . "since" "1.21")) (.Capabilities.APIVersions.Has "batch/v1/CronJob") -}}
batch/v1
{{- else -}}
batch/v1beta1
{{- end -}}
{{- end -}}

{{- /* head of a CronJob's spec: .schedule, .suspend, .deadline */ -}}
{{- define "tarseal.cron" -}}
schedule: {{ .schedule | quote }}
{{- if include "tarseal.knows" (dict "root" .root "since" "1.25") }}
timeZone: {{ .v.scheduleTimeZone | quote }}
{{- end }}
suspend: {{ .suspend }}
concurrencyPolicy: Forbid
startingDeadlineSeconds: {{ int64 .v.startingDeadlineSeconds }}
successfulJobsHistoryLimit: {{ int64 .v.successfulJobsHistoryLimit }}
failedJobsHistoryLimit: {{ int64 .v.failedJobsHistoryLimit }}
{{- end -}}

{{- /* head of a Job's spec: .retries, .deadline, .restartPolicy, .codes at which it fails at once */ -}}
{{- define "tarseal.job" -}}
backoffLimit: {{ int64 .retries }}
activeDeadlineSeconds: {{ .deadline }}
{{- if and (eq .restartPolicy "Never") (include "tarseal.knows" (dict "root" .root "since" "1.26")) }}
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
    - action: FailJob
      onExitCodes:
        containerName: {{ .component }}
        operator: In
        values: [{{ join ", " .codes }}]
{{- end }}
{{- end -}}
