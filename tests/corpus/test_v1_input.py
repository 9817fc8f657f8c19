"""The first implementation's own input: smelted whole and by its selections, and nothing of what it lost is lost here.

What must not be lost is derived from the raw files by PyYAML alone, every scalar taken as text.
"""

from __future__ import annotations

import json
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

SEED = "v1-input"
SELECTIONS = ("core", "enterprise-ai", "nuage", "weka")
BROKEN = ("rabbitmq-airm-config", "keycloak")
ONE_NODE = ("kueue-onenode", "kyverno-onenode")
SHARED = {"prometheus-app-config": "amd-gpu-operator"}
"""A component whose one object another component brings, too, equal."""

RIVAL = "prometheus"
"""It and kube-prometheus-stack define two cluster roles of one name in different ways: a true conflict."""

Raw = dict[str, Any]
Id = tuple[str, str, str]


def mended(description: str) -> str:
    """The description with `keycloak` as it was meant: its manifests, not the values that they were made with."""
    assert description.count("keycloak/keycloak-values.yaml") == 1
    return description.replace("keycloak/keycloak-values.yaml", "keycloak/manifests/sourced")


def raw_documents(text: str) -> Iterator[Raw]:
    for document in yaml.load_all(text, yaml.CBaseLoader):
        if isinstance(document, dict) and "kind" in document:
            yield from document["items"] if document["kind"] == "List" else [document]


@cache
def raw_objects(file: Path) -> list[Raw]:
    return list(raw_documents(file.read_text()))


class Seed:
    """The raw files, read by PyYAML."""

    def __init__(self, folder: Path, description: str) -> None:
        self._folder = folder
        entries = yaml.load(description, yaml.CSafeLoader)
        self.paths: dict[str, list[str]] = {
            each["name"]: each["manifestpath"] for each in entries if "manifestpath" in each
        }
        self.lines = {each["name"]: description.splitlines().index(f"- name: {each['name']}") + 1 for each in entries}

    def objects(self, component: str) -> list[tuple[str, Raw]]:
        """Every object with the file that it stands in, in the order of ``manifestpath``."""
        found = []
        for path in self.paths[component]:
            place = self._folder / path.strip("/")
            files = [place] if place.is_file() else sorted(each for each in place.rglob("*.y*ml"))
            found += [(str(file), each) for file in files for each in raw_objects(file)]
        return found

    def last(self, component: str) -> dict[Id, Raw]:
        """By kind, namespace as written and name; a later path's object replaces an earlier one's."""
        return {identity(each): each for _, each in self.objects(component)}


def identity(body: Raw) -> Id:
    metadata = body["metadata"]
    return body["kind"], metadata.get("namespace") or "", metadata.get("name") or metadata["generateName"]


def written(forged: Forged, component: str) -> Mapping[Id, Raw]:
    """The objects in ``working/``, hooks included, as Go's YAML reads them."""
    return read_folder(forged.folder / "working" / component)


@cache
def read_folder(folder: Path) -> Mapping[Id, Raw]:
    found: dict[Id, Raw] = {}
    for file in sorted(folder.rglob("*.yaml")):
        body = json.loads(_native.call_string("helm_values_from_yaml", file.read_text()))
        assert identity(body) not in found
        found[identity(body)] = body
    return found


def in_namespace(found: Mapping[Id, Raw], wanted: Id, namespace: str) -> Raw | None:
    """The object, in the namespace that it names or in that which was filled in."""
    kind, own, name = wanted
    return next((found[key] for key in ((kind, own, name), (kind, own or namespace, name)) if key in found), None)


def is_test(body: Raw) -> bool:
    return "test" in str((body["metadata"].get("annotations") or {}).get("helm.sh/hook", "")).split(",")


def called_description(value: Any, *, are_names: bool = False) -> int:
    """How many properties of a schema are called ``description`` (a name below ``properties``, not a text about it)."""
    if isinstance(value, list):
        return sum(map(called_description, value))
    if not isinstance(value, dict):
        return 0
    found = int(are_names and "description" in value)
    return found + sum(
        called_description(inner, are_names=key == "properties" and not are_names) for key, inner in value.items()
    )


@pytest.fixture(scope="module")
def seed(corpus: Path) -> Seed:
    return Seed(corpus / SEED, mended((corpus / SEED / "config.yaml").read_text()))


@pytest.fixture(scope="module")
def whole(workspaces: Workspaces) -> Forged:
    """Everything at once but what contradicts it."""
    folder = workspaces.make(SEED, mended)
    return workspaces.forge(folder, skip=("rabbitmq-airm-config", *ONE_NODE, RIVAL))


@pytest.fixture(scope="module")
def rest(workspaces: Workspaces) -> Forged:
    """What `whole` leaves out."""
    return workspaces.forge(workspaces.make(SEED, mended), names=(*ONE_NODE, RIVAL))


@pytest.fixture(scope="module")
def both(whole: Forged, rest: Forged) -> Mapping[str, Forged]:
    """Which of the two a component is in."""
    parts = {str(each.name): forged for forged in (whole, rest) for each in forged.stack.components}
    assert len(parts) == len(whole.stack.components) + len(rest.stack.components)
    return parts


class TestWhatIsWrongInIt:
    def test_a_folder_that_is_missing_is_told_with_its_line(self, workspaces: Workspaces, seed: Seed) -> None:
        with pytest.raises(DescriptionError, match="input/rabbitmq-airm-config does not exist") as caught:
            workspaces.load(workspaces.make(SEED))
        first = seed.lines["rabbitmq-airm-config"]
        assert caught.value.where in {f"input/config.yaml:{first + more}" for more in range(5)}

    def test_values_in_the_place_of_manifests_are_told_with_their_file(self, workspaces: Workspaces) -> None:
        with pytest.raises(ManifestError) as caught:
            workspaces.forge(workspaces.make(SEED), skip=("rabbitmq-airm-config",))
        error = caught.value
        assert error.where == "input/keycloak/keycloak-values.yaml:1"
        assert "component keycloak: " in error.message
        assert "values" in f"{error.message} {error.fix}"

    def test_only_true_findings(self, workspaces: Workspaces) -> None:
        everything = workspaces.forge(
            workspaces.make(SEED, mended), skip=("rabbitmq-airm-config",), allow=("duplicate-object",)
        ).smelted
        errors = [each for each in everything.findings if " comes twice and differs" in f" {each.message}"]
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
            if each.severity is Severity.WARNING and each.code == "duplicate-object" and "differs" not in each.message
        }
        assert shared == {*ONE_NODE, "prometheus-app-config"}
        codes = {each.code for each in everything.findings}
        assert codes == {"duplicate-object", "hook-dropped"}


class TestNothingIsLost:
    def test_every_object_of_every_file_is_there(self, seed: Seed, both: Mapping[str, Forged]) -> None:
        assert both.keys() == seed.paths.keys() - {"rabbitmq-airm-config"}
        objects = 0
        for name, forged in both.items():
            found = written(forged, name)
            namespace = forged.component(name).namespace
            others = [written(forged, SHARED[name])] if name in SHARED else []
            for wanted, raw in seed.last(name).items():
                is_there = any(in_namespace(place, wanted, namespace) for place in (found, *others))
                assert is_there or is_test(raw), f"{name}: {wanted} is lost"
                objects += 1
        assert objects > 1100

    def test_namesakes_do_not_overwrite_each_other(self, seed: Seed, both: Mapping[str, Forged]) -> None:
        """Four objects are written twice on purpose: the later one counts, and that is told."""
        replaced = []
        for name, forged in both.items():
            every = [identity(each) for _, each in seed.objects(name)]
            twice = sorted({each for each in every if every.count(each) > 1})
            notices = [
                each.object
                for each in forged.smelted.findings
                if each.component == name and each.severity is Severity.NOTICE and each.code == "duplicate-object"
            ]
            assert sorted((each.kind, each.namespace, each.name) for each in notices if each) == twice
            replaced += [(name, each) for each in twice]
        assert len(replaced) == 4
        for name, wanted in replaced:
            first, last = [each for _, each in seed.objects(name) if identity(each) == wanted]
            assert first != last
            ours = written(both[name], name)[wanted]
            base = written(both["kueue"], name.removesuffix("-onenode"))[wanted]
            kind = "spec" if wanted[0] == "Deployment" else "data"
            assert strings(ours[kind]) == strings(last[kind])
            assert strings(base[kind]) == strings(first[kind])

    def test_all_of_keycloak(self, seed: Seed, whole: Forged) -> None:
        for component in ("keycloak", "keycloak-config"):
            wanted = seed.last(component)
            assert len(wanted) >= 10
            found = written(whole, component)
            assert all(in_namespace(found, each, whole.component(component).namespace) for each in wanted)

    def test_shebangs_comments_and_separators_in_config_maps(self, seed: Seed, both: Mapping[str, Forged]) -> None:
        """Every text of every ConfigMap and Secret to the letter; nine and more have lines that used to vanish."""
        with_marks = set()
        for name, forged in both.items():
            found = written(forged, name)
            for wanted, raw in seed.last(name).items():
                body = in_namespace(found, wanted, forged.component(name).namespace)
                if wanted[0] not in ("ConfigMap", "Secret") or body is None:
                    continue
                texts = texts_of(raw)
                assert texts_of(body) == texts, f"{name}: {wanted}"
                lines = [line.strip() for text in texts.values() for line in str(text).split("\n")]
                if any(line.startswith("#") or "---" in line for line in lines):
                    with_marks.add((name, wanted))
        assert len(with_marks) >= 9

    def test_properties_called_description(self, seed: Seed, both: Mapping[str, Forged]) -> None:
        total = 0
        for name, forged in both.items():
            found = written(forged, name)
            for wanted, raw in seed.last(name).items():
                if wanted[0] == "CustomResourceDefinition":
                    number = called_description(raw)
                    assert called_description(found[wanted]) == number, f"{name}: {wanted}"
                    total += number
        assert total >= 20


def texts_of(body: Raw) -> Raw:
    """The entries of a ConfigMap or Secret; ``data`` may be there and be null."""
    return {
        key: each
        for part in ("data", "stringData")
        if isinstance(body.get(part), dict)
        for key, each in body[part].items()
    }


def strings(value: Any) -> list[str]:
    """The texts of a tree that are the same in every way of writing them."""
    if isinstance(value, dict):
        return [text for key in sorted(value) for text in (key, *strings(value[key]))]
    if isinstance(value, list):
        return [text for each in value for text in strings(each)]
    return [str(value).lower()]


class TestConvert:
    def test_the_native_form_of_the_whole_gives_the_same_bytes(self, workspaces: Workspaces, whole: Forged) -> None:
        skip = ("rabbitmq-airm-config", *ONE_NODE, RIVAL)
        native = convert.native(workspaces.load(workspaces.make(SEED, mended), skip=skip))
        converted = workspaces.forge(workspaces.make(SEED, lambda _: native), skip=skip)
        assert files_of(converted.folder) == files_of(whole.folder)
        assert converted.stack.name == whole.stack.name

    @pytest.mark.parametrize("selection", SELECTIONS)
    def test_a_selection_and_its_native_form_give_the_same_bytes(self, workspaces: Workspaces, selection: str) -> None:
        options: dict[str, Any] = {"select": (f"config-silogen-{selection}.yaml",), "skip": ("keycloak",)}
        folder = workspaces.make(SEED)
        selected = workspaces.forge(folder, **options)
        assert selected.smelted.is_written
        assert [each for each in selected.smelted.findings if each.severity is not Severity.NOTICE] == []
        native = convert.native(workspaces.load(folder, **options))
        converted = workspaces.forge(workspaces.make(SEED, lambda _: native), skip=("keycloak",))
        assert files_of(converted.folder) == files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    """``working/``, but for the record, which has the fingerprint of the description."""
    working = folder / "working"
    found = {str(each.relative_to(working)): each.read_bytes() for each in working.rglob("*") if each.is_file()}
    assert len(found) > 300
    del found[".smelt.json"]
    return found
