from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import yaml

from cluster_forge.gitops import wave_files
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Document
from cluster_forge.manifests.part import Part

Make = Callable[..., Any]


MINOR = 33


def kinds(content: bytes) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in yaml.safe_load_all(content)]


def test_a_part_is_applied_step_by_step(parts: tuple[Part, ...]) -> None:
    tree = wave_files.of(parts[0], parts, MINOR)
    assert {path: kinds(tree[path]) for path in tree if path != "wait"} == {
        "namespaces.yaml": ["Namespace/shop"],
        "hooks-pre-00-objects.yaml": ["ServiceAccount/migrator"],
        "hooks-pre-01-jobs.yaml": ["Job/migrate"],
        "objects.yaml": ["Deployment/web", "APIService/v1.metrics.example.com"],
        "jobs.yaml": ["Job/plain"],
        "custom.yaml": ["Widget/w"],
        "hooks-post-00-jobs.yaml": ["Job/notify"],
    }
    assert tree["wait"].decode().splitlines() == [
        "shop deployment.apps/web",
        "shop job.batch/plain",
        "- apiservice.apiregistration.k8s.io/v1.metrics.example.com",
    ]


def test_definitions_come_apart_from_the_rest(parts: tuple[Part, ...]) -> None:
    tree = wave_files.of(parts[2], parts, MINOR)
    assert {path: kinds(tree[path]) for path in tree} == {
        "crds.yaml": ["CustomResourceDefinition/widgets.example.com"],
        "namespaces.yaml": ["Namespace/shop"],
    }


def test_a_namespace_comes_from_wherever_the_stack_has_it(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    labelled = make_body("v1", "Namespace", "shop", labels={"team": "shop"})
    other = make_part("others", [labelled])
    tree = wave_files.of(parts[0], (parts[0], other), MINOR)
    assert yaml.safe_load(tree["namespaces.yaml"]) == labelled
    system = make_part("system", [make_body("v1", "ConfigMap", "c", "kube-system")])
    assert "namespaces.yaml" not in wave_files.of(system, (system,), MINOR)


def test_hooks_of_other_events_are_not_applied(make_part: Make, make_body: Make) -> None:
    later = make_body("v1", "ConfigMap", "c", "a", annotations={"helm.sh/hook": "post-delete"})
    assert list(wave_files.of(make_part("a", [later]), (), MINOR)) == ["namespaces.yaml"]


def test_hooks_run_by_weight(make_part: Make, make_body: Make) -> None:
    def hook(kind: str, name: str, weight: int) -> Any:
        notes = {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": str(weight)}
        return make_body("batch/v1" if kind == "Job" else "v1", kind, name, "a", annotations=notes)

    hooks = [hook("Job", "second", 5), hook("Secret", "b", 5), hook("Job", "first", -1), hook("Secret", "a", -5)]
    tree = wave_files.of(make_part("a", hooks), (), MINOR)
    assert [kinds(tree[path]) for path in tree if path.startswith("hooks")] == [
        *(["Secret/a"], ["Job/first"], ["Secret/b"], ["Job/second"]),
    ]


def test_objects_come_in_helms_order_and_documents_stay_as_they_are(make_part: Make, make_body: Make) -> None:
    bodies = [
        make_body("v1", "Service", "s", "a"),
        make_body("v1", "Secret", "t", "a"),
        make_body("v1", "Secret", "b", "a"),
    ]
    part = make_part("a", bodies)
    text = part.objects[0].content.rstrip(b"\n")
    unended = dataclasses.replace(part.objects[0], document=Document(text=text))
    tree = wave_files.of(dataclasses.replace(part, objects=(unended, *part.objects[1:])), (), MINOR)
    assert kinds(tree["objects.yaml"]) == ["Secret/b", "Secret/t", "Service/s"]
    assert tree["objects.yaml"].endswith(b"\n")


def test_names_are_kubectls() -> None:
    assert wave_files.resource(ObjectId(group="", kind="Pod", namespace="a", name="p")) == "pod/p"
