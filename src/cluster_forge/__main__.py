"""``python -m cluster_forge`` and the console script."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code, or print completions for a shell.

    Ctrl-C never shows a traceback.
    """
    # Modules and parsed files stay in memory: looking for garbage among them takes a tenth of the time.
    gc.set_threshold(100_000, 50, 100)
    try:
        if "_CLUSTER_FORGE_COMPLETE" in os.environ:
            from cluster_forge.cli.completion.candidates import print_candidates

            sys.exit(print_candidates())
        from cluster_forge.cli import process_setup, termination

        process_setup.prepare()
        termination.listen()
        from cluster_forge.cli.app import run

        termination.leave(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
