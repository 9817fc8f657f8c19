"""`check --fix`: shows what changes in the description, asks, and writes it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cluster_forge.cli.prompts import questions
from cluster_forge.cli.session import Session
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding
from cluster_forge.stages.check.mended_files import LeftFinding, MendedFile, mended

if TYPE_CHECKING:
    from cluster_forge.composition import Services


def run(session: Session, services: Services, findings: Sequence[Finding]) -> int:
    """Mend what can be mended of these findings; the exit code.

    Raises:
        UsageError: without a terminal and without ``--yes``.
        Abort: if the user declines.
        WorkspaceError: if a file cannot be written.
    """
    environments = _environments(session)
    if environments and any(finding.code == "unused-ignore" for finding in findings):
        findings = [finding for finding in findings if finding.code != "unused-ignore"]
        session.print(f"entries that match nothing stay: environments may need them ({', '.join(environments)})")
    result = mended(findings, services.files.read)
    files = result.files
    for file in files:
        for line in _difference(file):
            session.print(line)
    for left in result.left:
        session.print(f"left: {_left(left)}")
    number = sum(len(file.findings) for file in files)
    if files:
        if not session.run.yes:
            questions.must_confirm(session, f"Write {counted(len(files), 'file')}?")
        with services.files.locked():
            for file in files:
                services.files.write(file.path, file.after.encode())
        session.print(f"{counted(number, 'finding')} mended; next: {session.selecting_command('check')}")
    elif not result.left:
        session.print("nothing can be mended without a decision of yours")
    written = [{"file": file.path, "codes": sorted({finding.code for finding in file.findings})} for file in files]
    places = [{"where": _where(left), "code": left.finding.code, "reason": left.reason} for left in result.left]
    session.print_json("check --fix", mended=number, files=written, left=places)
    return 0


def _left(left: LeftFinding) -> str:
    return f"{_where(left)}: {left.finding.code}: {left.reason}"


def _where(left: LeftFinding) -> str:
    return left.finding.mending.where if left.finding.mending else left.path


def _environments(session: Session) -> list[str]:
    from cluster_forge.catalog.name_index import NameIndex
    from cluster_forge.stack import name_scan

    return sorted(name_scan.read(session.files().read, session.selection.environment, catalog=NameIndex()).environments)


def _difference(file: MendedFile) -> Iterator[str]:
    before, after = file.before.splitlines(), file.after.splitlines()
    return difflib.unified_diff(before, after, file.path, file.path, lineterm="")
