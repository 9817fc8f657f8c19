"""The process made fit for work, whatever surroundings it was started in: names in UTF-8, and three streams."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import NoReturn, TextIO


def make_fit() -> None:
    """To be called first; may start the program anew."""
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8":
        _again_in_utf8()
    # What is opened next takes the lowest number that is free: where stdout is closed, a file of the workspace would.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # what an encoding like ASCII does not have


def _again_in_utf8() -> NoReturn:
    """A locale that is not UTF-8 (``LC_ALL=C PYTHONUTF8=0``, ISO-8859-1) makes wrong names of files' names."""
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _nowhere(mode: str) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")  # type: ignore[return-value]  # noqa: PTH123 - kept open
