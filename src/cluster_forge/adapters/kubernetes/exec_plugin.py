"""Credential plug-ins of kubeconfigs: programs that print an ``ExecCredential`` (KEP-541, client.authentication.k8s.io)."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final

import orjson

from cluster_forge.adapters.kubernetes.access import ClusterEntry, ExecPlugin, InteractiveMode
from cluster_forge.foundation.errors import KubeconfigError
from cluster_forge.foundation.stopping import if_stopped

SECONDS: Final = 60.0
"""For a plug-in that asks a server; one that asks the user has `_SECONDS_TO_ASK`."""
_SECONDS_TO_ASK: Final = 300.0
_MOMENT: Final = 0.5
_LARGEST: Final = 1 << 20
_LONGEST_SHOWN: Final = 300
_LINES_SHOWN: Final = 4
"""Of what a program says: what to do is often below the reason (``Please run: gcloud auth login``)."""
_FIELDS: Final = ("token", "clientCertificateData", "clientKeyData")
_SECRET: Final = re.compile(r"[A-Za-z0-9+/=_.-]{40,}")
"""What may be a token in what a program says."""
_UNPRINTABLE: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\u00a0-\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecCredential:
    """A token, or a certificate with its key (PEM), or both; ``until`` in seconds since 1970, None: while the run lasts."""

    token: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    until: float | None = None


def run(
    plugin: ExecPlugin, cluster: ClusterEntry, environment: Mapping[str, str], *, seconds: float | None = None
) -> ExecCredential:
    """Ask a plug-in.

    Raises:
        KubeconfigError: if it is not there, fails, takes too long, or prints something else.
    """
    program = _program(plugin, environment)
    is_interactive = _is_interactive(plugin)
    limit = seconds or (_SECONDS_TO_ASK if is_interactive else SECONDS)
    given = {"KUBERNETES_EXEC_INFO": orjson.dumps(_info(plugin, cluster, is_interactive=is_interactive)).decode()}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own program, as kubectl starts it
            [program, *plugin.arguments],
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if is_interactive else subprocess.PIPE,
            env={**environment, **plugin.environment, **given},
            start_new_session=not is_interactive,  # on a terminal it must be in the foreground
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its arguments or environment are not valid"
        raise _failed(plugin, f"cannot be started: {reason}") from error
    output, complaint = _outputs(process, plugin, limit)
    if process.returncode:
        raise _failed(plugin, f"failed with exit code {process.returncode}{_quoted(complaint)}")
    return _credential(plugin, output, complaint)


def _program(plugin: ExecPlugin, environment: Mapping[str, str]) -> str:
    """The path of the program: a name is looked up on PATH, a relative path belongs to the kubeconfig's folder."""
    if os.sep in plugin.command:
        path = str(plugin.folder / plugin.command)
        program = path if shutil.which(path) else None
    else:
        program = shutil.which(plugin.command, path=environment.get("PATH"))
    if program and Path(program).is_absolute():
        return program
    hint = _text(plugin.install_hint)
    raise KubeconfigError(
        f"the credential plug-in {plugin.command!r} is not there",
        where=plugin.where,
        fix=f"install it, or correct `command`{f': {hint}' if hint else ''}",
    )


def _is_interactive(plugin: ExecPlugin) -> bool:
    if plugin.mode is InteractiveMode.NEVER:
        return False
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if plugin.mode is InteractiveMode.ALWAYS and not is_terminal:
        raise _failed(plugin, "needs a terminal (`interactiveMode: Always`), and there is none")
    return is_terminal


def _info(plugin: ExecPlugin, cluster: ClusterEntry, *, is_interactive: bool) -> Mapping[str, object]:
    spec: dict[str, object] = {"interactive": is_interactive}
    if plugin.gets_cluster:
        spec["cluster"] = dict(cluster.plain)
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _outputs(process: subprocess.Popen[bytes], plugin: ExecPlugin, seconds: float) -> tuple[bytes, bytes]:
    """What a program prints, and what it complains about; ended when its time is over.

    Programs that it has started may keep the pipes open for ever, so threads read them, which are left behind then.
    """
    printed, complaints = _Reader(process.stdout, _LARGEST + 1), _Reader(process.stderr)
    end = time.monotonic() + seconds
    try:
        with if_stopped(partial(_end, process)):
            printed.join(seconds)
            if printed.is_alive():
                raise _failed(plugin, f"did not answer within {seconds:g} s{_quoted(complaints.last)}")
            if len(printed.last) > _LARGEST:
                raise _failed(plugin, f"printed more than {_LARGEST >> 20} MiB")
            process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _failed(plugin, f"has not ended within {seconds:g} s{_quoted(complaints.last)}") from None
    finally:
        _end(process)  # nothing, if it has ended
        process.wait()
        for reader in (printed, complaints):
            reader.join(_MOMENT)
    return printed.last, complaints.last


class _Reader(threading.Thread):
    """Keeps the last of what comes through a pipe, and reads no further than ``most`` bytes; closes it at the end."""

    def __init__(self, pipe: IO[bytes] | None, most: int | None = None) -> None:
        super().__init__(daemon=True)
        self.last = b""
        self._pipe, self._most = pipe, most
        self.start()

    def run(self) -> None:
        if self._pipe:
            with contextlib.suppress(OSError, ValueError), self._pipe:
                self._read(self._pipe)

    def _read(self, pipe: IO[bytes]) -> None:
        while self._most is None or len(self.last) < self._most:
            part = pipe.read1(1 << 16)  # type: ignore[attr-defined] # it is buffered
            if not part:
                return
            self.last = (self.last + part)[-(self._most or 1 << 16) :]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program; with all that it started, if it has a session of its own."""
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):
        if os.name == "posix" and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _credential(plugin: ExecPlugin, output: bytes, complaint: bytes) -> ExecCredential:
    try:
        answer = orjson.loads(output)
    except orjson.JSONDecodeError:
        answer = None
    status = answer.get("status") if isinstance(answer, dict) and answer.get("kind") == "ExecCredential" else None
    if not isinstance(status, dict):
        raise _failed(plugin, f"printed no ExecCredential with a `status`{_quoted(complaint)}")
    version = answer.get("apiVersion")
    if version != plugin.api_version:
        raise _failed(plugin, f"answers in {_text(str(version))}, but the kubeconfig asks for {plugin.api_version}")
    token, certificate, key = (_field(plugin, status, name) for name in _FIELDS)
    if not token and not (certificate and key):
        raise _failed(plugin, f"gave neither a token nor a certificate with its key{_quoted(complaint)}")
    until = _time(plugin, _field(plugin, status, "expirationTimestamp"))
    return ExecCredential(token=token, certificate=certificate.encode(), key=key.encode(), until=until)


def _field(plugin: ExecPlugin, status: Mapping[str, Any], name: str) -> str:
    value = status.get(name) or ""
    if not isinstance(value, str) or (name == "token" and not value.isprintable()):
        raise _failed(plugin, f"gave a `{name}` that is not text")
    return value


def _time(plugin: ExecPlugin, text: str) -> float | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise _failed(plugin, "gave an `expirationTimestamp` that is not a time") from error


def _quoted(complaint: bytes) -> str:
    """The last lines of what a program says, without what may be a secret or a command for the terminal."""
    lines = [line for line in complaint.decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {' / '.join(map(_text, lines[-_LINES_SHOWN:]))}" if lines else ""


def _text(text: str) -> str:
    return _SECRET.sub("…", _UNPRINTABLE.sub(" ", text)).strip()[:_LONGEST_SHOWN]


def _failed(plugin: ExecPlugin, what: str) -> KubeconfigError:
    return KubeconfigError(
        f"the credential plug-in {plugin.command!r} {what}",
        where=plugin.where,
        fix="run the command by hand (its arguments are in the kubeconfig), log in where it asks for it, then try again",
    )
