"""The image upon a base image: locked by mine, built by cast, for every architecture."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.oci.base_images import Base
from tests.stages.build.test_cast import DIRECT, FOLDER, cast_working, tree

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, ImageError, LockError
from cluster_forge.oci import image_archive
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack.model import Architecture, ImageSettings, Stack, Target
from cluster_forge.stages.build.casting import base_image

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

NAME = "registry.example.com/tools:1.2"
WHERE = "input/config.yaml:4"
SETTINGS = ImageSettings(base=ImageReference.parse(NAME), base_where=WHERE)


def published(harness: Harness, base: Base) -> None:
    harness.sources.images[NAME] = (base.root.digest, image_archive.pack(base.root, base.blobs))


def a_stack(harness: Harness, **changes: Any) -> Stack:
    notes = harness.component("notes", manifests=(harness.input("notes/one.yaml", harness.config_map("one")),))
    return harness.stack(notes, **{"image": SETTINGS, "gitops": DIRECT, **changes})


def cast(harness: Harness, stack: Stack) -> dict[str, Any]:
    """The image's index, by mine, smelt and cast; ``base`` is looked up as the verb does it."""
    harness.forge(stack)
    result = cast_working(harness, stack, base=base_image.look_up(stack, harness.lock))
    return blob(harness, str(result.image))


def blob(harness: Harness, digest: str) -> dict[str, Any]:
    content = tree(harness)[f"image/blobs/{digest.replace(':', '/')}"]
    assert str(Digest.of(content)) == digest
    document: dict[str, Any] = json.loads(content)
    return document


def test_the_lock_pins_it_and_the_image_is_upon_it(harness: Harness) -> None:
    base = Base()
    published(harness, base)
    index = cast(harness, a_stack(harness))
    assert harness.lock.base is not None
    assert (harness.lock.base.address, harness.lock.base.asked) == (NAME, "amd64 arm64")
    assert harness.lock.base.version == str(base.root.digest)
    assert index["annotations"]["org.opencontainers.image.base.name"] == NAME
    assert index["annotations"]["org.opencontainers.image.base.digest"] == str(base.root.digest)
    for entry, platform in zip(index["manifests"], base.manifests.values(), strict=True):
        manifest = blob(harness, entry["digest"])
        assert manifest["annotations"]["org.opencontainers.image.base.digest"] == str(platform.digest)
        assert entry["platform"]["architecture"] == platform.architecture
        for layer in manifest["layers"]:
            content = tree(harness)[f"image/blobs/{layer['digest'].replace(':', '/')}"]
            assert (str(Digest.of(content)), len(content)) == (layer["digest"], layer["size"])
        assert blob(harness, manifest["config"]["digest"])["config"]["Entrypoint"] == ["/bin/tool"]


def test_the_same_again_without_the_registry(harness: Harness) -> None:
    published(harness, Base())
    stack = a_stack(harness)
    first = cast(harness, stack)
    again = harness.again()
    assert cast(again, stack) == first
    assert again.sources.asked == []
    assert harness.files.read_tree(FOLDER) == again.files.read_tree(FOLDER)


def test_a_tag_that_moves_changes_nothing_until_it_is_updated(harness: Harness) -> None:
    published(harness, Base())
    stack = a_stack(harness)
    locked = harness.mine(stack).lock.base
    published(harness, Base(("linux/amd64", "linux/arm64", "linux/s390x")))
    assert harness.mine(stack).lock.base == locked
    assert harness.mine(replace(stack, left_out=("other",)), update=frozenset({"notes"})).lock.base == locked
    updated = harness.mine(stack, update=frozenset({"notes"})).lock.base
    assert updated is not None
    assert updated != locked


def test_other_architectures_are_fetched_too(harness: Harness) -> None:
    published(harness, Base())
    harness.mine(a_stack(harness))
    only = a_stack(harness, target=Target(architectures=(Architecture.ARM64,)))
    with pytest.raises(LockError, match=rf"{NAME} for arm64 is not in cluster-forge\.lock"):
        base_image.look_up(only, harness.lock)
    index = cast(harness, only)
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["arm64"]


def test_without_a_base_the_lock_has_none(harness: Harness) -> None:
    published(harness, Base())
    harness.mine(a_stack(harness))
    assert harness.mine(a_stack(harness, image=ImageSettings())).lock.base is None


def test_errors_come_with_those_of_other_sources(harness: Harness) -> None:
    component = harness.component("web", manifests=("https://example.com/gone.yaml",))
    stack = harness.stack(component, image=SETTINGS)
    base, web = harness.errors(lambda: harness.mine(stack))
    assert (type(base), base.where) == (FetchError, WHERE)
    assert base.message.startswith("image: oci://registry.example.com/tools:1.2: the registry has no repository")
    assert web.message.startswith("component web: ")


def test_what_is_not_locked_or_stored_is_named(harness: Harness) -> None:
    published(harness, Base())
    stack = a_stack(harness)
    with pytest.raises(LockError, match=r"is not in cluster-forge\.lock") as error:
        base_image.look_up(stack, harness.lock)
    assert error.value.where == WHERE
    cast(harness, stack)
    harness.store.entries.clear()
    harness.files.files.pop(f"{FOLDER}/deploy.sh")
    with pytest.raises(LockError, match="is not in the store"):
        cast_working(harness, stack, base=base_image.look_up(stack, harness.lock))


def test_a_stored_archive_of_something_else_is_refused(harness: Harness) -> None:
    harness.sources.images[NAME] = (Digest.of(b""), b"not an archive" * 100)
    with pytest.raises(ImageError, match="not an OCI image layout"):
        cast(harness, a_stack(harness))
