"""``python -m tests.e2e.held FOLDER …``: a cluster that runs until its process ends, as `python -m tests.e2e up` starts it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.e2e import argocd, cluster, flux
from tests.e2e.stand_in.running import running as stand_in
from tests.servers import git_http

PID, READY, LOG, GIT = "pid", "ready", "log", "git"
"""Files in the folder: the process, that it is ready, what it printed, and the address of a repository that takes pushes."""


def main(arguments: Sequence[str]) -> None:
    """Start what is asked for, say so in the file ``ready``, and wait."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e up")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, default=cluster.NODES, metavar="N")
    parser.add_argument(
        "--standin", action="store_true", help="do what Pods would do: webhooks, operators, Git servers"
    )
    parser.add_argument(
        "--argocd", action="store_true", help="run Argo CD beside it, installed in the namespace argocd"
    )
    parser.add_argument(
        "--argocd-when-delivered", action="store_true", help="run it as soon as a stack has installed it"
    )
    parser.add_argument(
        "--flux",
        action="store_true",
        help="run Flux's kustomize-controller beside it, a stand-in for its sources, and a Git server (FOLDER/git)",
    )
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(cluster.running(options.folder, size=options.nodes))
        has_argocd = options.argocd or options.argocd_when_delivered
        if options.standin or has_argocd:
            stack.enter_context(stand_in(running, options.folder))
        if options.argocd:
            argocd.install(running)
        if has_argocd:
            stack.enter_context(argocd.running(running, options.folder))
        if options.flux:
            stack.enter_context(flux.running(running, options.folder))
            (options.folder / GIT).write_text(stack.enter_context(git_http.taking_pushes(options.folder)))
        (options.folder / READY).touch()
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
