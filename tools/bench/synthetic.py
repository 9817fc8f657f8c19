"""A synthetic stack of many objects, the same in every run: plain manifests in files of many documents, and some charts.

Every application has five objects of common kinds, a few hundred bytes to a few kB each. Components and charts have a fixed
size, so that their number grows with the number of objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SMALLEST = 2500
"""The number of objects is a multiple of this."""

_OBJECTS_OF_APP = 5
_APPS_OF_COMPONENT = 20
_APPS_OF_CHART = 100
_APPS_IN_FILE = 5
_TEAMS = 20
_OF_CHARTS = 5
"""One in this many applications comes from a chart."""

CHANGED = ("replicas: 2", "replicas: 3")
"""A text in ``config.yaml`` and its replacement, which changes one value of one component."""

_HEAD = """\
apiVersion: cluster-forge/v1
kind: Stack
name: synthetic
target: {kubernetes: "VERSION"}
gitops: GITOPS
components:
- name: widgets
  namespace: widgets
  manifests: [widgets/]
"""

_WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
  labels: {app.kubernetes.io/name: NAME, app.kubernetes.io/part-of: PART, app.kubernetes.io/managed-by: people}
spec:
  replicas: REPLICAS
  revisionHistoryLimit: 3
  selector:
    matchLabels: {app.kubernetes.io/name: NAME}
  strategy:
    rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}
  template:
    metadata:
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
      labels:
        app.kubernetes.io/name: NAME
        app.kubernetes.io/part-of: PART
    spec:
      serviceAccountName: NAME
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      initContainers:
      - name: migrate
        image: registry.example.com/PART/NAME-migrate:1.4.2
        args: [--config=/etc/NAME/config.yaml, --wait=30s]
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts:
        - {name: config, mountPath: /etc/NAME}
      containers:
      - name: server
        image: registry.example.com/PART/NAME:1.4.2
        imagePullPolicy: IfNotPresent
        args:
        - --config=/etc/NAME/config.yaml
        - --listen=:8080
        - --log-format=json
        env:
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: GOMEMLIMIT
          value: 200MiB
        - name: PEER
          value: http://NAME.PART.svc:8080
        ports:
        - {name: http, containerPort: 8080, protocol: TCP}
        livenessProbe:
          httpGet: {path: /healthz, port: http}
          initialDelaySeconds: 10
        readinessProbe:
          httpGet: {path: /readyz, port: http}
          periodSeconds: 5
        resources:
          requests: {cpu: 50m, memory: 128Mi}
          limits: {memory: 256Mi}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
        volumeMounts:
        - {name: config, mountPath: /etc/NAME, readOnly: true}
        - {name: scratch, mountPath: /tmp}
      volumes:
      - name: config
        configMap: {name: NAME, defaultMode: 0444}
      - name: scratch
        emptyDir: {sizeLimit: 64Mi}
"""

_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: NAME
  labels: {app.kubernetes.io/name: NAME, app.kubernetes.io/part-of: PART}
spec:
  selector: {app.kubernetes.io/name: NAME}
  ports:
  - {name: http, port: 8080, targetPort: http}
"""

_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: NAME
  labels: {app.kubernetes.io/name: NAME, app.kubernetes.io/part-of: PART}
automountServiceAccountToken: false
"""

_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME
  labels: {app.kubernetes.io/name: NAME, app.kubernetes.io/part-of: PART}
data:
  config.yaml: |
    name: NAME
    listen: ":8080"
LINES"""

_LINE = "    rule-{}: {{match: 'path =~ \"^/v{}/.*\"', then: allow, note: keep --- and \\t as they are}}\n"

_OTHERS = (
    """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: NAME
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/name: NAME}
  policyTypes: [Ingress]
  ingress:
  - from:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
    ports:
    - {port: http, protocol: TCP}
""",
    """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: NAME
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}
  minReplicas: 2
  maxReplicas: 6
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
""",
    """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: NAME
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: ServiceAccount, name: NAME}
""",
    """\
apiVersion: widgets.example.com/v1
kind: Widget
metadata:
  name: NAME
spec:
  size: 3
  parts: [wheel, axle, "on", "0o17"]
  since: 2001-01-01
""",
)

_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.widgets.example.com
spec:
  group: widgets.example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What is wanted.
            properties:
              size: {type: integer, minimum: 1, description: How many there shall be.}
              parts: {type: array, items: {type: string}}
              since: {type: string}
"""


def write(folder: Path, objects: int) -> None:
    """Write an ``input/`` of that many objects (a multiple of `SMALLEST`), and one CRD more."""
    apps = objects // _OBJECTS_OF_APP
    of_charts = apps // _OF_CHARTS
    head = _HEAD.replace("VERSION", "1.33").replace("GITOPS", "{engine: argocd, install: false}")
    lines = [head, *_components(folder, (apps - of_charts) // _APPS_OF_COMPONENT, _APPS_OF_COMPONENT)]
    for number in range(of_charts // _APPS_OF_CHART):
        name = f"chart-{number:02}"
        _chart(folder / "charts" / name, name)
        lines.append(
            f"- name: {name}\n  namespace: {name}\n  needs: [widgets]\n"
            f"  helm: {{chart: ./charts/{name}}}\n  values: {{{CHANGED[0]}}}\n"
        )
    _file(folder / "config.yaml", "".join(lines))


def write_applied(
    folder: Path, *, components: int, objects: int, kubernetes: str, gitops: Mapping[str, object]
) -> None:
    """Write an ``input/`` of components without charts, of so many objects together, and one CRD more. A test cluster has no
    metrics, so that autoscalers would not get healthy.
    """
    head = _HEAD.replace("VERSION", kubernetes).replace("GITOPS", json.dumps(gitops))
    apps = objects // _OBJECTS_OF_APP // components
    others = [template for template in _OTHERS if "HorizontalPodAutoscaler" not in template]
    _file(folder / "config.yaml", "".join([head, *_components(folder, components, apps, others)]))


def _components(folder: Path, number: int, apps: int, others: Sequence[str] = _OTHERS) -> Iterator[str]:
    """Write components of that many applications, and the CRD that they need; their entries in the description."""
    _file(folder / "widgets" / "crd.yaml", _CRD)
    for component in range(number):
        name = f"team-{component % _TEAMS:02}-part-{component:03}"
        yield f"- {{name: {name}, namespace: team-{component % _TEAMS:02}, needs: [widgets], manifests: [{name}/]}}\n"
        for start in range(0, apps, _APPS_IN_FILE):
            of_file = range(start, min(start + _APPS_IN_FILE, apps))
            texts = [text for app in of_file for text in _app(component * apps + app, name, others)]
            _file(folder / name / f"apps-{start:02}.yaml", "---\n".join(texts))


def _app(number: int, part: str, others: Sequence[str]) -> Iterator[str]:
    """The five objects of one application, the last one of the ``others``; the sizes of their ConfigMaps differ."""
    rules = "".join(_LINE.format(rule, rule) for rule in range(2 + number * 7 % 40))
    for template in (_WORKLOAD, _SERVICE, _ACCOUNT, _CONFIG, others[number % len(others)]):
        yield (
            template.replace("NAME", f"app-{number:05}")
            .replace("PART", part)
            .replace("REPLICAS", "2")
            .replace("LINES", rules)
        )


def _chart(folder: Path, name: str) -> None:
    """A chart of `_APPS_OF_CHART` applications."""
    rule = _LINE.format("{{ $rule }}", "{{ $rule }}")
    rules = "    {{- range $rule := until (int (add 2 (mod (mul $app 7) 40))) }}\n" + rule
    documents = (_WORKLOAD, _SERVICE, _ACCOUNT, _CONFIG.replace("LINES", rules + "    {{- end }}\n"), _OTHERS[0])
    body = "---\n".join(documents)
    body = body.replace("NAME", '{{ printf "%s-%03d" $.Release.Name $app }}').replace("PART", "{{ $.Chart.Name }}")
    body = body.replace("REPLICAS", "{{ $.Values.replicas }}")
    _file(folder / "Chart.yaml", f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    _file(folder / "values.yaml", json.dumps({"apps": _APPS_OF_CHART, "replicas": 1}))
    text = f"{{{{- range $app := until (int .Values.apps) }}}}\n---\n{body}{{{{- end }}}}\n"
    _file(folder / "templates" / "apps.yaml", text)


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
