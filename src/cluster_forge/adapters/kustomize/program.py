"""The ``kustomize`` program as engine, or ``kubectl kustomize``, which is the same code.

It is called with what `stack.kustomization.closure` found and nothing else: in a temporary folder with these files, without
plug-ins and ``--enable-helm``, and without what it would need to fetch anything (no ``git`` on its PATH, no way out through
its proxy).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import orjson

from cluster_forge.foundation import out_of_memory
from cluster_forge.foundation.errors import MissingProgramError, RenderError, StoreError
from cluster_forge.foundation.stopping import if_stopped
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.kustomize import BuiltKustomization, KustomizeRequest

if sys.platform == "linux":
    import resource

_MIB: Final = 1 << 20
_VERSION: Final = re.compile(r"v\d+\.\d+\.\d+[\w.+-]*")
_WARNING: Final = "# Warning: "
_LOGGED: Final = re.compile(r'E\d{4} \S+ \d+ \S+\] "command failed" err=(?:(?P<quoted>".*")|<(?P<lines>.*)>)')
"""An error as kubectl's logger (klog) writes it: with the time and its process, and in angle brackets if it has lines."""
_NO_NETWORK: Final = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
_KEPT: Final = ("SYSTEMROOT", "GOGC", "GOMEMLIMIT")
"""What the program gets of the environment: Windows starts no program without the first."""


@dataclass(frozen=True, slots=True)
class _Program:
    """A program's path, how it is asked to build a folder, and for its version."""

    path: str
    build: tuple[str, ...]
    version: tuple[str, ...]


class KustomizeProgram:
    """`ports.Kustomize`. A build is stopped after ``seconds``, and dies if it needs more than ``memory`` MiB (on Linux).

    ``path`` has the folders in which the program is looked for; None: those of ``PATH``.
    """

    def __init__(self, seconds: float = 60, memory: int = 2048, *, path: str | None = None) -> None:
        self._seconds = seconds
        self._memory = memory
        self.path = path

    @cached_property
    def version(self) -> str:
        with _temporary_folder() as home:
            done = self._run(self._program.version, home)
        output, errors = (" ".join(text.decode(errors="replace").split()) for text in (done.stdout, done.stderr))
        if done.returncode:
            raise MissingProgramError(
                f"{self._program.path} does not say its version: {errors}",
                fix="install kustomize 5 or kubectl 1.27 or newer",
            )
        return f"{Path(self._program.path).stem} {' '.join(_VERSION.findall(output)) or output}"

    def build(self, request: KustomizeRequest) -> BuiltKustomization:
        from cluster_forge.adapters.kustomize import request_files  # noqa: PLC0415 - yaml, 0.05 s, and most runs build nothing

        files = request_files.needed(request)
        with _temporary_folder() as home:
            _write(request_files.placed(files, request), home / "tree")
            done = self._run((*self._program.build, str(home / "tree" / request.folder)), home)
        errors = done.stderr.decode(errors="replace").replace(str(home / "tree"), request.name)
        if done.returncode:
            raise request_files.located(self._failure(errors), files, request)
        return BuiltKustomization(text=done.stdout, remarks=tuple(_remarks(errors)))

    @cached_property
    def _program(self) -> _Program:
        if path := shutil.which("kustomize", path=self.path):
            return _Program(path, build=("build",), version=("version",))
        if path := shutil.which("kubectl", path=self.path):
            return _Program(path, build=("kustomize",), version=("version", "--client"))
        raise MissingProgramError(
            "a kustomization is built by the program kustomize, or by kubectl, and neither is on PATH",
            fix="install kustomize 5 or kubectl 1.27 or newer; or put the output of `kustomize build` into input/, and name it in "
            "`manifests` instead of `kustomize`",
        )

    def _run(self, arguments: tuple[str, ...], home: Path) -> subprocess.CompletedProcess[bytes]:
        """Run the program with an empty home and an environment in which it finds no other one.

        Raises:
            RenderError: if it does not start, or does not end.
        """
        environment = {key: value for key, value in os.environ.items() if key in _KEPT}
        environment |= {"HOME": str(home), "TMPDIR": str(home), "PATH": "", **_NO_NETWORK}
        command = [str(Path(self._program.path).absolute()), *arguments]
        try:
            with subprocess.Popen(  # noqa: S603 - a program that the user installed, without a shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=home,
            ) as process:
                self._limit_memory(process.pid)
                try:
                    with if_stopped(process.kill):
                        output, errors = process.communicate(timeout=self._seconds)
                except BaseException:
                    process.kill()
                    raise
        except subprocess.TimeoutExpired as error:
            raise RenderError(
                f"building the kustomization took longer than {self._seconds:g} s and was stopped",
                fix="use fewer bases and patches, or allow more time: --render-seconds",
            ) from error
        except OSError as error:
            raise RenderError(f"{command[0]} cannot be run: {error}", fix="install kustomize again") from error
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def _limit_memory(self, process: int) -> None:
        """Let the system refuse the program more memory."""
        if sys.platform == "linux":
            limit = self._memory * _MIB
            try:
                resource.prlimit(process, resource.RLIMIT_DATA, (limit, limit))
            except (OSError, ValueError):  # it has ended already, or has a lower limit
                return

    def _failure(self, errors: str) -> RenderError:
        if out_of_memory.is_reported(errors):
            return RenderError(
                f"building the kustomization needed more than {self._memory} MiB of memory and was stopped",
                fix="look for aliases that repeat large values, or allow more memory: --render-memory",
            )
        message = _message(errors) or "kustomize failed without a message"
        return RenderError(message, fix="correct what the message names")


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for as long as the context lasts.

    Raises:
        StoreError: if it, or a file in it, cannot be made.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder, if_stopped(partial(shutil.rmtree, folder)):
            yield Path(folder).resolve()
    except OSError as error:
        raise StoreError(
            f"the files of the kustomization cannot be copied to the temporary folder: {error.strerror}",
            fix="free space, or set TMPDIR; if a name is too long, shorten it",
        ) from error


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _message(errors: str) -> str:
    """What went wrong, in one line."""
    lines = [line for line in errors.splitlines() if not line.startswith(_WARNING)]
    message = " ".join(" ".join(lines).split())
    logged = _LOGGED.fullmatch(message)
    if logged and logged["lines"]:
        message = logged["lines"].strip()
    elif logged:
        with contextlib.suppress(orjson.JSONDecodeError):
            message = " ".join(str(orjson.loads(logged["quoted"])).split())
    return message.removeprefix("Error: ").removeprefix("error: ")


def _remarks(errors: str) -> Iterator[Remark]:
    """What kustomize warns of, mostly keys that have a successor; once each."""
    for line in dict.fromkeys(errors.splitlines()):
        if line.startswith(_WARNING):
            message, _, fix = line.removeprefix(_WARNING).strip().partition(". ")
            yield Remark(severity=Severity.NOTICE, message=message, fix=fix)
