{{/* The labels that every object carries. */}}
{{- define "network-policies.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: network-policies
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: starter
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
