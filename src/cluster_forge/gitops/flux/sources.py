"""The source of a stack for Flux: a GitRepository or an OCIRepository, pinned to the tag of one cast.

Sources: Flux, "Git Repositories" and "OCI Repositories" (``source.toolkit.fluxcd.io/v1``, Flux 2.6 and later).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cluster_forge.foundation.git_addresses import as_url
from cluster_forge.gitops import delivery_mode, git_server
from cluster_forge.gitops import revision as revisions
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.manifest import Body
from cluster_forge.oci import artifact
from cluster_forge.stack.model import RepositorySource, Stack

GROUP: Final = "source.toolkit.fluxcd.io"
NAMESPACE: Final = git_server.NAMESPACE
"""Where all of a stack's Flux objects are: known before there is a cluster, and the same for every Flux, which watches all
namespaces by default (``--watch-all-namespaces``)."""
INTERVAL: Final = "10m"


def kind(stack: Stack) -> str:
    """The kind of the stack's source."""
    return "OCIRepository" if stack.gitops.source is RepositorySource.OCI else "GitRepository"


def plural(kind: str) -> str:
    """The kind as the name of its CRD begins."""
    return {"OCIRepository": "ocirepositories", "GitRepository": "gitrepositories"}[kind]


def source(stack: Stack, revision: str) -> Body:
    """The source of the stack at ``revision``."""
    spec = {"interval": INTERVAL, "ref": {"tag": revisions.tag(stack, revision)}}
    spec |= _oci(stack) if kind(stack) == "OCIRepository" else _git(stack)
    if stack.gitops.secret:
        spec["secretRef"] = {"name": stack.gitops.secret}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind(stack), "metadata": metadata(stack, stack.name), "spec": spec}


def metadata(stack: Stack, name: str) -> dict[str, Any]:
    """What the metadata of every object for Flux begins with."""
    labels = {"app.kubernetes.io/managed-by": "cluster-forge", STACK_LABEL: stack.name}
    return {"name": name, "namespace": NAMESPACE, "labels": labels}


def path(stack: Stack, folder: str) -> str:
    """The path of a folder of the repository in what the source gives."""
    return "/".join(filter(None, (".", revisions.folder(stack), folder)))


def _git(stack: Stack) -> dict[str, Any]:
    spec = {"url": as_url(delivery_mode.address(stack))}
    if stack.gitops.path:
        spec["ignore"] = all_but(stack.gitops.path)
    return spec


def _oci(stack: Stack) -> dict[str, Any]:
    address = delivery_mode.address(stack).removeprefix("oci://")
    host = address.partition("/")[0]
    is_plain = any(settings.host == host and settings.plain_http for settings in stack.registries)
    return {
        "url": f"oci://{address}",
        "layerSelector": {"mediaType": artifact.READ_BY_ENGINES, "operation": "extract"},
        **({"insecure": True} if is_plain else {}),
    }


def all_but(folder: str) -> str:
    """Patterns as in ``.gitignore``, one a line, that leave out everything but one folder: other stacks in the repository."""
    return "".join(f"{line}\n" for line in _patterns(folder))


def _patterns(folder: str) -> Iterator[str]:
    parent = ""
    for name in folder.split("/"):
        yield f"{parent}/*"
        parent = f"{parent}/{name}"
        yield f"!{parent}"
