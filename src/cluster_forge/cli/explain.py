"""Errors as people read them: what happened, where, how to mend it; bugs with a report."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from itertools import pairwise

import click

from cluster_forge import __version__
from cluster_forge.foundation.errors import ForgeError, leaves
from cluster_forge.manifests.finding import Finding, Severity

_BUG = 70
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}


def failure(error: Exception, arguments: Sequence[str], *, color: bool | None = None) -> int:
    """Print every error inside ``error``; the exit code is that of the first one, or of a bug if one is not typed."""
    single = list(leaves(error)) if isinstance(error, ForgeError | ExceptionGroup) else [error]
    if not all(isinstance(each, ForgeError) for each in single):
        return _bug(error, arguments)
    typed = list({(str(each), each.fix): each for each in single if isinstance(each, ForgeError)}.values())
    for each in typed:
        click.echo(_text(each), err=True, color=color)
    if len(typed) > 1:
        click.echo(f"{len(typed)} errors", err=True)
    if _wants_json(arguments):
        click.echo(_json(typed))
    return typed[0].exit_code


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether the call's one document is due on stdout; what it was told is all that is left of the call."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def _json(errors: Sequence[ForgeError]) -> str:
    import orjson

    content = {
        "errors": [
            {
                "type": type(each).__name__,
                "code": each.exit_code,
                "where": each.where or "",
                "message": each.message,
                "fix": each.fix or "",
            }
            for each in errors
        ]
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


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
        f"cluster-forge {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
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
    click.echo(f"a bug of cluster-forge ({type(error).__name__}: {error}); {where}", err=True)
    sys.stderr.flush()
    return _BUG
