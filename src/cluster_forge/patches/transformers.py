"""The changes of a description but for its patches, each as a function from an object to what becomes of it.

The order is that of `of`: labels, annotations, images, replicas, resources, then what all Pod templates get. Selectors are never
changed, and neither is a label that some selector uses: kustomize's ``commonLabels`` changes both, which breaks an upgrade, since
a workload's selector is immutable, and whatever else selects by the former label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

from cluster_forge.foundation.names import did_you_mean
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.image_changes import NewImage, rewritten
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.patches import pod_templates
from cluster_forge.patches.declared_change import Apply, DeclaredChange
from cluster_forge.patches.outcome import Outcome, with_metadata
from cluster_forge.stack.changes import Changes, ContainerResources, ImageChange

_SCALED: Final = frozenset(
    {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet"), ("", "ReplicationController")}
)
"""Kinds with replicas that a description can set by name (Kubernetes API, subresource ``scale``)."""


def of(changes: Changes, selected: frozenset[str]) -> Iterator[DeclaredChange]:
    """The changes in the order in which they apply, without patches; ``selected`` are the labels that selectors use."""
    for name, value in changes.labels.items():
        yield _named(changes, "labels", name, partial(_with_entry, "labels", name, value, selected))
    for name, value in changes.annotations.items():
        yield _named(changes, "annotations", name, partial(_with_entry, "annotations", name, value, frozenset()))
    for name, image in changes.images.items():
        apply = partial(_with_image, ImageReference.parse(name).name, image)
        yield replace(_named(changes, "images", name, apply), hint=partial(_hint, name, _images_in))
    for name, count in changes.replicas.items():
        apply = partial(_with_replicas, name, count)
        yield _required(_named(changes, "replicas", name, apply), _workloads_in)
    for name, resources in changes.resources.items():
        apply = partial(_with_resources, name, resources)
        yield _required(_named(changes, "resources", name, apply), _containers_in)
    yield from _of_pods(changes)


def _of_pods(changes: Changes) -> Iterator[DeclaredChange]:
    pods = changes.pods
    for name, value in pods.node_selector.items():
        yield _named(changes, "nodeSelector", name, partial(_in_pods, partial(_with_node_label, name, value)))
    others: dict[str, pod_templates.Change] = {}
    if pods.tolerations:
        others["tolerations"] = partial(_with_added, "tolerations", [dict(one) for one in pods.tolerations])
    if pods.priority_class_name:
        others["priorityClassName"] = partial(_with_priority_class, pods.priority_class_name)
    if pods.image_pull_secrets:
        secrets = [{"name": name} for name in pods.image_pull_secrets]
        others["imagePullSecrets"] = partial(_with_added, "imagePullSecrets", secrets)
    for key, change in others.items():
        yield _named(changes, key, "", partial(_in_pods, change))


def _named(changes: Changes, key: str, name: str, apply: Apply) -> DeclaredChange:
    return DeclaredChange(key=key, name=name, where=changes.where(key, name), apply=apply)


def _required(change: DeclaredChange, names: Callable[[Manifest], Iterator[str]]) -> DeclaredChange:
    """A change that names something in objects, which must be there."""
    return replace(change, is_required=True, hint=partial(_hint, change.name, names))


def _hint(name: str, names: Callable[[Manifest], Iterator[str]], manifests: Iterable[Manifest]) -> str:
    return did_you_mean(name, {known for manifest in manifests for known in names(manifest)})


def _with_entry(section: str, key: str, value: str, selected: frozenset[str], manifest: Manifest) -> Outcome:
    """An object with a label or an annotation, also on its Pod template; one that selectors use stays as it is."""
    kept: list[bool] = []

    def changed(holder: Mapping[str, Any]) -> Mapping[str, Any]:
        entries = mapping(holder.get(section))
        if entries.get(key) == value:
            return holder
        if key in selected and key in entries:
            kept.append(True)
            return holder
        return {**holder, section: {**entries, key: value}}

    if not pod_templates.has_one(manifest.id):
        before = manifest.header["metadata"]
        after = changed(before)
        return Outcome(manifest=manifest if after is before else with_metadata(manifest, after), is_refused=bool(kept))
    body = pod_templates.at(manifest.body, ("metadata",), changed)
    if manifest.id.kind != "Pod":
        body = pod_templates.changed(manifest.id, body, partial(_in_metadata, changed))
    return Outcome.of(manifest, body, is_refused=bool(kept))


def _in_metadata(change: pod_templates.Change, template: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Pod template with ``change`` of its metadata, which may be missing."""
    before = mapping(template.get("metadata"))
    after = change(before)
    return (
        template
        if after is before
        else {"metadata": after, **{key: value for key, value in template.items() if key != "metadata"}}
    )


def _with_image(name: str, image: ImageChange, manifest: Manifest) -> Outcome | None:
    if not any(_name_of(text) == name for text in manifest.facts.images):
        return None

    def new(written: str, reference: ImageReference) -> NewImage | None:
        if reference.name != name:
            return None
        if image.tag or image.digest:
            return NewImage(name=image.name or written, tag=image.tag, digest=image.digest)
        return NewImage(name=image.name, tag=reference.tag, digest=str(reference.digest or ""))

    result = rewritten(manifest.body, new)
    return Outcome.of(manifest, result.body, is_refused=bool(result.refused), refused=result.refused)


def _with_replicas(name: str, count: int, manifest: Manifest) -> Outcome | None:
    if manifest.id.name != name or (manifest.id.group, manifest.id.kind) not in _SCALED:
        return None
    return Outcome.of(manifest, pod_templates.at(manifest.body, ("spec",), lambda spec: _set(spec, "replicas", count)))


def _with_resources(name: str, resources: ContainerResources, manifest: Manifest) -> Outcome | None:
    given = {"requests": resources.requests, "limits": resources.limits}

    def changed(container: Mapping[str, Any]) -> Mapping[str, Any]:
        if container.get("name") != name:
            return container
        present = mapping(container.get("resources"))
        merged = {
            **present,
            **{key: _with_amounts(present.get(key), amounts) for key, amounts in given.items() if amounts},
        }
        kept = {key: value for key, value in merged.items() if value or not given.get(key)}
        return _set(container, "resources", kept) if kept or present else container

    if not pod_templates.has_one(manifest.id) or name not in _containers_in(manifest):
        return None
    in_template = partial(pod_templates.containers_changed, change=changed)
    return Outcome.of(manifest, pod_templates.changed(manifest.id, manifest.body, in_template))


def _with_amounts(present: Any, amounts: Mapping[str, str | None]) -> dict[str, Any]:
    """Requests or limits with other amounts; those that are None go."""
    merged = {**mapping(present), **amounts}
    return {name: amount for name, amount in merged.items() if amount is not None or name not in amounts}


def _in_pods(change: pod_templates.Change, manifest: Manifest) -> Outcome | None:
    """An object with ``change`` of the spec of its Pod template."""
    if not pod_templates.has_one(manifest.id):
        return None
    in_template = partial(pod_templates.at, path=("spec",), change=change)
    return Outcome.of(manifest, pod_templates.changed(manifest.id, manifest.body, in_template))


def _with_node_label(key: str, value: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return _set(spec, "nodeSelector", {**mapping(spec.get("nodeSelector")), key: value})


def _with_priority_class(name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The number of the former class goes: an API server refuses one that is not that of the class."""
    return _set(
        {key: value for key, value in spec.items() if key != "priority"} if "priority" in spec else spec,
        "priorityClassName",
        name,
    )


def _with_added(key: str, added: list[dict[str, Any]], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    present = list(sequence(spec.get(key)))
    return _set(spec, key, [*present, *(entry for entry in added if entry not in present)])


def _set(holder: Mapping[str, Any], key: str, value: Any) -> Mapping[str, Any]:
    return holder if key in holder and holder[key] == value else {**holder, key: value}


def _images_in(manifest: Manifest) -> Iterator[str]:
    yield from map(_name_of, manifest.facts.images)


def _workloads_in(manifest: Manifest) -> Iterator[str]:
    if (manifest.id.group, manifest.id.kind) in _SCALED:
        yield manifest.id.name


def _containers_in(manifest: Manifest) -> Iterator[str]:
    names: list[str] = []

    def noted(container: Mapping[str, Any]) -> Mapping[str, Any]:
        names.append(str(container.get("name", "")))
        return container

    pod_templates.changed(manifest.id, manifest.body, partial(pod_templates.containers_changed, change=noted))
    yield from names


@lru_cache(maxsize=10_000)
def _name_of(image: str) -> str:
    """Its name; of few images, asked for with each entry of a table that may name hundreds."""
    return ImageReference.parse(image).name
