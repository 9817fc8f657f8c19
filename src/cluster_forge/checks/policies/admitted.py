"""The objects that an API server is asked to admit when a stack is applied: those of the stack, and the Pods of workloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cluster_forge.cel.errors import BudgetExceededError, ExpressionError, NoSuchKeyError
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.policies import defaults
from cluster_forge.checks.policies.lazy_object import LazyObject
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.label_selector import labels_of
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import TEMPLATES

_POD: Final = ("", "Pod")


@dataclass(frozen=True)
class Admitted:
    """``manifest`` is the object, or the workload whose Pods are meant: those have no name yet."""

    manifest: Manifest
    group: str
    version: str
    kind: str
    resource: str
    namespace: str
    name: str
    is_pod_of_workload: bool = False
    is_custom: bool = False

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The object with the defaults that the server gives it; that of a CRD reads its schemas only when they are asked for."""
        if self.is_pod_of_workload:
            return defaults.of(defaults.without_nulls(_pod(self.manifest, self.namespace)))
        if (self.group, self.kind) == CRD:
            return LazyObject(self.manifest)
        body = self.manifest.body
        return body if self.is_custom else defaults.of(defaults.without_nulls(body))

    @cached_property
    def template(self) -> Mapping[str, Any]:
        """The Pod of a workload as the workload has it: the server gives a template fewer defaults than a Pod."""
        pod = defaults.without_nulls(_pod(self.manifest, self.namespace))
        return defaults.of(pod, is_created=False)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        if self.is_pod_of_workload:
            return labels_of(mapping(self.body.get("metadata")))
        return labels_of(self.manifest.header.get("metadata"))


def reason(admitted: Admitted, error: ExpressionError) -> str:
    """Why an expression cannot be evaluated for an object; without the values of a Secret."""
    if admitted.kind == "Secret" and not isinstance(error, NoSuchKeyError | BudgetExceededError):
        return "an expression fails at its values, which are not shown"
    return str(error)


def of(checked: CheckedStack) -> tuple[Admitted, ...]:
    """The objects, each followed by its Pods. Objects of a custom kind have the resource that its CRD names."""
    plurals = {
        (kind.group, kind.kind): definition.id.name.partition(".")[0]
        for definition in checked.of_kind[CRD]
        if (kind := definition.facts.defines)
    }
    return tuple(_of(checked, plurals))


def _of(checked: CheckedStack, plurals: Mapping[tuple[str, str], str]) -> Iterator[Admitted]:
    for manifest in checked.manifests:
        identity = manifest.id
        kind = (identity.group, identity.kind)
        yield Admitted(
            manifest=manifest,
            group=identity.group,
            version=manifest.facts.version,
            kind=identity.kind,
            resource=plurals.get(kind) or plural(identity.kind),
            namespace=identity.namespace,
            name=identity.name,
            is_custom=kind in plurals,
        )
        if kind in TEMPLATES and kind != _POD and identity.kind != "PodTemplate":
            yield Admitted(
                manifest=manifest,
                group="",
                version="v1",
                kind="Pod",
                resource="pods",
                namespace=identity.namespace,
                name="",
                is_pod_of_workload=True,
            )


def by_resource(objects: Iterable[Admitted]) -> list[list[Admitted]]:
    """The objects of each resource, which policies select or not all together in most cases."""
    resources: defaultdict[tuple[str, str, str, bool], list[Admitted]] = defaultdict(list)
    for admitted in objects:
        key = (admitted.group, admitted.version, admitted.resource, bool(admitted.namespace))
        resources[key].append(admitted)
    return [*resources.values()]


def plural(kind: str) -> str:
    """The resource of a built-in kind (apimachinery, ``meta.UnsafeGuessKindToResource``)."""
    singular = kind.lower()
    if singular.endswith("endpoints"):
        return singular
    if singular.endswith("s"):
        return f"{singular}es"
    return f"{singular.removesuffix('y')}ies" if singular.endswith("y") else f"{singular}s"


def _pod(manifest: Manifest, namespace: str) -> dict[str, Any]:
    template: Mapping[str, Any] = manifest.body
    for step in TEMPLATES[manifest.id.group, manifest.id.kind]:
        template = mapping(template.get(step))
    metadata = {**mapping(template.get("metadata")), "namespace": namespace, "generateName": f"{manifest.id.name}-"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": mapping(template.get("spec"))}
