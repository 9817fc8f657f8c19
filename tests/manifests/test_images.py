"""Images are found wherever objects name them, and nothing else is taken for an image."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests import images

DIGEST = "sha256:" + "ab" * 32


def images_by_path(body: dict[str, Any]) -> dict[str, str]:
    return {use.path: use.image for use in images.of({"apiVersion": "v1", "kind": "Thing", **body})}


def text(value: str, key: str = "value") -> list[str]:
    uses = images.of({"kind": "ConfigMap", "data": {key: value}})
    return [use.image for use in uses]


def test_every_kind_of_container_and_image_volumes_name_images() -> None:
    pod = {
        "containers": [{"name": "a", "image": "nginx"}, {"name": "b", "image": "a/b:1"}],
        "initContainers": [{"name": "c", "image": f"quay.io/x/y@{DIGEST}"}],
        "ephemeralContainers": [{"name": "d", "image": "busybox:1.36"}],
        "volumes": [{"name": "v", "image": {"reference": "quay.io/x/data:v1"}}],
    }
    assert images_by_path({"spec": {"template": {"spec": pod}}}) == {
        "spec.template.spec.containers[0].image": "nginx",
        "spec.template.spec.containers[1].image": "a/b:1",
        "spec.template.spec.initContainers[0].image": f"quay.io/x/y@{DIGEST}",
        "spec.template.spec.ephemeralContainers[0].image": "busybox:1.36",
        "spec.template.spec.volumes[0].image.reference": "quay.io/x/data:v1",
    }


def test_the_reference_is_parsed() -> None:
    [use] = images.of({"kind": "Pod", "spec": {"containers": [{"image": "nginx"}]}})
    assert str(use.reference) == "docker.io/library/nginx:latest"


def test_custom_resources_name_images() -> None:
    assert images_by_path(
        {"spec": {"image": "quay.io/prometheus/prometheus:v3", "configReloaderImage": "a/reloader:v1.2"}}
    ) == {
        "spec.image": "quay.io/prometheus/prometheus:v3",
        "spec.configReloaderImage": "a/reloader:v1.2",
    }
    assert images_by_path({"spec": {"image": "auto", "other": {"image": 3}, "list": [[{"image": "a/b"}]]}}) == {
        "spec.list[0][0].image": "a/b"
    }


@pytest.mark.parametrize(
    ("fields", "image"),
    [
        ({"repository": "nvcr.io/nvidia", "image": "driver", "version": "595.91"}, "nvcr.io/nvidia/driver:595.91"),
        ({"repository": "nvcr.io/nvidia", "image": "d", "version": DIGEST}, f"nvcr.io/nvidia/d@{DIGEST}"),
        ({"repository": "team/app", "tag": "17"}, "team/app:17"),
        ({"registry": "quay.io", "repository": "team/app", "tag": "v1"}, "quay.io/team/app:v1"),
        ({"repository": "team/app", "tag": "v1", "digest": DIGEST}, f"team/app:v1@{DIGEST}"),
        ({"repository": "quay.io/team/app", "version": "v1"}, "quay.io/team/app:v1"),
        ({"trivy.repository": "mirror.gcr.io/aquasec/trivy", "trivy.tag": "0.72"}, "mirror.gcr.io/aquasec/trivy:0.72"),
        ({"imageRepository": "team/app", "imageTag": "v1"}, "team/app:v1"),
        ({"AGENT_REPOSITORY": "team/app", "AGENT_TAG": "v1"}, "team/app:v1"),
    ],
)
def test_split_fields_are_joined(fields: dict[str, str], image: str) -> None:
    assert [use.image for use in images.of({"kind": "X", "spec": fields})] == [image]


@pytest.mark.parametrize(
    "fields",
    [
        {"repository": "https://charts.example.com/x", "version": "1.2.3"},
        {"repository": "team/sources", "version": "v1"},
        {"repository": "nvcr.io/nvidia", "image": "driver"},
        {"repository": "app", "tag": "v1"},
        {"repository": "ROOT=/data/x", "tag": "v1"},
        {"repository": 3, "tag": "v1"},
    ],
)
def test_other_split_fields_are_not_an_image(fields: dict[str, Any]) -> None:
    assert images.of({"kind": "X", "spec": fields}) == ()


def test_a_complete_image_is_not_joined_with_a_repository() -> None:
    fields = {"repository": "nvcr.io/nvidia", "image": "quay.io/x/y:v1", "version": "v2"}
    assert images_by_path({"spec": fields}) == {"spec.image": "quay.io/x/y:v1"}


def test_arguments_and_environment_name_images() -> None:
    container = {
        "name": "manager",
        "image": "a/b:v1",
        "command": ["manager", "--engine-image", "longhornio/engine:17", "--ui", "ns/ui:17"],
        "args": ["--acme-http01-solver-image=quay.io/jetstack/solver:v1.2.3", "--image-pull-policy=Always"],
        "env": [
            {"name": "RELATED_IMAGE_POSTGRES", "value": "postgres:17"},
            {"name": "BACKEND", "value": "shop/backend:8080"},
            {"name": "BIN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
    }
    base = "spec.containers[0]."
    assert images_by_path({"spec": {"containers": [container]}}) == {
        f"{base}image": "a/b:v1",
        f"{base}command[2]": "longhornio/engine:17",
        f"{base}args[0]": "quay.io/jetstack/solver:v1.2.3",
        f"{base}env[0].value": "postgres:17",
    }


@pytest.mark.parametrize(
    "image",
    [
        "quay.io/a/b:v1",
        "kserve/agent:v0.20.0",
        "docker.io/envoyproxy/ratelimit:17b1956c",
        "registry.k8s.io/pause:3.9",
        "mirror.gcr.io/aquasec/trivy-checks:1",
        "host:5000/team/app:1",
        f"team/app@{DIGEST}",
        f"quay.io/a/b:v1@{DIGEST}",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "--x={}", '{{"at": "{}",', "image: {}\n", "use {}, please", "`{}`", "[{}]"])
def test_texts_name_images(frame: str, image: str) -> None:
    assert text(frame.format(image)) == [image]


@pytest.mark.parametrize(
    "value",
    [
        "https://quay.io/a/b:v1",
        "http://example.com:8080/a:v1",
        "git@github.com/a/b:v1",
        "/var/lib/a/b:v1.2",
        "./a/b:v1.2",
        "${REGISTRY}/a/b:v1.2",
        "{{ .Values.image }}/b:v1.2",
        "default/web:8080",
        "example.com/label:NoSchedule",
        "nvidia.com/gpu:8",
        "nvidia.com/gpu:all",
        "a/b",
        "quay.io/a/b",
        "a:b",
        "10.0.0.0/8:443",
        "quay.io/a/b:v1/c",
        "quay.io/a/b:v1:ro",
        "application/json:x",
        "# image: quay.io/a/b:v1",
        "a: 1\n  # image: quay.io/a/b:v1\n",
        "// quay.io/a/b:v1",
        "node_cpu:sum/rate:5m",
        "Quay.io/A/b:v1.0",
    ],
)
def test_similar_text_is_not_an_image(value: str) -> None:
    assert text(value) == []


def test_the_dot_at_the_end_of_a_sentence_is_not_part_of_the_tag() -> None:
    assert text("It runs quay.io/a/b:v1.") == ["quay.io/a/b:v1"]


def test_examples_metadata_and_crds_name_no_images() -> None:
    assert text("quay.io/a/b:v1", key="_example") == []
    assert (
        images_by_path(
            {"metadata": {"annotations": {"x": "quay.io/a/b:v1"}}, "spec": {"description": "quay.io/a/b:v1"}}
        )
        == {}
    )
    assert images.of({"kind": "CustomResourceDefinition", "spec": {"image": "quay.io/a/b:v1"}}) == ()


def test_an_image_that_is_repeated_in_a_text_is_one_use() -> None:
    assert text("image: quay.io/a/b:v1\nimage: quay.io/a/b:v1\nimage: quay.io/a/b:v2\n", key="a.yaml") == [
        "quay.io/a/b:v1",
        "quay.io/a/b:v2",
    ]
    [use] = images.of({"kind": "ConfigMap", "data": {"a.yaml": "quay.io/a/b:v1"}})
    assert use.path == 'data["a.yaml"]'


scalars = st.none() | st.booleans() | st.integers() | st.text(st.sampled_from("ab/:.@-1v \n#{$"), max_size=30)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("image", "repository", "tag", "name", "value", "containers", "args")), inner, max_size=4
        )
    ),
    max_leaves=15,
)


@given(trees)
def test_any_object_can_be_searched(tree: Any) -> None:
    for use in images.of({"kind": "X", "spec": tree}):
        assert use.image
        assert use.path.startswith("spec")
