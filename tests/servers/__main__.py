"""``python -m tests.servers [WORKSPACE [SHARE]]``: start every server, say where each one is and who may use it, until Ctrl-C.

With WORKSPACE, a stack is written there whose sources are on these servers; SHARE (0 to 1) of the requests to them fail.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
import threading
from pathlib import Path

from tests.faults.server import Faults
from tests.servers import registry, sample_stack

LINES = """\
registry, no login         {open.host}
registry, htpasswd         {password.host}    user {user}, password {secret}
registry, token server     {token.host}    the same; user {reader} may only pull, everybody may pull public/…
"""


def main(workspace: str = "", share: str = "0") -> None:
    """Start them, print their addresses, and wait."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-forge-servers-")))
        kinds = {"open": registry.without_login, "password": registry.with_password, "token": registry.with_tokens}
        servers = {}
        for name, kind in kinds.items():
            (folder / name).mkdir()
            servers[name] = stack.enter_context(kind(folder / name))
        names = {"user": registry.USER, "secret": registry.PASSWORD, "reader": registry.READER}
        lines = [LINES.format(**servers, **names)]
        if workspace:
            running = sample_stack.served(servers["token"], folder / "git", Faults(share=float(share)))
            sample = stack.enter_context(running)
            sample.write(Path(workspace))
            lines += [f"export {name}={shlex.quote(login)}\n" for name, login in sample.logins.items()]
        sys.stdout.writelines([*lines, "ready\n"])
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
