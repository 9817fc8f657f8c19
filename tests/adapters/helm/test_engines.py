"""Helm's rendering, by the library in this process and by the `helm` program: one contract for both."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from cluster_forge.adapters.helm.program import HelmProgram
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ArchiveError, DescriptionError, MissingProgramError, RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.rendering import HelmEngine, RenderJob, RenderRequest
from cluster_forge.stack.component import Values
from cluster_forge.stack.model import KubernetesVersion

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
READER = GoYaml(PurePythonYaml())
Files = Mapping[str, str | bytes]


def chart(files: Files) -> bytes:
    """An archive of a chart named ``web``; ``files`` may replace its ``Chart.yaml``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in {"Chart.yaml": CHART, **files}.items():
            content = text if isinstance(text, bytes) else text.encode()
            entry = tarfile.TarInfo(f"web/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def request(files: Files, values: Values | None = None, **changes: Any) -> RenderRequest:
    arguments: dict[str, Any] = {
        "chart": chart(files),
        "values": values or {},
        "release": "shop",
        "namespace": "store",
        "kubernetes": KubernetesVersion(1, 33),
        "api_versions": (),
        **changes,
    }
    return RenderRequest(**arguments)


def config_map(name: str, data: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{data}\n"


def crd(name: str) -> str:
    return f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {name}\n"


def objects(engine: HelmEngine, request: RenderRequest) -> dict[ObjectId, Any]:
    """The bodies of the rendered objects."""
    name = ComponentName("web")
    job = RenderJob(component=name, chart=request)
    manifests = batch.unpack(InProcessRenderer(engine, READER).render(job).content, name)
    assert len({manifest.id for manifest in manifests}) == len(manifests)
    return {manifest.id: manifest.body for manifest in manifests}


def data(engine: HelmEngine, template: str, values: Values | None = None, **changes: Any) -> Any:
    """The data of a ConfigMap whose lines are ``template``."""
    files = {"templates/map.yaml": config_map("map", template), **changes.pop("files", {})}
    (body,) = objects(engine, request(files, values, **changes)).values()
    return body["data"]


DEPENDENCY: Files = {
    "Chart.yaml": CHART + "dependencies:\n- {name: cache, version: 1.0.0, condition: cache.enabled}\n",
    "values.yaml": "cache: {enabled: true}\n",
    "crds/own.yaml": crd("own.example.com"),
    "templates/map.yaml": config_map("web", "  a: b"),
    "charts/cache/Chart.yaml": "apiVersion: v2\nname: cache\nversion: 1.0.0\n",
    "charts/cache/crds/caches.yaml": crd("caches.example.com") + "---\n" + crd("hits.example.com"),
    "charts/cache/templates/map.yaml": config_map("cache", "  size: {{ .Values.size | default 1 | quote }}"),
    "charts/cache/templates/NOTES.txt": "A cache.",
}
HOOKS: Files = {
    "templates/jobs.yaml": "".join(
        f"---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {event}\n  annotations: {{helm.sh/hook: {event}}}\n"
        for event in ("pre-install", "post-delete", "test")
    )
    + "---\n# only a comment\n---\n"
    + config_map("plain", "  a: b"),
}
SCHEMA: Files = {
    "values.schema.json": orjson.dumps(
        {"properties": {"image": {"properties": {"port": {"type": "integer"}}, "required": ["port"]}}}
    ).decode(),
    "templates/map.yaml": config_map("map", "  a: b"),
}
TEXTS: Files = {
    "templates/map.yaml": config_map(
        "map",
        "  script: |\n    #!/bin/sh\n    # kept\n    cat <<EOF\n    ---\n    EOF\n"
        '  pem: |\n    -----BEGIN X-----\n    a\n    -----END X-----\n  tab: "a\\tb"\n  release: {{ .Release.Name }}',
    ),
    "templates/sub/deep.yaml": "\n\n---\n" + config_map("deep", "  y: y\n  mode: 0755") + "\n---\n\n",
    "templates/none.yaml": "{{ if .Values.never }}\n" + config_map("never", "  a: b") + "{{ end }}\n",
    "templates/_helpers.tpl": '{{ define "x" }}x{{ end }}',
    "templates/NOTES.txt": "Thank you.",
}
NUMBERS = config_map(
    "map", "\n".join(f"  {key}: {{{{ .Values.{key} }}}}!" for key in ("large", "small", "real", "whole"))
)


@pytest.fixture(params=["library", pytest.param("program", marks=pytest.mark.helm)])
def engine(request: pytest.FixtureRequest) -> HelmEngine:
    if request.param == "library":
        return HelmSdk()
    return HelmProgram(request.getfixturevalue("helm_program"))


class TestContract:
    def test_engine_has_a_version(self, engine: HelmEngine) -> None:
        assert engine.version.startswith(("helm-python-sdk 0.", "helm v"))
        assert engine.version == engine.version.strip()

    def test_values_override_defaults_and_mappings_merge(self, engine: HelmEngine) -> None:
        defaults = {"values.yaml": "a: {b: 1, c: two, list: [1, 2]}\n"}
        template = "  all: {{ toJson .Values.a | quote }}"
        values = {"a": {"b": 2, "list": [3], "new": {"x": "y"}}}
        merged = orjson.loads(data(engine, template, values, files=defaults)["all"])
        assert merged == {"b": 2, "c": "two", "list": [3], "new": {"x": "y"}}

    def test_null_removes_a_default(self, engine: HelmEngine) -> None:
        defaults = {"values.yaml": "limits: {cpu: 1, memory: 1Gi}\n"}
        template = "  all: {{ toJson .Values.limits | quote }}"
        assert data(engine, template, {"limits": {"cpu": None}}, files=defaults)["all"] == '{"memory":"1Gi"}'

    def test_templates_see_release_namespace_and_target(self, engine: HelmEngine) -> None:
        template = (
            "  release: {{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.IsInstall }} {{ .Release.Revision }}\n"
            "  kubernetes: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Minor }}\n"
            "  chart: {{ .Chart.Name }} {{ .Chart.Version }}"
        )
        assert data(engine, template, kubernetes=KubernetesVersion(1, 31, 4)) == {
            "release": "shop store true 1",
            "kubernetes": "v1.31.4 31",
            "chart": "web 1.0.0",
        }

    def test_capabilities_are_the_given_api_versions(self, engine: HelmEngine) -> None:
        versions = ("policy/v1", "policy/v1/PodDisruptionBudget", "example.com/v1", "example.com/v1/Widget")
        template = "\n".join(
            f'  a{number}: {{{{ .Capabilities.APIVersions.Has "{version}" | quote }}}}'
            for number, version in enumerate(versions)
        )
        assert data(engine, template, api_versions=versions) == dict.fromkeys(("a0", "a1", "a2", "a3"), "true")
        assert data(engine, template, api_versions=versions[:1])["a3"] == "false"

    @pytest.mark.parametrize(
        "expression",
        [
            '.Capabilities.APIVersions.Has "resource.k8s.io/v1"',
            '$.Capabilities.APIVersions.Has "policy/v1beta1"',
            '"resource.k8s.io/v1" | .Capabilities.APIVersions.Has',
            'has "policy/v1beta1" .Capabilities.APIVersions',
            'has "policy/v1beta1" (.Capabilities.APIVersions)',
            '.Capabilities.APIVersions.Has (printf "%s/v1" "resource.k8s.io")',
            '(dict "context" $).context.Capabilities.APIVersions.Has "extensions/v1beta1"',
            '(index (list (dict "a)" 1) $) 1).Capabilities.APIVersions.Has "extensions/v1beta1"',
            'or (.Capabilities.APIVersions.Has "batch/v1beta1") (not (.Capabilities.APIVersions.Has "apps/v1"))',
        ],
    )
    def test_the_api_versions_of_helms_own_client_are_not_seen(self, engine: HelmEngine, expression: str) -> None:
        template = f"  is: {{{{- with $ }}}} {{{{ {expression} | quote }}}}{{{{ end }}}}"
        assert data(engine, template, api_versions=("v1", "apps/v1", "apps/v1/Deployment")) == {"is": "false"}

    def test_exactly_the_given_api_versions_are_listed(self, engine: HelmEngine) -> None:
        template = '  list: {{ range .Capabilities.APIVersions }}{{ . }},{{ end }}\n  none: {{ join "," .Capabilities.APIVersions | quote }}'
        assert data(engine, template, api_versions=("b/v1", "a/v1")) == {"list": "b/v1,a/v1,", "none": "b/v1,a/v1"}
        assert data(engine, template.partition("\n")[0], api_versions=()) == {"list": None}

    def test_other_things_of_that_name_are_left_alone(self, engine: HelmEngine) -> None:
        template = (
            '  text: {{ ".Capabilities.APIVersions" | quote }}{{/* .Capabilities.APIVersions */}}\n'
            "  raw: {{ `.Capabilities.APIVersions` }} .Capabilities.APIVersions é\n"
            "  own: {{ first $.Values.Capabilities.APIVersions }}"
        )
        assert data(engine, template, {"Capabilities": {"APIVersions": ["mine"]}}) == {
            "text": ".Capabilities.APIVersions",
            "raw": ".Capabilities.APIVersions .Capabilities.APIVersions é",
            "own": "mine",
        }

    @pytest.mark.parametrize("is_packed", [True, False])
    def test_dependencies_see_the_same(self, engine: HelmEngine, is_packed: bool) -> None:
        template = config_map("inner", '  is: {{ .Capabilities.APIVersions.Has "policy/v1beta1" | quote }}')
        inner = {"Chart.yaml": CHART.replace("web", "inner"), "templates/map.yaml": template}
        files: dict[str, str | bytes] = {f"charts/inner/{path}": text for path, text in inner.items()}
        if is_packed:
            files = {"charts/inner-1.0.0.tgz": chart(inner)}
        (body,) = objects(engine, request(files)).values()
        assert body["data"] == {"is": "false"}

    def test_thousands_of_api_versions_are_accepted(self, engine: HelmEngine) -> None:
        many = [f"group-{number}.a-rather-long-name.example.com/v1alpha1/SomethingCustom" for number in range(5000)]
        template = f'  last: {{{{ .Capabilities.APIVersions.Has "{many[-1]}" | quote }}}}'
        assert data(engine, template, api_versions=many) == {"last": "true"}

    def test_neither_cluster_nor_network_is_used(self, engine: HelmEngine) -> None:
        template = '  lookup: {{ lookup "v1" "Secret" "a" "b" | toJson | quote }}\n  host: {{ getHostByName "localhost" | quote }}'
        assert data(engine, template) == {"lookup": "{}", "host": ""}

    def test_templates_see_numbers_as_floats(self, engine: HelmEngine) -> None:
        defaults = {"values.yaml": "large: 1000000\nsmall: 3\nreal: 1.5\nwhole: 2.0\n", "templates/map.yaml": NUMBERS}
        (body,) = objects(engine, request(defaults)).values()
        assert body["data"] == {"large": "1e+06!", "small": "3!", "real": "1.5!", "whole": "2!"}
        values = {"large": 1000000, "small": 3, "real": 1.5, "whole": 12345678}
        (body,) = objects(engine, request({"templates/map.yaml": NUMBERS}, values)).values()
        assert body["data"] == {"large": "1e+06!", "small": "3!", "real": "1.5!", "whole": "1.2345678e+07!"}

    def test_dependency_is_rendered_with_its_crds(self, engine: HelmEngine) -> None:
        names = sorted(identity.name for identity in objects(engine, request(DEPENDENCY, {"cache": {"size": 4}})))
        assert names == ["cache", "caches.example.com", "hits.example.com", "own.example.com", "web"]

    def test_disabled_dependency_is_not_rendered(self, engine: HelmEngine) -> None:
        chart = engine.render(request(DEPENDENCY, {"cache": {"enabled": False}}))
        assert [path for path, _ in chart.crds] == ["web/crds/own.yaml"]
        assert list(chart.templates) == ["web/templates/map.yaml"]

    def test_rendering_an_archive_twice_gives_the_same(self, engine: HelmEngine) -> None:
        requests = [request(DEPENDENCY, {"cache": {"enabled": value}}) for value in (True, False, True, False)]
        on, off, again, off_again = map(engine.render, requests)
        assert (on, off) == (again, off_again)
        assert len(on.crds) == 2

    def test_hooks_are_templates_and_notes_are_not(self, engine: HelmEngine) -> None:
        chart = engine.render(request({**HOOKS, "templates/NOTES.txt": "Thank you."}))
        assert list(chart.templates) == ["web/templates/jobs.yaml"]
        names = {identity.name for identity in objects(engine, request(HOOKS))}
        assert names == {"pre-install", "post-delete", "test", "plain"}

    def test_templates_are_in_the_order_of_their_paths(self, engine: HelmEngine) -> None:
        files = {f"templates/{name}.yaml": config_map(name, "  a: b") for name in "cab"}
        assert list(engine.render(request(files)).templates) == [f"web/templates/{name}.yaml" for name in "abc"]

    def test_texts_are_unchanged(self, engine: HelmEngine) -> None:
        texts = {identity.name: body["data"] for identity, body in objects(engine, request(TEXTS)).items()}
        assert texts == {
            "map": {
                "script": "#!/bin/sh\n# kept\ncat <<EOF\n---\nEOF\n",
                "pem": "-----BEGIN X-----\na\n-----END X-----\n",
                "tab": "a\tb",
                "release": "shop",
            },
            "deep": {"true": True, "mode": 493},
        }

    def test_chart_may_render_nothing(self, engine: HelmEngine) -> None:
        assert objects(engine, request({"templates/none.yaml": "{{ if .Values.never }}a: b{{ end }}\n"})) == {}
        assert objects(engine, request({})) == {}

    def test_kubernetes_version_out_of_range_is_refused(self, engine: HelmEngine) -> None:
        files = {"Chart.yaml": CHART + 'kubeVersion: ">=1.34.0-0"\n', "templates/map.yaml": config_map("map", "  a: b")}
        with pytest.raises(RenderError) as caught:
            engine.render(request(files))
        assert ">=1.34.0-0" in caught.value.message
        assert "v1.33.0" in caught.value.message
        assert caught.value.fix
        assert engine.render(request(files, kubernetes=KubernetesVersion(1, 34))).templates

    def test_suffix_of_a_distribution_is_in_capabilities_and_does_not_matter_to_ranges(
        self, engine: HelmEngine
    ) -> None:
        """As Helm since 3.19: ``>=1.25.0`` contains a version that would be a pre-release to SemVer.

        The program of Helm 3 cuts the suffix, which is reported (`test_chart_values`).
        """
        files = {"Chart.yaml": CHART + 'kubeVersion: ">=1.25.0"\n'}
        template = "  kubernetes: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Minor }}"
        version = KubernetesVersion(1, 31, 4, "-gke.100")
        shown = "v1.31.4" if engine.version.startswith("helm v3.") else "v1.31.4-gke.100"
        assert data(engine, template, files=files, kubernetes=version) == {"kubernetes": f"{shown} 31"}

    def test_invalid_range_of_kubernetes_versions_contains_none(self, engine: HelmEngine) -> None:
        with pytest.raises(RenderError, match="so so"):
            engine.render(request({"Chart.yaml": CHART + "kubeVersion: so so\n"}))

    def test_values_that_violate_the_schema_are_named_by_path(self, engine: HelmEngine) -> None:
        with pytest.raises(RenderError) as caught:
            engine.render(request(SCHEMA, {"image": {"port": "eighty"}}))
        assert "/image/port" in caught.value.message
        assert "got string, want integer" in caught.value.message
        assert "\n" not in caught.value.message

    def test_schema_can_be_skipped(self, engine: HelmEngine) -> None:
        skipped = request(SCHEMA, {"image": {"port": "eighty"}}, skip_schema=True)
        assert list(engine.render(skipped).templates) == ["web/templates/map.yaml"]

    def test_remote_schema_is_not_fetched(self, engine: HelmEngine) -> None:
        files = {"values.schema.json": '{"$ref": "https://schemas.invalid/values.json"}'}
        with pytest.raises(RenderError, match=r"https://schemas\.invalid/values\.json"):
            engine.render(request(files))
        assert not engine.render(request(files, skip_schema=True)).templates

    @pytest.mark.parametrize(
        "schema",
        [
            '{"$ref": "FILE"}',
            '{"properties": {"a": {"items": [{"$ref": "FILE#/x"}]}}}',
            '{"$\\u0072ef": "http:\\/\\/schemas.invalid/x"}',
            '{"$ref": "other.json"}',
            '{"$id": "https://schemas.invalid/", "properties": {"a": {"$ref": "x.json"}}}',
            '{"$schema": "https://schemas.invalid/meta", "type": "object"}',
            '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicRef": "https://schemas.invalid/x"}',
            '{"id": "https://schemas.invalid/x", "properties": {"a": {"$ref": "https://schemas.invalid/x"}}}',
            '{"default": {"$id": "https://schemas.invalid/x"}, "properties": {"a": {"$ref": "https://schemas.invalid/x"}}}',
            '{"$ref": "https://json-schema.org.schemas.invalid/x"}',
            '{"$ref": "https://me@json-schema.org:1/x"}',
            '{"$ref": "//schemas.invalid/x"}',
            "not JSON",
        ],
    )
    @pytest.mark.parametrize("place", ["{}", "charts/sub/{}"])
    def test_schema_may_refer_to_itself_only(self, engine: HelmEngine, tmp_path: Path, schema: str, place: str) -> None:
        os.mkfifo(tmp_path / "pipe")  # a read would never end
        schema = schema.replace("FILE", (tmp_path / "pipe").as_uri())
        files = {place.format("values.schema.json"): schema}
        files |= {"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n"} if "sub" in place else {}
        with pytest.raises(RenderError, match=r"which is not fetched|is not JSON") as raised:
            engine.render(request(files))
        assert "skipSchemaValidation" in (raised.value.fix or "")
        assert not engine.render(request(files, skip_schema=True)).templates

    @pytest.mark.parametrize(
        "schema",
        [
            '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "definitions": {"a": {}}}',
            '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://a.invalid/x", "properties": {}}',
            '{"$id": "https://a.invalid/x", "properties": {"a": {"$ref": "https://a.invalid/x#/$defs/b"}}, "$defs": {"b": {}}}',
            '{"$defs": {"b": {"$id": "b.json"}}, "properties": {"a": {"$ref": "b.json"}}}',
            '{"properties": {"$ref": {"type": "string"}}}',
        ],
    )
    def test_complete_schema_is_used(self, engine: HelmEngine, schema: str) -> None:
        assert not engine.render(request({"values.schema.json": schema})).templates

    def test_schema_of_a_packed_dependency_may_not_refer_to_others(self, engine: HelmEngine) -> None:
        schema = '{"$ref": "https://schemas.invalid/x"}'
        sub = chart({"Chart.yaml": CHART.replace("web", "sub"), "values.schema.json": schema})
        with pytest.raises(RenderError, match=r"schemas\.invalid/x, which is not fetched"):
            engine.render(request({"charts/sub-1.0.0.tgz": sub}))

    def test_schema_is_found_at_any_depth_of_dependencies(self, engine: HelmEngine) -> None:
        """Helm unpacks all of them: what is not searched must not be rendered."""
        files: Files = {"values.schema.json": '{"$ref": "https://schemas.invalid/x"}'}
        for depth in range(7):
            files = {
                f"charts/sub{depth}-1.0.0.tgz": chart({"Chart.yaml": CHART.replace("web", f"sub{depth}"), **files})
            }
        with pytest.raises(RenderError, match="archives in archives, nesting too deep"):
            engine.render(request(files))

    @pytest.mark.parametrize("is_in_dependency", [False, True], ids=["chart", "dependency"])
    @pytest.mark.parametrize(
        "name", ["./values.schema.json", "a/../values.schema.json", "values.schema.json/.", "a//b.yaml"]
    )
    def test_name_that_helm_reads_as_another_is_refused(
        self, engine: HelmEngine, name: str, is_in_dependency: bool
    ) -> None:
        files: Files = {name: '{"$ref": "https://schemas.invalid/x"}'}
        if is_in_dependency:
            files = {"charts/sub-1.0.0.tgz": chart({"Chart.yaml": CHART.replace("web", "sub"), **files})}
        with pytest.raises(ArchiveError, match="a file whose name is not a plain path"):
            engine.render(request(files))

    def test_schema_of_a_packed_dependency_can_be_skipped(self, engine: HelmEngine) -> None:
        schema = '{"$ref": "https://schemas.invalid/x", "required": ["nothing"]}'
        sub = chart({"Chart.yaml": CHART.replace("web", "sub"), "values.schema.json": schema})
        assert not engine.render(request({"charts/sub-1.0.0.tgz": sub}, skip_schema=True)).templates

    def test_packed_dependency_that_is_a_bomb_is_refused_before_it_is_unpacked(self, engine: HelmEngine) -> None:
        sub = chart({"Chart.yaml": CHART.replace("web", "sub"), "zeros": bytes(210 << 20)})
        with pytest.raises(RenderError, match="an archive that unpacks to more than 200 MiB"):
            engine.render(request({"charts/sub-1.0.0.tgz": sub}))

    def test_address_in_another_file_is_not_a_schema(self, engine: HelmEngine) -> None:
        files = {"values.schema.json": "{}", "README.md": '{"$ref": "https://schemas.invalid/values.json"}'}
        assert not engine.render(request(files)).templates

    @pytest.mark.parametrize(
        ("template", "message"),
        [
            ('{{ fail "set the host" }}', r"web/templates/map\.yaml:1:3\): set the host"),
            ('{{ required "a host is needed" .Values.host }}', "a host is needed"),
            ("{{ .Values.a.b.c }}", r"web/templates/map\.yaml:1:\d+.*nil pointer evaluating interface"),
            ("{{ .Values.a", r"web/templates/map\.yaml:1.*unclosed action"),
            ('{{ include "nowhere" . }}', "nowhere"),
        ],
    )
    def test_errors_of_templates_are_reported_with_their_place(
        self, engine: HelmEngine, template: str, message: str
    ) -> None:
        with pytest.raises(RenderError, match=message) as caught:
            engine.render(request({"templates/map.yaml": template}))
        assert caught.value.fix
        assert "\n" not in caught.value.message
        assert "--debug" not in caught.value.message

    def test_library_chart_is_refused(self, engine: HelmEngine) -> None:
        with pytest.raises(RenderError, match="library chart"):
            engine.render(request({"Chart.yaml": CHART + "type: library\n"}))

    def test_missing_dependency_is_named(self, engine: HelmEngine) -> None:
        files = {
            "Chart.yaml": CHART + "dependencies:\n- {name: cache, version: 1.0.0, repository: https://x.invalid}\n"
        }
        with pytest.raises(RenderError, match="cache"):
            engine.render(request(files))

    @pytest.mark.parametrize(
        "archive",
        [
            b"",
            b"nonsense",
            gzip.compress(b"nonsense", mtime=0),
            chart({})[:60],
            chart({"Chart.yaml": "name: [\n"}),
            chart({"Chart.yaml": "apiVersion: v2\nname: web\n"}),
        ],
        ids=["empty", "not gzip", "not tar", "truncated", "not YAML", "no version"],
    )
    def test_invalid_archive_is_reported(self, engine: HelmEngine, archive: bytes) -> None:
        with pytest.raises(ArchiveError) as caught:
            engine.render(request({}, chart=archive))
        assert "/" not in caught.value.message.replace("application/octet-stream", "")

    def test_threads_share_an_engine(self, engine: HelmEngine) -> None:
        requests = [request(DEPENDENCY, {"cache": {"enabled": number % 3 > 0, "size": number}}) for number in range(16)]
        expected = [*map(engine.render, requests)]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(engine.render, requests)) == expected

    @pytest.mark.parametrize(
        ("constraint", "newest"),
        [
            ("*", "v1.4.0"),
            (">=1.0.0", "v1.4.0"),
            ("^1.0.0", "v1.4.0"),
            ("~1.2", "1.2.5"),
            ("1.x", "v1.4.0"),
            ("1.2", "1.2.5"),
            (">=1.0.0 <1.2.5", "1.2.0"),
            (">=1.0.0, <1.2.5", "1.2.0"),
            ("1.0.0 - 1.2.0", "1.2.0"),
            ("^0 || ~1.2.0", "1.2.5"),
            ("!=1.4.0", "1.2.5"),
            (">=1.0.0-0", "2.0.0-rc.10"),
            ("2.0.0-rc.9", "2.0.0-rc.9"),
            (">2.0.0-rc.1", "2.0.0-rc.10"),
            ("1.2.0", "1.2.0"),
            ("=1.2.0", "1.2.0"),
            ("1.4.0", "v1.4.0"),
            ("v1.2.5", "1.2.5"),
            ("<1.0.0", "0.9.0+build"),
            (">=3", None),
        ],
    )
    def test_newest_version_in_a_range(self, engine: HelmEngine, constraint: str, newest: str | None) -> None:
        versions = ["1.2.5", "1.2.0", "2.0.0-rc.9", "v1.4.0", "2.0.0-rc.10", "latest", "0.9.0+build", "1.4.0-beta"]
        assert engine.newest_in_range(constraint, versions) == newest
        assert engine.newest_in_range(constraint, versions[::-1]) == newest

    @pytest.mark.parametrize("constraint", ["newest", ">=", "1.2.3.4", ">> 1"])
    def test_invalid_range_is_an_error_of_the_description(self, engine: HelmEngine, constraint: str) -> None:
        with pytest.raises(DescriptionError, match="is not a version range") as caught:
            engine.newest_in_range(constraint, ["1.0.0"])
        assert constraint in caught.value.message
        assert "template" not in caught.value.message
        assert caught.value.fix

    @pytest.mark.parametrize("versions", [[], ["latest", "main"]])
    def test_newest_of_no_versions_is_none(self, engine: HelmEngine, versions: Sequence[str]) -> None:
        assert engine.newest_in_range("*", versions) is None


@pytest.mark.helm
@pytest.mark.parametrize(
    ("files", "values"),
    [
        (DEPENDENCY, {}),
        (DEPENDENCY, {"cache": {"enabled": False}}),
        (DEPENDENCY, {"cache": {"size": 1000000}}),
        (HOOKS, {}),
        (TEXTS, {}),
        (TEXTS, {"never": "is now"}),
        ({"templates/map.yaml": NUMBERS}, {"large": 1e21, "small": -0.5, "real": 2**53, "whole": 0}),
    ],
)
def test_both_engines_render_the_same_objects(helm_program: str, files: Files, values: Values) -> None:
    same = request(files, values, api_versions=("example.com/v1",))
    assert objects(HelmSdk(), same) == objects(HelmProgram(helm_program), same)


HELPER = '{{ define "has" }}{{ if .context.Capabilities.APIVersions.Has .api }}yes{{ end }}{{ end }}'
CALLED = HELPER + '{{ include "has" (dict "api" "a/v1" "context" $) }}'


class TestRequiredApis:
    def test_names_in_templates_are_found(self) -> None:
        files = {
            "templates/a.yaml": '{{ if .Capabilities.APIVersions.Has "policy/v1" }}a: b{{ end }}',
            "charts/b/templates/b.yaml": '{{ if $.Capabilities.APIVersions.Has "example.com/v1/Widget" }}a: b{{ end }}',
        }
        assert HelmSdk().required_apis(chart(files)) == frozenset({"policy/v1", "example.com/v1/Widget"})
        assert HelmSdk().required_apis(chart({"templates/a.yaml": "a: b"})) == frozenset()

    @pytest.mark.parametrize(
        "template",
        [
            "{{ if .Capabilities.APIVersions.Has .Values.api }}a: b{{ end }}",
            "{{ if .Capabilities.APIVersions.Has `policy/v1` }}a: b{{ end }}",
            '{{ if .Capabilities.APIVersions.Has (printf "%s/v1" "policy") }}a: b{{ end }}',
            '{{ if has "policy/v1" .Capabilities.APIVersions.Other }}a: b{{ end }}',
            "{{ if has .Values.api .Capabilities.APIVersions }}a: b{{ end }}",
            "{{ if .Capabilities.APIVersions.Has .api }}a: b{{ end }}",
            HELPER + '{{ include "has" (dict "context" $ "api" .Values.api) }}',
            HELPER + '{{ include "has" (dict "api" .Values.api "context" $) }}',
            HELPER,
            CALLED + '{{ include `has` (dict "api" "batch/v1" "context" $) }}',
            CALLED + "{{ include  `has` . }}",
            CALLED + '{{ include (printf "%s" "has") . }}',
            CALLED + "{{ include $name . }}",
            CALLED + "{{ template `has` . }}",
            CALLED + '{{ include "has" (dict "api" "batch/v1" "api" "other/v1") }}',
            CALLED + '{{ tpl "{{ include \\"has\\" . }}" . }}',
            "{{ define `z` }}{{ end }}" + CALLED,
            CALLED.replace("yes", "yes{{ else with .x }}{{ .context.Capabilities.APIVersions.Has .api }}", 1),
            '{{ if .Capabilities.APIVersions.Has "policy\\u002fv1" }}a: b{{ end }}',
            HELPER + "{{ range .Values.apis }}{{ if $.Capabilities.APIVersions.Has .api }}a: b{{ end }}{{ end }}",
            HELPER.replace("{{ if", "{{ with .context }}{{ if").replace("{{ end }}", "{{ end }}{{ end }}", 1),
            '{{ $apis := .Capabilities.APIVersions }}{{ if $apis.Has "policy/v1" }}a: b{{ end }}',
        ],
    )
    def test_other_lookups_make_them_unknown(self, template: str) -> None:
        literal = '{{ if .Capabilities.APIVersions.Has "batch/v1" }}a: b{{ end }}'
        assert HelmSdk().required_apis(chart({"templates/a.yaml": template, "templates/b.yaml": literal})) is None

    @pytest.mark.parametrize(
        ("template", "apis"),
        [
            ('{{ if has "policy/v1" .Capabilities.APIVersions }}a: b{{ end }}', {"policy/v1"}),
            ('{{ if not (has "policy/v1" $.Capabilities.APIVersions) }}a: b{{ end }}', {"policy/v1"}),
            (CALLED, {"a/v1"}),
            (CALLED + '{{ include (print $.Template.BasePath "/a.yaml") . }}', {"a/v1"}),
            (HELPER + HELPER + '{{ if include "has" ( dict "api" "a/v1" "context" . ) }}a: b{{ end }}', {"a/v1"}),
        ],
    )
    def test_names_that_are_passed_on_are_found(self, template: str, apis: set[str]) -> None:
        literal = '{{ if .Capabilities.APIVersions.Has "batch/v2" }}a: b{{ end }}'
        files = {"templates/a.yaml": template, "templates/b.yaml": literal, "README.md": "| `has` | asks |"}
        assert HelmSdk().required_apis(chart(files)) == frozenset(apis | {"batch/v2"})

    def test_packed_dependency_makes_them_unknown(self) -> None:
        packed = chart({"templates/a.yaml": '{{ .Capabilities.APIVersions.Has "policy/v1" }}'})
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for path, content in (("web/Chart.yaml", CHART.encode()), ("web/charts/inner.tgz", packed)):
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        assert HelmSdk().required_apis(buffer.getvalue()) is None

    def test_both_engines_find_them(self, engine: HelmEngine) -> None:
        files = {"templates/a.yaml": '{{ if .Capabilities.APIVersions.Has "example.com/v1" }}a: b{{ end }}'}
        assert engine.required_apis(chart(files)) in (frozenset({"example.com/v1"}), None)
        assert engine.required_apis(chart({"templates/a.yaml": "\n"})) == frozenset()

    def test_invalid_archive_is_an_error(self) -> None:
        with pytest.raises(ArchiveError):
            HelmSdk().required_apis(b"nonsense")


class TestProgram:
    def test_missing_program_is_reported_with_an_alternative(self) -> None:
        with pytest.raises(MissingProgramError, match="no-such-helm") as caught:
            HelmProgram("no-such-helm")
        assert "sdk" in str(caught.value.fix)

    def test_program_that_cannot_be_started_is_reported(self, tmp_path: Path) -> None:
        program = tmp_path / "helm"
        program.write_bytes(b"\x00not a program")
        program.chmod(0o755)
        with pytest.raises(RenderError, match="did not finish"):
            _ = HelmProgram(str(program)).version
