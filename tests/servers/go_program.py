"""Programs of the tests that Go builds: once from a module in the tests, and again when a file of it changes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import filelock


class CannotBuildError(Exception):
    """The program is missing and cannot be built; the message says how to fix that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoProgram:
    """The program of a module: ``go.mod``, ``go.sum`` and (unless the ``package`` is another module's) ``main.go`` in a folder
    of the tests.

    ``title`` is for messages; ``variables`` are set in it as it is linked (``-X``). ``files`` are taken from modules as they are:
    by the name of a folder beside the program, the module (of ``go.mod``, or with its own ``@version``) and a pattern in it.
    """

    name: str
    title: str
    module: Path
    package: str = "."
    variables: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where the program of these very sources is kept: below ``CLUSTER_FORGE_E2E_BIN`` or the user's cache folder."""
        given = os.environ.get("CLUSTER_FORGE_E2E_BIN")
        folder = Path(given) if given else Path.home() / ".cache" / "cluster-forge-e2e"
        sources = [self.module / name for name in ("go.mod", "go.sum", "main.go")]
        contents = [source.read_bytes() for source in sources if source.exists()]
        if self.files:
            contents.append(repr(sorted(self.files.items())).encode())
        digest = hashlib.sha256(b"\0".join(contents)).hexdigest()
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
        """The program; it is built if it is missing, which takes minutes at first.

        Raises:
            CannotBuildError: if Go is missing or fails.
        """
        program = self.path
        program.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(program.with_suffix(".lock")):
            if not program.exists():
                sys.stderr.write(f"building {self.title} (minutes at first, then it is kept)\n")
                half = program.with_suffix(".half")
                self._compile(half)
                self._copy_files()
                half.replace(program)
        return program

    def _compile(self, output: Path) -> None:
        flags = " ".join(["-s -w", *(f"-X {variable}" for variable in self.variables)])
        command = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", flags]
        self._go(*command, "-o", output, self.package)

    def _copy_files(self) -> None:
        for name, (module, pattern) in self.files.items():
            target = self.path.parent / name
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            found = json.loads(self._go("mod", "download", "-json", module, is_read=True))
            for path in Path(found["Dir"]).glob(pattern):
                copy = target / path.name
                copy.write_bytes(path.read_bytes())
                copy.chmod(0o755 if path.suffix == ".sh" else 0o644)

    def _go(self, *arguments: str | Path, is_read: bool = False) -> bytes:
        """Run Go, its progress in sight; what it printed, if that ``is_read``."""
        go = shutil.which("go")
        if go is None:
            raise CannotBuildError(
                f"building {self.title} needs Go, and `go` is not on PATH: install {self.wanted_go} or newer"
            )
        finished = subprocess.run(
            [go, *arguments],
            cwd=self.module,
            env={**os.environ, "CGO_ENABLED": "0"},
            stdout=subprocess.PIPE if is_read else None,
            check=False,
        )
        if finished.returncode:
            raise CannotBuildError(
                f"`go {arguments[0]}` in {self.module} failed with exit code {finished.returncode}: see its output above"
            )
        return finished.stdout or b""
