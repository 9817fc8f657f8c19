"""The lists of repositories and mirrors: both kinds of ``index.yaml``."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.adapters.sources import index_entries, mirror_entries, mirror_index, repository_index
from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.foundation.versions import newest_first

_HEX = "0123456789abcdef" * 4
_REPOSITORY = "https://charts.example.com"


def _index(data: bytes) -> None:
    """An index; in part it has what it has as a whole."""
    whole = repository_index.read(data, "https://charts.example.com/index.yaml")
    for releases in whole.values():
        newest_first(release.version for release in releases)
    if index_entries.find(data):
        in_part = repository_index.read(data, "https://charts.example.com/index.yaml", large=0)
        assert dict(in_part) == dict(whole)


_VERSIONS = SCALARS | st.sampled_from(("1.2.3", "v1", "1.2.3-rc.1+b", "1." + "9" * 5000, "01.2", "1.2.3-"))
_RELEASE = mapping({"version": _VERSIONS, "urls": several(SCALARS)}, {"digest": st.just(_HEX) | SCALARS, "name": WORDS})
_INDEX = mapping(
    {"apiVersion": st.just("v1"), "entries": st.dictionaries(WORDS, spoiled(several(_RELEASE)), max_size=3)},
    {"generated": SCALARS},
)


def _hostile_indexes() -> Iterator[tuple[str, bytes]]:
    for name, text in texts.hostile_yaml():
        yield name, text
        yield f"{name}-behind", b"entries: {}\nx: {}\n" + text
    yield (
        "many-releases",
        b"entries:\n" + b"".join(b"  c%d:\n" % n + b"  - {version: 1.0.0, urls: [a.tgz]}\n" * 50 for n in range(1_000)),
    )
    yield (
        "a-huge-version",
        b"entries: {c: [{version: " + b"9" * 1_000_000 + b"}, {version: 1.0-" + b"1" * 10_000 + b"}]}\n",
    )


INDEX = Target(
    name="index",
    read=_index,
    refusals=(FetchError,),
    seeds=(
        f"""apiVersion: v1
entries:
  shop:
  - apiVersion: v2
    version: 1.2.3
    digest: {_HEX}
    urls: [shop-1.2.3.tgz, https://other.example.com/shop.tgz]
    annotations:
      a: |
        text
    maintainers:
    - name: x
  - version: v1.2.0-rc.1+build
    urls:
    - shop-1.2.0.tgz
generated: "2024-01-01T00:00:00Z"
""".encode(),
        b"entries: {}\n",
    ),
    inputs=texts.written(spoiled(_INDEX)),
    odd=texts.ODD_YAML,
    hostile=_hostile_indexes,
)

_FOLDER = tempfile.TemporaryDirectory(prefix="cluster-forge-fuzz-")


def _mirror(data: bytes) -> None:
    with contextlib.suppress(FetchError, ExceptionGroup):
        _mirror_again(data)
    folder = Path(_FOLDER.name)
    (folder / "index.yaml").write_bytes(data)
    mirror = FolderMirror(folder)
    for name in mirror.charts(_REPOSITORY):
        for version in newest_first(mirror.versions(_REPOSITORY, name)):
            mirror.chart(_REPOSITORY, name, version)
    mirror.manifest("https://example.com/x.yaml")
    mirror.locked(Digest.parse(_HEX))
    mirror.pinned("git+https://example.com/a.git//b", "v1")


def _mirror_again(data: bytes) -> None:
    """An index as it is written has the same entries."""
    entries = mirror_entries.merged(mirror_index.read(data, "index.yaml"))
    again = mirror_entries.merged(mirror_index.read(mirror_entries.index(entries), "index.yaml"))
    assert [(entry.keys, entry.file.name) for entry in again] == [(entry.keys, entry.file.name) for entry in entries]


_FILES = st.sampled_from(("charts/a.tgz", "../a", "/etc/passwd", "a\0b", "x" * 5000, ".", "")) | SCALARS
_CHART = mapping(
    {
        "repository": st.just(_REPOSITORY) | SCALARS,
        "name": WORDS,
        "version": _VERSIONS,
        "file": _FILES,
        "sha256": st.just(_HEX) | SCALARS,
    }
)
_MANIFEST = mapping({"url": SCALARS, "file": _FILES, "sha256": st.just(_HEX) | SCALARS})
_FILE = {"file": _FILES, "sha256": st.just(_HEX) | SCALARS}
_GIT = mapping({"address": SCALARS, "ref": SCALARS, "commit": SCALARS, **_FILE})
_IMAGE = mapping({"image": SCALARS, "digest": SCALARS, "platforms": SCALARS, **_FILE})
_ARTIFACT = mapping({"address": SCALARS, "tag": SCALARS, "digest": SCALARS, **_FILE})
_SECTIONS = {"charts": _CHART, "manifests": _MANIFEST, "git": _GIT, "images": _IMAGE, "artifacts": _ARTIFACT}
_MIRROR = mapping({}, {name: spoiled(several(entry)) for name, entry in _SECTIONS.items()})

MIRROR = Target(
    name="mirror",
    read=_mirror,
    refusals=(FetchError,),
    seeds=(
        f"""charts:
- {{repository: {_REPOSITORY}, name: shop, version: v1.2.3, file: charts/x.tgz, sha256: {_HEX}}}
- repository: {_REPOSITORY}
  name: web
  version: 1.0.0
  file: charts/web.tgz
  sha256: {_HEX}
manifests:
- {{url: https://example.com/x.yaml, file: manifests/x.yaml, sha256: {_HEX}}}
git:
- {{address: git+https://example.com/a.git//b, ref: v1, commit: {"c" * 40}, file: git/b.tgz, sha256: {_HEX}}}
images:
- {{image: "example.com/a:1", digest: "sha256:{_HEX}", platforms: amd64 arm64, file: images/a.tar, sha256: {_HEX}}}
""".encode(),
    ),
    inputs=texts.written(spoiled(_MIRROR)),
    odd=texts.ODD_YAML,
    hostile=lambda: (
        *texts.hostile_yaml(),
        (
            "a-long-name",
            f"charts:\n- {{repository: {_REPOSITORY}, name: a, version: 1, file: {'x/' * 5000}, sha256: {_HEX}}}\n".encode(),
        ),
        ("keys-that-are-lists", b"charts: [{? [a] : b}]\n? [a]\n: b\n"),
    ),
    corpus=lambda shared: [(shared / "mirror" / "index.yaml").read_bytes()],
)
