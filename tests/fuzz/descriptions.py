"""Stack descriptions with the files that they name, and lists in the legacy format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import ANY, SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, OrderError, UnknownNameError
from cluster_forge.stack import convert, effective
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.input_record import DESCRIPTION
from cluster_forge.stack.parse import parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe import consistency

_FILE = b"\n#=== "
"""Starts the next file of a workspace; its path is the rest of the line. The first file is the description."""


def workspace(data: bytes) -> Mapping[str, bytes]:
    first, *others = data.split(_FILE)
    files = {DESCRIPTION: first}
    for other in others:
        name, _, content = other.partition(b"\n")
        files[name.decode(errors="replace")] = content
    return files


def packed(description: bytes, others: Mapping[str, bytes]) -> bytes:
    return description + b"".join(_FILE + name.encode() + b"\n" + content for name, content in others.items())


def _load(data: bytes) -> None:
    """What every verb does with a description, and `config show` and `convert` with the result."""
    files = workspace(data)

    def listed(path: str) -> list[str] | None:
        return [file for file in files if file == path or file.startswith(f"{path}/")] or None

    environment = "production" if b"environments" in files[DESCRIPTION] else None
    select = ("select.yaml",) if "input/select.yaml" in files else ()
    parsed = parse_description(
        InputFiles(files.get, listed), Selection(environment=environment, select=select), check=consistency.errors
    )
    raise_all(consistency.emptiness(parsed))
    effective.text(parsed.effective, parsed.origins)
    converted = {**files, DESCRIPTION: convert.native(parsed).encode()}
    assert parse_description(InputFiles(converted.get)).stack.name == parsed.stack.name


_PATHS = st.sampled_from(
    ("values.yaml", "extras/", "extras/one.yaml", "../x", "/etc", "a\0b", "", ".", "web/manifests/sourced")
)
_NAMES = several(WORDS)
_HELM = mapping(
    {"chart": WORDS},
    {"repository": SCALARS, "version": SCALARS, "release": WORDS, "skipSchemaValidation": st.booleans()},
)
_VALUES = st.dictionaries(WORDS, ANY, max_size=3)
_COMPONENT = mapping(
    {"name": WORDS},
    {
        "helm": _HELM,
        "namespace": WORDS,
        "wave": st.integers(),
        "needs": _NAMES,
        "manifests": several(_PATHS),
        "values": _VALUES,
        "valuesFiles": several(_PATHS),
        "version": SCALARS,
        "exclude": _NAMES,
        "sizes": mapping({}, {"small": _VALUES}),
        "keepNamespace": st.booleans(),
        "extraNamespaces": _NAMES,
        "upstream": mapping({"folder": _PATHS}, {"helm": _HELM, "manifests": _NAMES}),
    },
)
_LAYER: dict[str, Any] = {
    "name": WORDS,
    "target": mapping({}, {"kubernetes": SCALARS, "size": WORDS, "architectures": _NAMES, "nodes": several(ANY)}),
    "gitops": mapping({}, {"engine": WORDS, "source": WORDS, "url": SCALARS, "install": st.booleans()}),
    "image": mapping({}, {"repository": WORDS, "compression": WORDS, "base": WORDS}),
    "components": several(WORDS | _COMPONENT),
    "define": several(_COMPONENT),
    "collections": st.dictionaries(WORDS, _NAMES, max_size=3),
    "checks": mapping({}, {"ignore": several(mapping({"code": WORDS, "reason": WORDS}))}),
}
_STACK = mapping(
    {"apiVersion": st.just("cluster-forge/v1"), "kind": st.just("Stack")},
    {
        **_LAYER,
        "extends": several(
            st.sampled_from(("config.yaml", "base.yaml", "../input/base.yaml", "./base.yaml", "no.yaml"))
        ),
        "environments": st.dictionaries(st.just("production") | WORDS, mapping({}, _LAYER), max_size=2),
    },
)
_STACKS = st.builds(
    lambda main, base, values: packed(main, {"input/base.yaml": base, "input/values.yaml": values}),
    texts.written(_STACK),
    texts.written(_STACK),
    texts.written(spoiled(_VALUES)),
)
_HEAD = b"apiVersion: cluster-forge/v1\nkind: Stack\nname: platform\n"
_STACK_SEEDS = (
    packed(
        _HEAD
        + b"""extends: [base.yaml]
target: {kubernetes: "1.33", size: small, architectures: [amd64], nodes: [{count: 3, cpu: 16, memory: 64Gi}]}
gitops: {engine: argocd, mode: headless}
components:
- all
- name: shop
  namespace: shop
  wave: 20
  needs: [web]
  helm: {repository: https://charts.example.com, chart: shop, version: ^1.2, release: shop}
  valuesFiles: [values.yaml]
  values: &values
    replicas: 2
    nested: {deep: [1, two, 3.5, null, {x: y}]}
- name: extras
  manifests: [https://example.com/crds.yaml, extras/]
define:
- {name: web, helm: {chart: ./charts/web}, sizes: {small: {a: 1}}, values: {<<: *values, b: 0o17}}
collections: {all: [web, few], few: [extras]}
environments: {production: {target: {size: large}}}
checks: {ignore: [{code: unpinned-image, component: web, reason: so it is}]}
""",
        {
            "input/base.yaml": _HEAD + b"components: [web]\ndefine:\n- {name: web, namespace: web}\n",
            "input/values.yaml": b"a: 1\nb:\n- c\n- |\n  text\n  more\n",
            "input/extras/one.yaml": b"kind: x\n",
            "input/charts/web/Chart.yaml": b"name: web\n",
        },
    ),
    _HEAD + b"components:\n- {name: a, manifests: [https://example.com/a.yaml]}\n",
)


def _chain(length: int, width: int) -> bytes:
    """Files that extend the next one, ``width`` times each."""
    files = {
        f"input/{n}.yaml": _HEAD + b"extends: [%s]\n" % b", ".join([b"%d.yaml" % (n + 1)] * width)
        for n in range(length)
    }
    return packed(_HEAD + b"extends: [0.yaml]\n", {**files, f"input/{length}.yaml": _HEAD})


def _hostile_stacks() -> Iterator[tuple[str, bytes]]:
    for name, text in texts.hostile_yaml():
        yield name, text
        yield (
            f"{name}-as-values",
            packed(
                _STACK_SEEDS[0].split(_FILE)[0].replace(b"extends: [base.yaml]\n", b""), {"input/values.yaml": text}
            ),
        )
    yield "a-long-chain", _chain(2_000, 1)
    yield "a-doubling-chain", _chain(40, 2)
    yield (
        "a-long-chain-of-collections",
        _HEAD
        + b"components: [c0]\ncollections:\n"
        + b"".join(b"  c%d: [c%d]\n" % (n, n + 1) for n in range(5_000))
        + b"  c5000: [c0]\n",
    )
    yield (
        "collections-of-all",
        _HEAD
        + b"collections:\n"
        + b"".join(b"  c%d: [%s]\n" % (n, b", ".join(b"c%d" % m for m in range(300) if m != n)) for n in range(300)),
    )
    yield (
        "a-chain-of-needs",
        _HEAD
        + b"components:\n"
        + b"".join(b"- {name: c%d, manifests: [https://e.com/x], needs: [c%d]}\n" % (n, n + 1) for n in range(1_500)),
    )
    yield (
        "unknown-names",
        _HEAD
        + b"components:\n"
        + b"".join(b"- unknown-name-%d\n" % n for n in range(1_500))
        + b"define:\n"
        + b"".join(b"- {name: known-name-%d, manifests: [https://e.com/x]}\n" % n for n in range(1_500)),
    )
    yield "wrong-components", _HEAD + b"components:\n" + b"- {nam: x, helm: 1, values: 3}\n" * 5_000
    yield "a-long-unknown-name", _HEAD + b"components: [" + b"x" * 1_000_000 + b"]\n"
    yield "a-huge-version", _HEAD + b'target: {kubernetes: "1.' + b"9" * 10_000 + b'"}\n'
    yield (
        "huge-counts",
        _HEAD
        + b"target: {nodes: [{count: -5}, {count: 18446744073709551615, cpu: 1e308}]}\ncomponents: [{name: a, wave: -9223372036854775808, manifests: [https://e.com/x]}]\n",
    )


STACK = Target(
    name="description",
    read=_load,
    refusals=(DescriptionError, UnknownNameError, OrderError),
    seeds=_STACK_SEEDS,
    inputs=_STACKS,
    odd=texts.ODD_YAML,
    hostile=_hostile_stacks,
    corpus=lambda shared: [path.read_bytes() for path in sorted((shared / "stacks").glob("*/input/config.yaml"))],
    share=1.5,
)

_SEED_ENTRY = mapping(
    {"name": WORDS},
    {
        "namespace": WORDS,
        "namespaces": _NAMES,
        "manifestpath": _PATHS | several(_PATHS),
        "manifest-url": SCALARS,
        "helm-chart-name": SCALARS,
        "helm-url": SCALARS,
        "helm-name": WORDS,
        "helm-version": SCALARS,
        "helm-values": _VALUES | st.sampled_from(("a: 1", "values.yaml", "a: [", "- x", "")),
        "values-file": _PATHS,
        "sourced-exclude": _NAMES,
        "syncwave": SCALARS,
        "skip-namespace": SCALARS,
        "collection": _NAMES,
    },
)
_SOURCE = mapping(
    {"name": WORDS},
    {
        "namespace": WORDS,
        "manifest-url": SCALARS,
        "helm-chart-name": SCALARS,
        "helm-url": SCALARS,
        "helm-name": WORDS,
        "helm-version": SCALARS,
        "values": _PATHS,
        "source-exclusions": _NAMES | WORDS,
    },
)
_LISTS = st.builds(
    lambda entries, source, chosen, values: packed(
        entries, {"input/web/source.yaml": source, "input/select.yaml": chosen, "input/values.yaml": values}
    ),
    texts.written(several(_SEED_ENTRY)),
    texts.written(spoiled(_SOURCE)),
    texts.written(several(WORDS | mapping({"name": WORDS}))),
    texts.written(spoiled(_VALUES)),
)
_LIST_SEEDS = (
    packed(
        b"""- name: web
  namespace: web
  manifestpath: [web/manifests/sourced, /web/manifests/own]
  syncwave: "-3"
- name: shop
  namespaces: [shop, more]
  helm-chart-name: shop
  helm-url: https://charts.example.com
  helm-version: 1.10
  helm-values: |
    a: 1
    b: {c: d}
  sourced-exclude: Secret_x.yaml
  skip-namespace: "true"
- name: other
  manifest-url: https://example.com/x.yaml
- name: all
  collection: [web, shop]
""",
        {
            "input/web/source.yaml": b"name: web\nhelm-chart-name: oci://r.example.com/c/web\nhelm-version: v1\nvalues: v.yaml\n"
            b"source-exclusions: [x]\n",
            "input/web/manifests/sourced/a.yaml": b"kind: x\n",
            "input/web/manifests/own/b.yaml": b"kind: x\n",
            "input/web/v.yaml": b"a: 1\n",
            "input/select.yaml": b"- all\n- name: web\n",
        },
    ),
)


def _hostile_lists() -> Iterator[tuple[str, bytes]]:
    for name, text in texts.hostile_yaml():
        yield (
            f"{name}-in-source",
            packed(b"- {name: web, manifestpath: web/manifests/sourced}\n", {"input/web/source.yaml": text}),
        )
        if len(text) < 1_500_000:
            indented = b"".join(b"    " + line + b"\n" for line in text.split(b"\n"))
            yield f"{name}-in-values", b"- name: web\n  helm-chart-name: c\n  helm-values: |\n" + indented
    yield "wrong-entries", b"- {nam: x, helm-url: [1], syncwave: x}\n" * 10_000
    yield "a-circle", b"- {name: a, collection: [b]}\n- {name: b, collection: [a]}\n"


LIST = Target(
    name="v1-list",
    read=_load,
    refusals=(DescriptionError, UnknownNameError, OrderError),
    seeds=_LIST_SEEDS,
    inputs=_LISTS,
    odd=tuple(
        packed(b"- {name: web, manifestpath: web/manifests/sourced}\n", {"input/web/source.yaml": text})
        for text in texts.ODD_YAML
    ),
    hostile=_hostile_lists,
    corpus=lambda shared: [
        *(path.read_bytes() for path in sorted((shared / "v1-input").glob("config.yaml"))),
        *(
            packed(
                b"- {name: web, manifestpath: web/manifests/sourced}\n", {"input/web/source.yaml": path.read_bytes()}
            )
            for path in sorted((shared / "v1-input").glob("*/source.yaml"))
        ),
    ],
)
