"""catalog new: the draft of a component has what changes its chart, and passes `catalog test`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.catalog.conftest import Shelf
from tests.stages.conftest import REPOSITORY, Harness

from cluster_forge.adapters import charts
from cluster_forge.catalog.component_format import CatalogComponent
from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.foundation.errors import ArchiveError, FetchError, RenderError
from cluster_forge.stages.catalog import new, test
from cluster_forge.stages.catalog.new import Draft, NewComponent
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

UNSAFE = (
    "allowPrivilegeEscalation is not false, may run as root (runAsNonRoot is not true), has no seccomp profile, "
    "does not drop ALL capabilities"
)
ABOUT = """\
description: |
  Serves
  pages.
home: https://example.com/web
kubeVersion: ">=1.27.0-0"
annotations: {artifacthub.io/category: networking, artifacthub.io/license: MIT}
"""
VALUES = """\
count: 1
replicaCount: 1
image: docker.io/library/nginx:1.29
resources: {}
sidecar: {resources: {requests: {cpu: 10m, memory: 512Mi}}}
unused: {resources: {}}
topologySpreadConstraints: []
podDisruptionBudget: {enabled: false}
auth: {password: change-me, existingSecret: ""}
other: {password: never-read}
persistence: {size: 8Gi}
serviceMonitor: {enabled: false}
metrics: {enabled: false}
service: {type: LoadBalancer}
analytics: {enabled: true}
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicaCount }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints: {{ .Values.topologySpreadConstraints | toJson }}
      containers:
      - name: web
        image: {{ .Values.image }}
        args: ["--analytics={{ .Values.analytics.enabled }}"]
        resources: {{ .Values.resources | toJson }}
        env:
        - name: KEY
          valueFrom: {secretKeyRef: {name: {{ .Values.auth.existingSecret | default "web" }}, key: password}}
      - {name: sidecar, image: "side:1", resources: {{ .Values.sidecar.resources | toJson }}}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {type: {{ .Values.service.type }}, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: web}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Values.persistence.size }}}}}
{{- if .Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
{{- end }}
{{- if and .Values.metrics.enabled .Values.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}}
{{- end }}
{{- if not .Values.auth.existingSecret }}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: {{ .Values.auth.password }}}
{{- end }}
"""

INNER = {
    "charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "charts/db/values.yaml": "disk: {size: 5Gi}\n",
    "charts/db/templates/claim.yaml": "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: db}\n"
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: {{ .Values.disk.size }}}}}\n",
}
"""A subchart."""


def test_a_draft_sets_everything_that_a_chart_offers(harness: Harness) -> None:
    harness.chart("web", {"web.yaml": WEB}, about=ABOUT, values=VALUES, version="1.2.3")
    made = drafted(harness)
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    assert made.component == {
        "apiVersion": "cluster-forge/v1",
        "kind": "Component",
        "name": "web",
        "title": "web",
        "description": "Serves pages.",
        "category": "networking",
        "homepage": "https://example.com/web",
        "license": "MIT",
        "namespace": "front",
        "podSecurity": "baseline",
        "helm": {"repository": REPOSITORY, "chart": "web"},
        "versions": [{"version": "1.2.3", "kubernetes": "1.27+"}],
        "values": {
            "auth": {"existingSecret": "web-credentials"},
            "service": {"type": "ClusterIP"},
            "analytics": {"enabled": False},
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "sidecar": {"resources": {"limits": {"memory": "1Gi"}}},
        },
        "sizes": {
            size: {
                "replicaCount": replicas,
                "topologySpreadConstraints": [spread],
                "podDisruptionBudget": {"enabled": True},
                "persistence": {"size": volume},
            }
            for size, replicas, volume in (("medium", 2, "16Gi"), ("large", 3, "40Gi"))
        },
        "needs": ["storage-class"],
        "secrets": [
            {
                "name": "web-credentials",
                "keys": {"password": "what it is"},
                "purpose": "Read by `auth.existingSecret`.",
            }
        ],
        "wiring": [
            {
                "with": "monitoring.coreos.com",
                "purpose": "Prometheus scrapes it.",
                "values": {"serviceMonitor": {"enabled": True}, "metrics": {"enabled": True}},
            }
        ],
    }
    assert made.remarks == (
        f"Pod Security baseline, not restricted: container web: {UNSAFE}; container sidecar: {UNSAFE}",
        "images: docker.io/library/nginx:1.29, side:1",
    )


def test_a_draft_can_be_tested(harness: Harness, shelf: Shelf) -> None:
    """The text is a component's file, and the component has no findings."""
    harness.chart("web", {"web.yaml": WEB}, about=ABOUT, values=VALUES, version="1.2.3")
    harness.chart("crds", {"crd.yaml": Harness.crd("ServiceMonitor", "monitoring.coreos.com")})
    harness.chart("disk", {"class.yaml": Harness.config_map("disk")})
    text = new.text(drafted(harness))
    assert text.startswith("# Drafted by `cluster-forge catalog new` from web 1.2.3; test it: `catalog test web`.")
    CatalogComponent.model_validate(yaml.safe_load(text))
    shelf.folder.files["components/web.yaml"] = text
    shelf.component("crds", provides={"monitoring.coreos.com": {}}).component("disk", provides={"storage-class": {}})
    (verdict,) = test.test(["web"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    assert verdict.findings == {}


def test_a_password_without_an_existing_secret_is_remarked(harness: Harness) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: {{ .Values.adminPassword | b64enc }}}\n"
    harness.chart("web", {"s.yaml": secret}, values="adminPassword: change-me\nunusedPassword: too\n")
    remarks = drafted(harness).remarks
    assert "`adminPassword` looks like a password; its value would be committed to Git" in remarks
    assert not any("unusedPassword" in remark for remark in remarks)


def test_a_stateful_set_is_remarked_and_not_scaled(harness: Harness) -> None:
    harness.chart("web", {"web.yaml": WEB.replace("kind: Deployment", "kind: StatefulSet")}, values=VALUES)
    made = drafted(harness)
    assert "`replicaCount` scales StatefulSet/web: check whether it can have replicas" in made.remarks
    assert "replicaCount" not in made.component["sizes"]["medium"]


def test_a_missing_budget_becomes_a_wiring(harness: Harness) -> None:
    harness.chart(
        "web", {"web.yaml": WEB.replace("policy/v1", "v1").replace("PodDisruptionBudget", "ConfigMap")}, values=VALUES
    )
    (wiring, _) = drafted(harness).component["wiring"]
    assert wiring["sizes"] == ["medium", "large"]
    assert wiring["objects"][0]["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}


def test_custom_apis_become_needs_and_provides(harness: Harness, shelf: Shelf) -> None:
    certificate = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\nspec: {}\n"
    route = "apiVersion: unknown.example.com/v1\nkind: Route\nmetadata: {name: r}\n"
    crd = Harness.crd("Page", "web.example.com")
    harness.chart("web", {"a.yaml": certificate, "b.yaml": route, "c.yaml": crd})
    shelf.component("cert-manager", provides={"cert-manager.io": {}})
    made = drafted(harness, shelf)
    assert made.component["needs"] == ["cert-manager.io"]
    assert made.component["provides"] == {"web.example.com": {}}
    assert "it has objects of unknown.example.com, which no component of the catalog provides" in made.remarks


def test_values_that_the_chart_refuses_are_left_out_of_a_probe(harness: Harness) -> None:
    schema = '{"properties": {"extra": {"properties": {"replicas": {"maximum": 3}}}}}'
    harness.chart("web", {"web.yaml": WEB}, values=f"{VALUES}extra: {{replicas: 1}}\n", schema=schema)
    assert drafted(harness).component["sizes"]["medium"]["replicaCount"] == 2


def test_random_objects_are_remarked(harness: Harness) -> None:
    harness.chart("web", {"c.yaml": Harness.config_map("c", "a: {{ randAlpha 9 }}")})
    assert "it renders random values: ConfigMap/c differ each time" in drafted(harness).remarks


def test_random_objects_do_not_count_as_changed(harness: Harness) -> None:
    template = Harness.config_map("c", "a: {{ randAlpha 9 }}")
    harness.chart("web", {"c.yaml": template}, values="service: {type: LoadBalancer}\ntelemetry: {enabled: true}\n")
    assert "values" not in drafted(harness).component


def test_sizes_that_the_chart_refuses_are_left_out(harness: Harness) -> None:
    refusing = '{{ if eq (int .Values.replicaCount) 3 }}{{ fail "an even number" }}{{ end }}'
    harness.chart("web", {"web.yaml": refusing + WEB}, values=VALUES)
    made = drafted(harness)
    assert "replicaCount" not in made.component["sizes"]["medium"]
    assert "`replicaCount`: the chart does not accept 2 at medium and 3 at large" in made.remarks


def test_secrets_have_different_names(harness: Harness) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: {0}}}\nstringData: {{password: s3cr3t}}\n"
    templates = {
        f"{name.lower()}.yaml": f"{{{{ if not .Values.{name} }}}}\n{secret.format(name.lower())}{{{{ end }}}}\n"
        for name in ("existingSecret", "redisExistingSecret")
    }
    harness.chart("web", templates, values='existingSecret: ""\nredisExistingSecret: ""\n')
    names = [secret["name"] for secret in drafted(harness).component["secrets"]]
    assert names == ["web-credentials", "web-redisexistingsecret"]


def test_odd_values_do_not_fail(harness: Harness) -> None:
    odd = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: {{ .Values.adminPassword }}, b: 5}\n---\n"
        "apiVersion: example.com/v1\nkind: Odd\nmetadata: {name: o}\nspec: hello\n"
    )
    values = VALUES.replace("memory: 512Mi", "memory: 64MB") + "adminPassword: cGFzcw==\n"
    harness.chart("web", {"odd.yaml": odd, "web.yaml": WEB}, values=values)
    assert drafted(harness).component["values"]["sidecar"]["resources"]["limits"] == {"memory": "256Mi"}


def test_values_of_an_undeclared_subchart_are_found(harness: Harness) -> None:
    harness.chart("web", INNER)
    assert drafted(harness).component["sizes"]["large"] == {"db": {"disk": {"size": "25Gi"}}}


def test_the_kubernetes_range_is_found(harness: Harness) -> None:
    harness.chart("web", {"c.yaml": Harness.config_map("c")}, about='kubeVersion: "<1.30.0-0"\n')
    assert drafted(harness).component["versions"] == [{"version": "1.0.0", "kubernetes": "1.25-1.29"}]


def test_required_values_are_passed(harness: Harness) -> None:
    harness.chart("web", {"c.yaml": Harness.config_map("c", 'a: {{ required "name a domain" .Values.domain }}')})
    (error,) = harness.errors(lambda: drafted(harness))
    assert isinstance(error, RenderError)
    assert "name a domain" in error.message
    assert drafted(harness, values={"domain": "example.com"}).component["values"] == {"domain": "example.com"}


def test_values_of_a_subchart_have_its_alias(harness: Harness) -> None:
    harness.chart("web", INNER, about="dependencies: [{name: db, version: 1.0.0, alias: store}]\n")
    assert drafted(harness).component["sizes"]["medium"] == {"store": {"disk": {"size": "10Gi"}}}


def test_a_missing_chart_is_an_error(harness: Harness) -> None:
    (error,) = harness.errors(lambda: drafted(harness))
    assert isinstance(error, FetchError)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def trials(harness: Harness, shelf: Shelf) -> TrialRenderer:
    return TrialRenderer(
        TrialPlans(shelf.library), harness.sources, harness.store, harness.renderer, charts, harness.toolbox.reader
    )


def drafted(harness: Harness, shelf: Shelf | None = None, **changes: Any) -> Draft:
    wanted = NewComponent(name="web", helm={"repository": REPOSITORY, "chart": "web"}, namespace="front", **changes)
    return new.draft(wanted, trials(harness, shelf or Shelf()), harness.toolbox.workers, harness.reporter)


@pytest.mark.parametrize(
    ("about", "values"),
    [("sources: 5\n", "{}"), ("annotations: [a]\n", "{}"), ("dependencies: [text]\n", "{}"), ("", "[a, b]")],
)
def test_an_invalid_chart_is_an_error(harness: Harness, about: str, values: str) -> None:
    harness.chart("web", {"c.yaml": Harness.config_map("c")}, about=about, values=values)
    (error,) = harness.errors(lambda: drafted(harness))
    assert isinstance(error, ArchiveError)
    assert "cannot unmarshal" in error.message


def test_dollar_braces_in_values_are_escaped(harness: Harness) -> None:
    harness.chart("web", {"c.yaml": Harness.config_map("c", "a: {{ .Values.home | quote }}")})
    assert drafted(harness, values={"home": "${HOME}"}).component["values"] == {"home": "$${HOME}"}


def test_a_chart_that_refuses_other_values_is_scaled(harness: Harness) -> None:
    own = ", ".join(f'"{name}": {{}}' for name in ("replicaCount", "image", "service", "more"))
    schema = f'{{"additionalProperties": false, "properties": {{{own}, "global": {{}}}}}}'
    values = "replicaCount: 1\nimage: nginx:1\nservice: {type: ClusterIP}\nmore: {replicas: 1, replicaCount: 2}\n"
    deployment = (
        WEB.partition("---")[0]
        .replace("{{ .Values.resources | toJson }}", "{}")
        .replace("{{ .Values.topologySpreadConstraints | toJson }}", "[]")
    )
    for name in ("analytics.enabled", "auth.existingSecret", "sidecar.resources | toJson"):
        deployment = deployment.replace(f"{{{{ .Values.{name} }}}}", "{}")
    deployment = deployment.replace('{{ .Values.auth.existingSecret | default "web" }}', "web")
    service = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
    )
    harness.chart("web", {"web.yaml": deployment + service}, values=values, schema=schema)
    assert drafted(harness).component["sizes"]["large"]["replicaCount"] == 3
