"""Programs that keep secrets for others: Docker's credential helpers and Git's. Secrets go through pipes only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from cluster_forge.foundation.errors import CredentialError
from cluster_forge.foundation.stopping import if_stopped
from cluster_forge.ports.credentials import Credential, CredentialKind

SECONDS: Final = 30.0
"""Some helpers ask a key agent or a metadata service."""
_LARGEST: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NOT_FOUND: Final = "credentials not found in native keychain"
"""What a helper prints that has nothing for a host (``ErrCredentialsNotFound`` of docker-credential-helpers)."""
_IDENTITY_TOKEN_USER: Final = "<token>"  # noqa: S105 - a user
"""The user of a secret that is an identity token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a program printed, and its exit code."""

    code: int
    text: str


def run(command: Sequence[str], given: str, environment: Mapping[str, str], *, seconds: float = SECONDS) -> Output:
    """Run a program with ``given`` on its standard input, in the root folder: no file of a workspace configures it.

    Raises:
        CredentialError: if it cannot be started, takes too long or prints too much.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(command[0]).anchor,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise _failed(command, f"cannot be started: {error.strerror}") from error
    is_late = threading.Event()
    clock = threading.Timer(seconds, _end, (process, is_late))
    clock.start()
    try:
        with process, if_stopped(partial(_end, process)):
            content = _exchange(process, given.encode())
            if len(content) > _LARGEST:
                _end(process)
                raise _failed(command, "printed too much")
    finally:
        clock.cancel()
    if is_late.is_set():
        raise _failed(command, f"did not answer within {seconds:g} s")
    return Output(code=process.returncode, text=content.decode(errors="replace"))


def found(name: str, environment: Mapping[str, str]) -> str:
    """The path of a program on PATH; empty if there is none. A folder that depends on where one is does not count."""
    path = shutil.which(name, path=environment.get("PATH")) or ""
    return path if Path(path).is_absolute() else ""


@dataclass(frozen=True, slots=True)
class DockerHelper:
    """A program ``docker-credential-<name>``: its protocol is that of github.com/docker/docker-credential-helpers.

    ``file`` is where it is configured, for messages; it must answer within ``seconds``.
    """

    name: str
    file: str
    environment: Mapping[str, str]
    seconds: float = SECONDS

    def get(self, server: str) -> Credential | None:
        """What it has for a server; None if it has nothing.

        Raises:
            CredentialError: if it fails, or is not there.
        """
        output = self._run("get", server)
        if output is None:
            return None
        try:
            answer = orjson.loads(output)
        except orjson.JSONDecodeError:
            answer = None
        user, secret = (answer.get("Username"), answer.get("Secret")) if isinstance(answer, dict) else (None, None)
        if not isinstance(user, str) or not isinstance(secret, str):
            raise self._failed("printed no JSON with Username and Secret")
        source = f"the credential helper {self.program} ({self.file})"
        if user == _IDENTITY_TOKEN_USER:
            return Credential(source=source, secret=secret, kind=CredentialKind.IDENTITY_TOKEN)
        return Credential(source=source, user=user, secret=secret) if secret else None

    def store(self, server: str, user: str, password: str) -> None:
        """Keep a password.

        Raises:
            CredentialError: if it fails.
        """
        content = {"ServerURL": server, "Username": user, "Secret": password}
        self._run("store", orjson.dumps(content).decode())

    def erase(self, server: str) -> None:
        """Remove what it has for a server.

        Raises:
            CredentialError: if it fails.
        """
        self._run("erase", server)

    @property
    def program(self) -> str:
        return f"docker-credential-{self.name}"

    def _run(self, verb: str, given: str) -> str | None:
        """What it prints; None if it has nothing for the server. What it says of a failure is not shown: it may quote."""
        path = found(self.program, self.environment) if _NAME.fullmatch(self.name) else ""
        if not path:
            raise CredentialError(
                f"the credential helper {self.program!r} is not on PATH",
                where=self.file,
                fix="install it, or remove its name from `credsStore` and `credHelpers` in this file",
            )
        output = run([path, verb], given, self.environment, seconds=self.seconds)
        if output.code and _NOT_FOUND in output.text:
            return None
        if output.code:
            raise self._failed(f"failed with exit code {output.code}")
        return output.text

    def _failed(self, what: str) -> CredentialError:
        return CredentialError(
            f"the credential helper {self.program} {what}",
            where=self.file,
            fix=f"see what it says: echo HOST | {self.program} get",
        )


def _exchange(process: subprocess.Popen[bytes], given: bytes) -> bytes:
    """Give a program its input, and read what it prints, up to more than the limit."""
    assert process.stdin
    assert process.stdout
    with contextlib.suppress(OSError):  # it need not read
        process.stdin.write(given)
        process.stdin.close()
    return process.stdout.read(_LARGEST + 1)


def _end(process: subprocess.Popen[bytes], late: threading.Event | None = None) -> None:
    """End a program with all that it started."""
    if late:
        late.set()
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _failed(command: Sequence[str], what: str) -> CredentialError:
    name = Path(command[0]).name
    return CredentialError(f"the program {name} {what}", fix="run it by hand, or remove it from where it is configured")
