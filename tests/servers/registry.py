"""Distribution's registry on a free port of this machine: for everyone, by htpasswd, or by tokens.

``python -m tests.servers.registry`` builds the program ahead of the tests, with Go's progress in sight.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import process, token_server
from tests.servers.go_program import CannotBuildError, GoProgram
from tests.servers.token_server import ANONYMOUS, Grant, TokenServer

HOST = "127.0.0.1"
USER = "tester"
PASSWORD = "s3same:with/odd@characters"
READER = "reader"
HTPASSWD = f"{USER}:$2a$04$OqSzmv8jeDQ9zr3NCuMih.8sXwyTKNzx9ccWSYyGUDnMH0p1m9JiK\n"
"""`USER` with the bcrypt hash of `PASSWORD`."""
SERVICE = "registry-of-the-tests"
GRANTS = {
    ANONYMOUS: [Grant(repositories="public/*", actions=("pull",))],
    READER: [Grant(repositories="*", actions=("pull",))],
    USER: [Grant(repositories="*", actions=("pull", "push", "delete"))],
}
"""Everybody may pull ``public/…``, `READER` pull everything, `USER` do everything; both have the same password."""
_LISTENING = re.compile(rb"listening on 127\.0\.0\.1:(\d+)")
PROGRAM = GoProgram(
    name="registry", title="distribution's registry", module=Path(__file__).resolve().parent / "distribution"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry that runs: where it listens, where its blobs are, its log (with every request), who signs its tokens."""

    port: int
    blobs: Path
    log: Path
    tokens: TokenServer | None = None

    @property
    def host(self) -> str:
        """As it stands in references: ``127.0.0.1:5000``."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextlib.contextmanager
def without_login(folder: Path) -> Iterator[Registry]:
    """A registry in which everyone may do everything."""
    with _running(folder, {}) as registry:
        yield registry


@contextlib.contextmanager
def with_password(folder: Path) -> Iterator[Registry]:
    """A registry that takes `USER` and `PASSWORD` by Basic authentication, and nobody else."""
    users = folder / "htpasswd"
    users.write_text(HTPASSWD)
    with _running(folder, {"htpasswd": {"realm": "tests", "path": str(users)}}) as registry:
        yield registry


@contextlib.contextmanager
def with_tokens(folder: Path) -> Iterator[Registry]:
    """A registry that wants tokens of a server which checks scopes by `GRANTS`."""
    with token_server.running({USER: PASSWORD, READER: PASSWORD}, GRANTS) as tokens:
        keys = folder / "keys.json"
        keys.write_text(json.dumps(tokens.key.public_keys))
        access = {"realm": tokens.url, "service": SERVICE, "issuer": token_server.ISSUER, "jwks": str(keys)}
        with _running(folder, {"token": access}, tokens) as registry:
            yield registry


@contextlib.contextmanager
def _running(folder: Path, access: Mapping[str, Any], tokens: TokenServer | None = None) -> Iterator[Registry]:
    blobs, config = folder / "blobs", folder / "config.yaml"
    blobs.mkdir()
    settings = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "text"},
        "storage": {"filesystem": {"rootdirectory": str(blobs)}, "delete": {"enabled": True}},
        "http": {"addr": f"{HOST}:0"},
        "auth": access,
    }
    config.write_text(json.dumps({key: value for key, value in settings.items() if value}))
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    server = process.start("registry", [PROGRAM.build(), "serve", config], folder, environment)
    try:
        server.wait_until(lambda: _LISTENING.search(server.log.read_bytes()) is not None)
        found = _LISTENING.search(server.log.read_bytes())
        assert found is not None
        yield Registry(port=int(found[1]), blobs=blobs, log=server.log, tokens=tokens)
    finally:
        server.stop()


if __name__ == "__main__":
    try:
        PROGRAM.build()
    except CannotBuildError as error:
        sys.exit(str(error))
