"""A central Argo CD, which delivers a stack to other clusters: one AppProject, and one ApplicationSet that makes the root
Application of each cluster.

A root is the app of apps of its cluster (`applications`): it applies the cluster's Applications beside itself, in their
waves, and these have the cluster as their destination. The ApplicationSet has an element for each cluster with the tag that
it is pinned to. Sources: Argo CD, "List Generator", "Go Template", "Progressive Syncs", "Projects".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.argocd import project as projects
from cluster_forge.gitops.argocd.project import Rights
from cluster_forge.gitops.parts import CLUSTER_LABEL, STACK_LABEL
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

KIND: Final = "ApplicationSet"
_STEP_LABEL: Final = "cluster-forge/rollout-step"
_STEP: Final = re.compile(r"[1-9][0-9]{0,5}")
_FIELDS: Final = ("cluster", "name", "path", "revision", "step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a cluster is to have: ``path`` in the repository at ``revision``, a tag; ``name`` is that of its root Application.

    ``step`` counts the steps of the rollout from 1; text, as labels and the elements of generators are.
    """

    cluster: str
    name: str
    path: str
    revision: str
    step: str


def name(stack: str, cluster: str, folder: str) -> str:
    """The name of an Application of a cluster: ``platform.eu-1.grafana``."""
    return applications.name(stack, f"{cluster}.{folder}")


def set_id(stack: str, namespace: str) -> ObjectId:
    """The ApplicationSet of a stack, in Argo CD's namespace."""
    return ObjectId(group=engine.GROUP, kind=KIND, namespace=namespace, name=f"{stack}.clusters")


def is_root(body: Body) -> bool:
    """Whether an Application is the root of the others."""
    return body["kind"] == "Application" and folder(body) == applications.FOLDER


def of_cluster(application: Body, cluster: str) -> Body:
    """An Application of a cast stack for one cluster; the root stays in Argo CD's own, where it applies the others."""
    metadata, spec = application["metadata"], application["spec"]
    stack = metadata["labels"][STACK_LABEL]
    labels = {**metadata["labels"], CLUSTER_LABEL: cluster}
    destination = spec["destination"]
    if not is_root(application):
        destination = {"name": cluster, "namespace": destination["namespace"]}
    return {
        **application,
        "metadata": {**metadata, "name": name(stack, cluster, folder(application)), "labels": labels},
        "spec": {**spec, "destination": destination},
    }


def folder(application: Body) -> str:
    """What an Application is called after: ``crds.N``, or a folder of the repository."""
    if number := application["metadata"]["labels"].get(applications.CRDS_LABEL):
        return f"crds.{number}"
    return str(application["spec"]["source"]["path"].rpartition("/")[2])


def rights(project: Body, clusters: Iterable[str]) -> Rights:
    """What the project of a cast stack permits, in these clusters instead of Argo CD's own."""
    granted = projects.rights(project)
    elsewhere = frozenset((cluster, namespace) for cluster in clusters for namespace in granted.namespaces)
    return replace(granted, namespaces=frozenset(), elsewhere=elsewhere)


def application_set(root: Body, stack: str, pins: Sequence[Pin], *, at_once: int) -> Body:
    """The ApplicationSet in the namespace of ``root``, the root Application of any of the clusters.

    ``at_once``: clusters of a step that change at a time, where Argo CD itself rolls out (progressive syncs). A cluster that
    leaves the list leaves its root, and everything goes on running (``preserveResourcesOnDeletion``), unless roots have the
    finalizer.
    """
    metadata, source = root["metadata"], root["spec"]["source"]
    owner = set_id(stack, metadata["namespace"])
    shared = {key: value for key, value in metadata["labels"].items() if key != CLUSTER_LABEL}
    template: dict[str, Any] = {
        "name": "{{.name}}",
        "labels": {**shared, CLUSTER_LABEL: "{{.cluster}}", _STEP_LABEL: "{{.step}}"},
        "annotations": metadata["annotations"],
    }
    if finalizers := metadata.get("finalizers"):
        template["finalizers"] = finalizers
    repository = {"repoURL": source["repoURL"], "targetRevision": "{{.revision}}", "path": "{{.path}}"}
    return {
        "apiVersion": f"{engine.GROUP}/v1alpha1",
        "kind": KIND,
        "metadata": {"name": owner.name, "namespace": owner.namespace, "labels": shared},
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            **pinned(pins, at_once=at_once),
            "syncPolicy": {"preserveResourcesOnDeletion": not finalizers},
            "template": {"metadata": template, "spec": {**root["spec"], "source": repository}},
        },
    }


def pinned(pins: Iterable[Pin], *, at_once: int) -> Body:
    """The fields of an ApplicationSet's ``spec`` that the pins are in: the list of clusters, and their steps."""
    listed = tuple(pins)
    steps = [
        {"matchExpressions": [{"key": _STEP_LABEL, "operator": "In", "values": [step]}], "maxUpdate": at_once}
        for step in sorted({pin.step for pin in listed}, key=int)
    ]
    return {
        "generators": [{"list": {"elements": [_element(pin) for pin in listed]}}],
        "strategy": {"type": "RollingSync", "rollingSync": {"steps": steps}},
    }


def at_once(application_set: Body) -> int:
    """How many clusters of a step change at a time, as `pinned` has it; 1 where it does not say."""
    rolling = mapping(mapping(mapping(application_set.get("spec")).get("strategy")).get("rollingSync"))
    numbers = [mapping(step).get("maxUpdate") for step in sequence(rolling.get("steps"))]
    return min((number for number in numbers if isinstance(number, int) and number > 0), default=1)


def pins(application_set: Body) -> tuple[Pin, ...]:
    """The pins of an ApplicationSet in the cluster; what is none is left out."""
    listed = []
    for generator in sequence(mapping(application_set.get("spec")).get("generators")):
        for element in sequence(mapping(mapping(generator).get("list")).get("elements")):
            values = mapping(element)
            if all(isinstance(values.get(key), str) for key in _FIELDS) and _STEP.fullmatch(values["step"]):
                listed.append(Pin(**{key: values[key] for key in _FIELDS}))
    return tuple(listed)


def _element(pin: Pin) -> Body:
    return {key: getattr(pin, key) for key in _FIELDS}
