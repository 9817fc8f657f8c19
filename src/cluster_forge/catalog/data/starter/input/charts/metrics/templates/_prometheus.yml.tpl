{{- define "metrics.prometheus.config" -}}
global:
  scrape_interval: {{ .Values.prometheus.scrapeInterval }}
  evaluation_interval: {{ .Values.prometheus.scrapeInterval }}
  external_labels:
    cluster: {{ .Values.clusterName | quote }}
storage:
  tsdb:
    retention:
      time: {{ .Values.prometheus.retention.time }}
      size: {{ .Values.prometheus.retention.size }}
rule_files:
- /etc/prometheus/rules/*.yaml
{{- with .Values.alertmanagers }}
alerting:
  alertmanagers:
  - static_configs:
    - targets:
      {{- toYaml . | nindent 6 }}
{{- end }}
scrape_configs:
- job_name: prometheus
  static_configs:
  - targets: [localhost:9090]
    labels:
      instance: prometheus

# Each node's kubelet: itself and the volumes it mounts.
- job_name: kubelet
  scheme: https
  authorization: &token
    credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token
  tls_config: &kubelet
    ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    insecure_skip_verify: {{ .Values.prometheus.kubelet.insecureSkipVerify }}
  kubernetes_sd_configs: &nodes
  - role: node
  relabel_configs: &byNode
  - source_labels: [__meta_kubernetes_node_name]
    target_label: instance
  - source_labels: [__meta_kubernetes_node_name]
    target_label: node

# The same kubelets: what each container uses.
- job_name: cadvisor
  scheme: https
  metrics_path: /metrics/cadvisor
  authorization: *token
  tls_config: *kubelet
  kubernetes_sd_configs: *nodes
  relabel_configs: *byNode
  metric_relabel_configs:
  - source_labels: [__name__]     # many series that hardly anybody reads
    regex: container_(blkio_device_usage_total|file_descriptors|last_seen|memory_failures_total|sockets|spec_.+|tasks_state|threads_max|ulimits_soft)
    action: drop

- job_name: apiserver
  scheme: https
  authorization: *token
  tls_config:
    ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server_name: kubernetes.default.svc
  kubernetes_sd_configs:
  - role: endpointslice
    namespaces:
      names: [default]
    selectors:
    - role: endpointslice
      label: kubernetes.io/service-name=kubernetes
  relabel_configs:
  - source_labels: [__meta_kubernetes_endpointslice_port_name]
    regex: https
    action: keep
  metric_relabel_configs:
  - source_labels: [__name__]
    regex: (apiserver_(request_body_size_bytes|request_sli_duration_seconds|response_sizes|watch_events_sizes|watch_cache_.+)_bucket|etcd_request_duration_seconds_bucket)
    action: drop

- job_name: node-exporter
  kubernetes_sd_configs:
  - role: pod
    namespaces:
      names: [{{ .Values.prometheus.nodeExporterNamespace }}]
    selectors:
    - role: pod
      label: app.kubernetes.io/name=node-exporter
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_container_port_name]
    regex: metrics
    action: keep
  - source_labels: [__meta_kubernetes_pod_node_name]
    target_label: instance
  - source_labels: [__meta_kubernetes_pod_node_name]
    target_label: node

- job_name: kube-state-metrics
  honor_labels: true              # its labels tell of which Pod or Deployment it speaks
  kubernetes_sd_configs:
  - role: pod
    namespaces:
      names: [{{ .Release.Namespace }}]
    selectors:
    - role: pod
      label: app.kubernetes.io/name=kube-state-metrics
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_container_port_name]
    regex: metrics
    action: keep
  - target_label: instance
    replacement: kube-state-metrics

- job_name: coredns
  kubernetes_sd_configs:
  - role: pod
    namespaces:
      names: [kube-system]
    selectors:
    - role: pod
      label: k8s-app=kube-dns
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_container_port_name]
    regex: metrics
    action: keep
  - source_labels: [__meta_kubernetes_pod_name]
    target_label: instance

# Anybody's Pods: the annotation prometheus.io/scrape: "true", and a container port that is called "metrics".
# prometheus.io/path says where, if not under /metrics.
- job_name: pods
  kubernetes_sd_configs:
  - role: pod
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape, __meta_kubernetes_pod_container_port_name]
    regex: "true;metrics"
    action: keep
  - source_labels: [__meta_kubernetes_pod_phase]
    regex: Succeeded|Failed
    action: drop
  - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
    regex: (.+)
    target_label: __metrics_path__
  - source_labels: [__meta_kubernetes_namespace]
    target_label: namespace
  - source_labels: [__meta_kubernetes_pod_name]
    target_label: pod
  - source_labels: [__meta_kubernetes_pod_container_name]
    target_label: container
  - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name]
    target_label: app
{{- with .Values.prometheus.extraScrapeConfigs }}

{{ toYaml . }}
{{- end }}
{{- end }}
