from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.stack.convert import native
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.model import Stack
from cluster_forge.stack.parse import parse_description
from cluster_forge.stack.selection import Selection
from cluster_forge.yaml import document_writer

Placeless = Callable[[Stack], Stack]

FILES = {
    "input/a/manifests/sourced/a.yaml": "",
    "input/a/source.yaml": "name: a\nhelm-chart-name: oci://x.org/charts/a\nhelm-version: 1.10\nvalues: v.yaml\n",
    "input/a/v.yaml": "x: {y: null}\n",
    "input/v.yaml": "z: 1\n",
}

text = st.sampled_from(["a", "1.10", "yes", "0o17", "multi\nline\n", " odd", "a: b", "#"])
entry = st.fixed_dictionaries(
    {},
    optional={
        "namespace": st.sampled_from(["", "x", "yes", "1e3"]),
        "namespaces": st.lists(st.sampled_from(["x", "on", "0755"]), max_size=3),
        "syncwave": st.integers(-999, 999),
        "skip-namespace": st.booleans(),
        "sourced-exclude": st.lists(text, max_size=2),
    },
)
sources = st.one_of(
    st.fixed_dictionaries({"manifestpath": st.sampled_from(["/a/manifests/sourced", ["a/manifests", "a/v.yaml"]])}),
    st.fixed_dictionaries(
        {"manifestpath": st.just("a/manifests/sourced/a.yaml"), "manifest-url": st.just("https://x.org/a.yaml ")}
    ),
    st.fixed_dictionaries(
        {"helm-chart-name": st.just("a"), "helm-url": st.sampled_from(["https://x.org", "oci://x.org/charts"])},
        optional={
            "helm-version": st.sampled_from(["1.10", "^2", "", ">= 1, < 2"]),
            "helm-name": st.sampled_from(["", "b"]),
            "values-file": st.sampled_from(["v.yaml", "/v.yaml"]),
            "helm-values": st.dictionaries(text, st.one_of(text, st.none(), st.integers(), st.lists(text)), max_size=3),
        },
    ),
)
component = st.tuples(entry, sources).map(lambda parts: parts[0] | parts[1])
components = st.dictionaries(st.sampled_from(["a", "b", "c", "yes", "1e3"]), component, min_size=1, max_size=4)


def reader(description: str) -> Callable[[str], bytes | None]:
    files = {**FILES, "input/config.yaml": description}
    return lambda path: files[path].encode() if path in files else None


def bare(stack: Stack) -> Stack:
    return replace(stack, components=tuple(replace(component, where="") for component in stack.components))


@given(components, st.booleans())
def test_the_native_form_gives_the_same_stack(described: dict[str, dict[str, Any]], is_selected: bool) -> None:
    entries = [{"name": name, **body} for name, body in described.items()]
    entries.append({"name": "all", "collection": list(described)})
    listed = "".join(f"{line}\n" for line in document_writer.sequence(entries))
    names = [*list(described)[:1], "all"] if is_selected else []
    loaded = parse_description(InputFiles(reader(listed)), Selection(names=tuple(names)))
    again = parse_description(InputFiles(reader(native(loaded))))
    assert bare(again.stack) == bare(loaded.stack)
    assert again.effective == loaded.effective
    assert again.digest == loaded.digest
    assert native(again).splitlines()[0] == "apiVersion: cluster-forge/v1"


def test_the_native_form_is_easy_to_read() -> None:
    listed = "- {name: both, collection: [a, b]}\n- {name: a, namespace: a, manifestpath: [a/manifests/sourced, a/v.yaml]}\n- {name: b, manifestpath: v.yaml}\n"
    assert native(parse_description(InputFiles(reader(listed)), Selection(names=("both",)))) == (
        "# Written by `cluster-forge convert` from a list in the legacy format. Paths are relative to this file's folder.\n"
        "apiVersion: cluster-forge/v1\n"
        "kind: Stack\n"
        "name: stack\n"
        "\n"
        "# What is in the stack.\n"
        "components:\n"
        "- both\n"
        "\n"
        "# Components that are in the stack only where something above names them.\n"
        "define:\n"
        "- name: a\n"
        "  namespace: a\n"
        "  manifests: [a/manifests/sourced, a/v.yaml]\n"
        "  laterReplaces: true\n"
        "  upstream:\n"
        "    folder: a/manifests/sourced\n"
        "    helm:\n"
        "      repository: oci://x.org/charts\n"
        "      chart: a\n"
        '      version: "1.10"\n'
        "      release: a\n"
        "    valuesFiles: [a/v.yaml]\n"
        "\n"
        "- name: b\n"
        "  manifests: [v.yaml]\n"
        "\n"
        "# Names for several: usable wherever a component's name is.\n"
        "collections:\n"
        "  both: [a, b]\n"
    )


@pytest.mark.corpus
@pytest.mark.parametrize("selection", ["", "core", "weka", "nuage", "enterprise-ai"])
def test_real_lists_and_their_native_forms_are_equal(
    corpus: Path, on_disk: Callable[[Path], Any], placeless: Placeless, selection: str
) -> None:
    workspace = on_disk(corpus / "v1-input")
    files = [f"config-silogen-{selection}.yaml"] if selection else []
    skip = [] if selection else ["rabbitmq-airm-config"]
    loaded = workspace.load(select=files, skip=skip)
    again = workspace.replacing(native(loaded)).load(skip=skip)
    assert len(again.stack.components) == {"": 53, "core": 26, "weka": 31, "nuage": 27, "enterprise-ai": 29}[selection]
    assert placeless(again.stack) == placeless(loaded.stack)
    assert again.effective == loaded.effective
