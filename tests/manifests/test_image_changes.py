"""Other images in an object, wherever one is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests import images
from cluster_forge.manifests.image_changes import NewImage, rewritten
from cluster_forge.oci.reference import ImageReference

DIGEST = "sha256:" + "a" * 64


def changed(spec: Any, *, name: str = "mirror.local/x/app", tag: str = "2.0", digest: str = "") -> Any:
    """The spec with another image for quay.io/team/app."""

    def new(_: str, reference: ImageReference) -> NewImage | None:
        return NewImage(name=name, tag=tag, digest=digest) if reference.name == "quay.io/team/app" else None

    result = rewritten({"kind": "Thing", "spec": spec}, new)
    return result.body["spec"] if not result.refused else result.refused


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"image": "quay.io/team/app:1.0"}, {"image": "mirror.local/x/app:2.0"}),
        ({"image": "quay.io/team/apple:1.0"}, {"image": "quay.io/team/apple:1.0"}),
        ({"args": ["--image=quay.io/team/app:1.0"]}, {"args": ["--image=mirror.local/x/app:2.0"]}),
        (
            {"text": "use quay.io/team/app:1.0, quay.io/team/app:1.0.1 and quay.io/team/app:1.0."},
            {"text": "use mirror.local/x/app:2.0, mirror.local/x/app:2.0 and mirror.local/x/app:2.0."},
        ),
        (
            {"repository": "quay.io/team/app", "tag": "1.0", "pullPolicy": "Always"},
            {"repository": "mirror.local/x/app", "tag": "2.0", "pullPolicy": "Always"},
        ),
        (
            {"repository": "quay.io/team", "image": "app", "version": "1.0"},
            {"repository": "mirror.local/x", "image": "app", "version": "2.0"},
        ),
        (
            {"registry": "quay.io", "repository": "team/app", "tag": "1.0"},
            {"registry": "mirror.local", "repository": "x/app", "tag": "2.0"},
        ),
        (
            {"APP_REPOSITORY": "quay.io/team/app", "APP_TAG": "1.0"},
            {"APP_REPOSITORY": "mirror.local/x/app", "APP_TAG": "2.0"},
        ),
        (
            {"imageRepository": "quay.io/team/app", "imageTag": "1.0"},
            {"imageRepository": "mirror.local/x/app", "imageTag": "2.0"},
        ),
    ],
)
def test_an_image_changes_where_it_is_named(spec: Any, expected: Any) -> None:
    assert changed(spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"image": f"quay.io/team/app:1.0@{DIGEST}"}, {"image": f"mirror.local/x/app@{DIGEST}"}),
        (
            {"repository": "quay.io/team/app", "tag": "1.0", "digest": ""},
            {"repository": "mirror.local/x/app", "tag": "1.0", "digest": DIGEST},
        ),
        (
            {"repository": "quay.io/team/app", "version": "sha256:" + "b" * 64},
            {"repository": "mirror.local/x/app", "version": DIGEST},
        ),
        ({"repository": "quay.io/team/app", "tag": "1.0"}, ("spec.repository",)),
    ],
)
def test_a_digest_goes_where_there_is_a_place_for_it(spec: Any, expected: Any) -> None:
    assert changed(spec, tag="", digest=DIGEST) == expected


NAMES = st.sampled_from(["quay.io/team/app", "quay.io/team/app-two", "docker.io/library/nginx", "registry.k8s.io/a"])
TAGS = st.sampled_from(["1.0", "v2", "1.0.1", "latest"])
REFERENCES = st.builds(lambda name, tag: f"{name}:{tag}", NAMES, TAGS)
SPECS = st.recursive(
    st.one_of(
        st.builds(lambda text: {"image": text}, REFERENCES),
        st.builds(lambda text: {"args": [f"--image={text}"]}, REFERENCES),
        st.builds(lambda name, tag: {"repository": name, "tag": tag}, NAMES, TAGS),
        st.builds(lambda first, second: {"script": f"pull {first}\npull {second} now\n"}, REFERENCES, REFERENCES),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda one: {"items": one}), inner.map(lambda one: {"x": one})
    ),
    max_leaves=6,
)


@given(SPECS)
def test_every_image_of_that_name_changes_and_no_other(spec: Any) -> None:
    before = {"kind": "Thing", "spec": spec}
    after = {"kind": "Thing", "spec": changed(spec)}
    expected = [
        (use.path, "mirror.local/x/app:2.0" if use.reference.name == "quay.io/team/app" else use.image)
        for use in images.of(before)
    ]
    assert {(use.path, use.image) for use in images.of(after)} == set(expected)
