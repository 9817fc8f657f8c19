"""The deployment of a stack as data: every step in its order, for any client.

``deploy.sh`` and the files beside it are written from it (`deploy_script`, `bootstrap`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from cluster_forge.foundation.file_tree import NO_FILES, FileTree
from cluster_forge.foundation.json_codec import OMITTED
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.steps import (
    Apply,
    FileStep,
    Step,
    SyncApplication,
)
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.stack.component import ExpectedSecret
from cluster_forge.stack.model import GitOpsEngine, KubernetesVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPlan:
    """One component that has something to apply. ``objects`` are counted; ``folder`` holds the files of its steps.

    A component without steps is applied by the engine.
    """

    name: ComponentName
    wave: int
    objects: int
    folder: str
    steps: tuple[FileStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCdPlan:
    """How Argo CD gets the stack: ``install`` it, apply the ``repository`` and its server, ``sync`` the root Application.

    ``install`` is empty for an Argo CD that is in the cluster already, and ``namespace`` then a default that the
    deployment may replace. ``repository`` is empty, and ``server`` None, where Argo CD reads from elsewhere. The
    server's Deployment runs from the image of Argo CD: where ``is_image_known`` is false, only the cluster knows it.
    ``applications`` are the names of all Applications of the stack, the root at the end; ``selector`` finds them.
    ``project`` is the stack's AppProject, which is there before them; an older plan has none. ``url`` is that of the
    repository, ``secret`` the Secret with the login to it, in ``namespace``. ``settings`` are for an Argo CD that is in the
    cluster already: the deployment does not apply them. ``cluster`` is the one that a central Argo CD delivers to (`central`);
    empty for its own.
    """

    namespace: str
    server: ObjectId | None
    is_image_known: bool
    install: tuple[FileStep, ...]
    repository: tuple[Step, ...]
    sync: SyncApplication
    applications: tuple[str, ...]
    selector: str
    project: Apply | None = None
    url: str = ""
    secret: str = ""
    settings: Apply | None = None
    cluster: Annotated[str, OMITTED] = ""

    def application(self, stack: str, folder: str) -> str:
        """The name of the Application of a component, or of another folder of the repository."""
        return applications.name(stack, ".".join(filter(None, (self.cluster, folder))))


@dataclass(frozen=True, slots=True, kw_only=True)
class FluxPlan:
    """How Flux gets the stack: ``install`` it (empty for one that is in the cluster already), and apply the ``source`` and
    the root Kustomization (``sync``).

    They are in ``namespace``. ``revision`` is the tag that the source is pinned to. ``kustomizations`` has the component of each
    Kustomization by its name, beside the ``root``.
    """

    namespace: str
    install: tuple[FileStep, ...]
    sync: Apply
    source: ObjectId
    revision: str
    root: str
    kustomizations: Mapping[str, ComponentName]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPlan:
    """Everything that a client must know to deploy the stack: ``components`` by wave, or by the engine of ``argocd`` or
    ``flux``.

    ``version`` is the revision that was cast, ``parts`` are the components with all objects that are delivered; in a plan that
    was read these have no documents. ``claim`` are the files about what the stack claims in the cluster (`ownership`).
    Before the first change the cluster must serve ``apis`` (``apps/v1/Deployment``) and have ``secrets``.
    ``narrowed`` says in words which components are selected; empty for the whole stack. ``fixed`` are the components whose
    wave the description itself sets (`schedule`).
    """

    stack: str
    version: str
    kubernetes: KubernetesVersion
    engine: GitOpsEngine
    delivery: Delivery
    commit: str
    components: tuple[ComponentPlan, ...]
    claim: Annotated[FileTree, OMITTED] = NO_FILES
    argocd: ArgoCdPlan | None = None
    flux: FluxPlan | None = None
    apis: tuple[str, ...] = ()
    secrets: tuple[ExpectedSecret, ...] = ()
    environment: str = ""
    narrowed: str = ""
    fixed: tuple[ComponentName, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def objects(self) -> int:
        """The number of objects of all components."""
        return sum(part.objects for part in self.components)

    def version_of(self, name: ComponentName) -> str:
        """The version of a component; empty if no part of this name is delivered."""
        return next((part.version for part in self.parts if part.name == name), "")
