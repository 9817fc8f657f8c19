{{/* The labels that every object carries; takes {root, name, version}. */}}
{{- define "metrics.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/version: {{ .version | quote }}
app.kubernetes.io/part-of: starter
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{ include "metrics.selector" . }}
{{- end }}

{{/* The labels by which Pods are found: they may not change once a workload exists. */}}
{{- define "metrics.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "metrics.prometheus.labels" -}}
{{ include "metrics.labels" (dict "root" . "name" "prometheus" "version" (.Values.prometheus.image.tag | default .Chart.AppVersion)) }}
{{- end }}

{{- define "metrics.prometheus.selector" -}}
{{ include "metrics.selector" (dict "root" . "name" "prometheus") }}
{{- end }}

{{- define "metrics.state.labels" -}}
{{ include "metrics.labels" (dict "root" . "name" "kube-state-metrics" "version" .Values.kubeStateMetrics.image.tag) }}
{{- end }}

{{- define "metrics.state.selector" -}}
{{ include "metrics.selector" (dict "root" . "name" "kube-state-metrics") }}
{{- end }}

{{/* An image reference from {repository, tag, digest}; the chart's appVersion where there is no tag. */}}
{{- define "metrics.image" -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .chart.AppVersion) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* Names of what belongs to no namespace: two installations do not meet. */}}
{{- define "metrics.clusterName" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}
{{- end }}
