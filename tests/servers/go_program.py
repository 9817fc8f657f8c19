"""Programs of the tests that Go builds: once from a module in the tests, and again when a file of it changes."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import filelock


class CannotBuildError(Exception):
    """The program is missing and cannot be built; the message says how to fix that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """The program of a module: ``go.mod``, ``go.sum`` and ``main.go`` in a folder of the tests.

    ``title`` is for messages; ``variables`` are set in it as it is linked (``-X``).
    """

    name: str
    title: str
    module: Path
    variables: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the program of these very sources is kept: below ``CLUSTER_FORGE_E2E_BIN`` or the user's cache folder."""
        given = os.environ.get("CLUSTER_FORGE_E2E_BIN")
        folder = Path(given) if given else Path.home() / ".cache" / "cluster-forge-e2e"
        sources = (self.module / name for name in ("go.mod", "go.sum", "main.go"))
        digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
        return folder.absolute() / digest[:16] / self.name

    @property
    def wanted_go(self) -> str:
        """The oldest Go that builds it: ``Go 1.26.0``."""
        directive = re.search(r"^go (\S+)$", (self.module / "go.mod").read_text(), re.M)
        assert directive is not None
        return f"Go {directive[1]}"

    @property
    def is_possible(self) -> bool:
        """Whether it is there, or Go to build it."""
        return shutil.which("go") is not None or self.path.exists()

    def build(self) -> Path:
        """The program; it is built if it is missing.

        Raises:
            CannotBuildError: if Go is missing or fails.
        """
        program = self.path
        program.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(program.with_suffix(".lock")):
            if not program.exists():
                half = program.with_suffix(".half")
                self._compile(half)
                half.replace(program)
        return program

    def _compile(self, output: Path) -> None:
        go = shutil.which("go")
        if go is None:
            raise CannotBuildError(
                f"building {self.title} needs Go, and `go` is not on PATH: install {self.wanted_go} or newer"
            )
        flags = " ".join(["-s -w", *(f"-X {variable}" for variable in self.variables)])
        command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", flags]
        sys.stderr.write(f"building {self.title} (minutes at first, then it is kept)\n")
        finished = subprocess.run(
            [*command, "-o", output, "."], cwd=self.module, env={**os.environ, "CGO_ENABLED": "0"}, check=False
        )
        if finished.returncode:
            raise CannotBuildError(
                f"`go build` in {self.module} failed with exit code {finished.returncode}: see its output above"
            )
