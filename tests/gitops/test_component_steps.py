from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import yaml

from cluster_forge.gitops import component_steps
from cluster_forge.gitops.steps import Apply, ApplyCrds, ApplyHooks, AwaitReady, FileStep, content, resource
from cluster_forge.manifests.hooks import DeletePolicy
from cluster_forge.manifests.manifest import Document
from cluster_forge.manifests.part import Part

Make = Callable[..., Any]


MINOR = 33


def objects(step: FileStep) -> list[str]:
    """The objects of a step, as ``Kind/name``."""
    if isinstance(step, AwaitReady):
        return [f"{target.kind}/{target.name}" for target in step.targets]
    return [f"{body['kind']}/{body['metadata']['name']}" for body in yaml.safe_load_all(content(step))]


def by_file(part: Part, parts: tuple[Part, ...] = ()) -> dict[str, list[str]]:
    """The objects of each step, in the order of the steps."""
    return {step.file: objects(step) for step in component_steps.of(part, component_steps.namespaces(parts), MINOR)}


def test_steps_come_in_the_order_of_their_files(parts: tuple[Part, ...]) -> None:
    assert list(by_file(parts[0], parts).items()) == [
        ("namespaces.yaml", ["Namespace/shop"]),
        ("hooks-pre-00-objects.yaml", ["ServiceAccount/migrator"]),
        ("hooks-pre-01-jobs.yaml", ["Job/migrate"]),
        ("objects.yaml", ["Deployment/web", "APIService/v1.metrics.example.com"]),
        ("jobs.yaml", ["Job/plain"]),
        ("custom.yaml", ["Widget/w"]),
        ("wait", ["Deployment/web", "Job/plain", "APIService/v1.metrics.example.com"]),
        ("hooks-post-00-jobs.yaml", ["Job/notify"]),
    ]


def test_targets_are_listed_as_kubectl_takes_them(parts: tuple[Part, ...]) -> None:
    (step,) = (
        step
        for step in component_steps.of(parts[0], component_steps.namespaces(parts), MINOR)
        if isinstance(step, AwaitReady)
    )
    assert content(step).decode().splitlines() == [
        "shop deployment.apps/web",
        "shop job.batch/plain",
        "- apiservice.apiregistration.k8s.io/v1.metrics.example.com",
    ]


def test_a_cluster_scoped_object_is_applied_without_the_namespace_that_a_chart_wrote(
    make_part: Make, make_body: Make
) -> None:
    role = make_body("rbac.authorization.k8s.io/v1", "ClusterRole", "reader", "shop")
    made = make_part("shop", [role])
    made = dataclasses.replace(
        made,
        objects=tuple(
            dataclasses.replace(item, id=dataclasses.replace(item.id, namespace="")) for item in made.objects
        ),
    )
    (step,) = (step for step in component_steps.of(made, {}, MINOR) if step.file == "objects.yaml")
    assert [body["metadata"] for body in yaml.safe_load_all(content(step))] == [{"name": "reader"}]
    assert role["metadata"]["namespace"] == "shop"


def test_crds_are_a_step_of_their_own(parts: tuple[Part, ...]) -> None:
    namespaces, crds = component_steps.of(parts[2], component_steps.namespaces(parts), MINOR)
    assert (type(namespaces), objects(namespaces)) == (Apply, ["Namespace/shop"])
    assert (type(crds), objects(crds)) == (
        ApplyCrds,
        ["CustomResourceDefinition/widgets.example.com"],
    )


def test_a_namespace_comes_from_any_part_of_the_stack(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    labelled = make_body("v1", "Namespace", "shop", labels={"team": "shop"})
    other = make_part("others", [labelled])
    (namespaces, *_) = component_steps.of(parts[0], component_steps.namespaces((parts[0], other)), MINOR)
    assert yaml.safe_load(content(namespaces)) == labelled


def test_a_built_in_namespace_is_not_applied(make_part: Make, make_body: Make) -> None:
    system = make_part("system", [make_body("v1", "ConfigMap", "c", "kube-system")])
    assert "namespaces.yaml" not in by_file(system, (system,))


def test_hooks_of_other_events_are_not_applied(make_part: Make, make_body: Make) -> None:
    later = make_body("v1", "ConfigMap", "c", "a", annotations={"helm.sh/hook": "post-delete"})
    assert list(by_file(make_part("a", [later]))) == ["namespaces.yaml"]


def test_hooks_run_by_weight(make_part: Make, make_body: Make) -> None:
    def hook(kind: str, name: str, weight: int) -> Any:
        notes = {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": str(weight)}
        return make_body("batch/v1" if kind == "Job" else "v1", kind, name, "a", annotations=notes)

    hooks = [hook("Job", "second", 5), hook("Secret", "b", 5), hook("Job", "first", -1), hook("Secret", "a", -5)]
    steps = component_steps.of(make_part("a", hooks), {}, MINOR)
    assert [objects(step) for step in steps if step.file.startswith("hooks")] == [
        *(["Secret/a"], ["Job/first"], ["Secret/b"], ["Job/second"]),
    ]
    weights = [(step.weight, step.is_run) for step in steps if isinstance(step, ApplyHooks)]
    assert weights == [(-5, False), (-1, True), (5, False), (5, True)]


def test_hooks_keep_their_delete_policies(make_part: Make, make_body: Make) -> None:
    notes = {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "hook-succeeded"}
    bodies = [
        make_body("batch/v1", "Job", "a", "a", annotations={"helm.sh/hook": "pre-install"}),
        make_body("batch/v1", "Job", "b", "a", annotations=notes),
    ]
    _, step, _ = component_steps.of(make_part("a", bodies), {}, MINOR)
    assert isinstance(step, ApplyHooks)
    assert step.delete_policies == (
        frozenset({DeletePolicy.BEFORE_CREATION}),
        frozenset({DeletePolicy.SUCCEEDED}),
    )


def test_objects_come_in_helms_order_with_their_documents_unchanged(make_part: Make, make_body: Make) -> None:
    bodies = [
        make_body("v1", "Service", "s", "a"),
        make_body("v1", "Secret", "t", "a"),
        make_body("v1", "Secret", "b", "a"),
    ]
    part = make_part("a", bodies)
    text = part.objects[0].content.rstrip(b"\n")
    unended = dataclasses.replace(part.objects[0], document=Document(text=text))
    part = dataclasses.replace(part, objects=(unended, *part.objects[1:]))
    _, step = component_steps.of(part, {}, MINOR)
    assert objects(step) == ["Secret/b", "Secret/t", "Service/s"]
    assert content(step).endswith(b"\n")


def test_a_core_resource_has_no_group(make_body: Make, make_part: Make) -> None:
    (pod,) = make_part("a", [make_body("v1", "Pod", "p", "a")]).objects
    assert resource(pod.id) == "pod/p"
