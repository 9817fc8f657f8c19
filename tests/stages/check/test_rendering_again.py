"""Another time for templates, values without an effect, and what a chart knows of its values."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stages.check.rendering import other_clock
from cluster_forge.stages.check.rendering.chart_knowledge import ChartKnowledge
from cluster_forge.stages.check.rendering.rendered_objects import RenderedObjects
from cluster_forge.stages.check.rendering.value_effects import Keys, ValueEffects, leaves


def objects(data: Mapping[str, Any]) -> RenderedObjects:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": dict(data)}
    return RenderedObjects.of([Manifest.of(body, Provenance(component=ComponentName("a"), origin="t:1"))])


def inert(values: dict[str, Any], render: Any) -> list[Keys]:
    search = ValueEffects(values=values, base=render(values), random={}, render=render, text=str)
    return sorted(search.without_effect([keys for keys, _ in leaves(values)]))


class TestOtherClock:
    @pytest.mark.parametrize(
        "text", ["{{ now }}", "{{- now | date `2006` -}}", '{{ date "now" (now) }}', "{{ f\n now }}"]
    )
    def test_the_time_is_replaced_in_actions(self, text: str) -> None:
        assert "toDate" in other_clock.in_text(text)

    @pytest.mark.parametrize(
        "text",
        ["now", '{{ "now" }}', "{{ `now` }}", "{{ .now }}", "{{ $now }}", "{{ nowhere }}", "{{ f }} now {{ g }}"],
    )
    def test_nothing_else_is(self, text: str) -> None:
        assert other_clock.in_text(text) == text


class TestEffects:
    @given(
        st.dictionaries(
            st.sampled_from("abcdefgh"), st.one_of(st.booleans(), st.integers(), st.text(), st.lists(st.integers()))
        ),
        st.sets(st.sampled_from("abcdefgh")),
    )
    def test_those_that_no_template_reads_have_none(self, values: dict[str, Any], read: set[str]) -> None:
        def render(given: Mapping[str, Any]) -> RenderedObjects:
            return objects({key: repr(value) for key, value in given.items() if key in read})

        assert inert(values, render) == [(key,) for key in sorted(values.keys() - read)]

    def test_a_value_that_says_what_is_there_anyway_has_one(self) -> None:
        assert inert({"name": "web"}, lambda values: objects({"name": values.get("name", "web")})) == []

    def test_one_that_the_chart_insists_on_has_one(self) -> None:
        assert inert({"a": True}, lambda values: objects({}) if values == {"a": True} else None) == []

    def test_random_fields_do_not_count(self) -> None:
        draws = iter(range(1000))

        def render(_: object) -> RenderedObjects:
            return objects({"drawn": str(next(draws))})

        base = render({})
        random = base.differing(render({}))
        search = ValueEffects(values={"a": True}, base=base, random=random, render=render, text=lambda _: "")
        assert search.without_effect([("a",)]) == [("a",)]

    def test_renders_are_bounded(self) -> None:
        values = {str(number): True for number in range(500)}
        search = ValueEffects(values=values, base=objects({}), random={}, render=lambda _: None, text=str)
        assert search.without_effect([keys for keys, _ in leaves(values)]) == []
        assert search.renders <= 200


def archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"web/{path}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


KNOWN = ChartKnowledge.of(
    archive(
        {
            "Chart.yaml": "name: web\nversion: 1.0.0\ndependencies: [{name: db, alias: store, version: 1.0.0}]\n",
            "values.yaml": "service: {port: 80}\nextra: {}\nconfig: {level: info}\nwhole: {a: 1}\nimage: a\n",
            "values.schema.json": '{"properties": {"described": {}}}',
            "templates/a.yaml": "{{ if .Values.config }}{{ end }}{{ with .Values.whole }}{{ toYaml . }}{{ end }}"
            "{{ .Values.undocumented }}",
            "charts/db/Chart.yaml": "name: db\nversion: 1.0.0\n",
            "charts/db/values.yaml": "user: {name: a}\n",
            "charts/db/templates/a.yaml": "{{ range .Values.user }}{{ end }}",
        }
    ),
    PurePythonYaml(),
)


class TestKnowledge:
    @pytest.mark.parametrize(
        ("path", "unknown"),
        [
            ("service.port", None),
            ("service.prot", "service.prot"),
            ("servise.port", "servise"),
            ("extra.anything", None),
            ("config.levle", "config.levle"),
            ("whole.anything", None),
            ("described", None),
            ("undocumented", None),
            ("store.user.name", None),
            ("store.user.nmae", None),
            ("store.usr", "store.usr"),
            ("db.user", "db"),
        ],
    )
    def test_what_is_unknown(self, path: str, unknown: str | None) -> None:
        part = KNOWN.unknown(tuple(path.split(".")))
        assert (".".join(part) if part else None) == unknown

    @pytest.mark.parametrize(
        ("path", "near"),
        [("service.prot", "service.port"), ("port", "service.port"), ("store.usr", "store.user"), ("zzz", None)],
    )
    def test_the_nearest(self, path: str, near: str | None) -> None:
        nearest = KNOWN.nearest(tuple(path.split(".")))
        assert (".".join(nearest) if nearest else None) == near
