"""Manifests and values: texts for the YAML readers, the split into documents, and everything after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import ANY, SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.fast import FastYaml, is_alike
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, ForgeError, ManifestError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch, duplicates, emitter, hooks, normalize, split
from cluster_forge.manifests.scope import Scopes
from cluster_forge.ports.rendering import RenderJob
from cluster_forge.yaml import document_writer as description_text
from cluster_forge.yaml import positioned_reader

_PYTHON = PurePythonYaml()
_GO = GoYaml(_PYTHON)
_FAST = FastYaml(_GO)
_RENDERER = InProcessRenderer(HelmSdk(), _FAST)
_C_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME = ComponentName("shop")


def _read_both(data: bytes) -> None:
    """The readers: what all accept has the same value, unless Go's rounded a number or chose a repeated key."""
    text = data.decode(errors="replace")
    try:
        first = _PYTHON.read(text)
        assert _GO.read(text) == first or _repeats_a_key(data)
        if is_alike(text):
            assert _FAST.read(text) == first or _repeats_a_key(data)
    except ManifestError as error:  # the caller of the reader knows the place
        raise ManifestError(error.message, where="a.yaml:1", fix=error.fix) from error


def _repeats_a_key(data: bytes) -> bool:
    """``true`` and ``'true'`` are two keys in Go's YAML and one in its JSON, which uses either value, at random."""
    try:
        positioned_reader.read_all(data, "x")
    except (DescriptionError, ExceptionGroup) as error:
        return any("duplicate key" in str(leaf) for leaf in leaves(error))
    return False


READERS = Target(
    name="yaml-readers",
    read=_read_both,
    refusals=(ManifestError,),
    seeds=(
        (
            b"apiVersion: v1\nkind: A\nmetadata: {name: x, labels: &l {a: b}}\nspec:\n  <<: *l\n  list:\n  - 0o17\n  - 1e3\n  - y\n"
            b"  - '1'\n  - |\n    text\n  - >-\n    folded\n    text\n  big: 9007199254740993\n"
        ),
        b"a: 1\n",
    ),
    inputs=texts.written(ANY),
    odd=texts.ODD_YAML,
    hostile=texts.hostile_yaml,
    share=1.2,
)


def _objects(data: bytes) -> None:
    """What `smelt` does with the documents of a file."""
    packed = _RENDERER.render(RenderJob(component=_NAME, texts=[("input/shop/a.yaml", data)]))
    manifests = batch.unpack(packed.content, _NAME)
    scopes = Scopes.of(33, manifests)
    placed = [normalize.placed(manifest, "shop", scopes) for manifest in manifests]
    single = duplicates.within([placed, placed[:1]], later_replaces=True)
    for manifest in single.manifests:
        assert hooks.use_of(manifest.facts.hook)
        assert -(2**63) <= manifest.facts.weight < 2**63
        assert manifest.facts.images is not None
        assert manifest.id.file_name
        assert str(manifest.id)
        text = emitter.document(manifest.body)
        if len(text) < 100_000:
            assert _GO.read(text) == manifest.body


_METADATA = mapping(
    {"name": WORDS},
    {
        "namespace": WORDS,
        "labels": ANY,
        "generateName": WORDS,
        "annotations": st.dictionaries(
            st.sampled_from(("helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy", "x")),
            st.sampled_from(("pre-install", "test", "post-delete, pre-install", "", "-5", "9" * 30)) | SCALARS,
            max_size=3,
        ),
    },
)
_SPEC = st.one_of(
    ANY,
    mapping(
        {"group": WORDS, "names": mapping({"kind": WORDS}), "scope": st.sampled_from(("Namespaced", "Cluster"))},
        {"versions": several(mapping({"name": WORDS}, {"served": st.booleans()})), "version": WORDS},
    ),
    mapping(
        {
            "containers": several(
                mapping(
                    {"image": st.sampled_from(("nginx:1", "a.b/c:v1@sha256:x", "::", "A/B"))},
                    {"args": several(SCALARS)},
                )
            )
        }
    ),
)
_OBJECT = mapping(
    {
        "apiVersion": st.sampled_from(
            ("v1", "apps/v1", "apiextensions.k8s.io/v1", "rbac.authorization.k8s.io/v1", "a/b/c")
        ),
        "kind": st.sampled_from(
            ("Pod", "CustomResourceDefinition", "RoleBinding", "ConfigMap", "Secret", "List", "PodList", "É")
        ),
        "metadata": _METADATA,
    },
    {
        "spec": _SPEC,
        "data": st.dictionaries(WORDS, ANY, max_size=2),
        "items": several(ANY),
        "subjects": several(mapping({"kind": st.just("ServiceAccount")}, {"name": WORDS, "namespace": WORDS})),
    },
)


def _hostile_objects() -> Iterator[tuple[str, bytes]]:
    head = b"apiVersion: v1\nkind: A\nmetadata: {name: x}\n"
    for name, text in texts.hostile_yaml():
        yield name, text
        if text.startswith((b"a: ", b"a:\n", b"a0: ")):
            yield f"{name}-in-an-object", head + text
    yield (
        "deep-json",
        b'{"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}, "spec": ' + b'{"a":' * 950 + b"1" + b"}" * 951,
    )
    for depth in (250, 300, 450, 900):
        yield f"lists-of-lists-{depth}", b'{"apiVersion": "v1", "kind": "List", "items": [' * depth + b"]}" * depth
    yield (
        "a-weight",
        head.replace(
            b"name: x",
            b'name: x, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "99999999999999999999"}',
        ),
    )
    yield "many-images", head + b"spec: [" + b"'a.b/c:v1 d.e/f:v2', " * 50_000 + b"]\n"
    yield "one-text-of-images", head + b"spec: '" + b"a/b:" * 1_000_000 + b"'\n"
    yield "slashes", head + b"spec: '" + b"/a" * 2_000_000 + b":v'\n"


MANIFESTS = Target(
    name="manifests",
    read=_objects,
    refusals=(ManifestError,),
    seeds=(
        b"""# a file
apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"}
data:
  script: |
    #!/bin/sh
    ---
    echo quay.io/team/app:v1.2
--- # next
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: as.example.com}
spec: {group: example.com, names: {kind: A}, scope: Namespaced, versions: [{name: v1, served: true}]}
---
{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"},
 "subjects": [{"kind": "ServiceAccount", "name": "s"}]}
---
apiVersion: v1
kind: PodList
items:
- metadata: {generateName: p-}
  spec: {containers: [{name: c, image: "nginx:1.27", args: [--image=a.example.com/b:v1]}]}
""",
    ),
    inputs=st.builds(
        lambda one, two: one + b"---\n" + two, texts.written(spoiled(_OBJECT)), texts.written(spoiled(_OBJECT))
    ),
    odd=texts.ODD_YAML,
    hostile=_hostile_objects,
    corpus=lambda shared: [path.read_bytes() for path in _files(shared / "v1-input") if path.stat().st_size < 8_000],
    share=1.2,
)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/manifests/**/*.yaml"))[:400]


def _split(data: bytes) -> None:
    text = data.decode(errors="replace")
    lines = text.count("\n") + 1
    for cut in (split.written, split.rendered):
        assert all(document.text.strip() and 1 <= document.line <= lines for document in cut(text))


SPLIT = Target(
    name="split",
    read=_split,
    refusals=(),
    seeds=(b"a: 1\n---\nb: 2\n--- # c\n\n\nc: |\n  ---\n  x\n---# comment\n", b"---\n---\n\n \t\n---"),
    inputs=st.text(st.sampled_from("a-# \t\n\r\f:\ufeff"), max_size=60).map(str.encode),
    odd=texts.ODD_YAML,
    hostile=lambda: (
        *texts.hostile_yaml(),
        ("white-space", b" \n" * 3_000_000),
        ("blanks-before-marks", (b" " * 10_000 + b"\n---\n") * 300),
        ("a-comment", b"#\n" * 3_000_000),
    ),
    share=0.5,
)


def _values(data: bytes) -> None:
    """A values file, and what `customize` and `convert` write from it."""
    values = positioned_reader.read(data, "input/values.yaml")
    if isinstance(values.value, dict):
        text = description_text.document(values.value)
        assert positioned_reader.read(text.encode(), "again").value == values.value


VALUES = Target(
    name="values",
    read=_values,
    refusals=(DescriptionError,),
    seeds=(
        (
            b"replicas: 2\nimage: &i {tag: 1.10, digest: null}\nother: {<<: *i, tag: '1'}\nlist:\n- - a\n  - b\n- {c: d}\ntext: |+\n  a\n\n"
            b"on: off\n1: 2\n1.5: x\n~x: y\nlong: >-\n  a\n  b\n"
        ),
    ),
    inputs=texts.written(ANY | st.dictionaries(WORDS, ANY, max_size=4)),
    odd=texts.ODD_YAML,
    hostile=texts.hostile_yaml,
    corpus=lambda shared: [path.read_bytes() for path in sorted((shared / "stacks").glob("*/input/**/values*.yaml"))],
)


def _emitted(data: bytes) -> None:
    """The input is a text as value and as key: written by both writers, read by all readers."""
    text = data.decode(errors="replace")
    body = {text[:2_000]: text, "list": [text, [text], {"k": text[::-1]}], "lines": text.replace(" ", "\n")}
    document = emitter.document(body)
    assert _GO.read(document) == _PYTHON.read(document) == body
    if len(data) > 500_000:  # more than a description may have
        return
    try:
        assert positioned_reader.read(document.encode(), "x").value == body
        assert positioned_reader.read(description_text.document(body).encode(), "x").value == body
    except ForgeError as error:
        raise AssertionError(f"written text cannot be read: {error}") from error
    assert yaml.load(document, Loader=_C_LOADER) == body


EMIT = Target(
    name="emit",
    read=_emitted,
    refusals=(),
    seeds=(
        b"text",
        b"y",
        b"0o17",
        b"- a: b\n  # c\n",
        b"1_000",
        b" a\n\n\tb ",
        b"2001-01-01",
        b"<<",
        "ü\u2028x\x85".encode(),
        b"a: b #c",
    ),
    inputs=st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")),
    odd=texts.ODD_YAML,
    hostile=lambda: (
        ("a-text-of-5-MB", b"word " * 1_000_000),
        ("lines-of-5-MB", b"a line\n" * 700_000),
        ("breaks", b"\n" * 1_000_000),
        ("quotes", b"\"'" * 1_000_000),
        ("letters", "ü".encode() * 2_000_000),
    ),
    share=0.8,
)
