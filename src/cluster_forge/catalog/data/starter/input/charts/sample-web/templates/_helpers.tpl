{{/* The labels that every object carries. */}}
{{- define "sample-web.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: starter
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "sample-web.selector" . }}
{{- end }}

{{/* The labels by which Pods are found: they may not change once a workload exists. */}}
{{- define "sample-web.selector" -}}
app.kubernetes.io/name: sample-web
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* An image reference from {repository, tag, digest}; the chart's appVersion where there is no tag. */}}
{{- define "sample-web.image" -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .chart.AppVersion) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* What the server reads: its configuration and the page. */}}
{{- define "sample-web.files" -}}
nginx.conf: |
  worker_processes 1;             # more Pods rather than more of these: the memory limit is for one
  pid /tmp/nginx.pid;             # /tmp is the only place that can be written
  error_log /dev/stderr warn;
  events {
    worker_connections 1024;
  }
  http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    server_tokens off;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server {
      listen 8080;
      {{- if .Values.ipv6 }}
      listen [::]:8080;
      {{- end }}
      root /usr/share/nginx/html;
      add_header X-Content-Type-Options nosniff always;
      add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'" always;
      location / {
        try_files $uri $uri/ =404;
      }
      location = /healthz {
        access_log off;
        default_type text/plain;
        return 200 "ok\n";
      }
    }
  }
index.html: |
  <!doctype html>
  <html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ .Values.page.title | html }}</title>
  <style>
    body { max-width: 40rem; margin: 15vh auto; padding: 0 1rem; font: 1.1rem/1.5 system-ui, sans-serif; color: #222; }
    h1 { font-size: 2.5rem; }
    @media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } }
  </style>
  <h1>{{ .Values.page.title | html }}</h1>
  <p>{{ .Values.page.text | html }}</p>
  </html>
{{- end }}
