"""catalog test: every rule finds its fault, in a component that keeps all the others."""

from __future__ import annotations

from typing import Any

import pytest
from tests.catalog.conftest import Shelf
from tests.stages.conftest import Harness

from cluster_forge.adapters import charts
from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.foundation.errors import UnknownNameError
from cluster_forge.stages.catalog import test
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


def test_a_component_that_keeps_everything(harness: Harness, shelf: Shelf) -> None:
    verdict = tried(harness, shelf)
    assert verdict.faults == ()
    assert verdict.told == "15 trials, 1 wiring, 1 example"
    assert {size: (each["pods"], each["memory"]) for size, each in verdict.sizes.items()} == {
        "small": (1, "64Mi"),
        "medium": (1, "64Mi"),
        "large": (3, "192Mi"),
    }
    assert harness.reporter.events[0] == ("started", "test", "1")
    assert harness.reporter.events[-2:] == [("advanced", "test", "web", ""), ("finished", "test", "1 component")]


def test_trials_of_one_fault_are_told_together(harness: Harness, shelf: Shelf) -> None:
    (fault,) = tried(harness, shelf, values={"image": "nginx:latest"}).faults
    assert (fault.rule, fault.object) == ("image-tag", "Deployment/web")
    assert [trial.size for trial in fault.trials] == ["small", "medium", "large"]
    assert {trial.kubernetes for trial in fault.trials} == {"1.35"}


@pytest.mark.parametrize(
    ("changes", "rule", "message"),
    [
        (
            {"values": {"args": {"analytics": {"enabled": True}}}},
            "telemetry",
            "is on, and may tell its makers how it is used",
        ),
        ({"needs": ["nowhere"]}, "unknown-name", "needs nowhere, which is no component and no capability"),
        ({"needs": ["monitr"]}, "renders", "no component of the catalog gives monitr on Kubernetes 1.25"),
        ({"lifecycle": {"successor": "wib"}}, "unknown-name", "its successor is wib"),
        ({"versions": [{"version": "1.0.0", "kubernetes": "1.20-1.24"}]}, "kubernetes", "1.0.0 is for 1.20-1.24"),
        ({"values": {"image": "{{"}}, "renders", "not YAML: line 14"),
        ({"objects": [{"apiVersion": "v1", "kind": "X"}]}, "renders", "has no metadata.name"),
        ({"sizes": {"medium": {"nothing": 2}}}, "idle-size", "what it has for size medium changes nothing"),
        ({"examples": [{"title": "As it is", "values": {"replicas": 1}}]}, "idle-example", "changes nothing"),
        ({"examples": [{"title": "Less", "exclude": ["Gone_x.yaml"]}]}, "idle-example", "leaves out what is not there"),
        ({"examples": [{"title": "Neither"}]}, "idle-example", "neither values nor exclude"),
        (
            {"wiring": [{"with": "monitor", "purpose": "Nothing.", "values": {"nothing": 1}}]},
            "idle-wiring",
            "wiring 1 (Nothing) changes nothing",
        ),
        (
            {"wiring": [{"with": "monitor", "without": "monitor", "purpose": "Never.", "values": {"monitor": True}}]},
            "idle-wiring",
            "wiring 1 (Never) never applies",
        ),
        (
            {"wiring": [{"with": "monitro", "purpose": "Misspelt.", "values": {"monitor": True}}]},
            "unknown-name",
            "wiring 1 is with or without monitro, which is no component and no capability, did you mean 'monitor'?",
        ),
        ({"exceptions": [{"rule": "random", "reason": "It is not."}]}, "random", "the exception is not needed"),
        ({"values": {"image": "nginx:${nobody.tag}"}}, "renders", "nothing says what ${nobody.tag} is"),
    ],
)
def test_each_fault_is_found(harness: Harness, shelf: Shelf, changes: dict[str, Any], rule: str, message: str) -> None:
    found = tried(harness, shelf, **changes).faults
    assert any(each.rule == rule and message in each.message for each in found), found


def test_what_a_component_names_and_nobody_has(harness: Harness, shelf: Shelf) -> None:
    address = {"image": "nginx:1.29", "args": {"push": "http://loki.monitor.svc:3100"}}
    (fault,) = tried(harness, shelf, values=address).faults
    assert (fault.rule, fault.object) == ("address", "Deployment.apps/web/web")
    assert fault.message == "http://loki.monitor.svc:3100: no such Service"
    assert [trial.size for trial in fault.trials] == ["small", "medium", "large"]


def test_what_a_wiring_names_and_those_whom_it_is_with_do_not_have(harness: Harness, shelf: Shelf) -> None:
    wired = {"with": "metrics", "purpose": "Sends.", "values": {"args": {"to": "${metrics.url}"}}}
    faults = tried(harness, shelf, wiring=[wired]).faults
    assert [(each.rule, each.message) for each in faults] == [
        ("address", "http://metrics.monitor.svc: no such Service (with monitor)")
    ]


def test_a_wiring_is_tried_where_all_are_for_the_version(harness: Harness, shelf: Shelf) -> None:
    wired = [{"with": "old", "purpose": "Nothing.", "values": {"nothing": 1}}]
    shelf.component("old", versions=[{"version": "1.0.0", "kubernetes": "1.25-1.28"}])
    harness.chart("old", {"c.yaml": Harness.config_map("c")})
    (fault,) = tried(harness, shelf, wiring=wired).faults
    assert fault.message == "wiring 1 (Nothing) changes nothing"
    shelf.component("old", versions=[{"version": "1.0.0", "kubernetes": "1.26"}])
    (fault,) = tried(harness, shelf, wiring=wired).faults
    assert (fault.rule, fault.message) == (
        "untried-wiring",
        "wiring 1: no version of Kubernetes that is tried is for old, too",
    )


def test_an_object_that_comes_twice(harness: Harness, shelf: Shelf) -> None:
    twice = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": key}} for key in "bc"]
    faults = tried(harness, shelf, objects=twice).faults
    assert [(each.rule, each.object) for each in faults] == [("duplicate-object", "ConfigMap/c")]
    assert len(faults[0].trials) == 15


def test_what_is_drawn_at_random(harness: Harness, shelf: Shelf) -> None:
    template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: {{ randAlpha 9 }}}\n"
    faults = tried(harness, shelf, {"c.yaml": template}).faults
    assert [(each.rule, each.object) for each in faults] == [("random", "ConfigMap/c")]
    exceptions = [{"rule": "random", "reason": "It has to be."}]
    assert tried(harness, shelf, {"c.yaml": template}, exceptions=exceptions).faults == ()


def test_a_chart_that_cannot_be_had(harness: Harness, shelf: Shelf) -> None:
    shelf.component("other")
    (verdict,) = test.test(["other"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    assert {each.rule for each in verdict.faults} == {"renders"}
    assert "has no chart 'other'" in verdict.faults[0].message


def test_a_name_that_there_is_not(harness: Harness, shelf: Shelf) -> None:
    with pytest.raises(UnknownNameError, match="the catalog has no component 'wbe'"):
        test.test(["wbe"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)


def test_several_at_once(harness: Harness, shelf: Shelf) -> None:
    tried(harness, shelf)
    verdicts = test.test(["web", "monitor"], trials(harness, shelf), harness.toolbox.workers, harness.reporter)
    assert [each.component for each in verdicts] == ["web", "monitor"]
    assert [each.faults for each in verdicts] == [(), ()]


def trials(harness: Harness, shelf: Shelf) -> TrialRenderer:
    return TrialRenderer(
        TrialPlans(shelf.library), harness.sources, harness.store, harness.renderer, charts, harness.toolbox.reader
    )


def tried(harness: Harness, shelf: Shelf, more: dict[str, str] | None = None, **changes: Any) -> Verdict:
    """The verdict on a component that is all right but for the changes; `monitor` brings the API that its wiring is with."""
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
