"""`ports.Functions`: KRM functions, each as a program in an empty folder, with an emptied environment and within limits.

The program is a copy of the bytes whose digest its user agreed to, so no other file of the workspace takes part. It runs with
the rights of the user all the same: what it could read and send is bounded by nothing but that agreement (ADR 0056).
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from cluster_forge.adapters.plugins import resource_list
from cluster_forge.adapters.plugins.process import Limits, empty_folder
from cluster_forge.adapters.plugins.refusals import said
from cluster_forge.foundation import out_of_memory
from cluster_forge.foundation.errors import ManifestError, PluginError
from cluster_forge.foundation.stopping import if_stopped
from cluster_forge.manifests.finding import Severity
from cluster_forge.ports.plugins import Transformed, TransformTask
from cluster_forge.ports.rendering import YamlReader
from cluster_forge.stack.plugin_uses import PluginUse

if sys.platform == "linux":
    import resource

_MIB: Final = 1 << 20
_LARGEST: Final = 64 * _MIB
"""Bytes of what a function may write."""
_PRINTED: Final = 64 * 1024
"""Bytes of what a function prints that are kept, the last ones."""
_WATCHED: Final = 0.05
"""Seconds between two looks at what it writes."""
_KEPT: Final = ("PATH", "SYSTEMROOT")
_NO_NETWORK: Final = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
_TRIES: Final = 20
"""How often a program is started that another thread's child still holds open (ETXTBSY)."""


@dataclass(frozen=True, slots=True)
class FunctionPrograms:
    """Runs functions; ``reader`` reads what they write. Whether one may run is for `AllowedFunctions` to say."""

    reader: YamlReader
    limits: Limits

    def run(self, use: PluginUse, program: bytes, task: TransformTask) -> Transformed:
        failing = _Failing(use, task.context.component, self.limits)
        with empty_folder() as folder:
            output = self._output(folder, program, resource_list.written(task.objects, use.settings), failing)
        try:
            return resource_list.read(self.reader.read(output.decode()), use.name)
        except UnicodeDecodeError as error:
            raise failing.error("what it wrote is not UTF-8 text") from error
        except ManifestError as error:
            raise failing.error(f"what it wrote is not YAML: {error.message}") from error
        except ValueError as error:
            raise failing.error(str(error)) from error

    def _output(self, folder: Path, program: bytes, text: str, failing: _Failing) -> bytes:
        """What the function writes to its standard output."""
        path = folder / "function"
        path.write_bytes(program)
        path.chmod(0o700)
        (folder / "home").mkdir()
        given, written, printed = (folder / name for name in ("stdin", "stdout", "stderr"))
        given.write_text(text, encoding="utf-8")
        with given.open("rb") as stdin, written.open("w+b") as stdout, printed.open("w+b") as stderr:
            try:
                process = _started(path, folder / "home", (stdin, stdout, stderr))
            except OSError as error:
                raise failing.error(f"it cannot be started: {error.strerror}; does it begin with `#!`?") from error
            code = self._waited(process, (stdout, stderr))
            is_large = _largest(stdout, stderr) >= _LARGEST
            # through the open files: the function may have put anything in the place of their names
            output, errors = _first(stdout, _LARGEST), _last(stderr, _PRINTED).decode(errors="replace")
        if is_large:
            raise failing.error(f"it wrote more than {_LARGEST // _MIB} MiB")
        if code is None:
            raise failing.late()
        if code:
            raise failing.code(code, errors, self._errors(output, failing.use))
        return output

    def _waited(self, process: subprocess.Popen[bytes], files: Sequence[IO[bytes]]) -> int | None:
        """The exit code; None if it took too long, or writes too much. What it started ends with it.

        What it started before it had its limits has none, so its files are watched, too.
        """
        limits = {"RLIMIT_DATA": self.limits.memory * _MIB, "RLIMIT_FSIZE": _LARGEST, "RLIMIT_CORE": 0}
        if sys.platform == "linux":
            for name, limit in limits.items():
                with contextlib.suppress(OSError, ValueError):  # it has ended already, or has a lower limit
                    resource.prlimit(process.pid, getattr(resource, name), (limit, limit))
        try:
            with if_stopped(lambda: _kill(process)):
                return _code(process, self.limits.seconds, files)
        finally:
            _kill(process)
            process.wait()

    def _errors(self, output: bytes, use: PluginUse) -> list[str]:
        """The errors among the results of a function that failed."""
        with contextlib.suppress(ManifestError, ValueError):
            findings = resource_list.read(self.reader.read(output.decode()), use.name).findings
            return [finding.message for finding in findings if finding.severity is Severity.ERROR]
        return []


@dataclass(frozen=True, slots=True)
class _Failing:
    """The errors of a function that does not do what it should."""

    use: PluginUse
    component: str
    limits: Limits

    def error(self, reason: str, fix: str = "correct the function") -> PluginError:
        return PluginError(f"{self.use}: component {self.component}: {reason}", where=self.use.where, fix=fix)

    def late(self) -> PluginError:
        fix = "look for a loop in it, or allow more time: --render-seconds"
        return self.error(f"it took longer than {self.limits.seconds:g} s and was stopped", fix)

    def code(self, code: int, printed: str, errors: list[str]) -> PluginError:
        if out_of_memory.is_reported(printed):
            reason = f"it needed more than {self.limits.memory} MiB of memory"
            return self.error(reason, "allow more memory: --render-memory")
        how = f"it was ended by signal {-code}" if code < 0 else f"it failed with exit code {code}"
        shown = "; ".join(errors) or said(printed)
        return self.error(f"{how}: {shown}" if shown else how)


def _started(path: Path, home: Path, streams: tuple[object, object, object]) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if key in _KEPT} | _NO_NETWORK
    environment |= {"HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}
    stdin, stdout, stderr = streams
    for _ in range(_TRIES):
        try:
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # noqa: S603 - a program that the user allowed
                [str(path)],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=environment,
                cwd=home,
                start_new_session=True,
            )
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(0.01)
    raise OSError(errno.ETXTBSY, os.strerror(errno.ETXTBSY))


def _code(process: subprocess.Popen[bytes], seconds: float, files: Sequence[IO[bytes]]) -> int | None:
    """The exit code; None if it took longer, or if a file gets too large."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and _largest(*files) < _LARGEST:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=min(_WATCHED, max(0, end - time.monotonic())))
    return None


def _largest(*files: IO[bytes]) -> int:
    return max(os.fstat(file.fileno()).st_size for file in files)


def _first(file: IO[bytes], length: int) -> bytes:
    file.seek(0)
    return file.read(length)


def _last(file: IO[bytes], length: int) -> bytes:
    file.seek(max(0, file.seek(0, os.SEEK_END) - length))
    return file.read(length)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process with everything that it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
