"""The record of a smelted stack: smelt writes it beside the files, and cast reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final, Literal

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.json_codec import ADDED, Key
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.part import BARE, Part

RECORD: Final = "working/.smelt.json"
WRITTEN: Final = ".written"
"""In each folder that `cast` and `mine` replace: the path of each file that they wrote there, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCounts:
    """How many findings were errors and warnings, after ``checks.ignore`` and ``--allow``."""

    error: int = 0
    warning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What smelt wrote, and from which inputs.

    ``tool`` is the build of Cluster-Forge, ``folder`` names the environment and the selection, too (`stack.variant`; empty
    in records of earlier versions), ``inputs`` is the fingerprint of description, lock and files, ``revision`` the tag that
    the Applications are pinned to. ``files`` has the digest of every file of ``working/``, by path, to detect hand edits.
    ``own_findings`` are those of smelt itself, before ``checks.ignore`` and ``--allow``.
    """

    schema: Literal["cluster-forge/smelt/v1"] = "cluster-forge/smelt/v1"
    tool: str
    stack: str
    folder: Annotated[str, ADDED] = ""
    inputs: Digest
    revision: str
    findings: FindingCounts = FindingCounts()
    own_findings: Annotated[tuple[Finding, ...], Key("found")] = ()
    parts: tuple[Part, ...]
    files: Mapping[str, Annotated[Digest, BARE]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def holds(self) -> str:
        """The stack, environment and selection, as the name of their folder."""
        return self.folder or self.stack

    @property
    def objects(self) -> int:
        """The number of objects of all parts."""
        return sum(len(part.objects) for part in self.parts)

    @property
    def components(self) -> int:
        """The number of parts that have objects, as `cast` and `deploy.sh` count them."""
        return sum(bool(part.objects) for part in self.parts)

    def to_json(self) -> bytes:
        """One line for each fact and file, so that Git shows what changed."""
        return json_codec.dump(self, indent=True)

    @classmethod
    def from_json(cls, content: bytes) -> Record:
        """Read what `to_json` wrote; the parts have no documents.

        Raises:
            StaleError: if it is damaged or from another version of Cluster-Forge.
        """
        try:
            return json_codec.load(cls, content)
        except json_codec.DecodeError as error:
            raise StaleError(
                f"cannot be read: {error}",
                where=RECORD,
                fix="write working/ again: cluster-forge smelt --discard-edits",
            ) from error
