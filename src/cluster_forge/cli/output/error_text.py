"""Errors and findings as text: what is wrong, where, how to fix it; bugs with a report."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import click

from cluster_forge.cli import termination
from cluster_forge.cli.arguments import without_secrets
from cluster_forge.cli.output.findings import subject
from cluster_forge.cli.output.streams import to_stderr, to_stdout
from cluster_forge.cli.output.terminal_text import Styled, printable, styled
from cluster_forge.foundation import build
from cluster_forge.foundation.addresses import masked, masked_values
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding, Severity

BUG: Final = 70
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def failure(error: Exception, arguments: Sequence[str], *, color: bool | None = None) -> int:
    """Print every error inside ``error``; the exit code of the first one, or of a bug if one is not a `ForgeError`."""
    errors = _forge_errors(error)
    if not errors:
        return _bug(error, arguments)
    for forge_error in errors:
        to_stderr(text(forge_error), color=color)
    if len(errors) > 1:
        to_stderr(counted(len(errors), "error"))
    if _wants_json(arguments):
        import orjson

        with contextlib.suppress(OSError):
            content = {"errors": [error_json(forge_error) for forge_error in errors]}
            document = orjson.dumps(masked_values(content)).decode()  # a line, as events are before it
            to_stdout(Styled(printable(document)))
    return errors[0].exit_code


def outcome(error: BaseException) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of an error, and the errors inside it as JSON: for the log of a run."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1, []
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return termination.INTERRUPTED, []
    if isinstance(error, click.ClickException):
        return error.exit_code, [{"type": "Usage", "code": error.exit_code, "message": error.format_message()}]
    errors = _forge_errors(error)
    if errors:
        return errors[0].exit_code, [error_json(forge_error) for forge_error in errors]
    return BUG, [{"type": type(error).__name__, "code": BUG, "message": str(error)}]


def _forge_errors(error: BaseException) -> list[ForgeError]:
    """The errors inside ``error`` without duplicates; empty if one of them is a bug."""
    single = list(leaves(error)) if isinstance(error, ForgeError | ExceptionGroup) else [error]
    errors = [inner for inner in single if isinstance(inner, ForgeError)]
    return list({(str(inner), inner.fix): inner for inner in errors}.values()) if len(errors) == len(single) else []


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON is wanted; the verb's own context is gone when an error is printed."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def error_json(error: ForgeError) -> dict[str, Any]:
    """An error in a JSON document."""
    return {
        "type": type(error).__name__,
        "code": error.exit_code,
        "where": error.where or "",
        "message": error.message,
        "fix": error.fix or "",
    }


def text(error: ForgeError) -> Styled:
    """An error with its place and its fix."""
    place = f"{error.where}: " if error.where else ""
    return styled(("error", {"fg": "red", "bold": True}), _indented(f": {place}{error.message}"), remedy(error.fix))


def finding_text(finding: Finding) -> Styled:
    """A finding on one or two lines."""
    finding = subject.readable(finding)
    about = " ".join(filter(None, (finding.component, subject.of(finding))))
    place = f"{finding.where}: " if finding.where else ""
    line = f"[{finding.code}]: {place}{about + ': ' if about else ''}{finding.message}"
    return styled((finding.severity, {"fg": _COLORS[finding.severity]}), _indented(line), remedy(finding.fix))


def remedy(fix: str | None) -> str:
    """The lines that say how to mend it; none if nothing is known."""
    return f"\n  fix: {_indented(fix)}" if fix else ""


def _indented(lines: str) -> str:
    """A text of several lines, none of which looks like an error or a fix of its own."""
    return lines.replace("\n", "\n    ")


def _bug(error: Exception, arguments: Sequence[str]) -> int:
    """Write the traceback to a file and print its name, so that a user need not read it."""
    import tempfile
    import traceback

    report = (
        f"cluster-forge {build.identity()}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {without_secrets(arguments)}\n\n{masked(''.join(traceback.format_exception(error)))}"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="cluster-forge-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(report)
        where = f"the report is in {file.name}"
    except OSError:
        where = report
    to_stderr(f"a bug of cluster-forge ({type(error).__name__}: {error}); {where}")
    return BUG
