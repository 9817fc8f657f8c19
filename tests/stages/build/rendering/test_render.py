"""From sources to objects: which APIs are visible to charts, how often they are rendered, and which errors are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.errors import LockError, ManifestError, RenderError
from cluster_forge.stack.component import Component, HelmSource
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import KubernetesVersion, Target
from cluster_forge.stages.build.rendering.render import render

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

WIDGET = "example.com/v1"
HAS = '{{{{ .Capabilities.APIVersions.Has "{}" | quote }}}}'


def asking(harness: Harness, name: str, api: str = WIDGET) -> Component:
    """A component whose chart writes whether the API is visible."""
    template = harness.config_map(name, "there: " + HAS.format(api))
    return harness.component(name, helm=harness.chart(name, {"map.yaml": template}))


def sees_api(harness: Harness, name: str) -> bool:
    return '"true"' in harness.working[f"{name}/configmap_{name}_{name}.yaml"]


class TestVisibleApis:
    def test_a_chart_that_requires_the_crd_of_another_is_rendered_once_after_it(self, harness: Harness) -> None:
        definer = harness.component("crds", helm=harness.chart("crds", {"crd.yaml": harness.crd("Widget")}))
        plain = harness.component("plain", helm=harness.chart("plain", {"map.yaml": harness.config_map("plain")}))
        other = asking(harness, "other", "other.example.com/v1")
        harness.forge(harness.stack(asking(harness, "web"), definer, plain, other))
        assert sees_api(harness, "web")
        assert not sees_api(harness, "other")
        renders = {name: harness.engine.renders_of(name) for name in ("web", "crds", "plain", "other")}
        assert renders == {"web": 1, "crds": 1, "plain": 1, "other": 1}

    def test_a_kind_is_visible_like_its_version(self, harness: Harness) -> None:
        definer = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        harness.forge(harness.stack(definer, asking(harness, "web", f"{WIDGET}/Widget")))
        assert sees_api(harness, "web")
        assert harness.engine.renders_of("web") == 1, "what lies in input/ is known before anything is rendered"

    def test_crds_of_crds_folders_and_urls_are_visible(self, harness: Harness) -> None:
        chart = harness.chart("crds", {"crds/widget.yaml": harness.crd("Widget")})
        url = harness.url("https://example.com/gadget.yaml", harness.crd("Gadget", "gadgets.io"))
        components = (
            harness.component("crds", helm=chart),
            harness.component("gadget", manifests=(url,)),
            asking(harness, "web"),
            asking(harness, "shop", "gadgets.io/v1/Gadget"),
        )
        harness.forge(harness.stack(*components))
        assert sees_api(harness, "web")
        assert sees_api(harness, "shop")

    def test_the_apis_of_the_target_are_visible(self, harness: Harness) -> None:
        component = asking(harness, "web", "policy/v1/PodDisruptionBudget")
        harness.forge(harness.stack(component, target=Target(kubernetes=KubernetesVersion(1, 30))))
        assert sees_api(harness, "web")
        assert harness.engine.requests[0].kubernetes == KubernetesVersion(1, 30)
        harness.engine.requests.clear()

    def test_a_chart_that_may_require_any_api_sees_all(self, harness: Harness) -> None:
        template = harness.config_map("web", "there: {{ .Capabilities.APIVersions.Has .Values.api | quote }}")
        web = harness.component("web", helm=harness.chart("web", {"map.yaml": template}), values={"api": WIDGET})
        definer = harness.component("crds", helm=harness.chart("crds", {"crd.yaml": harness.crd("Widget")}))
        harness.forge(harness.stack(web, definer))
        assert sees_api(harness, "web")

    def test_rounds_continue_while_charts_define_new_apis(self, harness: Harness) -> None:
        def link(name: str, needs: str, defines: str) -> Component:
            guard = '{{ if .Capabilities.APIVersions.Has "' + needs + '" }}'
            return harness.component(
                name, helm=harness.chart(name, {"crd.yaml": guard + harness.crd(defines, f"{name}.io") + "{{ end }}"})
            )

        definer = harness.component("a", helm=harness.chart("a", {"crd.yaml": harness.crd("First", "a.io")}))
        components = (link("c", "b.io/v1", "Third"), link("b", "a.io/v1", "Second"), definer)
        smelted = harness.forge(harness.stack(*components))
        assert smelted.objects == 3

    def test_a_crd_that_a_chart_defines_only_if_it_is_missing_is_kept(self, harness: Harness) -> None:
        guard = '{{ if not (.Capabilities.APIVersions.Has "example.com/v1") }}'
        chart = harness.chart("web", {"crd.yaml": guard + harness.crd("Widget") + "{{ end }}"})
        stack = harness.stack(harness.component("web", helm=chart))
        harness.forge(stack)
        first = harness.working
        assert any("Widget" in text for text in first.values())
        again = harness.again()
        again.forge(stack)
        assert again.working == first

    def test_an_api_that_is_no_longer_defined_is_no_longer_visible(self, harness: Harness) -> None:
        crds = harness.chart("crds", {"crd.yaml": "{{ if .Values.on }}" + harness.crd("Widget") + "{{ end }}"})
        with_crds = harness.component("crds", helm=crds, values={"on": True})
        web = asking(harness, "web")
        harness.forge(harness.stack(with_crds, web))
        assert sees_api(harness, "web")
        harness.forge(harness.stack(harness.component("crds", helm=crds, values={"on": False}), web))
        assert not sees_api(harness, "web")

    def test_an_excluded_crd_is_not_visible(self, harness: Harness) -> None:
        chart = harness.chart("crds", {"crd.yaml": harness.crd("Widget"), "map.yaml": harness.config_map("x")})
        file = "customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
        definer = harness.component("crds", helm=chart, exclude=(file,))
        stack = harness.stack(definer, asking(harness, "web"))
        for workspace in (harness, harness):
            smelted = workspace.forge(stack)
            assert not sees_api(workspace, "web")
            assert f"crds/{file}" not in workspace.working
            assert smelted.findings == ()


class TestErrors:
    def test_the_errors_of_all_components_are_reported_together(self, harness: Harness) -> None:
        failing = harness.chart("failing", {"map.yaml": '{{ fail "set the host" }}'})
        typed = harness.chart(
            "typed",
            {"map.yaml": "a: b"},
            schema='{"properties": {"port": {"type": "integer"}}}',
            about="appVersion: 1\n",
        )
        broken = harness.chart("broken", {"map.yaml": "a: [\n", "text.yaml": "only text", "none.yaml": "kind: X\n"})
        components = (
            harness.component("failing", helm=failing),
            harness.component("typed", helm=typed, values={"port": "x"}),
            harness.component("broken", helm=broken),
            harness.component("fine", helm=harness.chart("fine", {"map.yaml": harness.config_map("fine")})),
        )
        errors = harness.errors(lambda: harness.forge(harness.stack(*components)))
        assert [type(error) for error in errors] == [RenderError, RenderError, *[ManifestError] * 3]
        assert all((error.where and error.fix) or isinstance(error, ManifestError) for error in errors)
        messages = [str(error) for error in errors]
        assert messages[0].startswith("input/config.yaml:failing: component failing: execution error at")
        assert messages[0].endswith("set the host")
        assert "component typed: values don't meet the specifications" in messages[1]
        assert "'/port'" in messages[1]
        assert {error.where for error in errors[2:]} == {
            "broken/templates/map.yaml:1",
            "broken/templates/text.yaml:1",
            "broken/templates/none.yaml:1",
        }
        assert all(
            "component broken: " in message and message.count("component broken") == 1 for message in messages[2:]
        )
        assert harness.files.files == {}

    def test_errors_in_own_files_are_reported_with_their_lines(self, harness: Harness) -> None:
        component = harness.component(
            "own",
            manifests=(
                harness.input("one.yaml", harness.config_map("one"), "a: [\n", "kind: Role\n"),
                "nowhere.yaml",
                harness.input("folder/latin.yaml", "").removesuffix("/latin.yaml"),
            ),
        )
        harness.files.files["input/folder/latin.yaml"] = b"a: \xe9"
        harness.input("folder/README.md", "not a manifest")
        errors = harness.errors(lambda: harness.forge(harness.stack(component)))
        assert [(type(error), error.where) for error in errors] == [
            (ManifestError, "input/one.yaml:7"),
            (ManifestError, "input/one.yaml:9"),
            (ManifestError, "input/config.yaml:own"),
            (ManifestError, "input/folder/latin.yaml"),
        ]
        assert "there is no input/nowhere.yaml" in errors[2].message
        assert "UTF-8" in errors[3].message

    def test_a_source_that_is_not_locked_names_the_command(self, harness: Harness) -> None:
        url = harness.url("https://example.com/a.yaml", harness.config_map("a"))
        helm = HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.0.0")
        stack = harness.stack(harness.component("web", helm=helm), harness.component("url", manifests=(url,)))
        errors = harness.errors(lambda: harness.smelt(stack))
        assert [type(error) for error in errors] == [LockError, LockError]
        assert "cluster-forge mine web" in str(errors[0].fix)
        assert "https://example.com/a.yaml is not in cluster-forge.lock" in errors[1].message

    def test_a_source_that_is_not_in_the_store_names_the_command(self, harness: Harness) -> None:
        url = harness.url("https://example.com/a.yaml", harness.config_map("a"))
        stack = harness.stack(asking(harness, "web"), harness.component("url", manifests=(url,)))
        harness.mine(stack)
        elsewhere = harness.again()
        elsewhere.store.entries.clear()
        elsewhere.files.files.clear()
        errors = harness.errors(lambda: elsewhere.smelt(stack))
        assert [type(error) for error in errors] == [LockError, LockError]
        assert all("is not in the store" in error.message and "mine" in str(error.fix) for error in errors)

    def test_rendering_without_locked_sources_is_a_lock_error(self, harness: Harness) -> None:
        url = "https://example.com/a.yaml"
        stack = harness.stack(asking(harness, "web"), harness.component("url", manifests=(url,)))
        errors = harness.errors(lambda: render(stack, {}, Lock(), harness.toolbox, harness.reporter))
        assert [type(error) for error in errors] == [LockError, LockError]

    def test_a_document_that_is_nested_too_deep_is_an_error(self, harness: Harness) -> None:
        deep = harness.config_map("deep") + "x: " + "[" * 1000 + "]" * 1000
        errors = harness.errors(
            lambda: harness.forge(harness.stack(harness.component("a", manifests=(harness.input("a.yaml", deep),))))
        )
        assert [type(error) for error in errors] == [ManifestError]
        assert "nest" in errors[0].message


class TestOwnFiles:
    def test_folders_are_read_recursively_without_other_files(self, harness: Harness) -> None:
        harness.input("own/a.yaml", harness.config_map("a"), "# nothing\n", harness.config_map("b"))
        harness.input("own/deep/c.yml", harness.config_map("c"))
        harness.input(
            "own/d.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"x": "\\/"}}'
        )
        harness.input("own/README.md", "a: [")
        harness.input("own/.hidden.yaml", "a: [")
        smelted = harness.forge(harness.stack(harness.component("own", manifests=("own/",))))
        (own,) = [part for part in smelted.record.parts if part.name == "own"]
        assert sorted(known.id.name for known in own.objects) == list("abcd")

    def test_the_items_of_a_list_are_objects(self, harness: Harness) -> None:
        items = "".join("- " + harness.config_map(name).replace("\n", "\n  ").rstrip() + "\n" for name in "ab")
        harness.input("list.yaml", "apiVersion: v1\nkind: List\nitems:\n" + items)
        harness.forge(harness.stack(harness.component("own", manifests=("list.yaml",))))
        assert {path for path in harness.working if path.startswith("own/")} == {
            "own/configmap_own_a.yaml",
            "own/configmap_own_b.yaml",
        }

    def test_a_folder_called_sourced_is_read_for_a_component_without_sources(self, harness: Harness) -> None:
        harness.input("own/manifests/sourced/a.yaml", harness.config_map("a"))
        smelted = harness.forge(harness.stack(harness.component("own", manifests=("own/manifests",))))
        assert any(part_object.id.name == "a" for part in smelted.record.parts for part_object in part.objects)

    def test_the_sourced_tree_is_not_read_as_own_files(self, harness: Harness) -> None:
        harness.input("web/extra.yaml", harness.config_map("extra"))
        chart = harness.chart("web", {"map.yaml": harness.config_map("web", "v: {{ .Values.v | quote }}")})
        for value in ("one", "two"):
            web = harness.component("web", helm=chart, manifests=("web/",), values={"v": value})
            smelted = harness.forge(harness.stack(web))
            assert smelted.is_written
            assert f"v: {value}" in harness.working["web/configmap_web_web.yaml"]
            assert "web/configmap_web_extra.yaml" in harness.working


@pytest.mark.parametrize("place", ["own.yaml", "/own.yaml", "own.yaml/"])
def test_a_leading_slash_is_relative_to_input(harness: Harness, place: str) -> None:
    harness.input("own.yaml", harness.config_map("a"))
    assert harness.forge(harness.stack(harness.component("own", manifests=(place,)))).objects == 2


def test_the_renderer_is_closed_after_the_last_job(harness: Harness) -> None:
    definer = harness.component("crds", helm=harness.chart("crds", {"crd.yaml": harness.crd("Widget")}))
    harness.forge(harness.stack(definer, asking(harness, "web")))
    assert harness.renderer.jobs_before_close == [len(harness.renderer.jobs)] == [2]
