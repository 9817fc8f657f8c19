"""Several minors: each chart is rendered once for each, all minors of a chart after one another, with the same result as alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.stages.conftest import MemoryCache

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.stages.build import locking
from cluster_forge.stages.check.check_request import CheckRequest
from cluster_forge.stages.check.version_matrix import VersionFindings, matrix

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

    from cluster_forge.stack.model import Stack

MINORS = (31, 32, 33)
WIDGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
ASKING = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: asks}
data:
  widgets: {{ .Capabilities.APIVersions.Has "example.com/v1/Widget" | quote }}
  unknown: {{ .Capabilities.KubeVersion.Minor }}
"""


@pytest.fixture
def stack(harness: Harness) -> Stack:
    """A chart whose result depends on the minor and on the CRD of another one."""
    stack = harness.stack(
        harness.component("asks", helm=harness.chart("asks", {"asks.yaml": ASKING})),
        harness.component("widgets", helm=harness.chart("widgets", {"crd.yaml": WIDGETS})),
    )
    harness.mine(stack)
    harness.renderer.jobs.clear()
    return stack


def run(
    harness: Harness, stack: Stack, minors: Sequence[int], *, ignore_cache: bool = False
) -> Sequence[VersionFindings]:
    sources = locking.look_up(stack.components, harness.lock, harness.sources)
    request = CheckRequest(stack=stack, sources=sources, lock=harness.lock, ignore_cache=ignore_cache)
    return matrix(request, minors, harness.toolbox, harness.reporter)


def rendered(harness: Harness) -> list[tuple[str, int]]:
    """The charts that were rendered, each with the minor."""
    return [(str(job.component), job.chart.kubernetes.minor) for job in harness.renderer.jobs if job.chart]


def test_each_chart_is_rendered_for_all_other_minors_in_turn(harness: Harness, stack: Stack) -> None:
    harness.toolbox = replace(harness.toolbox, renderer=CachingRenderer(harness.renderer, MemoryCache()))
    run(harness, stack, MINORS)
    charts = rendered(harness)
    assert sorted(charts) == [(name, minor) for name in ("asks", "widgets") for minor in MINORS]
    assert charts[2:] == [("asks", 32), ("asks", 33), ("widgets", 32), ("widgets", 33)]


def test_the_findings_are_those_of_each_minor_alone(harness: Harness, stack: Stack) -> None:
    alone = [version for minor in MINORS for version in run(harness, stack, [minor])]
    assert [version.minor for version in alone] == [*MINORS]
    assert any(finding.code == "schema-invalid" for version in alone for finding in version.findings)
    assert [*run(harness, stack, MINORS, ignore_cache=True)] == alone
    harness.toolbox = replace(harness.toolbox, renderer=CachingRenderer(harness.renderer, MemoryCache()))
    assert [*run(harness, stack, MINORS)] == alone


def test_a_chart_that_fails_on_one_minor_fails_there_alone(harness: Harness) -> None:
    about = 'kubeVersion: "<1.33.0-0"\n'
    stack = harness.stack(harness.component("old", helm=harness.chart("old", {"crd.yaml": WIDGETS}, about=about)))
    harness.mine(replace(stack, target=replace(stack.target, kubernetes=replace(stack.target.kubernetes, minor=31))))
    harness.toolbox = replace(harness.toolbox, renderer=CachingRenderer(harness.renderer, MemoryCache()))
    failures = {version.minor: version.failure for version in run(harness, stack, MINORS)}
    assert not failures[31]
    assert not failures[32]
    assert "requires Kubernetes <1.33.0-0" in failures[33]
