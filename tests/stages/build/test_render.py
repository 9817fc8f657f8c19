"""From sources to objects: what is announced to charts, what is read back, and which errors come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.errors import LockError, ManifestError, RenderError
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, HelmSource, KubernetesVersion, Target
from cluster_forge.stages.build.render import render

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

WIDGET = "example.com/v1"
HAS = '{{{{ .Capabilities.APIVersions.Has "{}" | quote }}}}'


def asking(harness: Harness, name: str, api: str = WIDGET) -> Component:
    """A component whose chart writes down whether the API is there."""
    told = harness.config_map(name, "there: " + HAS.format(api))
    return harness.component(name, helm=harness.chart(name, {"map.yaml": told}))


def was_told(harness: Harness, name: str) -> bool:
    return '"true"' in harness.working[f"{name}/configmap_{name}_{name}.yaml"]


class TestAnnouncedApis:
    def test_a_chart_that_asks_for_anothers_crd_is_rendered_when_that_is_known(self, harness: Harness) -> None:
        bringing = harness.component("crds", helm=harness.chart("crds", {"crd.yaml": harness.crd("Widget")}))
        plain = harness.component("plain", helm=harness.chart("plain", {"map.yaml": harness.config_map("plain")}))
        other = asking(harness, "other", "other.example.com/v1")
        harness.forge(harness.stack(asking(harness, "web"), bringing, plain, other))
        assert was_told(harness, "web")
        assert not was_told(harness, "other")
        renders = {name: harness.engine.renders_of(name) for name in ("web", "crds", "plain", "other")}
        assert renders == {"web": 1, "crds": 1, "plain": 1, "other": 1}

    def test_a_kind_is_announced_as_well_as_its_version(self, harness: Harness) -> None:
        bringing = harness.component("crds", manifests=(harness.input("crds.yaml", harness.crd("Widget")),))
        harness.forge(harness.stack(bringing, asking(harness, "web", f"{WIDGET}/Widget")))
        assert was_told(harness, "web")
        assert harness.engine.renders_of("web") == 1, "what lies in input/ is known before anything is rendered"

    def test_crds_folders_of_charts_and_urls_count_too(self, harness: Harness) -> None:
        chart = harness.chart("crds", {"crds/widget.yaml": harness.crd("Widget")})
        url = harness.url("https://example.com/gadget.yaml", harness.crd("Gadget", "gadgets.io"))
        components = (
            harness.component("crds", helm=chart),
            harness.component("gadget", manifests=(url,)),
            asking(harness, "web"),
            asking(harness, "shop", "gadgets.io/v1/Gadget"),
        )
        harness.forge(harness.stack(*components))
        assert was_told(harness, "web")
        assert was_told(harness, "shop")

    def test_the_targets_own_apis_are_announced(self, harness: Harness) -> None:
        component = asking(harness, "web", "policy/v1/PodDisruptionBudget")
        harness.forge(harness.stack(component, target=Target(kubernetes=KubernetesVersion(1, 30))))
        assert was_told(harness, "web")
        assert harness.engine.requests[0].kubernetes == KubernetesVersion(1, 30)
        harness.engine.requests.clear()

    def test_one_that_asks_for_anything_hears_of_everything(self, harness: Harness) -> None:
        told = harness.config_map("web", "there: {{ .Capabilities.APIVersions.Has .Values.api | quote }}")
        web = harness.component("web", helm=harness.chart("web", {"map.yaml": told}), values={"api": WIDGET})
        bringing = harness.component("crds", helm=harness.chart("crds", {"crd.yaml": harness.crd("Widget")}))
        harness.forge(harness.stack(web, bringing))
        assert was_told(harness, "web")

    def test_it_goes_on_as_long_as_charts_bring_new_ones(self, harness: Harness) -> None:
        def link(name: str, needs: str, brings: str) -> Component:
            guard = '{{ if .Capabilities.APIVersions.Has "' + needs + '" }}'
            return harness.component(
                name, helm=harness.chart(name, {"crd.yaml": guard + harness.crd(brings, f"{name}.io") + "{{ end }}"})
            )

        bringing = harness.component("a", helm=harness.chart("a", {"crd.yaml": harness.crd("First", "a.io")}))
        components = (link("c", "b.io/v1", "Third"), link("b", "a.io/v1", "Second"), bringing)
        smelted = harness.forge(harness.stack(*components))
        assert smelted.objects == 3

    def test_a_chart_that_brings_a_crd_only_where_nobody_has_it_keeps_it(self, harness: Harness) -> None:
        guard = '{{ if not (.Capabilities.APIVersions.Has "example.com/v1") }}'
        chart = harness.chart("web", {"crd.yaml": guard + harness.crd("Widget") + "{{ end }}"})
        stack = harness.stack(harness.component("web", helm=chart))
        harness.forge(stack)
        first = harness.working
        assert any("Widget" in text for text in first.values())
        again = harness.again()
        again.forge(stack)
        assert again.working == first

    def test_what_is_not_brought_any_more_is_not_announced_any_more(self, harness: Harness) -> None:
        crds = harness.chart("crds", {"crd.yaml": "{{ if .Values.on }}" + harness.crd("Widget") + "{{ end }}"})
        with_crds = harness.component("crds", helm=crds, values={"on": True})
        web = asking(harness, "web")
        harness.forge(harness.stack(with_crds, web))
        assert was_told(harness, "web")
        harness.forge(harness.stack(harness.component("crds", helm=crds, values={"on": False}), web))
        assert not was_told(harness, "web")

    def test_a_crd_that_is_excluded_is_not_announced(self, harness: Harness) -> None:
        chart = harness.chart("crds", {"crd.yaml": harness.crd("Widget"), "map.yaml": harness.config_map("x")})
        file = "customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
        bringing = harness.component("crds", helm=chart, exclude=(file,))
        stack = harness.stack(bringing, asking(harness, "web"))
        for workspace in (harness, harness):
            smelted = workspace.forge(stack)
            assert not was_told(workspace, "web")
            assert f"crds/{file}" not in workspace.working
            assert smelted.findings == ()


class TestErrors:
    def test_the_errors_of_all_components_come_together(self, harness: Harness) -> None:
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
        found = harness.errors(lambda: harness.forge(harness.stack(*components)))
        assert [type(each) for each in found] == [RenderError, RenderError, *[ManifestError] * 3]
        assert all((each.where and each.fix) or isinstance(each, ManifestError) for each in found)
        messages = [str(each) for each in found]
        assert messages[0].startswith("input/config.yaml:failing: component failing: execution error at")
        assert messages[0].endswith("set the host")
        assert "component typed: values don't meet the specifications" in messages[1]
        assert "'/port'" in messages[1]
        assert {each.where for each in found[2:]} == {
            "broken/templates/map.yaml:1",
            "broken/templates/text.yaml:1",
            "broken/templates/none.yaml:1",
        }
        assert all("component broken: " in each and each.count("component broken") == 1 for each in messages[2:])
        assert harness.files.files == {}

    def test_own_files_are_read_as_carefully(self, harness: Harness) -> None:
        component = harness.component(
            "own",
            manifests=(
                harness.input("one.yaml", harness.config_map("one"), "a: [\n", "kind: Role\n"),
                "nowhere.yaml",
                harness.input("folder/latin.yaml", "").removesuffix("/latin.yaml"),
            ),
        )
        harness.files.files["input/folder/latin.yaml"] = b"a: \xe9"
        harness.input("folder/README.md", "no manifest")
        found = harness.errors(lambda: harness.forge(harness.stack(component)))
        assert [(type(each), each.where) for each in found] == [
            (ManifestError, "input/one.yaml:7"),
            (ManifestError, "input/one.yaml:9"),
            (ManifestError, "input/config.yaml:own"),
            (ManifestError, "input/folder/latin.yaml"),
        ]
        assert "there is no input/nowhere.yaml" in found[2].message
        assert "UTF-8" in found[3].message

    def test_a_source_that_was_not_mined_says_what_to_type(self, harness: Harness) -> None:
        url = harness.url("https://example.com/a.yaml", harness.config_map("a"))
        helm = HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.0.0")
        stack = harness.stack(harness.component("web", helm=helm), harness.component("url", manifests=(url,)))
        found = harness.errors(lambda: harness.smelt(stack))
        assert [type(each) for each in found] == [LockError, LockError]
        assert "cluster-forge mine web" in str(found[0].fix)
        assert "https://example.com/a.yaml is not in cluster-forge.lock" in found[1].message

    def test_a_source_that_this_machine_lacks_says_what_to_type(self, harness: Harness) -> None:
        url = harness.url("https://example.com/a.yaml", harness.config_map("a"))
        stack = harness.stack(asking(harness, "web"), harness.component("url", manifests=(url,)))
        harness.mine(stack)
        elsewhere = harness.again()
        elsewhere.store.entries.clear()
        elsewhere.files.files.clear()
        found = harness.errors(lambda: elsewhere.smelt(stack))
        assert [type(each) for each in found] == [LockError, LockError]
        assert all("is not in the store" in each.message and "mine" in str(each.fix) for each in found)

    def test_what_nobody_pinned_is_an_error_and_no_bug(self, harness: Harness) -> None:
        url = "https://example.com/a.yaml"
        stack = harness.stack(asking(harness, "web"), harness.component("url", manifests=(url,)))
        found = harness.errors(lambda: render(stack, {}, Lock(), harness.toolbox, harness.reporter))
        assert [type(each) for each in found] == [LockError, LockError]

    def test_a_document_that_is_nested_too_deep_is_an_error(self, harness: Harness) -> None:
        deep = harness.config_map("deep") + "x: " + "[" * 1000 + "]" * 1000
        found = harness.errors(
            lambda: harness.forge(harness.stack(harness.component("a", manifests=(harness.input("a.yaml", deep),))))
        )
        assert [type(each) for each in found] == [ManifestError]
        assert "nested deeper" in found[0].message


class TestOwnFiles:
    def test_folders_are_read_to_the_bottom_and_what_is_no_yaml_is_left(self, harness: Harness) -> None:
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

    def test_a_list_gives_its_items(self, harness: Harness) -> None:
        items = "".join("- " + harness.config_map(name).replace("\n", "\n  ").rstrip() + "\n" for name in "ab")
        harness.input("list.yaml", "apiVersion: v1\nkind: List\nitems:\n" + items)
        harness.forge(harness.stack(harness.component("own", manifests=("list.yaml",))))
        assert {path for path in harness.working if path.startswith("own/")} == {
            "own/configmap_own_a.yaml",
            "own/configmap_own_b.yaml",
        }

    def test_a_folder_that_happens_to_be_called_sourced_belongs_to_its_component(self, harness: Harness) -> None:
        harness.input("own/manifests/sourced/a.yaml", harness.config_map("a"))
        smelted = harness.forge(harness.stack(harness.component("own", manifests=("own/manifests",))))
        assert any(each.id.name == "a" for part in smelted.record.parts for each in part.objects)

    def test_what_mine_wrote_is_not_read_as_the_users_own(self, harness: Harness) -> None:
        harness.input("web/extra.yaml", harness.config_map("extra"))
        chart = harness.chart("web", {"map.yaml": harness.config_map("web", "v: {{ .Values.v | quote }}")})
        for value in ("one", "two"):
            web = harness.component("web", helm=chart, manifests=("web/",), values={"v": value})
            smelted = harness.forge(harness.stack(web))
            assert smelted.is_written
            assert f"v: {value}" in harness.working["web/configmap_web_web.yaml"]
            assert "web/configmap_web_extra.yaml" in harness.working


@pytest.mark.parametrize("place", ["own.yaml", "/own.yaml", "own.yaml/"])
def test_a_leading_slash_means_input(harness: Harness, place: str) -> None:
    harness.input("own.yaml", harness.config_map("a"))
    assert harness.forge(harness.stack(harness.component("own", manifests=(place,)))).objects == 2
