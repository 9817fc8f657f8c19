"""catalog test: each check has its finding, in a component that passes all the others."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from tests.catalog.conftest import Shelf
from tests.stages.conftest import Harness

from cluster_forge.adapters import charts
from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.manifests.finding import CODES
from cluster_forge.stages.catalog import component_checks, test
from cluster_forge.stages.catalog.test import Verdict
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: {{ .Values.image }}
        args: [{{ .Values.args | toJson | quote }}]
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 128Mi}}
"""
MONITOR = """\
{{- if and .Values.monitor (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}}
{{- end }}
"""
VALUES = "replicas: 1\nimage: nginx:1.29\nmonitor: false\nargs: {}\n"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_component_without_findings(harness: Harness, shelf: Shelf) -> None:
    verdict = tried(harness, shelf)
    assert verdict.findings == {}
    assert verdict.summary == "15 trials, 1 wiring, 1 example"
    assert {size: (measured["pods"], measured["memory"]) for size, measured in verdict.sizes.items()} == {
        "small": (1, "64Mi"),
        "medium": (1, "64Mi"),
        "large": (3, "192Mi"),
    }
    assert harness.reporter.events[0] == ("started", "test", "1")
    assert harness.reporter.events[-2:] == [("advanced", "test", "web", ""), ("finished", "test", "1 component")]


def test_trials_of_one_finding_are_reported_together(harness: Harness, shelf: Shelf) -> None:
    verdict = tried(harness, shelf, values={"image": "nginx:latest"})
    ((finding, trials),) = verdict.findings.items()
    assert (finding.code, str(finding.object)) == ("unpinned-image", "Deployment.apps/web/web")
    assert [trial.size for trial in trials] == ["small", "medium", "large"]
    assert {trial.kubernetes for trial in trials} == {"1.35"}
    assert verdict.as_json()["faults"][0] == {
        "rule": "unpinned-image",
        "object": "Deployment/web",
        "message": finding.message,
        "fix": finding.fix,
        "trials": [{"version": "1.0.0", "kubernetes": "1.35", "size": size} for size in ("small", "medium", "large")],
    }


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"values": {"args": {"analytics": {"enabled": True}}}},
            "telemetry",
            "is on, and may report to its maintainers how it is used",
        ),
        ({"needs": ["nowhere"]}, "unknown-name", "needs nowhere, which is not a component or capability"),
        ({"needs": ["monitr"]}, "render-failed", "no component of the catalog provides monitr on Kubernetes 1.25"),
        ({"lifecycle": {"successor": "wib"}}, "unknown-name", "its successor is wib"),
        (
            {"versions": [{"version": "1.0.0", "kubernetes": "1.20-1.24"}]},
            "kubernetes-range",
            "versions: 1.0.0 (1.20-1.24)",
        ),
        ({"values": {"image": "{{"}}, "render-failed", "not YAML: line 14"),
        ({"objects": [{"apiVersion": "v1", "kind": "X"}]}, "render-failed", "has no metadata.name"),
        ({"sizes": {"medium": {"nothing": 2}}}, "ineffective-value", "the values for size medium change nothing"),
        ({"examples": [{"title": "As it is", "values": {"replicas": 1}}]}, "ineffective-value", "changes nothing"),
        (
            {"examples": [{"title": "Less", "exclude": ["Gone_x.yaml"]}]},
            "unused-ignore",
            "exclude 'Gone_x.yaml' leaves nothing out",
        ),
        ({"examples": [{"title": "Neither"}]}, "ineffective-value", "neither values nor exclude"),
        (
            {"wiring": [{"with": "monitor", "purpose": "Nothing.", "values": {"nothing": 1}}]},
            "ineffective-value",
            "wiring 1 (Nothing) changes nothing",
        ),
        (
            {"wiring": [{"with": "monitor", "without": "monitor", "purpose": "Never.", "values": {"monitor": True}}]},
            "ineffective-value",
            "wiring 1 (Never) never applies",
        ),
        (
            {"wiring": [{"with": "monitro", "purpose": "Misspelt.", "values": {"monitor": True}}]},
            "unknown-name",
            "wiring 1 is with or without monitro, which is not a component or capability, did you mean 'monitor'?",
        ),
        (
            {"exceptions": [{"rule": "random", "reason": "It is not."}]},
            "unused-ignore",
            "is unused: two renderings are equal",
        ),
        ({"values": {"image": "nginx:${missing.tag}"}}, "render-failed", "unresolved reference ${missing.tag}"),
    ],
)
def test_each_check_has_its_finding(
    harness: Harness, shelf: Shelf, changes: dict[str, Any], code: str, message: str
) -> None:
    findings = tried(harness, shelf, **changes).findings
    assert any(finding.code == code and message in finding.message for finding in findings), findings


def test_all_findings_have_known_codes() -> None:
    text = inspect.getsource(component_checks)
    emitted = {component_checks.RANDOM, *re.findall(r'code="([a-z-]+)"', text)}
    assert len(emitted) > 8
    assert emitted <= CODES


def test_an_address_without_a_service_is_reported(harness: Harness, shelf: Shelf) -> None:
    address = {"image": "nginx:1.29", "args": {"push": "http://loki.monitor.svc:3100"}}
    ((finding, trials),) = tried(harness, shelf, values=address).findings.items()
    assert (finding.code, str(finding.object)) == ("missing-reference", "Deployment.apps/web/web")
    assert finding.message == "http://loki.monitor.svc:3100: no such Service"
    assert [trial.size for trial in trials] == ["small", "medium", "large"]


def test_an_address_that_a_wiring_adds_is_checked_with_the_others(harness: Harness, shelf: Shelf) -> None:
    wired = {"with": "metrics", "purpose": "Sends.", "values": {"args": {"to": "${metrics.url}"}}}
    findings = tried(harness, shelf, wiring=[wired]).findings
    assert [(finding.code, finding.message) for finding in findings] == [
        ("missing-reference", "http://metrics.monitor.svc: no such Service (in a stack with monitor)")
    ]


def test_services_that_a_component_operates_exist(harness: Harness, shelf: Shelf) -> None:
    wired = {"with": "metrics", "purpose": "Sends.", "values": {"args": {"to": "${metrics.url}"}}}
    operated = {"group": "apps", "kind": "Deployment", "services": ["{name}-metrics"]}
    address = {"image": "nginx:1.29", "args": {"push": "http://web-metrics.web.svc:80"}}
    (finding,) = tried(harness, shelf, values=address, wiring=[]).findings
    assert finding.message == "http://web-metrics.web.svc:80: no such Service"
    assert tried(harness, shelf, values=address, wiring=[], operates=[operated]).findings == {}
    assert tried(harness, shelf, wiring=[wired]).findings != {}


def test_a_wiring_is_tested_where_all_components_support_the_version(harness: Harness, shelf: Shelf) -> None:
    wired = [{"with": "old", "purpose": "Nothing.", "values": {"nothing": 1}}]
    shelf.component("old", versions=[{"version": "1.0.0", "kubernetes": "1.25-1.28"}])
    harness.chart("old", {"c.yaml": Harness.config_map("c")})
    (finding,) = tried(harness, shelf, wiring=wired).findings
    assert finding.message == "wiring 1 (Nothing) changes nothing"
    shelf.component("old", versions=[{"version": "1.0.0", "kubernetes": "1.26"}])
    (finding,) = tried(harness, shelf, wiring=wired).findings
    assert (finding.code, finding.message) == (
        "untried-wiring",
        "wiring 1: no tested Kubernetes version is supported by old too",
    )


def test_an_object_that_is_rendered_twice_is_reported(harness: Harness, shelf: Shelf) -> None:
    twice = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": key}} for key in "bc"]
    ((finding, trials),) = tried(harness, shelf, objects=twice).findings.items()
    assert (finding.code, str(finding.object)) == ("duplicate-object", "ConfigMap/web/c")
    assert len(trials) == 15


@pytest.mark.parametrize("rule", ["random-render", "random"])
def test_a_random_object_is_reported_unless_accepted(harness: Harness, shelf: Shelf, rule: str) -> None:
    """``random`` is the former name of the rule."""
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: {{ randAlpha 9 }}}\n"
    findings = tried(harness, shelf, {"c.yaml": template}).findings
    assert [(finding.code, finding.object and finding.object.name) for finding in findings] == [("random-render", "c")]
    exceptions = [{"rule": rule, "reason": "It must be."}]
    assert tried(harness, shelf, {"c.yaml": template}, exceptions=exceptions).findings == {}


def test_a_missing_chart_is_reported(harness: Harness, shelf: Shelf) -> None:
    shelf.component("other")
    (verdict,) = test.test(["other"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    assert {finding.code for finding in verdict.findings} == {"render-failed"}
    assert "has no chart 'other'" in next(iter(verdict.findings)).message


def test_an_unknown_component_is_an_error(harness: Harness, shelf: Shelf) -> None:
    with pytest.raises(UnknownNameError, match="the catalog has no component 'wbe'"):
        test.test(["wbe"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)


def test_several_components_are_tested_at_once(harness: Harness, shelf: Shelf) -> None:
    tried(harness, shelf)
    verdicts = test.test(["web", "monitor"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    assert [verdict.component for verdict in verdicts] == ["web", "monitor"]
    assert [verdict.findings for verdict in verdicts] == [{}, {}]


def trials(harness: Harness, shelf: Shelf) -> TrialRenderer:
    return TrialRenderer(
        TrialPlans(shelf.library), harness.sources, harness.store, harness.renderer, charts, harness.toolbox.reader
    )


def tried(harness: Harness, shelf: Shelf, more: dict[str, str] | None = None, **changes: Any) -> Verdict:
    """The verdict on a component without findings, except for the changes; `monitor` has the API of its wiring."""
    harness.chart("web", {"web.yaml": DEPLOYMENT, "monitor.yaml": MONITOR, **(more or {})}, values=VALUES)
    harness.chart("monitor", {"crd.yaml": Harness.crd("ServiceMonitor", "monitoring.coreos.com")})
    body: dict[str, Any] = {
        "wiring": [{"with": "monitor", "purpose": "It is scraped.", "values": {"monitor": True}}],
        "sizes": {"large": {"replicas": 3}},
        "examples": [{"title": "More", "values": {"replicas": 2}}],
    }
    shelf.component("web", **{**body, **changes}).component(
        "monitor", provides={"metrics": {"url": "http://metrics.${namespace}.svc"}}
    )
    (verdict,) = test.test(["web"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    return verdict
