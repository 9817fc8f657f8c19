"""What a machine needs: programs for what the stack uses, Helm's engine, folders that can be written, room on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.git_addresses import is_git
from cluster_forge.ports.machine import Machine
from cluster_forge.stack import source_addresses
from cluster_forge.stack.model import RepositorySource, Stack
from cluster_forge.stages.deliver.diagnosis.examination import Examined, State

_ENGINE: Final = "helm_python"
_LEAST_ROOM: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program: how it is asked for its version, what it is for, and where to get it."""

    name: str
    arguments: tuple[str, ...]
    use: str
    source: str


GIT: Final = Program(
    name="git", arguments=("--version",), use="sources in Git, external repositories", source="https://git-scm.com"
)
SSH: Final = Program(name="ssh", arguments=("-V",), use="Git over SSH", source="https://www.openssh.com")
KUBECTL: Final = Program(
    name="kubectl",
    arguments=("version", "--client"),
    use="deploy.sh (not `cluster-forge deploy`); kustomizations, without kustomize",
    source="https://kubernetes.io/docs/tasks/tools/",
)
KUSTOMIZE: Final = Program(
    name="kustomize",
    arguments=("version",),
    use="kustomizations",
    source="https://kubectl.docs.kubernetes.io/installation/",
)
HELM: Final = Program(
    name="helm",
    arguments=("version", "--short"),
    use="--helm-engine helm; Helm is built in otherwise",
    source="https://helm.sh",
)
AGE: Final = Program(
    name="age",
    arguments=("--version",),
    use="deploy --secrets with a file for age",
    source="https://age-encryption.org",
)
SOPS: Final = Program(
    name="sops",
    arguments=("--version", "--disable-version-check"),
    use="deploy --secrets with a file for SOPS",
    source="https://getsops.io",
)
PROGRAMS: Final = (GIT, SSH, KUBECTL, KUSTOMIZE, HELM, AGE, SOPS)


def examine(machine: Machine, stack: Stack | None, folders: Iterable[str]) -> Iterator[Examined]:
    """All that a machine can lack; ``stack`` decides what is needed, ``folders`` are written by Cluster-Forge."""
    yield Examined(name="python", state=State.GOOD, detail=machine.python())
    yield _engine(machine)
    needed = set(_needed(stack)) if stack else set()
    versions = {program: machine.version(program.name, *program.arguments) for program in PROGRAMS}
    if KUSTOMIZE in needed and versions[KUSTOMIZE] is None and versions[KUBECTL] is not None:
        needed.remove(KUSTOMIZE)  # kubectl has it built in
    for program, version in versions.items():
        yield _program(program, version, is_needed=program in needed)
    for folder in folders:
        yield _folder(machine, folder)


def _needed(stack: Stack) -> Iterator[Program]:
    """The programs without which this stack cannot be built or delivered."""
    addresses = [address for component in stack.components for address in source_addresses.of(component)]
    if stack.gitops.source is RepositorySource.EXTERNAL:
        yield GIT
        addresses.append(stack.gitops.url)
    if any(map(is_git, addresses)):
        yield GIT
    if any(address.startswith(("git+ssh://", "ssh://", "git@")) for address in addresses):
        yield from (GIT, SSH)
    if any(component.kustomize for component in stack.components):
        yield KUSTOMIZE


def _program(program: Program, version: str | None, *, is_needed: bool) -> Examined:
    if version is not None:
        is_silent = not version
        return Examined(
            name=program.name,
            state=State.DOUBTFUL if is_silent else State.GOOD,
            detail="does not say its version" if is_silent else version,
            fix=f"see whether it starts: {' '.join((program.name, *program.arguments))}" if is_silent else "",
        )
    return Examined(
        name=program.name,
        state=State.MISSING if is_needed else State.ABSENT,
        detail=f"is not on PATH; {'the stack needs it' if is_needed else 'only needed'} for {program.use}",
        fix=f"install it: {program.source}",
    )


def _engine(machine: Machine) -> Examined:
    if machine.has_module(_ENGINE):
        return Examined(name="helm engine", state=State.GOOD, detail="built in")
    return Examined(
        name="helm engine",
        state=State.ABSENT if machine.version(HELM.name, *HELM.arguments) else State.MISSING,
        detail="there is none for this platform: charts are rendered by the program helm",
        fix=f"install helm: {HELM.source}",
    )


def _folder(machine: Machine, path: str) -> Examined:
    folder = machine.folder(path)
    if not folder.is_writable:
        return Examined(
            name="folder",
            state=State.MISSING,
            detail=f"{path} cannot be written",
            fix="change its permissions, or choose another",
        )
    if folder.free < _LEAST_ROOM:
        detail = f"{path} has {folder.free / (1 << 20):.0f} MiB left on its disk"
        return Examined(name="folder", state=State.DOUBTFUL, detail=detail, fix="make room: cluster-forge store clean")
    return Examined(name="folder", state=State.GOOD, detail=f"{path}, {folder.free / (1 << 30):.0f} GiB free")
