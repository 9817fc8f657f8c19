"""Addresses of catalogs that are fetched: in Git, or in an artifact of an OCI registry."""

from __future__ import annotations

from dataclasses import replace

from cluster_forge.foundation.git_addresses import EXAMPLE as GIT_EXAMPLE
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.oci.artifact_address import EXAMPLE as ARTIFACT_EXAMPLE
from cluster_forge.oci.artifact_address import ArtifactAddress
from cluster_forge.oci.reference import SCHEME

CatalogAddress = GitAddress | ArtifactAddress


def is_fetched(address: str) -> bool:
    """Whether an entry of ``catalogs`` is meant to be such an address; any other is a folder in ``input/``."""
    return is_git(address) or address.startswith(SCHEME)


def parse(address: str) -> CatalogAddress:
    """Read an address.

    Raises:
        ValueError: if it is none; the text says what is wrong.
    """
    return GitAddress.parse(address) if is_git(address) else ArtifactAddress.parse(address)


def of_lock(key: str, ref: str) -> CatalogAddress:
    """The address that the lock has in two parts.

    Raises:
        ValueError: if it is none.
    """
    return replace(GitAddress.parse(key), ref=ref) if is_git(key) else ArtifactAddress.at(key, ref)


def example(address: str) -> str:
    """What an address that is wrong should look like."""
    return GIT_EXAMPLE if is_git(address) else ARTIFACT_EXAMPLE
