{{- /*
The flags of `chipwise run` for what cluster autoscalers are told and tell us. A feature without the one that it rests on is refused.
*/ -}}
{{- define "chipwise.autoscalingFlags" -}}
{{- with .Values.autoscaling -}}
{{- if and .karpenter.nodeOverlays (not .karpenter.enabled) -}}
{{- fail "autoscaling.karpenter.nodeOverlays needs autoscaling.karpenter.enabled" -}}
{{- end -}}
{{- range tuple "priorityExpander" "provisioningRequests" -}}
{{- if and (index $.Values.autoscaling.clusterAutoscaler .) (not $.Values.autoscaling.clusterAutoscaler.enabled) -}}
{{- fail (printf "autoscaling.clusterAutoscaler.%s needs autoscaling.clusterAutoscaler.enabled" .) -}}
{{- end -}}
{{- end -}}
{{- if .karpenter.enabled }}
- --karpenter
{{- end }}
{{- if .karpenter.nodeOverlays }}
- --node-overlays
{{- end }}
{{- if .clusterAutoscaler.enabled }}
- --cluster-autoscaler={{ .clusterAutoscaler.namespace }}
{{- end }}
{{- if .clusterAutoscaler.priorityExpander }}
- --priority-expander
{{- end }}
{{- if .clusterAutoscaler.provisioningRequests }}
- --provisioning-requests
{{- end }}
{{- if .spare.enabled }}
- --spare
- --spare-image={{ .spare.image }}
- --spare-priority-class={{ include "chipwise.sparePriorityClass" $ }}
{{- range $.Values.imagePullSecrets }}
- --spare-pull-secret={{ .name }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "chipwise.sparePriorityClass" -}}
{{- printf "%s-spare" (include "chipwise.fullname" .) -}}
{{- end -}}
