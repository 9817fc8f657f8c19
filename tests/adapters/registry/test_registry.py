"""Reading and writing: a real registry, and registries with habits that it does not have."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.adapters.registry.conftest import CHUNK, Client, client, manifest, upload
from tests.servers.habits import Habits, HabitualRegistry, digest_of

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ForgeError, ImageError, RegistryError, TagError
from cluster_forge.oci.image import MANIFEST_TYPE
from cluster_forge.ports.registry import Sent, StoredManifest, content

if TYPE_CHECKING:
    from tests.servers.registry import Registry

Start = Callable[[Habits], tuple[HabitualRegistry, Client]]
LARGE = bytes(range(256)) * 30  # more than four chunks


@pytest.mark.parametrize("registry", ["real", "habitual"])
class TestEveryRegistry:
    @pytest.fixture
    def there(self, request: pytest.FixtureRequest, registry: str, start: Start) -> Client:
        if registry == "habitual":
            return start(Habits())[1]
        real: Registry = request.getfixturevalue("open_registry")
        return client(real.host)

    @pytest.mark.parametrize("data", [b"", b"a", LARGE], ids=["empty", "small", "in chunks"])
    def test_a_blob_is_sent_once_and_read(self, there: Client, data: bytes) -> None:
        name = f"blobs/{len(data)}"
        repository, blob = there.repository(name), upload(data)
        assert there.uploads.send_blob(repository, blob) is Sent.UPLOADED
        assert there.uploads.send_blob(repository, blob) is Sent.PRESENT
        assert content(there.reader, repository, blob.blob, 1 << 20) == data

    def test_a_blob_of_another_repository_is_mounted(self, there: Client) -> None:
        origin, data = there.repository("origin"), b"of another repository"
        there.uploads.send_blob(origin, upload(data))
        assert there.uploads.send_blob(there.repository("mounted"), upload(data, origin)) is Sent.MOUNTED
        elsewhere = replace(origin, registry="127.0.0.1:1")
        assert there.uploads.send_blob(there.repository("other"), upload(data, elsewhere)) is Sent.UPLOADED

    def test_a_manifest_by_tag_and_by_digest(self, there: Client) -> None:
        reference, stored = there.tag("manifests", "1.0"), manifest()
        there.uploads.send_blob(reference, upload(b"{}"))
        assert there.reader.digest(reference) is None
        there.uploads.send_manifest(reference, stored)
        assert there.reader.digest(reference) == stored.digest
        assert there.reader.manifest(reference) == stored
        assert there.reader.manifest(replace(reference.bare, digest=stored.digest)) == stored
        assert there.reader.tags(reference) == ("1.0",)

    def test_what_is_missing_is_an_error(self, there: Client) -> None:
        with pytest.raises(FetchError, match=r"oci://.*/none:1\.0: the re"):
            there.reader.manifest(there.tag("none", "1.0"))
        with pytest.raises(FetchError, match="404 Not Found"):
            content(there.reader, there.repository("none"), upload(b"x").blob, 10)

    def test_referrers_are_listed(self, there: Client) -> None:
        repository, image = there.repository("referrers"), manifest()
        there.uploads.send_blob(repository, upload(b"{}"))
        there.uploads.send_manifest(replace(repository, tag="image"), image)
        subject = replace(repository, digest=image.digest)
        assert there.reader.referrers(subject) == ()
        for kind in ("a/x", "a/y", "a/y"):  # the same one twice
            there.uploads.send_manifest(repository, manifest(image, kind))
        assert [entry.artifact_type for entry in there.reader.referrers(subject)] == ["a/x", "a/y"]
        (found,) = there.reader.referrers(subject, "a/y")
        assert there.reader.manifest(replace(repository, digest=found.digest)) == manifest(image, "a/y")


class TestUploads:
    @pytest.mark.parametrize(
        ("habits", "patches"),
        [
            (Habits(relative_location=True), 8),
            (Habits(smallest_chunk=3 * CHUNK), 3),
            (Habits(breaks=3), None),
            (Habits(breaks=3, is_forgetful=True), None),
            (Habits(chunks=False), 1),
        ],
        ids=["relative", "least size", "breaks", "breaks and forgets", "no chunks"],
    )
    def test_a_large_blob_arrives(self, start: Start, habits: Habits, patches: int | None) -> None:
        registry, there = start(habits)
        assert there.uploads.send_blob(there.repository("x"), upload(LARGE)) is Sent.UPLOADED
        assert registry.blobs["x", digest_of(LARGE)] == LARGE
        assert patches is None or registry.count("PATCH") == patches

    def test_a_lost_answer_is_not_a_second_upload(self, start: Start) -> None:
        registry, there = start(Habits(loses="PUT"))
        assert there.uploads.send_blob(there.repository("x"), upload(LARGE)) is Sent.UPLOADED
        assert registry.count("PATCH") == 8
        assert registry.count("PUT") == 2

    @pytest.mark.parametrize("seed", range(5))
    def test_through_failures(self, start: Start, seed: int) -> None:
        registry, there = start(Habits(failing=0.3, seed=seed))
        repository, image = there.repository("x"), manifest()
        for data in (LARGE, b"{}", b"small"):
            there.uploads.send_blob(repository, upload(data))
            assert content(there.reader, repository, upload(data).blob, 1 << 20) == data
        there.uploads.send_manifest(replace(repository, tag="1"), image)
        for kind in ("a/x", "a/y"):
            there.uploads.send_manifest(repository, manifest(image, kind))
        assert len(there.reader.referrers(replace(repository, digest=image.digest))) == 2
        assert "1" in there.reader.tags(repository)
        assert registry.failures.total() > 3

    def test_a_session_that_is_not_used_is_ended(self, start: Start) -> None:
        registry, there = start(Habits(mounts=False, chunks=False))
        origin = there.repository("origin")
        there.uploads.send_blob(origin, upload(LARGE))
        assert there.uploads.send_blob(there.repository("x"), upload(LARGE, origin)) is Sent.UPLOADED
        assert registry.sessions == {}

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
    def test_a_refused_mount_is_not_an_error(self, start: Start, status: int) -> None:
        registry, there = start(Habits())
        there.uploads.send_blob(there.repository("origin"), upload(b"a"))
        registry.habits.refusals["POST uploads"] = (status, "DENIED", "no")
        with pytest.raises(RegistryError):  # the next request, which opens a session, is refused, too
            there.uploads.send_blob(there.repository("x"), upload(b"a", there.repository("origin")))
        assert registry.count("POST", "mount=") == 1

    def test_a_registry_that_never_takes_a_chunk_ends(self, start: Start) -> None:
        registry, there = start(Habits(breaks=10_000, is_forgetful=True))
        there.uploads.send_blob(there.repository("x"), upload(LARGE))  # whole, in the end
        assert registry.blobs["x", digest_of(LARGE)] == LARGE

    def test_a_wrong_content_is_refused_after_some_attempts(self, start: Start) -> None:
        registry, there = start(Habits())
        wrong = replace(upload(b"abc"), blob=upload(b"abd").blob)
        with pytest.raises(RegistryError, match="provided digest did not match"):
            there.uploads.send_blob(there.repository("x"), wrong)
        assert registry.count("PUT") == 3
        assert registry.sessions == {}

    @pytest.mark.parametrize(
        ("request_", "answer", "kind", "message", "fix"),
        [
            ("PUT manifests", (400, "TAG_INVALID", "The image tag '1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable."), TagError, "does not let the tag be moved", "--tag"),
            ("PUT manifests", (412, "PRECONDITION", "Failed to process request due to 'x:1' configured as immutable."), TagError, "does not let the tag be moved", "--tag"),
            ("PUT manifests", (400, "MANIFEST_INVALID", "unknown media type during manifest Put: x/y"), RegistryError, "does not accept the manifest", "OCI images and artifacts"),
            ("PUT manifests", (413, "SIZE_INVALID", ""), RegistryError, "larger than the registry", "client_max_body_size"),
            ("POST uploads", (403, "DENIED", "adding 10 MiB of storage resource, which when updated to current usage of 9 MiB will exceed the configured upper limit of 10 MiB."), RegistryError, "no space is left", "limit raised"),
            ("POST uploads", (507, "", ""), RegistryError, "no space is left", "limit raised"),
            ("POST uploads", (404, "NAME_UNKNOWN", "The repository with name 'x' does not exist"), RegistryError, "does not create it", "Harbor"),
            ("POST uploads", (403, "DENIED", "requested access to the resource is denied"), RegistryError, "403 Forbidden", ""),
            ("HEAD blobs", (401, "UNAUTHORIZED", "authentication required"), RegistryError, "401 Unauthorized", "login"),
        ],
    )  # fmt: skip
    def test_a_refusal_is_a_sentence(  # noqa: PLR0917
        self, start: Start, request_: str, answer: tuple[int, str, str], kind: type[ForgeError], message: str, fix: str
    ) -> None:
        registry, there = start(Habits(refusals={request_: answer}))
        send_blob = partial(there.uploads.send_blob, there.repository("x"), upload(b"abc"))
        send_manifest = partial(there.uploads.send_manifest, there.tag("x", "1"), manifest())
        with pytest.raises(kind, match=message) as raised:
            (send_manifest if "manifests" in request_ else send_blob)()
        assert str(raised.value).startswith(f"oci://{registry.host}/x")
        assert fix in (raised.value.fix or "")

    def test_another_digest_than_the_one_that_was_sent_is_an_error(self, start: Start) -> None:
        registry, there = start(Habits())
        with pytest.raises(ImageError, match="not a valid manifest"):
            there.uploads.send_manifest(there.tag("x", "1"), StoredManifest.of(b"{}", MANIFEST_TYPE + "x"))
        assert registry.requests == []


class TestTags:
    @pytest.mark.parametrize(
        "habits",
        [Habits(page=7), Habits(page=7, foreign_links=True), Habits(), Habits(links=False)],
        ids=["links", "links to another host", "one page", "without links"],
    )
    def test_all_pages_are_read(self, start: Start, habits: Habits) -> None:
        registry, there = start(habits)
        tags = [f"t{number:04}" for number in range(2_500 if not habits.page else 40)]
        registry.manifests.update({("x", tag): (MANIFEST_TYPE, b"{}") for tag in tags})
        assert list(there.reader.tags(there.repository("x"))) == tags

    def test_names_that_are_not_tags_are_left_out(self, start: Start) -> None:
        registry, there = start(Habits())
        registry.manifests.update({("x", tag): (MANIFEST_TYPE, b"{}") for tag in ("ok", "\x1b[31m", "../x", "-a")})
        assert there.reader.tags(there.repository("x")) == ("ok",)

    def test_a_registry_without_an_end_is_an_error(self, start: Start) -> None:
        registry, there = start(Habits(page=1))
        registry.manifests.update({("x", f"t{number:05}"): (MANIFEST_TYPE, b"{}") for number in range(1_100)})
        with pytest.raises(FetchError, match="has no end: 1,000 tags on 1,000 pages"):
            there.reader.tags(there.repository("x"))

    def test_large_pages_without_an_end_do_not_fill_the_memory(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry, there = start(Habits(page=10))
        registry.manifests.update({("x", f"t{number:05}"): (MANIFEST_TYPE, b"{}") for number in range(200)})
        monkeypatch.setattr("cluster_forge.adapters.registry.reader._MOST_LISTED", 99)
        with pytest.raises(FetchError, match="has no end: 100 tags on 10 pages"):
            there.reader.tags(there.repository("x"))


class TestManifests:
    @pytest.mark.parametrize("tells", [True, False])
    def test_the_digest_is_that_of_the_content(self, start: Start, tells: bool) -> None:
        registry, there = start(Habits(tells_digest=tells))
        there.uploads.send_manifest(there.tag("x", "1"), manifest())
        assert there.reader.digest(there.tag("x", "1")) == manifest().digest
        registry.manifests["x", str(manifest().digest)] = (MANIFEST_TYPE, manifest(kind="other").content)
        with pytest.raises(FetchError, match="not what its digest promises"):
            there.reader.manifest(replace(there.repository("x"), digest=manifest().digest))

    @pytest.mark.parametrize(
        ("media_type", "text", "message"),
        [
            (MANIFEST_TYPE, "<html>", "not JSON"),
            (MANIFEST_TYPE, "[]", "not a mapping"),
            ("text/html", "{}", "neither an image nor an index"),
            (MANIFEST_TYPE, '{"mediaType": "application/vnd.oci.image.index.v1+json"}', "the registry says"),
            (MANIFEST_TYPE, '{"config": 3}', "config is not a mapping"),
            (MANIFEST_TYPE, '{"config": {"digest": "sha512:00", "size": 3}}', "only sha256"),
            (MANIFEST_TYPE, '{"config": {"digest": "sha256:00", "size": 3}}', "the digest of config"),
            (MANIFEST_TYPE, '{"config": {"digest": "sha256:00", "size": -1}}', "the size of config"),
            ("application/vnd.oci.image.index.v1+json", '{"manifests": {}}', "not a list"),
            ("application/vnd.docker.distribution.manifest.v1+prettyjws", '{"schemaVersion": 1}', "neither"),
        ],
    )
    def test_anything_else_is_an_error(self, start: Start, media_type: str, text: str, message: str) -> None:
        registry, there = start(Habits())
        registry.manifests["x", "1"] = (media_type, text.encode())
        with pytest.raises(ImageError, match=message) as raised:
            there.reader.manifest(there.tag("x", "1"))
        assert raised.value.where == f"oci://{registry.host}/x:1"

    def test_a_huge_one_is_not_read(self, start: Start) -> None:
        registry, there = start(Habits())
        registry.manifests["x", "1"] = (MANIFEST_TYPE, bytes(5 << 20))
        with pytest.raises(FetchError, match="more than 4,194,304 bytes"):
            there.reader.manifest(there.tag("x", "1"))

    def test_a_type_of_a_file_server_says_nothing(self, start: Start) -> None:
        registry, there = start(Habits())
        registry.manifests["x", "1"] = ("application/octet-stream", manifest().content)
        assert there.reader.manifest(there.tag("x", "1")).media_type == MANIFEST_TYPE


class TestBlobs:
    @pytest.mark.parametrize(
        ("stored", "message"), [(b"abd", "not what its digest promises"), (b"abcd", "larger than 3")]
    )
    def test_another_content_is_an_error(self, start: Start, stored: bytes, message: str) -> None:
        registry, there = start(Habits())
        blob = upload(b"abc").blob
        registry.blobs["x", str(blob.digest)] = stored
        with pytest.raises(FetchError, match=message):
            content(there.reader, there.repository("x"), blob, 10)

    def test_a_limit_holds_before_the_request(self, start: Start) -> None:
        registry, there = start(Habits())
        with pytest.raises(FetchError, match="has 3 bytes, and 2 are allowed"):
            content(there.reader, there.repository("x"), upload(b"abc").blob, 2)
        assert registry.requests == []


class TestReferrers:
    def test_the_tag_is_not_written_where_the_registry_lists_them(self, start: Start) -> None:
        _, there = start(Habits(referrers_api=True))
        repository, image = there.repository("x"), manifest()
        there.uploads.send_manifest(replace(repository, tag="image"), image)
        there.uploads.send_manifest(repository, manifest(image, "a/x"))
        (found,) = there.reader.referrers(replace(repository, digest=image.digest), "a/x")
        assert found.digest == manifest(image, "a/x").digest
        assert there.reader.tags(repository) == ("image",)

    def test_the_tag_has_the_content_that_the_api_would_have(self, start: Start) -> None:
        registry, there = start(Habits())
        repository, image = there.repository("x"), manifest()
        referrer = manifest(image, "a/x")
        there.uploads.send_manifest(repository, referrer)
        _, listed = registry.manifests["x", f"sha256-{image.digest.hex}"]
        assert json.loads(listed)["manifests"] == [{**referrer.descriptor.to_json(), "artifactType": "a/x"}]

    def test_another_use_of_the_tag_is_an_error(self, start: Start) -> None:
        registry, there = start(Habits())
        repository, image = there.repository("x"), manifest()
        registry.manifests["x", f"sha256-{image.digest.hex}"] = (MANIFEST_TYPE, image.content)
        with pytest.raises(RegistryError, match="meant for a list of referrers"):
            there.uploads.send_manifest(repository, manifest(image))
        assert there.reader.referrers(replace(repository, digest=image.digest)) == ()


def test_the_sections_of_a_blob_are_read_in_constant_memory(start: Start) -> None:
    """The client never asks for more than a part."""
    registry, there = start(Habits())
    asked: list[int] = []

    class Watched:
        def __init__(self) -> None:
            self.place = 0

        def seek(self, place: int) -> None:
            self.place = place

        def read(self, count: int) -> bytes:
            asked.append(count)
            part = LARGE[self.place : self.place + count]
            self.place += len(part)
            return part

        def close(self) -> None: ...

    watched = replace(upload(LARGE), open=Watched)  # type: ignore[arg-type] # what the client uses of a file
    there.uploads.send_blob(there.repository("x"), watched)
    assert hashlib.sha256(registry.blobs["x", digest_of(LARGE)]).hexdigest() == Digest.of(LARGE).hex
    assert max(asked) <= CHUNK
    assert re.fullmatch(r"127\.0\.0\.1:\d+", registry.host)
