"""Real charts: the smelted objects are what Helm's engine renders, recomputed here without the pipeline.

Charts are taken from the mirror by its index, rendered by ``helm_python`` with values read by PyYAML, split by Helm's own
regular expression and read by Go's YAML. Only three things may differ: namespaces that were missing are filled in, what holds
data is annotated (no engine deletes it), and what a chart draws at random. That is not assumed but measured: each chart is rendered twice here, and exactly the
values that differ between those two renders are left out of the comparison.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import pytest
import yaml
from helm_python import Chart, _native

from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Body

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged

pytestmark = pytest.mark.corpus

HELM_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
FILE_SEPARATOR = re.compile(r"^---[^\n]*\n", re.M)
Key = tuple[str, str, str, str]
Path_ = tuple[str | int, ...]
Item = TypeVar("Item")
Result = TypeVar("Result")

ADDED = {
    "argocd.argoproj.io/sync-options": ["Prune=false", "Delete=false"],
    "argocd.argoproj.io/compare-options": ["IgnoreExtraneous"],
}
WITH_DATA = ("Namespace", "PersistentVolumeClaim", "PersistentVolume", "CustomResourceDefinition")

UNNAMESPACED = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
"""Kinds of objects without a namespace, to which kueue writes one."""

RANDOM = {"everything": {"harbor", "seaweedfs"}, "prd": set()}
"""The components that draw anything at random with the values that the stacks give them."""


def go_yaml(text: str) -> Any:
    """What Kubernetes sees, by Go's own reader, which rounds integers above 2^53."""
    return orjson.loads(_native.call_string("helm_values_from_yaml", text))


def rounded(value: Any) -> Any:
    """The same, with integers above 2^53 as floats: so they are comparable with what `go_yaml` gives."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    is_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53
    return float(value) if is_large else value


@cache
def helm_documents(text: str) -> list[str]:
    """Helm, ``SplitManifests``, and the line break that Helm writes after each document."""
    return [piece.lstrip() + "\n" for piece in HELM_SEPARATOR.split(text.lstrip()) if piece.strip()]


@dataclass(frozen=True)
class Recomputed:
    """The objects of one component, each with the paths of what is random in it."""

    objects: Mapping[Key, tuple[Body, frozenset[Path_]]]


def at_once(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Helm's library works without Python's lock, so two threads keep two cores busy."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


class Independent:
    """A stack's charts and URLs, rendered apart from the pipeline."""

    def __init__(self, corpus: Path, stack: str) -> None:
        self.name = stack
        self._mirror = corpus / "mirror"
        index = yaml.load((self._mirror / "index.yaml").read_bytes(), yaml.CSafeLoader)
        self._charts = {
            (chart["repository"], chart["name"], str(chart["version"])): chart["file"] for chart in index["charts"]
        }
        self._manifests = {manifest["url"]: manifest["file"] for manifest in index["manifests"]}
        described = yaml.load((corpus / "stacks" / stack / "input" / "config.yaml").read_bytes(), yaml.CSafeLoader)
        self.kubernetes = described["target"]["kubernetes"]
        self.components: list[dict[str, Any]] = described["components"]
        self._apis: set[str] = set()
        self._texts: dict[str, list[str]] = {}
        while (apis := self._visible_apis()) != self._apis:
            self._apis = apis

    def recompute(self) -> dict[str, Recomputed]:
        """The objects of every component."""
        return {
            component["name"]: recomputed
            for component, recomputed in zip(self.components, at_once(self._recomputed, self.components), strict=True)
        }

    def _recomputed(self, component: Mapping[str, Any]) -> Recomputed:
        first, second = self._texts[component["name"]], self._documents(component)
        objects: dict[Key, tuple[Body, frozenset[Path_]]] = {}
        for text, other in zip(first, second, strict=True):
            body, again = parsed(text), None if text == other else parsed(other)
            for raw, other_raw in zip(unrolled(body), unrolled(again or body), strict=True):
                item = as_stored(raw)
                other_item = item if raw is other_raw else as_stored(other_raw)
                key = key_of(item, component.get("namespace") or "default")
                drawn = frozenset() if item is other_item else frozenset(differences(item, other_item))
                known = objects.setdefault(key, (item, drawn))
                assert known[0] == item, f"{key} is twice in one component"
        return Recomputed(objects)

    def _visible_apis(self) -> set[str]:
        """The API versions that the stack's CRDs add, when the ones found so far are visible."""

        def defined_by(component: Mapping[str, Any]) -> set[str]:
            texts = self._texts[component["name"]] = self._documents(component)
            return {api for text in texts if "CustomResourceDefinition" in text for api in crd_names(text)}

        return set().union(*at_once(defined_by, self.components))

    def _documents(self, component: Mapping[str, Any]) -> list[str]:
        texts: list[str] = []
        if "helm" in component:
            templates, crds = self._rendered(component)
            texts += [text for path in sorted(templates) for text in helm_documents(templates[path])]
            texts += [text for data in crds for text in FILE_SEPARATOR.split(data)]
        for url in component.get("manifests", ()):
            texts += FILE_SEPARATOR.split((self._mirror / self._manifests[url]).read_text())
        return [
            text
            for text in texts
            if any(line and not line.startswith("#") for line in map(str.strip, text.split("\n")))
        ]

    def _rendered(self, component: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
        helm = component["helm"]
        file = self._charts[helm["repository"], helm["chart"], str(helm["version"])]
        options = {
            "name": helm.get("release", component["name"]),
            "namespace": component.get("namespace") or "default",
            "kube_version": f"v{self.kubernetes}.0",
            "api_versions": [*kubernetes_apis.api_versions(int(self.kubernetes.split(".")[1])), *sorted(self._apis)],
        }
        with Chart.load(self._mirror / file) as chart:
            output = _native.call_string(
                "helm_render", chart._raw(), json.dumps(component.get("values") or {}), json.dumps(options)
            )
            templates = {path: text for path, text in json.loads(output).items() if not path.endswith("NOTES.txt")}
            return templates, [crd["data"] for crd in chart.crds]


@cache
def crd_names(text: str) -> frozenset[str]:
    body = parsed(text)
    if not body or body.get("kind") != "CustomResourceDefinition":
        return frozenset()
    spec = body["spec"]
    versions = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]
    return frozenset(versions) | {f"{version}/{spec['names']['kind']}" for version in versions}


@cache
def parsed(text: str) -> Any:
    return go_yaml(text)


def unrolled(body: Any) -> list[Any]:
    if not body:
        return []
    return list(body["items"]) if body.get("kind") == "List" else [body]


def without_server_fields(body: Any) -> Any:
    """The object without what generators leave empty of the fields that a server sets; nothing else may be dropped."""
    if not isinstance(body, dict):
        return body
    metadata = {key: value for key, value in body["metadata"].items() if key != "creationTimestamp" or value}
    kept = {key: value for key, value in body.items() if key != "status" or has_content(value)}
    return {**kept, "metadata": metadata}


def has_content(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(has_content, value.values() if isinstance(value, dict) else value))
    return value not in (None, "")


def as_stored(body: Body) -> Body:
    """The object without what an API server drops: its own fields, and a namespace of what has none."""
    kept: Body = without_server_fields(body)
    if kept["kind"] not in UNNAMESPACED:
        return kept
    return {**kept, "metadata": {key: value for key, value in kept["metadata"].items() if key != "namespace"}}


def key_of(body: Body, namespace: str) -> Key:
    metadata = body["metadata"]
    return body["apiVersion"], body["kind"], metadata.get("namespace") or namespace, metadata["name"]


def differences(one: Any, other: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The paths of the leaves that differ; the trees themselves must have the same shape."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differences(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (inner, other_inner) in enumerate(zip(one, other, strict=True)):
            yield from differences(inner, other_inner, (*path, number))
    elif one != other:
        assert type(one) is type(other), path
        yield path


def without_filled_in(ours: Body, theirs: Body, namespace: str) -> Body:
    """Our object without the namespaces that the pipeline filled in: where Helm's has none, and only the component's."""
    body = dict(ours)
    if "namespace" in body["metadata"] and not theirs["metadata"].get("namespace"):
        assert body["metadata"]["namespace"] == namespace
        kept = {key: value for key, value in body["metadata"].items() if key != "namespace"}
        body["metadata"] = kept | (
            {"namespace": theirs["metadata"]["namespace"]} if "namespace" in theirs["metadata"] else {}
        )
    if body["kind"] == "ClusterRoleBinding" and body.get("subjects"):
        pairs = zip(body["subjects"], theirs["subjects"], strict=True)
        body["subjects"] = [
            {key: value for key, value in subject.items() if key in bare or value != namespace}
            for subject, bare in pairs
        ]
    return body


def without_retention(ours: Body, theirs: Body) -> Body:
    """Our object without what the pipeline added to Argo CD's options of objects that hold data."""
    if ours["kind"] not in WITH_DATA:
        return ours
    metadata = dict(ours["metadata"])
    notes, bare = dict(metadata.pop("annotations", None) or {}), theirs["metadata"].get("annotations") or {}
    for key, added in ADDED.items():
        options, before = notes.pop(key).split(","), list(filter(None, [bare.get(key)]))
        assert options == [*before, *added]
        notes |= {key: bare[key] for key in (key,) if key in bare}
    if "annotations" in theirs["metadata"]:
        metadata["annotations"] = notes or theirs["metadata"]["annotations"]
    return {**ours, "metadata": metadata}


def is_test(body: Body) -> bool:
    events = str((body["metadata"].get("annotations") or {}).get("helm.sh/hook", "")).split(",")
    return {event.strip() for event in events} <= {"test", "test-success", "test-failure"}


def is_served(body: Body, minor: int) -> bool:
    """Whether the target serves the object: Helm's library shows charts the API versions of its own Kubernetes client, too."""
    group, _, version = body["apiVersion"].rpartition("/")
    served = kubernetes_apis.served_minors(group, version, body["kind"])
    return not kubernetes_apis.is_built_in(group) or minor in served


@pytest.fixture(scope="module", params=["everything", "prd"])
def forged(request: pytest.FixtureRequest) -> Forged:
    workspace: Forged = request.getfixturevalue(request.param)
    return workspace


@pytest.fixture(scope="module")
def independent(corpus: Path, forged: Forged) -> Independent:
    return Independent(corpus, forged.stack.name)


def test_every_chart_renders_and_everything_is_written(forged: Forged) -> None:
    assert forged.smelted.is_written
    assert {part.name for part in forged.smelted.record.parts} - {"namespaces"} == {
        component.name for component in forged.stack.components
    }
    assert all(group.manifests for content in forged.contents.values() for group in content.groups[:1])


def later_hooks(forged: Forged, component: str) -> dict[str, Body]:
    """The hooks of a component that an installation does not run, by their files in ``working/``."""
    folder = f"{component}/hooks/"
    assert forged.smelted.tree is not None
    return {
        path: PurePythonYaml().read(content.decode())
        for path, content in forged.smelted.tree.files.items()
        if path.startswith(folder)
    }


def test_every_object_is_what_helms_engine_gives(forged: Forged, independent: Independent) -> None:
    """Body for body, in both directions: nothing is missing, nothing is added but namespaces."""
    parts = {str(part.name): part for part in forged.smelted.record.parts}
    owned = {key_of(each.body, ""): each.body for part in parts.values() for each in part.objects}
    minor = forged.stack.target.kubernetes.minor
    random: set[str] = set()
    compared = 0
    recomputed_objects = independent.recompute()
    for name, recomputed in recomputed_objects.items():
        namespace = forged.component(name).namespace or "default"
        theirs = dict(recomputed.objects)
        part = parts[name]
        for ours in (*(known.body for known in part.objects), *later_hooks(forged, name).values()):
            key = key_of(ours, namespace)
            assert key in theirs, f"{name}: {key} is not Helm's"
            body, drawn = theirs.pop(key)
            said = without_retention(without_filled_in(ours, body, namespace), body)
            assert said == body or frozenset(differences(rounded(said), rounded(body))) <= drawn, f"{name}: {key}"
            random |= {name} if drawn else set()
            compared += 1
        for key, (body, _) in theirs.items():
            shared = owned.get(key_of(body, ""))
            is_shared = shared is not None and rounded(without_retention(shared, body)) == rounded(body)
            assert is_test(body) or is_shared or not is_served(body, minor), f"{name}: {key} is lost"
    assert random == RANDOM[independent.name]
    assert compared == sum(len(parts[name].objects) + len(later_hooks(forged, name)) for name in recomputed_objects)


def test_every_object_survives_being_written(forged: Forged) -> None:
    """A file in ``working/`` is read as the object by Go's YAML, and to the last digit by the exact reader."""
    exact = PurePythonYaml()
    objects = [known for part in forged.smelted.record.parts for known in part.objects]
    bodies = at_once(lambda known: go_yaml(forged.text(known.path)), objects)
    for known, body in zip(objects, bodies, strict=True):
        if body != known.body:
            assert rounded(body) == rounded(known.body), known.id
            assert exact.read(forged.text(known.path)) == known.body, known.id


def test_every_namespaced_object_has_its_namespace(forged: Forged) -> None:
    made = {
        each.id.name for part in forged.smelted.record.parts for each in part.objects if each.id.kind == "Namespace"
    } | {
        "default",
        "kube-system",
    }
    for part in forged.smelted.record.parts:
        for each in part.objects:
            if kubernetes_apis.is_namespaced(each.id.group, each.id.kind, forged.stack.target.kubernetes.minor):
                assert each.id.namespace in made, each.id


def findings(forged: Forged, severity: Severity) -> list[tuple[str, str | None, str]]:
    return [
        (finding.code, finding.component, str(finding.object))
        for finding in forged.smelted.findings
        if finding.severity is severity
    ]


EVERYTHING = {
    "helm-warning": "promtail",  # the chart is deprecated
    # Both charts contain node-feature-discovery, which is also a component of the stack. The DeviceClass of 1.34 that one of
    # them has where the cluster serves it is not rendered: charts see the API versions of the target alone.
    "duplicate-object": "amd-gpu-operator nvidia-gpu-operator",
    "duplicate-provider": "amd-gpu-operator nvidia-gpu-operator",
    "missing-port": "amd-gpu-operator",
    # Secrets that people make.
    "missing-reference": "1password-connect gitea grafana harbor kube-prometheus-stack minio-tenant openobserve redis "
    "valkey velero velero",
    "plaintext-secret": "harbor harbor harbor harbor harbor mimir mimir openobserve seaweedfs",
    "pod-security": "alloy amd-gpu-operator kube-prometheus-stack longhorn metallb node-feature-discovery "
    "nvidia-gpu-operator prometheus promtail seaweedfs seaweedfs seaweedfs velero",
    # Its own policies, which audit.
    "policy-violation": "alloy amd-gpu-operator kube-prometheus-stack kube-prometheus-stack longhorn longhorn metallb metallb "
    "node-feature-discovery nvidia-gpu-operator prometheus prometheus promtail seaweedfs seaweedfs seaweedfs velero",
    "port-conflict": "prometheus",  # two node exporters
    "rbac-wide": "argo-cd argo-cd longhorn longhorn velero",
    "unhealthy-gate": "argo-cd",
    "unpinned-image": "otel-lgtm-stack",
}
"""The components with a warning, each as often as it has one, by code."""

PRD = {
    "helm-warning": "promtail",
    "missing-crd": " ".join(
        ["kube-prometheus-stack"] * 4
    ),  # `crds.enabled: false`, and no other component defines them
    "missing-port": "amd-gpu-operator",
    "missing-reference": "1password-connect grafana kube-prometheus-stack minio-tenant openobserve redis",
    "plaintext-secret": "mimir mimir openobserve",
    "pod-security": "amd-gpu-operator kube-prometheus-stack longhorn metallb prometheus promtail",
    "port-conflict": "prometheus",
    "rbac-wide": "longhorn longhorn",
    "unpinned-image": "otel-lgtm-stack",
}


def warnings(forged: Forged) -> dict[str, str]:
    by_code: defaultdict[str, list[str]] = defaultdict(list)
    for code, component, _ in findings(forged, Severity.WARNING):
        by_code[code].append(str(component))
    return {code: " ".join(sorted(components)) for code, components in by_code.items()}


def dropped_hooks(forged: Forged) -> list[str | None]:
    return [component for code, component, _ in findings(forged, Severity.NOTICE) if code == "hook-dropped"]


def test_only_true_findings_about_everything(everything: Forged) -> None:
    assert findings(everything, Severity.ERROR) == []
    assert warnings(everything) == EVERYTHING
    assert dropped_hooks(everything) == with_hooks(everything)


def test_only_true_findings_about_prd(prd: Forged) -> None:
    assert findings(prd, Severity.ERROR) == []
    assert warnings(prd) == PRD
    missing = [finding.message for finding in prd.smelted.findings if finding.code == "missing-crd"]
    assert [re.findall(r"of kind (\w+)", message) for message in missing] == [
        ["Alertmanager"],
        ["Prometheus"],
        ["PrometheusRule"],
        ["ServiceMonitor"],
    ]
    assert dropped_hooks(prd) == with_hooks(prd)


def with_hooks(forged: Forged) -> list[str]:
    """The components with hooks that are not applied, once for tests and once for others, in the order of the stack."""
    names = []
    for component in forged.stack.components:
        bodies = [manifest.body for group in forged.contents[component.name].groups for manifest in group.manifests]
        events = [str((body["metadata"].get("annotations") or {}).get("helm.sh/hook", "")) for body in bodies]
        tests = [event for event in events if event.startswith("test")]
        later = [event for event in events if event and event not in tests and "-install" not in event]
        names += [str(component.name)] * (bool(tests) + bool(later))
    return names


def test_hooks_of_later_events_are_kept_aside(everything: Forged) -> None:
    later = {body["metadata"]["name"] for body in later_hooks(everything, "longhorn").values()}
    assert later == {"longhorn-post-upgrade", "longhorn-uninstall"}
    applied = {each.id.name for part in everything.smelted.record.parts for each in part.objects}
    assert not applied & {"longhorn-uninstall", "mimir-smoke-test", "1password-connect-health-check"}
