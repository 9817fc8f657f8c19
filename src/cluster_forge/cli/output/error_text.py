"""Errors as people read them: what happened, where, how to mend it; bugs with a report."""

from __future__ import annotations

import contextlib
import platform
import tempfile
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import click

from cluster_forge.foundation import build
from cluster_forge.foundation.errors import ForgeError, leaves
from cluster_forge.manifests.finding import Finding, Severity

BUG: Final = 70
INTERRUPTED: Final = 130
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def failure(error: Exception, arguments: Sequence[str], *, color: bool | None = None) -> int:
    """Print every error inside ``error``; the exit code is that of the first one, or of a bug if one is not typed."""
    typed = _typed(error)
    if not typed:
        return _bug(error, arguments)
    for each in typed:
        tell(_text(each), color=color)
    if len(typed) > 1:
        tell(f"{len(typed)} errors")
    if _wants_json(arguments):
        import orjson

        with contextlib.suppress(OSError):
            click.echo(orjson.dumps({"errors": [_json(each) for each in typed]}, option=orjson.OPT_INDENT_2).decode())
    return typed[0].exit_code


def outcome(error: BaseException) -> tuple[int, list[dict[str, Any]]]:
    """The exit code that an error gives, and the errors as JSON tells them: for the log."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1, []
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED, []
    if isinstance(error, click.ClickException):
        return error.exit_code, [{"type": "Usage", "code": error.exit_code, "message": error.format_message()}]
    typed = _typed(error)
    if typed:
        return typed[0].exit_code, [_json(each) for each in typed]
    return BUG, [{"type": type(error).__name__, "code": BUG, "message": str(error)}]


def tell(text: str, *, color: bool | None = None) -> None:
    """A line for people, on stderr. Where nobody reads it any more the work goes on."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, color=color)


def _typed(error: BaseException) -> list[ForgeError]:
    """The errors inside ``error``, each once; none if one of them is a bug."""
    single = list(leaves(error)) if isinstance(error, ForgeError | ExceptionGroup) else [error]
    typed = [each for each in single if isinstance(each, ForgeError)]
    return list({(str(each), each.fix): each for each in typed}.values()) if len(typed) == len(single) else []


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether the call's one document is due on stdout; what it was told is all that is left of the call."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _json(error: ForgeError) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "code": error.exit_code,
        "where": error.where or "",
        "message": error.message,
        "fix": error.fix or "",
    }


def _text(error: ForgeError) -> str:
    place = f"{error.where}: " if error.where else ""
    head = f"{click.style('error', fg='red', bold=True)}: {place}{error.message}"
    return f"{head}\n  fix: {error.fix}" if error.fix else head


def finding(each: Finding) -> str:
    """A finding on one or two lines."""
    severity = click.style(each.severity, fg=_COLORS[each.severity])
    subject = " ".join(str(part) for part in (each.component, each.object) if part)
    place = f"{each.where}: " if each.where else ""
    head = f"{severity}[{each.code}]: {place}{subject + ': ' if subject else ''}{each.message}"
    return f"{head}\n  fix: {each.fix}" if each.fix else head


def _bug(error: Exception, arguments: Sequence[str]) -> int:
    """Write the traceback to a file and say where; a bug is ours, and whoever meets it should not have to read it."""
    report = (
        f"cluster-forge {build.identity()}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {list(arguments)}\n\n{''.join(traceback.format_exception(error))}"
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="cluster-forge-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(report)
        where = f"the report is in {file.name}"
    except OSError:
        where = report
    tell(f"a bug of cluster-forge ({type(error).__name__}: {error}); {where}")
    return BUG
