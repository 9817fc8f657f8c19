"""The lenient walk: links are followed, cycles end, what cannot be read is the caller's decision."""

from __future__ import annotations

from pathlib import Path

from cluster_forge.adapters.disk import walking


def names(folder: Path) -> tuple[list[str], list[OSError]]:
    errors: list[OSError] = []
    return sorted(name for name, _ in walking.scan(str(folder), errors.append)), errors


def test_scan_follows_links(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    (tmp_path / "link").symlink_to("a")
    assert names(tmp_path) == (["a/b/file", "link/b/file"], [])


def test_scan_ends_in_a_cycle_of_links(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "again").symlink_to(".")
    found, _ = names(tmp_path)
    assert "file" in found
    assert len(found) < 100


def test_scan_reports_a_missing_directory(tmp_path: Path) -> None:
    found, (error,) = names(tmp_path / "none")
    assert not found
    assert isinstance(error, FileNotFoundError)


def test_inside_is_a_matter_of_whole_names() -> None:
    assert walking.is_inside("/a/b", ["/a"])
    assert walking.is_inside("/a", ["/a"])
    assert walking.is_inside("/a", ["/"])
    assert not walking.is_inside("/ab", ["/a"])
