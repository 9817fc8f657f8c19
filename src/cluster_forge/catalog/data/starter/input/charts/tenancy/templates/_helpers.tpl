{{/* The labels that every object carries. */}}
{{- define "tenancy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/name: tenancy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: starter
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
