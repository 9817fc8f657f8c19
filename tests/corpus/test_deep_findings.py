"""Planted in real charts: random output, unknown keys, values without an effect, questions for APIs (api-mismatch); and near
misses that must not be found.

``CLUSTER_FORGE_CHARTS=60`` tries as many charts of ../shared/mirror instead of a few; ``-s`` shows the counts. What a plant does
is judged by rendering the chart with that plant alone.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.storage.cache import NoCache
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.catalog.value_paths import nested
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import field_path, kubernetes_apis
from cluster_forge.ports.rendering import Renderer, RenderRequest
from cluster_forge.stack import merge
from cluster_forge.stack.component import Component, HelmSource
from cluster_forge.stack.model import KubernetesVersion
from cluster_forge.stages.check.rendering import api_mismatches, value_findings
from cluster_forge.stages.check.rendering.api_mismatches import Bringer, StackApis
from cluster_forge.stages.check.rendering.chart_knowledge import ChartKnowledge
from cluster_forge.stages.check.rendering.probing import ProbedChart
from cluster_forge.stages.check.rendering.value_effects import Keys, leaves

pytestmark = pytest.mark.corpus

NUMBER: Final = int(os.environ.get("CLUSTER_FORGE_CHARTS", "4"))
MINOR: Final = 33
READER: Final = FastYaml(GoYaml(PurePythonYaml()))
CONFIG_MAP: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: planted-{name}}}\ndata: {{value: {value}}}\n"
RANDOM: Final = {
    "drawn": "{{ randAlphaNum 12 | quote }}",
    "time": '{{ now | date "2006-01-02" | quote }}',
    "salted": '{{ htpasswd "a" "b" | quote }}',
}
STEADY: Final = {
    "word": '{{ "now" | quote }}',
    "digest": "{{ .Release.Name | sha256sum | quote }}",
    "field": '{{ (dict "now" 1).now | quote }}',
}
MOST: Final = 4
"""Plants of a kind in one chart."""


def effect(plain: ProbedChart, keys: Keys, value: object) -> bool | None:
    """Whether a value, alone, changes what the chart renders; None if it keeps it from rendering."""
    after = plain.rendered(nested(keys, value))
    return None if after is None else not plain.base.is_like(after, plain.random)


def probed(chart: bytes, renderer: Renderer, values: dict[str, Any]) -> ProbedChart:
    name = ComponentName("planted")
    component = Component(
        name=name, namespace="planted", helm=HelmSource(chart="./c", release="planted"), values=values
    )
    request = RenderRequest(
        chart=chart,
        values=values,
        release="planted",
        namespace="planted",
        kubernetes=KubernetesVersion(1, MINOR),
        api_versions=kubernetes_apis.api_versions(MINOR),
        skip_schema=True,
    )
    return ProbedChart.of(component, request, renderer)


def typing_errors(defaults: Any) -> Iterator[tuple[Keys, object]]:
    """Keys with a letter twice, at the top and below it, with the default as their value."""
    for keys, value in leaves(defaults):
        for depth in {0, len(keys) - 1} if keys else ():
            key = keys[depth]
            if len(key) > 3 and key.isalpha() and key != "global":
                yield (*keys[:depth], key[:2] + key[1:]), value if depth == len(keys) - 1 else {keys[-1]: value}


def others(defaults: Any) -> Iterator[tuple[Keys, object]]:
    """Other values for what the chart has."""
    for keys, value in leaves(defaults):
        match value:
            case bool():
                yield keys, not value
            case str() if keys:
                yield keys, f"{value}-planted"
            case int():
                yield keys, value + 1


@pytest.fixture(scope="module")
def charts(corpus: Path) -> list[Path]:
    found = sorted((corpus / "mirror" / "charts").glob("*.tgz"))
    return found[:: max(1, len(found) // NUMBER)][:NUMBER]


def test_what_is_planted_is_found_and_nothing_else(charts: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    renderer = InProcessRenderer(HelmSdk(), READER)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for path in charts:
        try:
            missed, false = counted(path.read_bytes(), renderer, counts)
        except (ForgeError, ExceptionGroup):
            counts["charts that render with no values: no"] += 1
            continue
        counts["charts"] += 1
        wrong += [f"{path.name}: missed {what}" for what in missed] + [f"{path.name}: false {what}" for what in false]
        with capsys.disabled():
            if NUMBER > MOST:
                sys.stdout.write(f"{path.name} {dict(counts)} {missed} {false}\n")
                sys.stdout.flush()
    assert counts["charts"] * 3 >= len(charts)
    assert wrong == []


def counted(chart: bytes, renderer: Renderer, counts: Counter[str]) -> tuple[list[str], list[str]]:
    """What was planted and is not found, and what is found and has an effect; counts what was planted."""
    plain = probed(chart, renderer, {})
    inert, effective, unknown = plants(plain, ChartKnowledge.of(chart, READER).defaults)
    values: dict[str, Any] = {}
    for keys, value in (*inert, *effective, *unknown):
        values = merge.values(values, nested(keys, value))
    result = probed(chart, renderer, values)
    effective = [(keys, value) for keys, value in effective if is_effective(result, keys)]
    inert = [(keys, value) for keys, value in inert if not is_effective(result, keys)]
    places = {keys: f"input/config.yaml:{number}" for number, (keys, _) in enumerate(leaves(values), 1)}
    found = {
        code_of.message.split("`")[1]: code_of.code
        for code_of in value_findings.findings(result, places, READER, NoCache())
    }
    missed, false = [], []
    for expected, code in ((inert, "ineffective-value"), (unknown, "unknown-value")):
        counts[code] += len(expected)
        missed += [f"{code} {keys}" for keys, _ in expected if not is_found(keys, found)]
        counts[f"{code} under its own code"] += sum(found.get(shown(keys)) == code for keys, _ in expected)
    counts["effective"] += len(effective)
    false += [f"{found[shown(keys)]} {keys}" for keys, _ in effective if shown(keys) in found]
    missed_random, false_random = random_plants(plain, counts)
    return missed + missed_random, false + false_random


def is_found(keys: Keys, found: dict[str, str]) -> bool:
    """Whether a value is found, under one code or the other: a chart that may know a key makes it one without an effect."""
    return any(path == shown(keys) or path.startswith(shown(keys) + ".") for path in found)


def shown(keys: Keys) -> str:
    return field_path.text(("values", *keys))


def is_effective(result: ProbedChart, keys: Keys) -> bool:
    """Whether a value has its effect also beside the other plants, which may switch it off."""
    after = result.rendered(without(result.request.values, keys))
    return after is None or not result.base.is_like(after, result.random)


def without(values: Any, keys: Keys) -> dict[str, Any]:
    rest = {key: value for key, value in values.items() if key != keys[0]}
    return rest if len(keys) == 1 else {**rest, keys[0]: without(values[keys[0]], keys[1:])}


def plants(plain: ProbedChart, defaults: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Values without an effect, with one, and unknown keys."""
    inert: list[Any] = []
    effective: list[Any] = []
    for keys, value in spread(others(defaults)):
        has_effect = effect(plain, keys, value)
        kind = effective if has_effect else inert
        if has_effect is not None and len(kind) < MOST:
            kind.append((keys, value))
    unknown: list[Any] = []
    for keys, value in spread(typing_errors(defaults)):
        if len(unknown) < MOST and effect(plain, keys, value) is False and all(keys != other for other, _ in unknown):
            unknown.append((keys, value))
    return inert, effective, unknown


def spread(options: Iterable[tuple[Keys, object]]) -> list[tuple[Keys, object]]:
    """Some of the options from everywhere."""
    all_of_them = list(options)
    return all_of_them[:: max(1, len(all_of_them) // 10)]


def random_plants(plain: ProbedChart, counts: Counter[str]) -> tuple[list[str], list[str]]:
    files = {
        f"templates/planted-{name}.yaml": CONFIG_MAP.format(name=name, value=value).encode()
        for name, value in {**RANDOM, **STEADY}.items()
    }
    result = probed(chart_archives.with_files(plain.request.chart, files), plain.renderer, {})
    random = {identity.name for identity in result.random}
    counts["random-render"] += len(RANDOM)
    counts["steady"] += len(STEADY)
    missed = [f"random-render {name}" for name in RANDOM if f"planted-{name}" not in random]
    return missed, [f"random-render {name}" for name in STEADY if f"planted-{name}" in random]


QUESTIONS: Final = {
    "planted-0": '{{ .Capabilities.APIVersions.Has "planted-0.example.org/v1" | quote }}',
    "planted-1": '{{ .Capabilities.APIVersions.Has "planted-1.example.org/v1/Widget" | quote }}',
    "planted-2": '{{ has "planted-2.example.org/v1" .Capabilities.APIVersions | quote }}',
    "planted-3": '{{ if .Capabilities.APIVersions.Has "planted-3.example.org/v1" }}a{{ else }}b{{ end }}',
}
UNASKED: Final = ("planted-4", "planted-5", "planted-6")


def test_what_follows_from_an_api_of_a_later_wave_is_found(charts: list[Path]) -> None:
    """Each question makes one finding, beside APIs that nothing asks for, and none where the API is there before."""
    renderer = InProcessRenderer(HelmSdk(), READER)
    tried = 0
    for path in charts:
        files = {
            f"templates/{name}.yaml": CONFIG_MAP.format(name=name, value=question).encode()
            for name, question in QUESTIONS.items()
        }
        planted = [f"{name}.example.org/v1{kind}" for name in (*QUESTIONS, *UNASKED) for kind in ("", "/Widget")]
        try:
            plain = probed(path.read_bytes(), renderer, {})
            request = replace(
                plain.request,
                chart=chart_archives.with_files(plain.request.chart, files),
                api_versions=(*plain.request.api_versions, *planted),
            )
            chart = ProbedChart.of(plain.component, request, renderer)
        except (ForgeError, ExceptionGroup):
            continue
        tried += 1
        for wave, expected in ((10, sorted(QUESTIONS)), (0, []), (-10, [])):
            bringers = {api: Bringer(component=ComponentName("later"), wave=wave) for api in planted}
            apis = StackApis(bringers=bringers, waves={ComponentName("planted"): 0}, capabilities=())
            found = list(api_mismatches.findings(chart, None, apis))
            assert sorted(one.message.split()[3].partition(".")[0] for one in found) == expected, path.name
            assert {one.code for one in found} <= {"api-mismatch"}
    assert tried * 3 >= len(charts)
