"""Writes the footprints and images of the catalog's components, as they render from ../shared/mirror.

Run: python tools/catalog_facts.py [--check]        (a corpus test fails if the file is out of date)

The file is packaged, so that `catalog show` and the documentation have them without a chart or a network.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
FILE: Final = PROJECT / "src/cluster_forge/catalog/data/facts.json"
sys.path.insert(0, str(PROJECT))

from tests.corpus.catalog_trials import MIRRORED  # noqa: E402
from tests.corpus.catalog_trials import trials as mirror_trials  # noqa: E402

from cluster_forge.catalog import measurements  # noqa: E402
from cluster_forge.catalog.component_format import ALL_SIZES  # noqa: E402
from cluster_forge.catalog.trial_plan import newest  # noqa: E402
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer  # noqa: E402


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        after = text(mirror_trials(PROJECT.parent / "shared", Path(folder)))
    if after == (FILE.read_text(encoding="utf-8") if FILE.exists() else ""):
        return 0
    if "--check" in sys.argv:
        print("out of date: run `python tools/catalog_facts.py`")
        return 1
    FILE.write_text(after, encoding="utf-8")
    print(FILE.relative_to(PROJECT))
    return 0


def text(trials: TrialRenderer) -> str:
    """The measurements of every component that the mirror has, by name; one line for each size."""
    return "{\n" + ",\n".join(_lines(trials, name) for name in MIRRORED) + "\n}\n"


def _lines(trials: TrialRenderer, name: str) -> str:
    minor = newest(trials.plans.library.component(name))
    lines = []
    for size in ALL_SIZES:
        measured = measurements.of(trials.alone(name, minor, size))
        lines.append(f"    {json.dumps(size)}: {json.dumps(measured)}")
    return f"  {json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n  }"


if __name__ == "__main__":
    sys.exit(main())
