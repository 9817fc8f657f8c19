"""From a stack and its parts to the `plan` of its deployment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import (
    component_steps,
    delivery_mode,
    engine,
    git_chunks,
    git_image,
    git_server,
    ownership,
    requirements,
    schedule,
)
from cluster_forge.gitops.argocd import applications, component, project
from cluster_forge.gitops.component_steps import rendered
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.flux import kustomizations, sources
from cluster_forge.gitops.parts import STACK_LABEL, defined_groups, in_order, is_custom
from cluster_forge.gitops.plan import ArgoCdPlan, ComponentPlan, DeployPlan, FluxPlan
from cluster_forge.gitops.steps import (
    SETTINGS_MANAGER,
    Apply,
    AwaitReady,
    Delete,
    FileStep,
    Step,
    StepFile,
    SyncApplication,
    position,
)
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.stack import variant
from cluster_forge.stack.model import GitOpsEngine, RepositorySource, Stack

ROOT: Final = "root.yaml"
"""The file with what the deployment applies for the engine: Argo CD's root Application, or Flux's source and root."""
PROJECT: Final = "project.yaml"
"""The file with the stack's AppProject."""
SETTINGS: Final = "argocd-settings.yaml"
"""The file with what an Argo CD that is in the cluster already should have; its administrator applies it."""


def of(stack: Stack, parts: Sequence[Part], repository: FileTree | Digest, commit: str, revision: str) -> DeployPlan:
    """The plan for the parts of ``stack``.

    ``repository`` holds the files of the bare Git repository, or is the digest of the stack's image which has it;
    ``commit`` is the id of its commit, ``revision`` the tag on it that the Applications are pinned to.

    Raises:
        ManifestError, ExceptionGroup: if kubectl must apply an object without a name.
    """
    delivery = delivery_mode.delivery(stack, parts)
    is_direct = delivery is Delivery.DIRECT
    is_flux = not is_direct and stack.gitops.engine is GitOpsEngine.FLUX
    delivered = component.delivered(stack, parts)
    if is_direct or is_flux:
        requirements.check_names(item for part in parts for item in part.objects)
    return DeployPlan(
        stack=stack.name,
        version=revision,
        kubernetes=stack.target.kubernetes,
        engine=stack.gitops.engine,
        delivery=delivery,
        commit=commit,
        components=tuple(
            _components(stack, ownership.members(stack, parts) if is_direct else parts, with_steps=is_direct)
        ),
        claim=ownership.tree(stack, parts),
        argocd=None if is_direct or is_flux else _argocd(stack, parts, repository, commit, revision),
        flux=_flux(stack, parts, revision) if is_flux else None,
        apis=requirements.apis(delivered),
        secrets=requirements.secrets(stack, parts),
        environment=stack.environment,
        narrowed=variant.selection(stack),
        fixed=schedule.fixed(stack),
        parts=tuple(in_order(delivered)),
    )


def _components(stack: Stack, parts: Sequence[Part], *, with_steps: bool) -> Iterator[ComponentPlan]:
    minor = stack.target.kubernetes.minor
    namespaces = component_steps.namespaces(parts) if with_steps else {}
    for number, part in enumerate(part for part in in_order(parts) if part.objects):
        yield ComponentPlan(
            name=part.name,
            wave=part.wave,
            objects=len(part.objects),
            folder=f"waves/{number:03}-{part.name}",
            steps=component_steps.of(part, namespaces, minor) if with_steps else (),
        )


def _argocd(
    stack: Stack, parts: Sequence[Part], repository: FileTree | Digest, commit: str, revision: str
) -> ArgoCdPlan:
    is_installed = delivery_mode.delivery(stack, parts) is Delivery.INSTALL
    argo = engine.find(parts) if is_installed else None
    is_own = stack.gitops.source is RepositorySource.IMAGE
    server = None
    if is_own or stack.gitops.source is RepositorySource.INTERNAL:
        server = ObjectId(group="apps", kind="Deployment", namespace=git_server.NAMESPACE, name=git_server.name(stack))
    everything = applications.applications(stack, parts, revision)
    root = everything[-1]
    return ArgoCdPlan(
        namespace=engine.namespace(parts) if is_installed else engine.NAMESPACE,
        server=server,
        is_image_known=is_own or (argo is not None and component.image(argo) is not None),
        install=_install(stack, parts) if is_installed else (),
        repository=tuple(_repository(stack, repository, commit, server, argo)) if server else (),
        sync=SyncApplication(
            file=ROOT,
            documents=rendered([root]),
            name=root["metadata"]["name"],
            revision=root["spec"]["source"]["targetRevision"],
        ),
        applications=tuple(application["metadata"]["name"] for application in everything),
        selector=_selector(everything),
        project=Apply(file=PROJECT, documents=rendered([project.body(stack, parts)])),
        url=applications.repository_url(stack),
        secret="" if is_own else stack.gitops.secret,
        settings=None if is_installed else _settings_of_others(),
    )


def _settings_of_others() -> Apply:
    return Apply(file=SETTINGS, documents=rendered(component.settings_of_others()), manager=SETTINGS_MANAGER)


def _flux(stack: Stack, parts: Sequence[Part], revision: str) -> FluxPlan:
    part = engine.find(parts, GitOpsEngine.FLUX) if stack.gitops.install else None
    source, root = kustomizations.root(stack, revision)
    return FluxPlan(
        namespace=sources.NAMESPACE,
        install=_bare(stack, parts, part) if part else (),
        sync=Apply(file=ROOT, documents=rendered((git_server.namespace(), source, root))),
        source=ObjectId.of(source),
        revision=source["spec"]["ref"]["tag"],
        root=kustomizations.root_name(stack),
        kustomizations={
            body["metadata"]["name"]: name
            for name, bodies in kustomizations.kustomizations(stack, parts).items()
            for body in bodies
        },
    )


def _selector(everything: Sequence[Body]) -> str:
    """The labels that all Applications of the stack have, and only they."""
    labels = [set(application["metadata"]["labels"].items()) for application in everything]
    return ",".join(f"{key}={value}" for key, value in sorted(set.intersection(*labels)))


def _install(stack: Stack, parts: Sequence[Part]) -> tuple[FileStep, ...]:
    """Argo CD's part with the settings and the project that the delivery needs."""
    part = engine.find(component.delivered(stack, parts))
    assert part is not None, "a stack that installs Argo CD has its part"
    settings = rendered(component.settings(parts))
    default = rendered(component.project(parts))
    steps = list(_bare(stack, parts, part))
    if settings:
        steps.append(Apply(file=StepFile.SETTINGS, documents=settings, manager=SETTINGS_MANAGER))
    if default:
        steps.append(Apply(file=StepFile.PROJECT, documents=default))
    return tuple(sorted(steps, key=position))


def _bare(stack: Stack, parts: Sequence[Part], part: Part) -> tuple[FileStep, ...]:
    """The engine's part as a bare cluster takes it: objects that need another part's CRDs are left to the engine itself."""
    minor = stack.target.kubernetes.minor
    own = defined_groups(part.objects)
    possible = tuple(item for item in part.objects if item.id.group in own or not is_custom(item.kind, minor))
    requirements.check_names(possible)
    return component_steps.of(dataclasses.replace(part, objects=possible), component_steps.namespaces(parts), minor)


def _repository(
    stack: Stack, repository: FileTree | Digest, commit: str, server: ObjectId, argo: Part | None
) -> Iterator[Step]:
    """The repository and its ``server``; once that is ready, the chunks of other commits are unused.

    ``argo`` is Argo CD's part, where the stack installs it.
    """
    surroundings = git_server.surroundings(stack, engine.namespace([argo]) if argo else "")
    yield Apply(file="git-server.yaml", documents=rendered(surroundings))
    if isinstance(repository, Digest):
        content = git_image.content(stack, repository)
    else:
        packed = git_chunks.archive(repository)
        image, secrets = (component.image(argo) if argo else None) or (git_server.NO_IMAGE, ())
        content = git_chunks.content(stack, packed, image, secrets)
        for number, chunk in enumerate(git_chunks.chunks(stack, packed, commit)):
            yield Apply(file=f"repository-{number:03}.yaml", documents=rendered([chunk]))
    deployment = git_server.deployment(stack, content, commit)
    yield Apply(file=git_server.DEPLOYMENT_FILE, documents=rendered([deployment]))
    yield AwaitReady(targets=(server,))
    # A label that is not there is unequal to everything: the claim has none.
    selector = f"{STACK_LABEL}={stack.name},{git_server.COMMIT},{git_server.COMMIT}!={commit}"
    yield Delete(kind="configmap", namespace=git_server.NAMESPACE, selector=selector)
