"""The custom managers for Renovate on the page about updates find the charts of descriptions, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster_forge.catalog import starter

PAGE = Path(__file__).resolve().parents[2] / "docs" / "updates.md"
Found = tuple[str, str, str]
"""Repository, chart and version."""


def managers() -> list[dict[str, Any]]:
    block = re.search(r"^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    return list(json.loads(block[1])["customManagers"])


def found(text: str) -> set[Found]:
    """What Renovate finds: each pattern by itself, all matches that do not overlap (JavaScript's syntax of groups)."""
    charts = set()
    for manager in managers():
        for pattern in manager["matchStrings"]:
            assert not re.search(r"\(\?[=!<][=!]|\\[1-9]", pattern), "RE2 has neither look-around nor back-references"
            for match in re.finditer(pattern.replace("(?<", "(?P<"), text):
                group = match.groupdict()
                repository = group.get("registryUrl") or f"oci://{group['registry']}"
                charts.add((repository, group.get("depName") or group["chart"], group["currentValue"]))
    return charts


def described(value: Any) -> Iterator[Found]:
    """The charts of repositories with a version, anywhere in a description."""
    if isinstance(value, dict):
        if {"repository", "chart", "version"} <= value.keys():
            yield value["repository"], value["chart"], str(value["version"])
        for inner in value.values():
            yield from described(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from described(inner)


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["prd", "everything"])
def test_every_chart_of_a_real_stack_is_found(corpus: Path, name: str) -> None:
    text = (corpus / "stacks" / name / "input" / "config.yaml").read_text()
    charts = set(described(yaml.safe_load(text)))
    assert len(charts) > 20
    assert any(repository.startswith("oci://") for repository, *_ in charts)
    assert found(text) == charts


def test_nothing_is_found_in_the_starter_whose_only_address_is_in_a_comment() -> None:
    text = starter.tree()[starter.DESCRIPTION].decode()
    assert "repository: https://" in text
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "  helm: {repository: https://a.example/x, chart: shop, version: 1.2.3, release: shop}\n",
        "  helm: {chart: shop, repository: 'https://a.example/x', version: \"1.2.3\"}\n",
        "- helm:\n    repository: https://a.example/x   # ours\n    chart: shop\n    version: 1.2.3   # pinned\n",
        "- helm:\r\n    chart: shop\r\n    repository: https://a.example/x\r\n    version: 1.2.3\r\n",
        "- helm:\n    repository: https://a.example/x\n    chart: shop\n    version: 1.2.3",
    ],
)
def test_ways_to_write_a_chart(text: str) -> None:
    assert found(f"components:\n{text}") == {("https://a.example/x", "shop", "1.2.3")}
    in_registry = text.replace("https://", "oci://")
    assert found(f"components:\n{in_registry}") == {("oci://a.example/x", "shop", "1.2.3")}


@pytest.mark.parametrize(
    "text",
    [
        "  helm: {repository: https://a.example, chart: shop, version: '>=1 <2'}\n",
        "  helm: {repository: https://a.example, chart: shop, version: ^1 || ^2}\n",
        "  helm: {repository: https://a.example, chart: shop}\n- name: other\n  version: 1.2.3\n",
        "# helm: {repository: https://a.example, chart: shop, version: 1.2.3}\n",
        "  helm: {chart: ./charts/shop}\n  version: 1.2.3\n",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert found(f"components:\n{text}") == set()


def test_neighbors_are_found_each() -> None:
    line = "- {{name: {0}, helm: {{repository: https://a.example, chart: {0}, version: 1.{1}.0}}}}\n"
    text = "components:\n" + "".join(line.format(name, number) for number, name in enumerate("abc"))
    assert found(text) == {("https://a.example", name, f"1.{number}.0") for number, name in enumerate("abc")}
