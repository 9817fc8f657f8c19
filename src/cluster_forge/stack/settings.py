"""The sections of a description that concern the whole stack: target, GitOps, image, hosts, ignored findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from cluster_forge.foundation import git_addresses
from cluster_forge.foundation.addresses import is_public, masked, without_credentials
from cluster_forge.foundation.errors import DescriptionError, ForgeError, ImageError
from cluster_forge.foundation.names import is_dns_subdomain
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack import changes_reader
from cluster_forge.stack.changes import Changes
from cluster_forge.stack.component import Component
from cluster_forge.stack.input_files import InputFiles, in_input, is_outside, outside_error
from cluster_forge.stack.model import (
    Architecture,
    FindingPolicy,
    GitOps,
    GitOpsEngine,
    GitOpsMode,
    Ignore,
    ImageSettings,
    KubernetesVersion,
    Node,
    RepositorySource,
    Size,
    Target,
)
from cluster_forge.stack.registry_settings import RegistrySettings
from cluster_forge.stack.schema import node_types
from cluster_forge.stack.schema.changes import ChangesSchema
from cluster_forge.stack.schema.description import (
    ChecksSchema,
    GitOpsSchema,
    ImageSchema,
    NodeSchema,
    RegistrySchema,
    TargetSchema,
)
from cluster_forge.stack.schema.key_types import Schema
from cluster_forge.stack.schema.validation import validated
from cluster_forge.yaml.positioned import Positioned

Section = TypeVar("Section", bound=Schema)

_LOGIN_FIX: Final = (
    "write `url: {url}`, and give Argo CD the login in a Secret: kubectl create secret generic repository "
    "--namespace argocd --from-literal=type=git --from-literal=url={url} --from-literal=username=… "
    "--from-literal=password=…, then kubectl label secret repository --namespace argocd "
    "argocd.argoproj.io/secret-type=repository"
)
"""Argo CD, "Declarative Setup", section "Repositories"."""
_FLUX_LOGIN_FIX: Final = (
    "write `url: {url}` and `secret: repository`, and give Flux the login in that Secret: kubectl create secret generic "
    "repository --namespace cluster-forge --from-literal=username=… --from-literal=password=…"
)
"""Flux, "Git Repositories", section "Secret reference"."""
_FOLDER: Final = re.compile(r"(?!\.\.?(?:/|\Z))[\w.-]+(?:/(?!\.\.?(?:/|\Z))[\w.-]+)*", re.ASCII)
"""A relative path that is not normalized any further."""


def target(description: Positioned) -> Target:
    """The target; its defaults where the section does not fit the schema."""
    section = section_of(description, "target", TargetSchema)
    return Target(
        kubernetes=KubernetesVersion.parse(section.kubernetes),
        size=Size(section.size),
        architectures=tuple(map(Architecture, dict.fromkeys(section.architectures))),
        nodes=tuple(
            _node(node, description.at(("target", "nodes", number)).where) for number, node in enumerate(section.nodes)
        ),
        domain=section.domain,
        provides=tuple(section.provides),
    )


def target_facts(section: Positioned | None) -> Mapping[str, Any]:
    """What expressions know of the target, from its section; the defaults where that does not fit the schema."""
    settings = (section and validated(TargetSchema, section)) or TargetSchema()
    written = settings.model_dump(by_alias=True)
    return {**written, "minor": KubernetesVersion.parse(settings.kubernetes).minor}


def gitops(description: Positioned, errors: list[ForgeError]) -> GitOps:
    """How the stack is delivered. Unsupported settings go into ``errors``."""
    section = section_of(description, "gitops", GitOpsSchema)
    has_address = section.url or (section.source == "oci" and section_of(description, "image", ImageSchema).repository)
    errors += _lacks_of_image(description, section)
    if section.source not in ("internal", "image") and not has_address and section.engine != "none":
        errors.append(
            DescriptionError(
                f"gitops: `source: {section.source}` requires the URL of a repository",
                where=description.at(("gitops", "source")).where,
                fix="add `url: https://…` to `gitops`",
            )
        )
    if section.engine == "flux" and section.source in ("internal", "image"):
        errors.append(
            DescriptionError(
                f"gitops: Flux cannot read `source: {section.source}`, the Git server in the cluster: it reads Git over https "
                "and ssh only",
                where=description.at(("gitops", "source" if "source" in section.model_fields_set else "engine")).where,
                fix="write `source: oci` and the address of a registry, or `source: external` and that of a Git repository, "
                "as `url`",
            )
        )
    errors += _wrong_places(description, section)
    fix = _FLUX_LOGIN_FIX if section.engine == "flux" else _LOGIN_FIX
    _refuse_credentials(description, ("gitops", "url"), fix, errors)
    is_written = "engine" in section.model_fields_set
    return GitOps(
        engine=GitOpsEngine(section.engine),
        engine_where=description.at(("gitops", "engine")).where if is_written else "",
        default_where="" if is_written else (description.get("gitops") or description).where,
        mode=GitOpsMode(section.mode),
        install=section.install,
        source=RepositorySource(section.source),
        persistent=section.persistent,
        url=section.url,
        path=section.path,
        branch=section.branch,
        secret=section.secret,
        finalizers=section.finalizers,
    )


def _lacks_of_image(description: Positioned, section: GitOpsSchema) -> Iterator[DescriptionError]:
    """What a Git server lacks that runs from the stack's image: where the cluster pulls that from, and Git in it."""
    image = section_of(description, "image", ImageSchema)
    meant = {
        "repository": (image.repository, "registry.example.com/team/platform"),
        "base": (image.base, "an image with git, git-daemon and a shell"),
    }
    for key, (value, example) in meant.items():
        if section.source == "image" and section.engine == "argocd" and not value:
            yield DescriptionError(
                f"gitops: `source: image` requires `image.{key}`: the Git server runs from the stack's image",
                where=description.at(("gitops", "source")).where,
                fix=f"write `image: {{{key}: …}}`: {example}",
            )


def _wrong_places(description: Positioned, section: GitOpsSchema) -> Iterator[DescriptionError]:
    """Values of ``gitops`` that cannot name a folder, a branch or a Secret."""
    wrong = {
        "path": not section.path or _FOLDER.fullmatch(section.path),
        "branch": git_addresses.is_ref(section.branch),
        "secret": not section.secret or is_dns_subdomain(section.secret),
    }
    meant = {
        "path": "a folder of the repository: `clusters/production`",
        "branch": "a branch: `main`",
        "secret": "the name of a Secret: `platform-repository`",
    }
    for key, is_right in wrong.items():
        if not is_right:
            yield DescriptionError(
                f"gitops: `{key}: {getattr(section, key)}` cannot name {meant[key].partition(':')[0]}",
                where=description.at(("gitops", key)).where,
                fix=f"write {meant[key]}",
            )


def image(description: Positioned, errors: list[ForgeError]) -> ImageSettings:
    """The image's settings. Unsupported ones go into ``errors``."""
    section = section_of(description, "image", ImageSchema)
    _refuse_credentials(description, ("image", "repository"), "write `repository: {url}`", errors)
    return ImageSettings(
        repository=section.repository,
        compression=Compression(section.compression),
        base=_base_image(description, section.base, errors) if section.base else None,
        base_where=description.at(("image", "base")).where if section.base else "",
    )


def _base_image(description: Positioned, text: str, errors: list[ForgeError]) -> ImageReference | None:
    """The base image; what cannot be one goes into ``errors``."""
    if not is_public(text):
        _refuse_credentials(
            description, ("image", "base"), "write `base: {url}`, and run `cluster-forge login`", errors
        )
        return None
    try:
        return ImageReference.read(text)
    except ImageError as error:
        where = description.at(("image", "base")).where
        errors.append(DescriptionError(f"image: `base`: {masked(error.message)}", where=where, fix=error.fix))
        return None


def registries(description: Positioned, errors: list[ForgeError]) -> tuple[RegistrySettings, ...]:
    """The hosts that are reached in their own way. Paths that leave the workspace go into ``errors``."""
    section = description.get("registries")
    return tuple(_registry(host, entry, errors) for host, entry in (section.mapping if section else {}).items())


def _registry(host: str, entry: Positioned, errors: list[ForgeError]) -> RegistrySettings:
    settings = validated(RegistrySchema, entry) or RegistrySchema()
    files = {key: entry.get(key) for key in ("caFile", "certFile", "keyFile")}
    for key, named in files.items():
        if named and named.string and is_outside(in_input(named.string)):
            errors.append(outside_error(named, f"registries.{host}.{key}: "))
    if settings.key_file and not settings.cert_file:
        errors.append(
            DescriptionError(
                f"registries: {host!r} has a `keyFile` without a `certFile`",
                where=entry.where,
                fix="write `certFile`, too: the certificate that the key belongs to",
            )
        )
    return RegistrySettings(
        host=host,
        plain_http=settings.plain_http,
        insecure=settings.insecure,
        ca_file=settings.ca_file and in_input(settings.ca_file),
        cert_file=settings.cert_file and in_input(settings.cert_file),
        key_file=settings.key_file and in_input(settings.key_file),
        where=entry.where,
    )


def finding_policy(description: Positioned, components: Iterable[Component]) -> FindingPolicy:
    """What becomes of findings, each entry with its position."""
    section = section_of(description, "checks", ChecksSchema)
    return FindingPolicy(
        ignores=_ignores(description, section),
        errors={code: description.at(("checks", "errors", index)).where for index, code in enumerate(section.errors)},
        accepted={str(component.name): component.accepts for component in components if component.accepts},
    )


def _ignores(description: Positioned, section: ChecksSchema) -> tuple[Ignore, ...]:
    """The ignored findings, each with its position."""
    return tuple(
        Ignore(
            code=ignore.code,
            reason=ignore.reason,
            component=ignore.component,
            object=ignore.object,
            where=description.at(("checks", "ignore", index)).where,
        )
        for index, ignore in enumerate(section.ignore)
    )


def changes(description: Positioned, files: InputFiles, errors: list[ForgeError]) -> Changes:
    """What is changed in the objects of all components; nothing where a section does not fit its schema."""
    keys = [field.alias for field in ChangesSchema.model_fields.values()]
    described = description.without(*(key for key in description.mapping if key not in keys))
    section = validated(ChangesSchema, described)
    return changes_reader.read(section, described, "the stack", files, errors) if section else Changes()


def _refuse_credentials(description: Positioned, path: tuple[str, str], fix: str, errors: list[ForgeError]) -> None:
    """Refuse an address that would carry a password into the Applications, the repository, the image and the bootstrap."""
    place = description.at(path)
    url = place.string or ""
    if is_public(url):
        return
    errors.append(
        DescriptionError(
            f"{path[0]}: `{path[1]}` has a user, password or query: everyone who reads the repository or the image "
            "would have it",
            where=place.where,
            fix=fix.format(url=without_credentials(url)),
        )
    )


def _node(section: NodeSchema, where: str) -> Node:
    return Node(
        count=section.count,
        cpu=section.cpu,
        memory=section.memory,
        storage=section.storage,
        resources=node_types.amounts(section.resources),
        labels=section.labels,
        taints=tuple(section.taints),
        pods=section.pods,
        where=where,
    )


def section_of(description: Positioned, name: str, kind: type[Section]) -> Section:
    """A section of the description; its defaults where it is missing or does not fit the schema."""
    member = description.get(name)
    settings = validated(kind, member) if member else None
    return kind() if settings is None else settings
