{{- define "chipwise.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "chipwise.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else if contains (include "chipwise.name" .) .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "chipwise.name" .) | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "chipwise.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "chipwise.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "chipwise.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chipwise.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "chipwise.labels" -}}
{{ include "chipwise.selectorLabels" . }}
{{ include "chipwise.commonLabels" . }}
{{- end -}}

{{- define "chipwise.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /*
Seconds of a duration such as 1m30s.
*/ -}}
{{- define "chipwise.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 -}}
{{- $sum := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h)" . -1 -}}
{{- $sum = addf $sum (mulf (regexFind "[0-9.]+" . | float64) (index $units (regexFind "[a-z]+" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{- /*
`chipwise run` ends at once with times that leave no room for one another (a renewal comes up to a fifth late).
*/ -}}
{{- define "chipwise.checkLease" -}}
{{- with .Values.leaderElection -}}
{{- $retry := mulf 1.2 (include "chipwise.seconds" .retryPeriod | float64) -}}
{{- $renew := include "chipwise.seconds" .renewDeadline | float64 -}}
{{- $lease := include "chipwise.seconds" .leaseDuration | float64 -}}
{{- if not (and (gt $retry 0.0) (lt $retry $renew) (lt $renew $lease)) -}}
{{- fail (printf "leaderElection needs 1.2 x retryPeriod < renewDeadline < leaseDuration, not %s, %s and %s" .retryPeriod .renewDeadline .leaseDuration) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "chipwise.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /*
The expander's pods have a name of their own: the operator's selector, which cannot be changed, must not find them.
*/ -}}
{{- define "chipwise.expanderName" -}}
{{- printf "%s-expander" (include "chipwise.fullname" .) -}}
{{- end -}}

{{- define "chipwise.expanderSelectorLabels" -}}
app.kubernetes.io/name: {{ include "chipwise.name" . }}-expander
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "chipwise.expanderLabels" -}}
{{ include "chipwise.expanderSelectorLabels" . }}
{{ include "chipwise.commonLabels" . }}
{{- end -}}

{{- define "chipwise.expanderSecret" -}}
{{- default (printf "%s-tls" (include "chipwise.expanderName" .)) .Values.autoscaling.expander.tls.existingSecret -}}
{{- end -}}

{{- /*
What Cluster Autoscaler may call the expander by; it checks the certificate against these.
*/ -}}
{{- define "chipwise.expanderDnsNames" -}}
{{- $service := printf "%s.%s" (include "chipwise.expanderName" .) .Release.Namespace -}}
{{- $names := list (include "chipwise.expanderName" .) $service (printf "%s.svc" $service) (printf "%s.svc.cluster.local" $service) -}}
{{- concat $names .Values.autoscaling.expander.tls.dnsNames | join "," -}}
{{- end -}}

{{- /* Whether the classes of the catalogue are part of the release: asked for, and of a kind that the API server knows or that is applied apart. */}}
{{- define "chipwise.classesInstalled" -}}
{{- if and .Values.catalog.classes.enabled (or (not .Values.crds.enabled) (.Capabilities.APIVersions.Has "chipwise.dev/v1alpha1/AcceleratorClass")) }}yes{{ end }}
{{- end }}
