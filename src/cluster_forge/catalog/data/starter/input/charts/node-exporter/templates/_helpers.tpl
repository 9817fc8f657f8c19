{{/* The labels that every object carries. */}}
{{- define "node-exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: starter
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "node-exporter.selector" . }}
{{- end }}

{{/* The labels by which Pods are found: they may not change once a workload exists. */}}
{{- define "node-exporter.selector" -}}
app.kubernetes.io/name: node-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* An image reference from {repository, tag, digest}; the chart's appVersion where there is no tag. */}}
{{- define "node-exporter.image" -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .chart.AppVersion) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end }}
