"""Packages with plug-ins as they lie in a folder of packages once they are installed."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def install(folder: Path, name: str, entry_points: str, *, version: str = "1.0", **modules: str) -> None:
    """Write a package: its metadata with these entry points, and its modules by name."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(dedent(entry_points))
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(dedent(text))
