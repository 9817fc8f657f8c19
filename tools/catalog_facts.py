"""Writes what the catalog's components ask of a cluster, and which images they run, as they render from ../shared/mirror.

Run: python tools/catalog_facts.py [--check]        (a corpus test tells when it is time)

The file is packaged, so that `catalog show` and the documentation tell it without a chart or a network.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
FILE: Final = PROJECT / "src/cluster_forge/catalog/data/facts.json"
sys.path.insert(0, str(PROJECT))

from tests.corpus.catalog_matrix import Matrix, newest  # noqa: E402

from cluster_forge.catalog import facts  # noqa: E402
from cluster_forge.catalog.format import ALL_SIZES  # noqa: E402


def main() -> int:
    after = text(Matrix(PROJECT.parent / "shared/mirror"))
    if after == (FILE.read_text(encoding="utf-8") if FILE.exists() else ""):
        return 0
    if "--check" in sys.argv:
        print("not current: run `python tools/catalog_facts.py`")
        return 1
    FILE.write_text(after, encoding="utf-8")
    print(FILE.relative_to(PROJECT))
    return 0


def text(matrix: Matrix) -> str:
    """The facts of every component, by name; one line for each size."""
    return "{\n" + ",\n".join(_lines(matrix, name) for name in matrix.library.names) + "\n}\n"


def _lines(matrix: Matrix, name: str) -> str:
    component = matrix.library.component(name)
    minor = newest(component)
    lines = []
    for size in ALL_SIZES:
        rendered = matrix.rendered(name, matrix.alone(name, minor, size), minor)
        found = facts.of(matrix.objects(name, component.namespace, rendered, minor))
        lines.append(f"    {json.dumps(size)}: {json.dumps(found)}")
    return f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }"


if __name__ == "__main__":
    sys.exit(main())
