"""The results of `push` and `pull`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cluster_forge.cli.output.counts import size
from cluster_forge.foundation.names import counted
from cluster_forge.ports.registry import Sent

if TYPE_CHECKING:
    from cluster_forge.stages.supply.pull import PullResult
    from cluster_forge.stages.supply.push import PushResult
    from cluster_forge.stages.supply.push_git import GitPushRequest, GitPushResult


def pushed(result: PushResult, *, is_trial: bool) -> Iterator[str]:
    """The lines; ``is_trial``: nothing was sent."""
    yield f"{result.repository.address}@{result.image} {'would be' if is_trial else 'is'} there:"
    width = max(len(tag.reference.tag) for tag in result.tags)
    for tag in result.tags:
        yield f"  {tag.reference.tag:<{width}}  {tag.change:<5}  {tag.manifest.digest}"
    if not is_trial:
        uploaded, mounted, present = (result.count(sent) for sent in (Sent.UPLOADED, Sent.MOUNTED, Sent.PRESENT))
        others = [f"{number} {what}" for number, what in ((mounted, "mounted"), (present, "present")) if number]
        yield f"sent {size(result.sent_bytes)} in {counted(uploaded, 'blob')}" + (
            f" ({', '.join(others)})" if others else ""
        )
    if not result.for_engines:
        yield "nothing for Argo CD and Flux: they read `image.compression: gzip` only"
    yield f"next: cluster-forge pull {result.repository.address}:{result.version}"


def pushed_json(result: PushResult) -> dict[str, Any]:
    return {
        "repository": result.repository.address,
        "version": result.version,
        "image": {"digest": str(result.image)},
        "tags": [
            {"tag": tag.reference.tag, "digest": str(tag.manifest.digest), "change": tag.change.value}
            for tag in result.tags
        ],
        "blobs": {sent.value: result.count(sent) for sent in Sent} | {"bytes": result.sent_bytes},
        "forEngines": result.for_engines,
    }


def pushed_to_git(request: GitPushRequest, result: GitPushResult) -> Iterator[str]:
    """The lines; of a trial what would be there."""
    published = result.published
    folder = f", folder {result.path}" if result.path else ""
    yield f"{request.address.shown}{folder} {'would have' if request.is_trial else 'has'} {counted(result.files, 'file')}:"
    rows = (
        ("branch", request.branch, published.commit, published.is_new),
        ("tag", result.version, published.tagged, published.is_tag_new),
    )
    width = max(len(name) for _, name, _, _ in rows)
    for kind, name, commit, is_new in rows:
        yield f"  {kind:<6}  {name:<{width}}  {'new' if is_new else 'kept':<4}  {commit}"


def pushed_to_git_json(request: GitPushRequest, result: GitPushResult) -> dict[str, Any]:
    published = result.published
    return {
        "repository": request.address.shown,
        "path": result.path,
        "version": result.version,
        "files": result.files,
        "branch": {"name": request.branch, "commit": published.commit, "new": published.is_new},
        "tag": {"name": result.version, "commit": published.tagged, "new": published.is_tag_new},
    }


def pulled(result: PullResult, folder: str) -> str:
    files = f"{counted(result.files, 'file')}, {size(result.size)}"
    return f"{folder} holds version {result.version} of the stack: {files}, image {result.image}"


def pulled_json(result: PullResult) -> dict[str, Any]:
    return {
        "reference": result.reference.address,
        "version": result.version,
        "image": {"digest": str(result.image)},
        "files": result.files,
        "bytes": result.size,
    }
