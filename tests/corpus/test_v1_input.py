"""The input of the first implementation, as a whole and by its selections, without the objects that it lost.

The expected objects are read from the raw files by PyYAML alone, every scalar as text.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from helm_python import _native

from cluster_forge.foundation.errors import DescriptionError, ManifestError
from cluster_forge.manifests.finding import Severity
from cluster_forge.stack import convert

if TYPE_CHECKING:
    from tests.corpus.conftest import Forged, Workspaces

pytestmark = pytest.mark.corpus

V1_INPUT = "v1-input"
SELECTIONS = ("core", "enterprise-ai", "nuage", "weka")
BROKEN = ("rabbitmq-airm-config", "keycloak")
ONE_NODE = ("kueue-onenode", "kyverno-onenode")
SHARED = {"amd-gpu-operator": "prometheus-app-config"}
"""A component that has the only object of another component, too, with equal content; it needs others and comes later."""

RIVAL = "prometheus"
"""It defines two cluster roles with the names of `kube-prometheus-stack`'s and with other rules: a real conflict. Its claims
need a StorageClass, so it is applied later for that reason, and has the finding."""

COUNTS = {
    "deleted-volumes": 1,
    "duplicate-object": 13,
    "hook-dropped": 7,
    "missing-reference": 26,
    "order-cycle": 1,
    "plaintext-secret": 11,
    "pod-security": 6,
    "policy-violation": 33,
    "port-conflict": 3,
    "rbac-wide": 49,
    "unpinned-image": 6,
    "wave-conflict": 10,
}
"""The findings about the whole input, each looked at, by code; those with an error are `duplicate-object` alone."""

WITH_VOLUMES = {"grafana-loki"}
"""Their StatefulSets say that their volumes are deleted with them."""

Raw = dict[str, Any]
Id = tuple[str, str, str]


def corrected(description: str) -> str:
    """The description with the manifests of `keycloak` instead of their Helm values, which it names by mistake."""
    assert description.count("keycloak/keycloak-values.yaml") == 1
    return description.replace("keycloak/keycloak-values.yaml", "keycloak/manifests/sourced")


def raw_documents(text: str) -> Iterator[Raw]:
    for document in yaml.load_all(text, yaml.CBaseLoader):
        if isinstance(document, dict) and "kind" in document:
            yield from document["items"] if document["kind"] == "List" else [document]


@cache
def raw_objects(file: Path) -> list[Raw]:
    return list(raw_documents(file.read_text()))


class RawInput:
    """The raw files, read by PyYAML."""

    def __init__(self, folder: Path, description: str) -> None:
        self._folder = folder
        entries = yaml.load(description, yaml.CSafeLoader)
        self.paths: dict[str, list[str]] = {
            entry["name"]: entry["manifestpath"] for entry in entries if "manifestpath" in entry
        }
        lines = description.splitlines()
        self.lines = {entry["name"]: lines.index(f"- name: {entry['name']}") + 1 for entry in entries}

    def objects(self, component: str) -> list[tuple[str, Raw]]:
        """Every object with its file, in the order of ``manifestpath``."""
        objects = []
        for path in self.paths[component]:
            place = self._folder / path.strip("/")
            files = [place] if place.is_file() else sorted(place.rglob("*.y*ml"))
            objects += [(str(file), body) for file in files for body in raw_objects(file)]
        return objects

    def last(self, component: str) -> dict[Id, Raw]:
        """The objects by kind, written namespace and name; those of later paths replace those of earlier ones."""
        return {identity(body): body for _, body in self.objects(component)}


UNNAMESPACED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "MutatingWebhookConfiguration",
    "NodeFeatureRule",
    "ValidatingWebhookConfiguration",
}
"""Kinds of objects without a namespace, to which components write one."""


def identity(body: Raw) -> Id:
    metadata = body["metadata"]
    return body["kind"], metadata.get("namespace") or "", metadata.get("name") or metadata["generateName"]


def written(forged: Forged, component: str) -> Mapping[Id, Raw]:
    """The objects in ``working/``, hooks included, as Go's YAML reads them."""
    return read_folder(forged.folder / "working" / component)


@cache
def read_folder(folder: Path) -> Mapping[Id, Raw]:
    objects: dict[Id, Raw] = {}
    for file in sorted(folder.rglob("*.yaml")):
        body = json.loads(_native.call_string("helm_values_from_yaml", file.read_text()))
        assert identity(body) not in objects
        objects[identity(body)] = body
    return objects


def in_namespace(objects: Mapping[Id, Raw], wanted: Id, namespace: str) -> Raw | None:
    """The object in its own namespace, or in the namespace of its component; in none if its kind has none."""
    kind, own, name = wanted
    places = [""] if kind in UNNAMESPACED else [own, own or namespace]
    return next((objects[kind, place, name] for place in places if (kind, place, name) in objects), None)


def is_test(body: Raw) -> bool:
    return "test" in str((body["metadata"].get("annotations") or {}).get("helm.sh/hook", "")).split(",")


def called_description(value: Any, *, are_names: bool = False) -> int:
    """How many properties of a schema are called ``description`` (a name below ``properties``, not a text about it)."""
    if isinstance(value, list):
        return sum(map(called_description, value))
    if not isinstance(value, dict):
        return 0
    own = int(are_names and "description" in value)
    return own + sum(
        called_description(inner, are_names=key == "properties" and not are_names) for key, inner in value.items()
    )


@pytest.fixture(scope="module")
def raw_input(corpus: Path) -> RawInput:
    return RawInput(corpus / V1_INPUT, corrected((corpus / V1_INPUT / "config.yaml").read_text()))


@pytest.fixture(scope="module")
def whole(workspaces: Workspaces) -> Forged:
    """All components that do not conflict."""
    folder = workspaces.make(V1_INPUT, corrected)
    return workspaces.forge(folder, skip=("rabbitmq-airm-config", *ONE_NODE, RIVAL))


@pytest.fixture(scope="module")
def rest(workspaces: Workspaces) -> Forged:
    """The components that `whole` leaves out."""
    return workspaces.forge(workspaces.make(V1_INPUT, corrected), names=(*ONE_NODE, RIVAL))


@pytest.fixture(scope="module")
def both(whole: Forged, rest: Forged) -> Mapping[str, Forged]:
    """The workspace of each component."""
    parts = {str(component.name): forged for forged in (whole, rest) for component in forged.stack.components}
    assert len(parts) == len(whole.stack.components) + len(rest.stack.components)
    return parts


class TestErrors:
    def test_a_missing_folder_is_reported_with_its_line(self, workspaces: Workspaces, raw_input: RawInput) -> None:
        with pytest.raises(DescriptionError, match="input/rabbitmq-airm-config does not exist") as caught:
            workspaces.load(workspaces.make(V1_INPUT))
        first = raw_input.lines["rabbitmq-airm-config"]
        assert caught.value.where in {f"input/config.yaml:{first + more}" for more in range(5)}

    def test_values_instead_of_manifests_are_reported_with_their_file(self, workspaces: Workspaces) -> None:
        with pytest.raises(ManifestError) as caught:
            workspaces.forge(workspaces.make(V1_INPUT), skip=("rabbitmq-airm-config",))
        error = caught.value
        assert error.where == "input/keycloak/keycloak-values.yaml:1"
        assert "component keycloak: " in error.message
        assert "values" in f"{error.message} {error.fix}"

    def test_only_real_conflicts_are_findings(self, workspaces: Workspaces) -> None:
        everything = workspaces.forge(
            workspaces.make(V1_INPUT, corrected), skip=("rabbitmq-airm-config",), allow=("duplicate-object",)
        ).smelted
        errors = [each for each in everything.findings if each.message.startswith("defined twice, with differences")]
        assert sorted((str(each.component), each.object.name) for each in errors if each.object) == [
            ("kueue-onenode", "clusterforge-kueue-info"),
            ("kueue-onenode", "kueue-controller-manager"),
            ("kyverno-onenode", "clusterforge-kyverno-info"),
            ("kyverno-onenode", "kyverno-admission-controller"),
            (RIVAL, "prometheus-kube-state-metrics"),
            (RIVAL, "prometheus-kube-state-metrics"),
        ]
        shared = {
            str(each.component)
            for each in everything.findings
            if each.severity is Severity.WARNING
            and each.code == "duplicate-object"
            and "with differences" not in each.message
        }
        assert shared == {*ONE_NODE, *SHARED}
        assert Counter(each.code for each in everything.findings) == COUNTS
        assert {str(each.component) for each in everything.findings if each.code == "deleted-volumes"} == WITH_VOLUMES


class TestObjects:
    def test_every_object_of_every_file_is_written(self, raw_input: RawInput, both: Mapping[str, Forged]) -> None:
        assert both.keys() == raw_input.paths.keys() - {"rabbitmq-airm-config"}
        count, lost = 0, list[str]()
        for name, forged in both.items():
            objects_written = written(forged, name)
            namespace = forged.component(name).namespace
            others = [written(forged, SHARED[name])] if name in SHARED else []
            for wanted, raw in raw_input.last(name).items():
                if wanted[0] == "Namespace" and wanted not in objects_written:
                    others = [*others, written(forged, "namespaces")]  # another component uses it, too, and not later
                is_there = any(in_namespace(objects, wanted, namespace) for objects in (objects_written, *others))
                lost += [] if is_there or is_test(raw) else [f"{name}: {wanted}"]
                count += 1
        assert lost == []
        assert count > 1100

    def test_later_objects_replace_earlier_ones_in_their_component_only(
        self, raw_input: RawInput, both: Mapping[str, Forged]
    ) -> None:
        """Four objects are in two files on purpose: the later one is written, with a notice."""
        replaced = []
        for name, forged in both.items():
            every = [identity(body) for _, body in raw_input.objects(name)]
            duplicates = sorted({key for key in every if every.count(key) > 1})
            notices = [
                finding.object
                for finding in forged.smelted.findings
                if finding.component == name
                and finding.severity is Severity.NOTICE
                and finding.code == "duplicate-object"
            ]
            assert sorted((key.kind, key.namespace, key.name) for key in notices if key) == duplicates
            replaced += [(name, key) for key in duplicates]
        assert len(replaced) == 4
        for name, wanted in replaced:
            first, last = [body for _, body in raw_input.objects(name) if identity(body) == wanted]
            assert first != last
            replacing = written(both[name], name)[wanted]
            base = written(both["kueue"], name.removesuffix("-onenode"))[wanted]
            kind = "spec" if wanted[0] == "Deployment" else "data"
            assert strings(replacing[kind]) == strings(last[kind])
            assert strings(base[kind]) == strings(first[kind])

    def test_every_object_of_keycloak_is_written(self, raw_input: RawInput, whole: Forged) -> None:
        for component in ("keycloak", "keycloak-config"):
            wanted = raw_input.last(component)
            assert len(wanted) >= 10
            objects = written(whole, component)
            assert all(in_namespace(objects, key, whole.component(component).namespace) for key in wanted)

    def test_shebangs_comments_and_separators_stay_in_config_maps(
        self, raw_input: RawInput, both: Mapping[str, Forged]
    ) -> None:
        """Every text of every ConfigMap and Secret is equal; at least nine have lines that the first implementation lost."""
        with_marks = set()
        for name, forged in both.items():
            objects_written = written(forged, name)
            for wanted, raw in raw_input.last(name).items():
                body = in_namespace(objects_written, wanted, forged.component(name).namespace)
                if wanted[0] not in ("ConfigMap", "Secret") or body is None:
                    continue
                texts = texts_of(raw)
                assert texts_of(body) == texts, f"{name}: {wanted}"
                lines = [line.strip() for text in texts.values() for line in str(text).split("\n")]
                if any(line.startswith("#") or "---" in line for line in lines):
                    with_marks.add((name, wanted))
        assert len(with_marks) >= 9

    def test_properties_called_description_stay_in_schemas(
        self, raw_input: RawInput, both: Mapping[str, Forged]
    ) -> None:
        total = 0
        for name, forged in both.items():
            objects_written = written(forged, name)
            for wanted, raw in raw_input.last(name).items():
                if wanted[0] == "CustomResourceDefinition":
                    number = called_description(raw)
                    assert called_description(objects_written[wanted]) == number, f"{name}: {wanted}"
                    total += number
        assert total >= 20


def texts_of(body: Raw) -> Raw:
    """The entries of a ConfigMap or Secret; ``data`` may be null."""
    return {
        key: text
        for part in ("data", "stringData")
        if isinstance(body.get(part), dict)
        for key, text in body[part].items()
    }


def strings(value: Any) -> list[str]:
    """The texts of a tree, in an order that does not depend on how they are written."""
    if isinstance(value, dict):
        return [text for key in sorted(value) for text in (key, *strings(value[key]))]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [str(value).lower()]


class TestConvert:
    def test_the_native_form_of_the_whole_list_gives_the_same_bytes(
        self, workspaces: Workspaces, whole: Forged
    ) -> None:
        skip = ("rabbitmq-airm-config", *ONE_NODE, RIVAL)
        native = convert.native(workspaces.load(workspaces.make(V1_INPUT, corrected), skip=skip))
        converted = workspaces.forge(workspaces.make(V1_INPUT, lambda _: native), skip=skip)
        assert files_of(converted.folder) == files_of(whole.folder)
        assert converted.stack.name == whole.stack.name

    @pytest.mark.parametrize("selection", SELECTIONS)
    def test_a_selection_and_its_native_form_give_the_same_bytes(self, workspaces: Workspaces, selection: str) -> None:
        options: dict[str, Any] = {"select": (f"config-silogen-{selection}.yaml",), "skip": ("keycloak",)}
        folder = workspaces.make(V1_INPUT)
        selected = workspaces.forge(folder, **options)
        assert selected.smelted.is_written
        assert [finding for finding in selected.smelted.findings if finding.severity is Severity.ERROR] == []
        deleted = {str(finding.component) for finding in selected.smelted.findings if finding.code == "deleted-volumes"}
        assert deleted <= WITH_VOLUMES
        native = convert.native(workspaces.load(folder, **options))
        converted = workspaces.forge(workspaces.make(V1_INPUT, lambda _: native), skip=("keycloak",))
        assert files_of(converted.folder) == files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """``working/`` without the record, which has the fingerprint of the description."""
    working = folder / "working"
    files = {str(path.relative_to(working)): path.read_bytes() for path in working.rglob("*") if path.is_file()}
    assert len(files) > 300
    del files[".smelt.json"]
    return files
