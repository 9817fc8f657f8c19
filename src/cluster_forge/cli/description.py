"""Loading the description for a verb: the stack, its lock, and what every result of a verb tells about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_forge.adapters.stack_files import WorkspaceFiles
from cluster_forge.bundle import PartRecord
from cluster_forge.cli import difference
from cluster_forge.cli.session import Selection, finding_json
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, raise_all
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack import lock as lock_file
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Stack
from cluster_forge.stack.parse import Loaded, load
from cluster_forge.stages import check
from cluster_forge.stages.smelt import Smelted


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A description and its lock."""

    loaded: Loaded
    lock: Lock
    read: Mapping[str, Digest]
    """Every file of the description as it was read, and its digest."""

    @property
    def stack(self) -> Stack:
        return self.loaded.stack

    @property
    def notices(self) -> tuple[Finding, ...]:
        """What the reading of the description noticed."""
        read = tuple(
            Finding(
                code=notice.code,
                severity=Severity.NOTICE,
                component=ComponentName(notice.component) if notice.component else None,
                where=notice.where,
                message=notice.message,
            )
            for notice in self.loaded.notices
        )
        return (*read, *check.notices(self.loaded))


def describe(files: WorkspaceFiles, selection: Selection) -> Described:
    """Read the description and the lock.

    Raises:
        DescriptionError, UnknownNameError, LockError, ExceptionGroup: everything that is wrong in them.
    """
    if files.read("input/config.yaml") is None:
        raise _no_description(files)
    digests: dict[str, Digest] = {}

    def read(path: str) -> bytes | None:
        content = files.read(path)
        if content is not None:
            digests[path] = Digest.of(content)
        return content

    loaded = load(
        read,
        list_files=files.list_files,
        environment=selection.environment,
        select_files=selection.select,
        names=selection.names,
        skip=selection.skip,
    )
    raise_all(check.faults(loaded))
    content = files.read(lock_file.FILE)
    lock = lock_file.parse(content.decode(errors="replace")) if content is not None else Lock()
    return Described(loaded=loaded, lock=lock, read=digests)


def _no_description(files: WorkspaceFiles) -> DescriptionError:
    """There is no description where it should be; where one lies beside that, it is what was meant."""
    fix = "run `cluster-forge init`, or name the workspace with -C: the folder that holds input/"
    if files.read("config.yaml") is not None:
        fix = "the workspace is the folder above the one with config.yaml, and that has to be called input: -C .."
    elif files.read("input/config.yml") is not None:
        fix = "rename input/config.yml to input/config.yaml"
    return DescriptionError("there is no input/config.yaml", where=files.root, fix=fix)


def components_json(parts: Iterable[PartRecord], reused: Collection[ComponentName]) -> list[dict[str, Any]]:
    return [
        {
            "name": part.name,
            "version": part.version,
            "namespace": part.namespace,
            "wave": part.wave,
            "objects": len(part.objects),
            "reused": part.name in reused,
        }
        for part in parts
    ]


def smelted_json(stack: Stack, smelted: Smelted) -> Mapping[str, Any]:
    return {
        "stack": stack.name,
        "components": components_json(smelted.record.parts, smelted.reused),
        "objects": smelted.objects,
        "findings": [finding_json(each) for each in smelted.findings],
        "changes": difference.json(smelted.changes),
    }


def counted(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning, 3 notices``, or nothing."""
    found = list(findings)
    counts = [(severity, sum(each.severity is severity for each in found)) for severity in Severity]
    return ", ".join(many(number, severity) for severity, number in counts if number)


def many(number: int, noun: str) -> str:
    """``1 object``, ``2 objects``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """``12 B``, ``3.4 kB``, ``5.6 MB``."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"
