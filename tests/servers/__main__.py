"""``python -m tests.servers``: start every server, say where each one is and who may use it, until Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
from pathlib import Path

from tests.servers import registry

LINES = """\
registry, no login         {open.host}
registry, htpasswd         {password.host}    user {user}, password {secret}
registry, token server     {token.host}    the same; user {reader} may only pull, everybody may pull public/…
"""


def main() -> None:
    """Start them, print their addresses, and wait."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-forge-servers-")))
        kinds = {"open": registry.without_login, "password": registry.with_password, "token": registry.with_tokens}
        servers = {}
        for name, running in kinds.items():
            (folder / name).mkdir()
            servers[name] = stack.enter_context(running(folder / name))
        names = {"user": registry.USER, "secret": registry.PASSWORD, "reader": registry.READER}
        sys.stdout.write(LINES.format(**servers, **names))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
