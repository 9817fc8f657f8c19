from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from cluster_forge.adapters.sources.mirror import IndexedMirror
from cluster_forge.adapters.sources.mirror_registry import MirrorRegistry, RegistryWriter, reference
from cluster_forge.adapters.sources.mirror_writer import FolderWriter
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ImageError
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.mirrors import MirrorWriter
from cluster_forge.ports.registry import Sent, StoredManifest, Upload
from cluster_forge.stack.lock import LockedSource

MIRROR = reference("oci://registry.example.com/team/mirror")
CHART, MANIFEST = b"chart", b"a: b\n"
WANTED = [
    LockedSource(address="https://charts.example.com shop", version="1.0.0", digest=Digest.of(CHART)),
    LockedSource(address="https://example.com/crds.yaml", digest=Digest.of(MANIFEST)),
]


class MemoryRegistry:
    """`ports.registry.Registry` and `RegistryUploads` of one repository in dicts."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[str, StoredManifest] = {}
        self.sent: list[str] = []

    def tags(self, repository: ImageReference) -> Sequence[str]:
        return list(self.manifests)

    def digest(self, wanted: ImageReference) -> Digest | None:
        return self.manifests[wanted.tag].digest if wanted.tag in self.manifests else None

    def manifest(self, wanted: ImageReference) -> StoredManifest:
        if wanted.tag not in self.manifests:
            raise FetchError(f"{wanted.address} does not exist")
        return self.manifests[wanted.tag]

    def blob(self, repository: ImageReference, blob: Descriptor, write: Callable[[bytes], object]) -> None:
        if blob.digest not in self.blobs:
            raise FetchError(f"no blob {blob.digest}")
        write(self.blobs[blob.digest])

    def referrers(self, subject: ImageReference, artifact_type: str = "") -> Sequence[Descriptor]:
        return ()

    def send_blob(self, repository: ImageReference, upload: Upload) -> Sent:
        if upload.blob.digest in self.blobs:
            return Sent.PRESENT
        with upload.open() as file:
            self.blobs[upload.blob.digest] = file.read()
        self.sent.append(upload.blob.media_type)
        return Sent.UPLOADED

    def send_manifest(self, wanted: ImageReference, manifest: StoredManifest) -> None:
        self.manifests[wanted.tag] = manifest
        self.sent.append(manifest.media_type)

    def edit(self, **changes: object) -> None:
        """Change keys of the mirror's manifest; None removes one."""
        document = {**orjson.loads(self.manifests["mirror"].content), **changes}
        kept = {key: value for key, value in document.items() if value is not None}
        self.manifests["mirror"] = StoredManifest.of(orjson.dumps(kept), self.manifests["mirror"].media_type)

    @property
    def layers(self) -> list[dict[str, object]]:
        return list(orjson.loads(self.manifests["mirror"].content)["layers"])


def content_of(source: LockedSource) -> bytes:
    return next(content for content in (CHART, MANIFEST) if Digest.of(content) == source.digest)


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def written(registry: MemoryRegistry) -> MemoryRegistry:
    subject: MirrorWriter = RegistryWriter(registry, registry, MIRROR)
    assert subject.write(WANTED, content_of) == WANTED
    return registry


def read(registry: MemoryRegistry) -> IndexedMirror:
    return IndexedMirror(MirrorRegistry(lambda: registry, MIRROR))


def test_what_is_written_is_read(written: MemoryRegistry) -> None:
    mirror = read(written)
    assert mirror.chart("https://charts.example.com", "shop", "1.0.0") == CHART
    assert mirror.manifest("https://example.com/crds.yaml") == MANIFEST
    assert mirror.locked(Digest.of(CHART)) == CHART
    check = RegistryWriter(written, written, MIRROR).check(WANTED)
    assert (check.files, check.problems) == (2, ())


def test_index_and_names_are_those_of_a_directory(written: MemoryRegistry, tmp_path: Path) -> None:
    FolderWriter(tmp_path).write(WANTED, content_of)
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in written.layers]  # type: ignore[index]
    files = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert sorted(titles) == sorted(files)
    assert {written.blobs[Digest.parse(str(layer["digest"]))] for layer in written.layers} == set(files.values())


def test_the_same_digest_in_any_order_and_number_of_steps(written: MemoryRegistry) -> None:
    other = MemoryRegistry()
    for source in reversed(WANTED):
        assert RegistryWriter(other, other, MIRROR).write([source], content_of) == [source]
    assert other.manifests == written.manifests
    other.sent.clear()
    assert RegistryWriter(other, other, MIRROR).write(WANTED, content_of) == []
    assert other.sent == []


def test_something_else_under_the_tag_stays(written: MemoryRegistry) -> None:
    for changes in ({"artifactType": "application/vnd.example"}, {"artifactType": None}):
        written.edit(**changes)
        before = dict(written.manifests)
        with pytest.raises(FetchError, match="names something else than a mirror"):
            RegistryWriter(written, written, MIRROR).write(WANTED, content_of)
        with pytest.raises(FetchError, match="names something else than a mirror"):
            read(written).locked(Digest.of(CHART))
        assert written.manifests == before


def test_a_manifest_without_an_index_or_a_file_is_reported(written: MemoryRegistry) -> None:
    index, *files = written.layers
    written.edit(layers=[index, files[1]])
    (problem,) = RegistryWriter(written, written, MIRROR).check(WANTED).problems
    assert "is not among its layers" in problem.message
    assert (problem.where or "").startswith("oci://registry.example.com/team/mirror:mirror:")
    written.edit(layers=files)
    with pytest.raises(FetchError, match="has no index"):
        read(written).charts("https://charts.example.com")


def test_sizes_are_bounded(written: MemoryRegistry) -> None:
    index, *files = written.layers
    written.edit(layers=[index, *({**layer, "size": 1 << 40} for layer in files)])
    with pytest.raises(FetchError, match="are allowed"):
        read(written).locked(Digest.of(CHART))
    written.edit(layers=[{**index, "size": 1 << 40}])
    with pytest.raises(FetchError, match="are allowed"):
        read(written).locked(Digest.of(CHART))


def test_a_lost_blob_is_one_problem_of_all(written: MemoryRegistry) -> None:
    del written.blobs[Digest.of(CHART)]
    problems = RegistryWriter(written, written, MIRROR).check(WANTED).problems
    assert [problem.message for problem in problems] == [f"no blob {Digest.of(CHART)}"]


def test_addresses() -> None:
    assert MIRROR.tag == "mirror"
    assert reference("oci://r.example/m:2").tag == "2"
    assert reference(f"oci://r.example/m@sha256:{'0' * 64}") == replace(
        reference("oci://r.example/m"), tag="", digest=Digest("0" * 64)
    )
    with pytest.raises(ImageError):
        reference("oci://r.example")
