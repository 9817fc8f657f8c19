"""Stacks of real objects with one mistake each: what is not in the stack, what is in it twice, orders, hooks and engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.corpus import plants
from tests.corpus.plants import LEAST, MOST, planted, put

from cluster_forge.checks import registry
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.argocd import crds
from cluster_forge.gitops.argocd.component import HEALTH, HEALTH_KEY, LIMIT_KEY, PARAMETERS_MAP, SETTINGS_MAP
from cluster_forge.graph import component_order
from cluster_forge.graph.component_order import Ordered
from cluster_forge.manifests import duplicates
from cluster_forge.manifests.facts import CRD_KIND
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.manifests.scope import Scopes
from cluster_forge.stages.build.assembly import assembly_findings, data_hooks, engine_settings, ordering

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

MINOR: Final = 33
FIRST: Final = ComponentName("first")
SECOND: Final = ComponentName("second")
NAMED: Final = ("ConfigMap", "Service", "ServiceAccount", "Deployment", "ClusterRole")


@pytest.fixture(scope="module")
def objects(everything: Forged) -> list[Manifest]:
    return everything.manifests


def unknown(manifests: Iterable[Manifest], *provided: str) -> list[Finding]:
    every = list(manifests)
    return assembly_findings.unknown_kinds(every, Scopes.of(MINOR, every), provided)


def test_a_kind_without_its_definition_is_found(objects: list[Manifest]) -> None:
    assert unknown(objects) == []
    used = {(manifest.id.group, manifest.id.kind) for manifest in objects}
    tried = 0
    for definition in plants.of_kinds(objects, CRD_KIND):
        kind = definition.facts.defines
        if kind and (kind.group, kind.kind) in used and tried < MOST:
            tried += 1
            left = [one for one in objects if one is not definition]
            assert [(one.code, one.object and one.object.kind) for one in unknown(left)] == [("missing-crd", kind.kind)]
            assert not kind.namespaced or unknown(left, kind.group) == []
    assert tried >= LEAST


def between(first: Manifest, second: Manifest) -> list[tuple[str, Severity]]:
    one, other = (
        replace(one, provenance=Provenance(component=name, origin=f"{name}.yaml:1"))
        for one, name in ((first, FIRST), (second, SECOND))
    )
    findings = duplicates.between([(FIRST, [one]), (SECOND, [other])])[SECOND].findings
    return [(finding.code, finding.severity) for finding in findings]


def test_an_object_of_two_components_is_found(objects: list[Manifest]) -> None:
    tried = plants.of_kinds(objects, *NAMED)[:MOST]
    for manifest in tried:
        labelled = planted(manifest, put("metadata", "labels", value={"planted": "true"}))
        renamed = planted(manifest, put("metadata", "name", value="planted"))
        assert between(manifest, manifest) == [("duplicate-object", Severity.WARNING)]
        assert between(manifest, labelled) == [("duplicate-object", Severity.ERROR)]
        assert between(manifest, renamed) == []
    assert len(tried) >= LEAST


def test_a_definition_without_a_version_of_the_other_is_found(objects: list[Manifest]) -> None:
    """Of two owners, the message says what is lost, whichever of them comes first."""
    several = [
        one for one in plants.of_kinds(objects, CRD_KIND) if one.facts.defines and len(one.facts.defines.versions) > 1
    ]
    for manifest in several[:MOST]:
        assert manifest.facts.defines
        lost, *kept = manifest.facts.defines.versions
        versions = [one for one in manifest.body["spec"]["versions"] if one["name"] != lost]
        shorter = planted(manifest, put("spec", "versions", value=versions))
        assert between(manifest, shorter) == between(shorter, manifest) == [("crd-owner-conflict", Severity.ERROR)]
        assert kept
    assert len(several) >= LEAST


NEEDS: Final[Mapping[str, tuple[tuple[str, ...], Any]]] = {
    "loadbalancer": (("Service",), put("spec", "type", value="LoadBalancer")),
    "storage-class": (("Deployment",), lambda body: plants.pod(body).update(volumes=[{"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}])),
    "ingress": (("Service",), lambda body: body.update(apiVersion="networking.k8s.io/v1", kind="Ingress", spec={})),
    "metrics.k8s.io": (
        ("Service",),
        lambda body: body.update(
            apiVersion="autoscaling/v2",
            kind="HorizontalPodAutoscaler",
            spec={"metrics": [{"type": "Resource", "resource": {"name": "cpu"}}]},
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("capability", NEEDS)
def test_what_needs_a_provider_is_found_where_there_is_none(capability: str, objects: list[Manifest]) -> None:
    kinds, change = NEEDS[capability]

    def check(manifest: Manifest) -> list[Finding]:
        return registry.check_providers([manifest], ())

    assert plants.missed(plants.of_kinds(objects, *kinds), change, "missing-provider", check) == []
    assert plants.missed(
        plants.of_kinds(objects, *kinds), change, "", lambda manifest: registry.check_providers([manifest], {capability})
    ) == []  # fmt: skip


def test_a_wave_before_what_is_needed_is_found(everything: Forged, objects: list[Manifest]) -> None:
    of_component: dict[ComponentName, list[Manifest]] = {}
    for manifest in objects:
        of_component.setdefault(manifest.provenance.component, []).append(manifest)
    free = replace(everything.stack, components=tuple(replace(one, wave=None) for one in everything.stack.components))
    graph, order = ordering.ordered(free, of_component, Scopes.of(MINOR, objects))
    needy = sorted(name for name in order.waves if order.required(name) and name in of_component)[:MOST]
    least = min(order.waves.values())
    tried = 0
    for name, wave in product(needy, (least - 10, least - 1)):
        waves = {one.name: order.waves[one.name] for one in free.components} | {name: wave}
        components = [Ordered(name=one.name, wave=waves[one.name], needs=one.needs) for one in free.components]
        early = component_order.of(components, graph)
        stack = replace(free, components=tuple(replace(one, wave=waves[one.name]) for one in free.components))
        conflicts = list(ordering.conflicts(stack, early))
        assert {(finding.code, finding.component) for finding in conflicts} == {("wave-conflict", name)}
        assert len(conflicts) == len(early.required(name))
        tried += len(conflicts)
    assert tried >= LEAST
    assert list(ordering.conflicts(free, order)) == []


def test_data_that_is_a_hook_is_found_where_a_hook_needs_it(objects: list[Manifest]) -> None:
    hook = {"helm.sh/hook": "pre-install"}
    tried = plants.of_kinds(objects, "Deployment")[:MOST]
    for manifest in tried:
        metadata = {"name": "data", "namespace": manifest.id.namespace, "annotations": hook}
        claim = Manifest.of(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata}, manifest.provenance
        )
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}

        def job(body: dict[str, Any], volume: Any = volume) -> None:
            body.update(apiVersion="batch/v1", kind="Job")
            body["metadata"]["annotations"] = hook
            plants.pod(body).update(volumes=[volume])

        for user, codes in ((planted(manifest, job), ["data-hook"]), (manifest, [])):
            settled = data_hooks.settled([claim, user])
            assert [finding.code for finding in data_hooks.findings(settled)] == codes, manifest.id
    assert len(tried) >= LEAST


def with_setting(everything: Forged, name: str, key: str, text: str) -> list[Part]:
    """The parts, with an entry of a ConfigMap of Argo CD."""
    parts = []
    for part in everything.smelted.record.parts:
        changed = [
            PartObject.of(planted(Manifest.of(one.body, Provenance(component=part.name, origin=one.path)), put("data", key, value=text)), one.path)
            if (one.id.kind, one.id.name) == ("ConfigMap", name)
            else one
            for one in part.objects
        ]  # fmt: skip
        parts.append(replace(part, objects=tuple(changed)))
    assert parts != list(everything.smelted.record.parts)
    return parts


def engine(everything: Forged, parts: Iterable[Part]) -> Counter[str]:
    of_parts = list(parts)
    origins = {item.path: item.path for part in of_parts for item in part.objects}
    return Counter(finding.code for finding in engine_settings.findings(everything.stack, of_parts, origins))


HEALTHY: Final = "return {status = 'Healthy'}"
UNGATED: Final = (
    HEALTHY,
    "hs = {} hs.status = 'Healthy' return hs",
    "return obj.status.health",
    "hs = obj.status.health hs.message = 'async' return hs",
    "if obj.status == nil then return {status = 'Progressing'} end return obj.status.health",
    "if obj.status ~= nil then if obj.status.health ~= nil then return obj.status.health end end",
    "hs = {} hs.status = obj.status.health.status return hs",
    "local health = obj.status['health'] return health",
    "hs = {status = 'Progressing'} if obj.status.operationState.phase == 'Succeeded' then hs.status = 'Healthy' end return hs",
    "-- waits for obj.status.sync\nreturn obj.status.health",
)
GATED: Final = (
    HEALTH,
    "if obj.status.sync.status ~= 'Synced' then return {status = 'Progressing'} end return obj.status.health",
    "if obj.status['sync'].status ~= 'Synced' then return {status = 'Progressing'} end return obj.status.health",
    'local sync = obj.status["sync"] return sync.status == "Synced" and obj.status.health or {status = "Progressing"}',
)


@pytest.mark.parametrize(("scripts", "is_found"), [(UNGATED, True), (GATED, False)])
def test_waves_that_do_not_wait_are_found(everything: Forged, scripts: tuple[str, ...], is_found: bool) -> None:
    for script in scripts:
        codes = engine(everything, with_setting(everything, SETTINGS_MAP, HEALTH_KEY, script))
        assert codes["unhealthy-gate"] == is_found, script


def test_components_beyond_the_limit_of_the_engine_are_found(everything: Forged) -> None:
    """Each limit lies between the sizes of two Applications: so many are named."""
    parts = with_setting(everything, PARAMETERS_MAP, LIMIT_KEY, "0")
    assert not engine(everything, parts)["engine-limit"]
    sizes = sorted((size for _, size in crds.sizes(parts)), reverse=True)
    tried = [number for number in range(1, len(sizes)) if sizes[number - 1] > sizes[number] + 200][:MOST]
    for number in tried:
        limited = with_setting(everything, PARAMETERS_MAP, LIMIT_KEY, str(sizes[number] + 100))
        assert engine(everything, limited)["engine-limit"] == number
    assert len(tried) >= LEAST
