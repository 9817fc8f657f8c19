"""``kustomize`` of a component: a folder in ``input/``, with everything that it refers to, or an address in Git."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.git_addresses import EXAMPLE, GitAddress, is_git
from cluster_forge.stack.component import KustomizeSource
from cluster_forge.stack.input_files import INPUT, InputFiles, in_input, is_outside, outside_error
from cluster_forge.stack.kustomization import remotes
from cluster_forge.stack.kustomization.closure import closure
from cluster_forge.stack.kustomization.references import is_remote
from cluster_forge.yaml.positioned import Positioned


def kustomize_source(
    named: Positioned, component: str, files: InputFiles, errors: list[ForgeError]
) -> KustomizeSource | None:
    """The kustomization that ``named`` describes; None if it cannot be one. What is wrong goes into ``errors``."""
    text = str(named.content)
    wrong = _wrong_path(text)
    if wrong:
        message, fix = wrong
        errors.append(DescriptionError(f"{component}: {message}", where=named.where, fix=fix))
        return None
    if is_git(text):
        return KustomizeSource(path=text)
    folder = in_input(text)
    if is_outside(folder):
        errors.append(outside_error(named, f"{component}: "))
        return None
    needed = closure(folder, files, root=INPUT, where=named.where, may_fetch=lambda _url: True)
    errors.extend(
        DescriptionError(f"{component}: {error.message}", where=error.where, fix=error.fix) for error in needed.errors
    )
    return KustomizeSource(path=posixpath.normpath(text), files=needed.files, remotes=_addresses(needed.remotes))


def _addresses(texts: Iterable[str]) -> dict[str, str]:
    return {text: address for text in texts if (address := remotes.address(text))}


def _wrong_path(text: str) -> tuple[str, str] | None:
    """Why a text is neither a relative path nor an address in Git, and how to mend it."""
    if is_git(text):
        try:
            GitAddress.parse(text)
        except ValueError as error:
            return f"{masked(text)}: {error}", f"write it like {EXAMPLE}"
        return None
    if is_remote(text):
        address = remotes.address(text) or EXAMPLE
        return f"`kustomize: {masked(text)}` is not an address of a Git tree", f"write `kustomize: {masked(address)}`"
    if text.startswith("/"):
        return f"{text} is an absolute path", f"write `{text.lstrip('/')}`, relative to input/"
    return None
