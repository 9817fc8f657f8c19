"""``python -m cluster_forge`` and the console script."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code, or answer a shell that asks what may come next on one.

    Ctrl-C shows no traceback, whenever it comes.
    """
    gc.set_threshold(
        100_000, 50, 100
    )  # what is loaded and read stays: looking for garbage in it takes a tenth of the time
    try:
        if "_CLUSTER_FORGE_COMPLETE" in os.environ:
            from cluster_forge.cli.completion.candidates import answer

            sys.exit(answer())
        from cluster_forge.cli import process_setup, termination

        process_setup.make_fit()
        termination.listen()
        from cluster_forge.cli.app import run

        termination.leave(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
