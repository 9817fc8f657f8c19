"""The Kustomizations with which Flux delivers a stack: the root, and one for each component, or for each of its phases.

All of them read one source. The root applies the others and does not wait for them; every other one depends on it, and
Flux compares the revisions of a dependency that has the same source: so none is applied at a revision before the root has
brought it the settings of that revision, and an upgrade is as ordered as the installation. Going back is one change: the
tag of the source. (kustomize-controller, ``checkDependencies``; Flux, "Kustomization", ``dependsOn``.)

In the repository::

    flux/kustomization.yaml                        what the root applies
    flux/root.yaml                                 source and root, which the deployment applies
    flux/COMPONENT/sync.yaml                       the Kustomizations of a component
    flux/COMPONENT/[PHASE/]kustomization.yaml      the files of a component, or of one of its phases
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.names import ComponentName, bounded
from cluster_forge.gitops import delivery_mode, engine, schedule
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.flux import dependencies, phases, sources
from cluster_forge.gitops.flux.phases import Phase
from cluster_forge.gitops.parts import in_order
from cluster_forge.manifests import emitter
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.stack.model import Stack

FOLDER: Final = "flux"
"""The folder of the Kustomizations in the repository."""
COMPONENT_LABEL: Final = "cluster-forge/component"
ROOT_FILE: Final = f"{FOLDER}/root.yaml"
_FILE: Final = "kustomization.yaml"
_SYNC: Final = "sync.yaml"
_JOB: Final = ("batch", "Job")

_JOBS: Final[Body] = {
    "target": {"group": "batch", "kind": "Job"},
    "patch": emitter.document(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "any", "annotations": {f"{engine.FLUX_GROUP}/force": "enabled"}},
            "spec": {"ttlSecondsAfterFinished": None},
        }
    ),
}
"""A changed Job cannot be applied: Flux deletes the old one. One that deletes itself would run at every reconciliation."""


def name(stack: str, folder: str) -> str:
    """The name of the Kustomization that delivers a folder: ``platform.grafana``.

    As with Applications, the dot keeps stacks apart (ADR 0018), and 63 characters are the most: Flux writes the name into
    a label of each object.
    """
    return bounded(f"{stack}.{folder}")


def root_name(stack: Stack) -> str:
    """The root's name."""
    return name(stack.name, FOLDER)


def files(stack: Stack, parts: Sequence[Part], revision: str) -> Mapping[str, bytes]:
    """The files of `FOLDER`, by their paths; none for a stack that kubectl delivers directly."""
    if delivery_mode.delivery(stack, parts) is Delivery.DIRECT:
        return {}
    syncs = []
    written: dict[str, bytes] = {ROOT_FILE: _stream(root(stack, revision))}
    children = kustomizations(stack, parts)
    for part in _delivered(parts):
        of_part = phases.of(part)
        syncs.append(f"{part.name}/{_SYNC}")
        written[f"{FOLDER}/{syncs[-1]}"] = _stream(children[part.name])
        for phase in of_part:
            written[f"{FOLDER}/{_folder(part, phase)}/{_FILE}"] = _stream([_kustomization(part, phase)])
    written[f"{FOLDER}/{_FILE}"] = _stream([_kustomize(sorted(syncs))])
    return written


def root(stack: Stack, revision: str) -> tuple[Body, Body]:
    """The source at ``revision``, and the Kustomization of the others.

    Who deletes it by mistake takes nothing away: it keeps what it has applied.
    """
    spec: dict[str, Any] = {
        **_spec(stack, FOLDER),
        "wait": False,
        "deletionPolicy": "Orphan",
    }
    return sources.source(stack, revision), _body(sources.metadata(stack, root_name(stack)), spec)


def kustomizations(stack: Stack, parts: Sequence[Part]) -> Mapping[ComponentName, tuple[Body, ...]]:
    """The Kustomizations of each part that has something to apply, in the order in which they are applied."""
    delivered = _delivered(parts)
    after = dependencies.of(delivered, schedule.fixed(stack))
    last: dict[ComponentName, str] = {}
    bodies: dict[ComponentName, tuple[Body, ...]] = {}
    for part in delivered:
        required = [root_name(stack), *(last[other] for other in after[part.name])]
        of_part = []
        for phase in phases.of(part):
            of_part.append(_of_phase(stack, part, phase, required))
            required = [root_name(stack), of_part[-1]["metadata"]["name"]]
        bodies[part.name] = tuple(of_part)
        last[part.name] = required[-1]
    return bodies


def _delivered(parts: Sequence[Part]) -> list[Part]:
    return [part for part in in_order(parts) if part.objects]


def _of_phase(stack: Stack, part: Part, phase: Phase, required: Sequence[str]) -> Body:
    metadata = sources.metadata(stack, name(stack.name, ".".join(filter(None, (part.name, phase.name)))))
    metadata["labels"][COMPONENT_LABEL] = str(part.name)
    spec = {
        **_spec(stack, f"{FOLDER}/{_folder(part, phase)}"),
        "wait": True,
        "timeout": "5m",
        "dependsOn": [{"name": other} for other in required],
    }
    if decrypted := decryption(phase.objects):
        spec["decryption"] = decrypted
    return _body(metadata, spec)


def _body(metadata: Body, spec: Body) -> Body:
    return {"apiVersion": f"{engine.FLUX_GROUP}/v1", "kind": "Kustomization", "metadata": metadata, "spec": spec}


def _spec(stack: Stack, folder: str) -> dict[str, Any]:
    """What all of them have. What failed is tried again sooner than what is checked for changes in the cluster."""
    return {
        "interval": sources.INTERVAL,
        "retryInterval": "30s",
        "sourceRef": {"kind": sources.kind(stack), "name": stack.name},
        "path": sources.path(stack, folder),
        "prune": not stack.is_narrowed,
    }


def decryption(objects: Sequence[PartObject]) -> Body | None:
    """How Flux decrypts objects that SOPS has encrypted (Flux, "Manage Kubernetes secrets with SOPS").

    Keys of age and PGP are in the Secret that Flux's guide makes; those of a cloud's key service are in none.
    """
    encrypted = [item.body["sops"] for item in objects if b"\nsops:" in item.content and item.body.get("sops")]
    if not encrypted:
        return None
    for key, secret in (("age", "sops-age"), ("pgp", "sops-gpg")):
        if any(isinstance(entry, Mapping) and entry.get(key) for entry in encrypted):
            return {"provider": "sops", "secretRef": {"name": secret}}
    return {"provider": "sops"}


def _folder(part: Part, phase: Phase) -> str:
    return "/".join(filter(None, (part.name, phase.name)))


def _kustomization(part: Part, phase: Phase) -> Body:
    """The files of a phase, as kustomize takes them."""
    up = "../" * (_folder(part, phase).count("/") + 2)
    written = _kustomize([f"{up}{item.path}" for item in phase.objects])
    if any(item.kind == _JOB for item in phase.objects):
        written["patches"] = [_JOBS]
    return written


def _kustomize(resources: Sequence[str]) -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(resources)}


def _stream(bodies: Sequence[Body]) -> bytes:
    return "---\n".join(map(emitter.document, bodies)).encode()
