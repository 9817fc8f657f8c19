"""The machine: programs on PATH, Python's modules, folders and their disks."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from cluster_forge.ports.machine import Folder

_SECONDS: Final = 10.0
_UNPRINTABLE: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\u00a0-\uffff]+")
_SHOWN: Final = 100


class LocalMachine:
    """`ports.machine.Machine`. ``path`` has the folders in which programs are looked for; None: those of ``PATH``."""

    def __init__(self, path: str | None = None) -> None:
        self._path = path

    def version(self, program: str, *arguments: str) -> str | None:
        found = shutil.which(program, path=self._path)
        if not found:
            return None
        try:
            done = subprocess.run(  # noqa: S603 - a program that the user installed, without a shell
                [found, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        if done.returncode:
            return ""
        lines = (done.stdout or done.stderr).decode(errors="replace").splitlines()  # ssh writes to stderr
        return _UNPRINTABLE.sub(" ", lines[0]).strip()[:_SHOWN] if lines else ""

    def has_module(self, name: str) -> bool:
        return importlib.util.find_spec(name) is not None

    def python(self) -> str:
        return platform.python_version()

    def folder(self, path: str) -> Folder:
        there = next(place for place in (Path(path).absolute(), *Path(path).absolute().parents) if place.exists())
        is_writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        return Folder(path=path, is_writable=is_writable, free=shutil.disk_usage(there).free)
