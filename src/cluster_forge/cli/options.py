"""The options that only the command line needs: output, run, record and findings.

Options that go further down are declared there, in the same way: `service_options`, `stack.selection`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from cluster_forge.foundation.option_fields import option

_DOCUMENT: Final = "json: one document on stdout"
JSON_LINES: Final = (_DOCUMENT, "json: an object in each line on stdout, events first and the result last")
"""What the help text of ``--format`` says of JSON, and what it says for a verb that changes a cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """What is printed, and how."""

    format: str = option(
        "--format",
        default="text",
        choices=("text", "json"),
        help=f"Output format; {_DOCUMENT} [default: text].",
    )
    quiet: bool = option("-q", "--quiet", default=False, help="Print errors only.")
    verbose: bool = option("-v", "--verbose", default=False, help="Print notices and every item, too.")
    no_color: bool = option("--no-color", default=False, help="Print without colors (or set NO_COLOR).")

    @property
    def is_json(self) -> bool:
        return self.format == "json"

    @property
    def verbosity(self) -> int:
        """0: errors only, 1: results and warnings, 2: notices and items, too."""
        return 0 if self.quiet else 2 if self.verbose else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How the verb is run."""

    jobs: int = option(
        "--jobs",
        default=os.cpu_count() or 1,
        limits=(1, 64),
        shown_default="number of CPUs",
        help="Number of parallel jobs.",
    )
    yes: bool = option("--yes", default=False, help="Never ask a question.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """A verb with these options leaves a log of each run in the workspace."""

    HEADING: ClassVar = "Output options"

    timings: bool = option("--timings", default=False, help="Print at the end how long each stage and item took.")


_OF_PLUGIN: Final = re.compile(r"[a-z0-9.-]+/[a-z0-9-]+")


def check_code(code: str) -> None:
    """A misspelt code would allow nothing, silently. Those of plug-ins, ``PLUGIN/CODE``, are not known here."""
    from cluster_forge.foundation.names import did_you_mean
    from cluster_forge.manifests.finding import CODES

    if code not in CODES and not _OF_PLUGIN.fullmatch(code):
        raise ValueError(f"unknown finding code {code!r}{did_you_mean(code, CODES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingOptions:
    """Which findings do not stop the verb."""

    HEADING: ClassVar = "Selection options"

    allow: tuple[str, ...] = option(
        "--allow",
        default=(),
        metavar="CODE",
        check=check_code,
        help="Downgrade findings with this code to warnings (repeatable).",
    )
