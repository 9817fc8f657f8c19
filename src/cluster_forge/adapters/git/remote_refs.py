"""The branches and tags of a repository, as ``git ls-remote`` lists them, and the commit that a REF means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.ports.sources import GitOffer

_LINE: Final = re.compile(r"([0-9a-f]{40}(?:[0-9a-f]{24})?)\t(\S+)")
_PEELED: Final = "^{}"
_HEADS: Final = "refs/heads/"
_TAGS: Final = "refs/tags/"
_SHORT: Final = re.compile(r"[0-9a-f]{4,39}")
_SHOWN: Final = 8
ALL: Final = ("HEAD", f"{_HEADS}*", f"{_TAGS}*")
"""The patterns of everything that a REF can mean, without the requests to merge that servers keep as refs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRef:
    """A ref of a repository and its commit; ``name`` is empty for a commit that was named by its id."""

    name: str
    commit: str

    @property
    def is_branch(self) -> bool:
        """Whether it moves on by its nature."""
        return self.name == "HEAD" or self.name.startswith(_HEADS)


def patterns(address: GitAddress) -> list[str]:
    """What to ask a server for: the few refs that an address may mean."""
    ref = address.ref
    if not ref:
        return ["HEAD"]
    names = [ref] if ref.startswith("refs/") else [f"{_HEADS}{ref}", f"{_TAGS}{ref}"]
    return [*names, *(f"{name}{_PEELED}" for name in names if not name.startswith(_HEADS))]


def parsed(output: bytes) -> dict[str, str]:
    """The commits of refs by their full names; that of a tag, not the tag object."""
    listed = {
        match[2]: match[1] for match in map(_LINE.fullmatch, output.decode(errors="replace").splitlines()) if match
    }
    return {name: listed.get(f"{name}{_PEELED}", commit) for name, commit in listed.items() if _PEELED not in name}


def chosen(address: GitAddress, refs: Mapping[str, str]) -> RemoteRef | None:
    """The ref that an address means; None if it is not among ``refs``.

    Raises:
        DescriptionError: if a branch and a tag have that name.
    """
    if not address.ref:
        names = ["HEAD"]
    elif address.ref.startswith("refs/"):
        names = [address.ref]
    else:
        names = [f"{_TAGS}{address.ref}", f"{_HEADS}{address.ref}"]
    candidates = [RemoteRef(name=name, commit=refs[name]) for name in names if name in refs]
    if len(candidates) > 1:
        tag, branch = candidates
        raise DescriptionError(
            f"{address}: {address.ref!r} is both a tag ({tag.commit[:12]}) and a branch ({branch.commit[:12]})",
            fix=f"write @{tag.name} or @{branch.name}",
        )
    if candidates:
        return candidates[0]
    return RemoteRef(name="", commit=address.ref) if address.is_commit else None


def offer(address: GitAddress, refs: Mapping[str, str]) -> GitOffer:
    """What an address means; ``refs`` are all of the repository.

    Raises:
        DescriptionError: if it has no such REF, or if a branch and a tag have that name.
    """
    ref = chosen(address, refs)
    if ref is None:
        raise unknown(address, refs)
    tag = ref.name.removeprefix(_TAGS) if ref.name.startswith(_TAGS) else ""
    tags = sorted(name.removeprefix(_TAGS) for name in refs if name.startswith(_TAGS))
    return GitOffer(commit=ref.commit, tag=tag, tags=tags)


def unknown(address: GitAddress, refs: Mapping[str, str]) -> DescriptionError:
    """The error for a REF that a repository does not have; ``refs`` are all of its own."""
    names = {name.removeprefix(_HEADS).removeprefix(_TAGS): name for name in refs if name.startswith((_HEADS, _TAGS))}
    if not address.ref or not names:
        return DescriptionError(
            f"{address}: the repository has no commits", fix="push a commit, or correct the address"
        )
    begins = sorted({commit for commit in refs.values() if commit.startswith(address.ref)})
    if _SHORT.fullmatch(address.ref):
        fix = f"write all of it: {begins[0]}" if begins else f"write all of it: `git rev-parse {address.ref}`"
        return DescriptionError(
            f"{address}: there is no branch or tag {address.ref!r}, and a server finds no commit by a part of its id",
            fix=fix,
        )
    shown = sorted(names)[:_SHOWN]
    more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
    return DescriptionError(
        f"{address}: there is no branch or tag {address.ref!r}{did_you_mean(address.ref, names)}",
        fix=f"it has {', '.join(shown)}{more}",
    )
