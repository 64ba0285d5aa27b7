{{- /* SPDX-License-Identifier: BSD-2-Clause */ -}}

{{- /*
tarseal.publicKey: the public part of an Ed25519 private key (PEM).  No function of a template gives
it, but a certificate made with the key has it in it: 12 bytes that are always the same, and 32.
*/ -}}
{{- define "tarseal.publicKey" -}}
{{- $cert := (genSelfSignedCertWithKey "tarseal" nil nil 36500 .).Cert -}}
{{- $der := regexReplaceAll "-----[A-Z ]+-----|\\s" $cert "" | b64dec -}}
{{- $head := b64dec "MCowBQYDK2VwAyEA" -}}
{{- $spki := printf "%s%s" $head (index (splitList $head $der) 1 | substr 0 32) -}}
-----BEGIN PUBLIC KEY-----
{{ b64enc $spki }}
-----END PUBLIC KEY-----
{{- end -}}

{{- /* tarseal.keyIds: the ids of the public keys in a PEM text, as `manifest list` tells them, one a line */ -}}
{{- define "tarseal.keyIds" -}}
{{- range regexFindAll "-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----" . -1 }}
{{ regexReplaceAll "-----[A-Z ]+-----|\\s" . "" | b64dec | sha256sum }}
{{- end }}
{{- end -}}

{{- /*
tarseal.pair: private and trust, as YAML.  What is there is taken again; a key is never replaced.
Without a look at the cluster (helm template) nothing is there, and the Secret, which is immutable,
refuses the new key.  Who asks again in the same run (NOTES.txt) has to get the same pair.
*/ -}}
{{- define "tarseal.pair" -}}
{{- if not (hasKey .root.Subcharts "pair") -}}
{{- $_ := set .root.Subcharts "pair" (include "tarseal.makePair" .) -}}
{{- end -}}
{{- get .root.Subcharts "pair" -}}
{{- end -}}

{{- define "tarseal.makePair" -}}
{{- $name := include "tarseal.keyName" .v -}}
{{- $secret := lookup "v1" "Secret" .root.Release.Namespace $name -}}
{{- $map := lookup "v1" "ConfigMap" .root.Release.Namespace (include "tarseal.trustName" .v) -}}
{{- $private := "" -}}
{{- if $secret -}}
{{- $private = index $secret.data "key" | b64dec -}}
{{- else if $map -}}
{{- fail (printf "the signing key is gone: there is a ConfigMap %s, but no Secret %s: give backup.keys.name another name, and the ConfigMap's text to backup.keys.trust, so that old backups stay trusted" (include "tarseal.trustName" .v) $name) -}}
{{- else -}}
{{- $private = genPrivateKey "ed25519" -}}
{{- end -}}
{{- $trust := "" -}}
{{- if $map -}}
{{- $trust = index $map.data "key.pub" -}}
{{- range splitList "-----END PUBLIC KEY-----" .v.keys.trust -}}
{{- if not (contains (trim .) $trust) -}}
{{- fail (printf "backup.keys.trust cannot change for the key %s, which is there already: give backup.keys.name another name together with it" $name) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $trust = printf "%s\n%s" (include "tarseal.publicKey" $private) .v.keys.trust -}}
{{- end -}}
{{- toYaml (dict "private" $private "trust" $trust) -}}
{{- end -}}
