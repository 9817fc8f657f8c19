"""The values that templates see, and what Helm warns of: the same with each engine (ADR 0025)."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from cluster_forge.adapters.helm.program import HelmProgram
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ArchiveError, ManifestError, RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.remark import Remark
from cluster_forge.ports.rendering import HelmEngine, RenderJob, RenderRequest
from cluster_forge.stack.component import Values
from cluster_forge.stack.model import KubernetesVersion

NAME = ComponentName("web")
READER = FastYaml(GoYaml(PurePythonYaml()))
MAP = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: NAME}\ndata:\n  values: {{ toJson .Values | quote }}\n"


def about(name: str, more: str = "") -> str:
    return f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}"


def dependency(more: str = "", name: str = "cache") -> str:
    return f"dependencies:\n- {{name: {name}, version: 1.0.0{more}}}\n"


def chart(values: str, cache: str, declared: str = "", **files: str | bytes) -> bytes:
    """The chart ``web`` with the chart ``cache`` in it, each with a ConfigMap of its values."""
    content: dict[str, str | bytes] = {
        "Chart.yaml": about("web", declared),
        "values.yaml": values,
        "templates/map.yaml": MAP.replace("NAME", "web"),
        "charts/cache/Chart.yaml": about("cache"),
        "charts/cache/values.yaml": cache,
        "charts/cache/templates/map.yaml": MAP.replace("NAME", "{{ .Chart.Name }}"),
        **files,
    }
    return packed("web", content)


def packed(name: str, files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def with_leaf(values: str, cache: str, leaf: str, declared: str = "") -> bytes:
    """The same with a chart ``leaf`` in ``cache``."""
    return chart(
        values,
        cache,
        declared,
        **{
            "charts/cache/charts/leaf/Chart.yaml": about("leaf"),
            "charts/cache/charts/leaf/values.yaml": leaf,
            "charts/cache/charts/leaf/templates/map.yaml": MAP.replace("NAME", "leaf"),
        },
    )


def job(archive: bytes, values: Values | None = None, **changes: Any) -> RenderJob:
    arguments: dict[str, Any] = {
        "chart": archive,
        "values": values or {},
        "release": "shop",
        "namespace": "store",
        "kubernetes": KubernetesVersion(1, 33),
        "api_versions": (),
        **changes,
    }
    return RenderJob(component=NAME, where="input/config.yaml:3", chart=RenderRequest(**arguments))


def seen(engine: HelmEngine, archive: bytes, values: Values | None = None) -> dict[str, Any]:
    """The values that the templates of each chart see, without empty globals."""
    content = InProcessRenderer(engine, READER).render(job(archive, values)).content
    maps = {manifest.id.name: manifest.body["data"]["values"] for manifest in batch.unpack(content, NAME)}
    return {name: _without_globals(orjson.loads(text)) for name, text in maps.items()}


def _without_globals(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_globals(member) for key, member in value.items() if (key, member) != ("global", {})}


def remarks(engine: HelmEngine, archive: bytes, values: Values | None = None, **changes: Any) -> list[str]:
    content = InProcessRenderer(engine, READER).render(job(archive, values, **changes)).content
    return [f"{remark.severity}: {remark.message}" for remark in batch.unpack_all(content, NAME)[1]]


@pytest.fixture(params=["library", pytest.param("program", marks=pytest.mark.helm)])
def engine(request: pytest.FixtureRequest) -> HelmEngine:
    if request.param == "library":
        return HelmSdk()
    return HelmProgram(request.getfixturevalue("helm_program"))


class TestNulls:
    """What `helm template` of Helm 3.22 shows for the same charts."""

    @pytest.mark.parametrize("declared", ["", dependency()], ids=["in charts/", "declared"])
    @pytest.mark.parametrize(
        ("parent", "cache", "values", "expected"),
        [
            ("cache: {size: null}", "{size: 3, x: 1}", {}, {"x": 1}),
            ("cache: {size: null}", "{size: 3, x: 1}", {"cache": {"p": 2}}, {"x": 1, "p": 2}),
            ("cache: {r: {cpu: null}}", "r: {cpu: 1, memory: 2}", {}, {"r": {"memory": 2}}),
            ("cache: {r: null}", "{r: {cpu: 1}, x: 1}", {}, {"x": 1}),
            ("cache: {r: null}", "x: 1", {}, {"r": None, "x": 1}),
            ("cache: {size: null}", "size: 3", {"cache": {"size": 7}}, {"size": 7}),
            ("cache: {size: 4}", "{size: 3, x: 1}", {"cache": {"size": None}}, {"x": 1}),
            ("x: 1", "r: {cpu: 1, memory: 2}", {"cache": {"r": {"cpu": None}}}, {"r": {"memory": 2}}),
            ("cache: {x: 1}", "size: 3", {"cache": None}, {"size": 3}),
            ("cache: {l: [null, 1]}", "l: [1, 2]", {}, {"l": [None, 1]}),
            ("x: 1", "c: {x: null, p: 1}", {}, {"c": {"x": None, "p": 1}}),
            ("x: 1", "c: {x: null, p: 1}", {"cache": {"c": {"z": 2}}}, {"c": {"x": None, "p": 1, "z": 2}}),
            ("global: {a: null}", "global: {a: 1, b: 2}", {}, {"global": {"b": 2}}),
            ("global: {a: {x: 1}}", "global: {a: null, b: 2}", {}, {"global": {"a": {"x": 1}, "b": 2}}),
            ("cache: {t: null}", "{t: null, x: 1}", {}, {"x": 1}),
            ("", "", {}, {}),
            ("# no values\n", "---\n", {}, {}),
        ],
    )
    def test_null_of_a_parent_removes_the_default(  # noqa: PLR0917 - one row of the table
        self, engine: HelmEngine, declared: str, parent: str, cache: str, values: Values, expected: Any
    ) -> None:
        assert seen(engine, chart(parent, cache, declared), values)["cache"] == expected

    @pytest.mark.parametrize("declared", ["", dependency()], ids=["in charts/", "declared"])
    def test_null_of_a_grandparent_removes_the_default(self, engine: HelmEngine, declared: str) -> None:
        archive = with_leaf("cache: {leaf: {k: null, t: {a: null}}}", "x: 1", "{k: 1, l: 2, t: {a: 1, b: 2}}", declared)
        assert seen(engine, archive)["leaf"] == {"l": 2, "t": {"b": 2}}

    def test_value_of_a_grandparent_wins_over_a_null_between(self, engine: HelmEngine) -> None:
        archive = with_leaf("cache: {leaf: {k: 5}}", "leaf: {k: null, l: null}", "{k: 1, l: 2}", dependency())
        assert seen(engine, archive)["leaf"] == {"k": 5}

    def test_null_that_a_template_needs_has_its_own_place(self, engine: HelmEngine) -> None:
        archive = packed(
            "web",
            {"Chart.yaml": about("web"), "values.yaml": "a: {b: {c: 1}}", "templates/x.yaml": "x: {{ .Values.a.b.c }}"},
        )
        needing = replace(job(archive, {"a": {"b": None}}), null_places={("a", "b"): "input/config.yaml:9"})
        with pytest.raises(RenderError) as raised:
            InProcessRenderer(engine, READER).render(needing)
        assert raised.value.where == "input/config.yaml:9"
        assert "write `b: {}`" in (raised.value.fix or "")

    def test_null_below_a_table_over_a_list_is_seen(self, engine: HelmEngine) -> None:
        """The list of the chart between is ignored, so the table of the lowest chart counts."""
        archive = with_leaf("x: 1", "leaf: {b: [1]}", "b: {a: s, t: {b: null}}", dependency())
        values = {"cache": {"leaf": {"b": {"t": {"a": None}}}}}
        assert seen(engine, archive, values)["leaf"] == {"b": {"a": "s", "t": {"a": None, "b": None}}}

    @pytest.mark.parametrize(("declared", "expected"), [("", {"b": None, "k": 1}), (dependency(), "s")])
    def test_null_in_a_table_of_globals_is_seen(self, engine: HelmEngine, declared: str, expected: Any) -> None:
        """With declared dependencies Helm merges the charts' own globals first, and a table does not replace text."""
        archive = chart("global: {a: s}", "global: {a: {b: null}}", declared)
        assert seen(engine, archive, {"global": {"a": {"k": 1}}})["cache"] == {"global": {"a": expected}}

    def test_own_nulls_are_seen(self, engine: HelmEngine) -> None:
        archive = chart("{a: null, b: {x: null}}", "{c: null, d: 1}")
        assert seen(engine, archive)["web"] == {"a": None, "b": {"x": None}, "cache": {"c": None, "d": 1}}
        assert seen(engine, archive, {"a": 1, "b": {"x": 2}})["web"] == {
            "a": 1,
            "b": {"x": 2},
            "cache": {"c": None, "d": 1},
        }
        assert "a" not in seen(engine, archive, {"a": None})["web"]

    def test_own_null_of_a_declared_subchart_is_removed(self, engine: HelmEngine) -> None:
        assert seen(engine, chart("a: 1", "{c: null, d: 1}", dependency()))["cache"] == {"d": 1}

    def test_schema_sees_the_nulls_of_the_defaults(self, engine: HelmEngine) -> None:
        schema = '{"required": ["host"], "properties": {"host": {"type": ["string", "null"]}}}'
        assert seen(engine, chart("host: null", "", **{"values.schema.json": schema}))["web"]["host"] is None

    def test_null_removes_a_default_of_each_alias(self, engine: HelmEngine) -> None:
        declared = dependency(", alias: one") + "- {name: cache, version: 1.0.0, alias: two}\n"
        found_values = seen(engine, chart("{one: {size: null}, two: {size: 4}}", "{size: 3, x: 1}", declared))
        assert (found_values["one"], found_values["two"]) == ({"x": 1}, {"size": 4, "x": 1})

    @pytest.mark.parametrize(
        ("values", "cache", "declared", "is_rendered"),
        [
            ("cache: {enabled: null}", "enabled: false", ", condition: cache.enabled", True),
            ("cache: {enabled: false, r: {q: null}}", "x: {p: null}", ", condition: cache.enabled", False),
            ("tags: {back: null}", "tags: {back: false}", ", tags: [back]", True),
            ("tags: {back: false}", "x: {n: null}", ", tags: [back]", False),
            ("{tags: {back: false}, cache: {enabled: true}}", "", ", tags: [back], condition: cache.enabled", True),
            ("global: {cache: {used: false}}", "x: {p: null}", ", condition: global.cache.used", False),
        ],
    )
    def test_nulls_of_switched_off_charts_are_not_added(
        self, engine: HelmEngine, values: str, cache: str, declared: str, is_rendered: bool
    ) -> None:
        found_values = seen(engine, chart(values, cache, dependency(declared)))
        assert ("cache" in found_values) is is_rendered
        if not is_rendered:
            assert "x" not in found_values["web"].get("cache", {})

    def test_null_over_an_imported_value_stays(self, engine: HelmEngine) -> None:
        declared = dependency(", import-values: [{child: data, parent: i}]")
        found_values = seen(engine, chart("i: {a: null}", "data: {a: 1, b: null, c: 3}", declared))
        assert found_values["web"]["i"] == {"a": None, "b": None, "c": 3}

    def test_requirements_and_packed_charts_are_read(self, engine: HelmEngine) -> None:
        old = chart("cache: {k: null}", "{k: 1, l: 2}", **{"requirements.yaml": dependency()})
        assert seen(engine, old)["cache"] == {"l": 2}
        sub = packed("cache", {"Chart.yaml": about("cache"), "values.yaml": "{k: 1, l: 2}", "templates/m.yaml": MAP})
        outer: dict[str, str | bytes] = {
            "Chart.yaml": about("web"),
            "values.yaml": "cache: {k: null}",
            "charts/cache-1.0.0.tgz": sub,
        }
        assert seen(engine, packed("web", outer))["NAME"] == {"l": 2}

    def test_values_of_another_version_of_a_subchart_are_not_added(self, engine: HelmEngine) -> None:
        """Which of two archives a range means is Helm's to decide."""
        template = {"templates/m.yaml": MAP.replace("NAME", "{{ .Chart.Name }}")}
        charts: dict[str, str | bytes] = {
            f"charts/cache-{version}.0.0.tgz": packed(
                "cache",
                {
                    "Chart.yaml": f"apiVersion: v2\nname: cache\nversion: {version}.0.0\n",
                    "values.yaml": values,
                    **template,
                },
            )
            for version, values in (("1", "t: {a: null, b: 1}"), ("2", "t: {a: 5, b: 2}"))
        }
        declared = (
            "dependencies:\n- {name: cache, version: 2.x.x, alias: two}\n- {name: cache, version: 1.0.0, alias: one}\n"
        )
        archive = packed("web", {"Chart.yaml": about("web", declared), "values.yaml": "two: {t: {b: null}}", **charts})
        found_values = seen(engine, archive)
        assert found_values["two"] == {"t": {"a": 5}}
        assert found_values["one"] == {"t": {"a": None, "b": 1}}

    def test_deep_values_render_or_are_an_error(self) -> None:
        def deep(depth: int) -> bytes:
            return chart("a: " + "{a: " * depth + "1" + "}" * depth, "")

        assert seen(HelmSdk(), deep(100))["web"]
        with pytest.raises((ArchiveError, RenderError, ManifestError)):
            seen(HelmSdk(), deep(5000))

    def test_library_chart_may_have_nulls(self, engine: HelmEngine) -> None:
        archive = chart(
            "cache: {k: null}", "{k: 1, l: 2}", **{"charts/cache/Chart.yaml": about("cache", "type: library\n")}
        )
        assert seen(engine, archive) == {"web": {"cache": {"l": 2}}}

    def test_later_documents_of_the_values_count(self, engine: HelmEngine) -> None:
        assert seen(engine, chart("a: 1\nb: 1\n---\nb: 2\n", ""))["web"] == {"a": 1, "b": 2, "cache": {}}

    def test_files_of_the_chart_stay_as_they_are(self, engine: HelmEngine) -> None:
        template = MAP.replace("NAME", "web").replace("toJson .Values", '.Files.Get "large.txt"')
        archive = chart("a: null", "", **{"large.txt": "ü\n" * 70_000, "templates/map.yaml": template})
        content = InProcessRenderer(engine, READER).render(job(archive)).content
        maps = {manifest.id.name: manifest.body["data"]["values"] for manifest in batch.unpack(content, NAME)}
        assert maps["web"] == "ü\n" * 70_000

    @pytest.mark.parametrize("values", ["a: [\n", "- a\n", "a: 1\n---\nb: {\n"])
    def test_unreadable_values_are_an_error(self, engine: HelmEngine, values: str) -> None:
        with pytest.raises((ArchiveError, RenderError), match="component web: "):
            InProcessRenderer(engine, READER).render(job(chart(values, "")))


class TestRemarks:
    @pytest.mark.parametrize(
        ("archive", "values", "expected"),
        [
            (
                chart("a: 1", "x: {p: s}", dependency()),
                {"a": {"b": "canary"}, "cache": {"x": {"p": {"z": 1}}}},
                [
                    "warning: `a` is a table, and its default a number: the default is ignored",
                    "warning: `cache.x.p` is a table, and its default a string: the default is ignored",
                ],
            ),
            (
                chart("a: {b: {c: canary}}", "x: {p: {}}", dependency()),
                {"a": {"b": "canary"}, "cache": {"x": {"p": []}}},
                [
                    "warning: `a.b` is a string, and its default a table: all of the table is overwritten",
                    "warning: `cache.x.p` is a list, and its default a table: all of the table is overwritten",
                ],
            ),
            (
                chart("cache: {x: {p: canary}}", "x: {p: {z: 1}}"),
                {},
                ["notice: `cache.x.p` is a string, and its default a table: all of the table is overwritten"],
            ),
            (
                chart("cache: {enabled: true}", "", dependency(", condition: cache.enabled")),
                {"cache": {"enabled": "canary"}},
                [
                    "warning: the condition `cache.enabled` of `cache` is a string: skipped, as it is neither true nor false",
                ],
            ),
            (
                chart("tags: {back: 1}", "", dependency(", tags: [back]")),
                {},
                ["notice: the tag `tags.back` of `cache` is a number: skipped, as it is neither true nor false"],
            ),
            (
                chart("", "a: 1", dependency(", import-values: [data, {child: a, parent: b}]")),
                {},
                [
                    "notice: import-values `a` of `cache`: not a table: nothing is imported",
                    "notice: import-values `exports.data` of `cache`: not a table: nothing is imported",
                ],
            ),
            (
                chart("", "global: {a: canary}"),
                {"global": {"a": {"b": 1}}},
                ["warning: `cache.global.a` is a table, and its default a string: the default is ignored"],
            ),
            (
                chart("", ""),
                {"global": {"a": {"b": 1}}, "cache": {"global": {"a": "canary"}}},
                ["warning: `global.a` is a table, and `cache.global.a` a string: the former is not passed on"],
            ),
            (
                chart("", ""),
                {"global": ["canary"]},
                ["warning: `global` is a list, not a table: `cache` gets no globals from above"],
            ),
            (
                chart("", "", "deprecated: true\n"),
                {},
                ["warning: the chart web is deprecated: its maintainers no longer update it"],
            ),
            (chart("{a: null, b: 1}", "r: {s: 1}"), {"a": {"x": 1}, "b": None, "cache": {"r": None}}, []),
        ],
    )
    def test_value_that_is_not_used_as_written_is_reported(
        self, engine: HelmEngine, archive: bytes, values: Values, expected: list[str]
    ) -> None:
        assert remarks(engine, archive, values) == expected

    def test_condition_of_a_chart_in_a_chart_has_its_path(self, engine: HelmEngine) -> None:
        declared = about("cache", dependency(", condition: leaf.used", "leaf"))
        files = {"charts/cache/Chart.yaml": declared, "charts/cache/charts/leaf/Chart.yaml": about("leaf")}
        found_remarks = remarks(engine, chart("", "leaf: {used: true}", **files), {"cache": {"leaf": {"used": "yes"}}})
        assert found_remarks == [
            "warning: the condition `cache.leaf.used` of `leaf` is a string: skipped, as it is neither true nor false"
        ]

    def test_cached_result_has_the_same_remarks(self, tmp_path: Any) -> None:
        renderer = CachingRenderer(InProcessRenderer(HelmSdk(), READER), FolderCache(tmp_path))
        work = job(chart("a: 1", ""), {"a": {"b": 1}})
        first, second = renderer.render(work), renderer.render(work)
        assert (first.is_cached, second.is_cached) == (False, True)
        assert batch.unpack_all(second.content, NAME)[1] == batch.unpack_all(first.content, NAME)[1] != ()

    def test_remarks_are_bounded(self) -> None:
        many = ", ".join(f"k{number}: 1" for number in range(500))
        values = {f"k{number}": {"a": 1} for number in range(500)} | {"x" * 900: {"a": 1}}
        found_remarks = remarks(HelmSdk(), chart(f"{{{many}, {'x' * 900}: 1}}", ""), values)
        assert found_remarks[-1] == "warning: 481 more of this kind"
        assert len(found_remarks) == 21
        assert max(map(len, found_remarks)) < 400

    @pytest.mark.parametrize(
        "text", ["strange", "fatal: strange", "warning: a: b; fix: c", "notice: x", "error: y; fix: "]
    )
    def test_text_of_a_remark_is_read(self, text: str) -> None:
        remark = Remark.parse(text)
        assert Remark.parse(str(remark)) == remark
        severities = {"notice": Severity.NOTICE, "error": Severity.ERROR}
        assert remark.severity is severities.get(text.partition(":")[0], Severity.WARNING)


@pytest.mark.parametrize("suffix", ["-gke.100", "-eks-1234", "+k3s1", "+rke2r1", "-rc.1", ""])
def test_suffix_of_the_kubernetes_version_is_seen_or_reported(engine: HelmEngine, suffix: str) -> None:
    """`helm template --kube-version` of Helm 3 cuts it."""
    version = KubernetesVersion(1, 31, 4, suffix)
    template = (
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {v: '{{ .Capabilities.KubeVersion.Version }}'}\n"
    )
    archive = packed("web", {"Chart.yaml": about("web", 'kubeVersion: ">=1.31.0"\n'), "templates/a.yaml": template})
    content = InProcessRenderer(engine, READER).render(job(archive, kubernetes=version)).content
    (manifest,), found_remarks = batch.unpack_all(content, NAME)
    if engine.version.startswith("helm v3.") and suffix:
        assert manifest.body["data"]["v"] == "v1.31.4"
        assert [remark.message for remark in found_remarks] == [
            f"Helm 3 shows Kubernetes v1.31.4 to the chart, not v1.31.4{suffix}"
        ]
    else:
        assert (manifest.body["data"]["v"], found_remarks) == (f"v1.31.4{suffix}", ())
