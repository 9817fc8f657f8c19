"""Preparing the process: file names in UTF-8, and three standard streams, however it was started."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import NoReturn, TextIO


def prepare() -> None:
    """Prepare the process, before anything else; may restart the program."""
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8":
        _again_in_utf8()
    # The next file that is opened gets the lowest free number: with stdout closed, a file of the workspace would be it.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # for characters that an encoding like ASCII lacks


def _again_in_utf8() -> NoReturn:
    """Restart in UTF-8: any other locale (``LC_ALL=C PYTHONUTF8=0``, ISO-8859-1) garbles file names."""
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _nowhere(mode: str) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")  # type: ignore[return-value]  # noqa: PTH123 - stays open
