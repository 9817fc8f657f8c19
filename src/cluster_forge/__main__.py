"""``python -m cluster_forge`` and the console script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code. Ctrl-C shows no traceback, whenever it comes."""
    try:
        from cluster_forge.cli import ending

        ending.listen()
        from cluster_forge.cli.app import run

        ending.leave(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
