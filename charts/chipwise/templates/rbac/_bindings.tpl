{{- /*
A feature has a role of its own, and is bound to the ServiceAccount that needs it. Takes root, name, account, and namespace for a Role.
*/ -}}
{{- define "chipwise.binding" -}}
{{- $kind := empty .namespace | ternary "ClusterRole" "Role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "chipwise.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | default (include "chipwise.serviceAccountName" .root) }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{- define "chipwise.roleMetadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels: {{- include "chipwise.labels" .root | nindent 2 }}
{{- end -}}
