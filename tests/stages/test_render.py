"""From sources to objects: what is announced to charts, what is read back, and which errors come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.errors import LockError, ManifestError, RenderError
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import Component, HelmSource, KubernetesVersion, Target
from cluster_forge.stages.render import render

if TYPE_CHECKING:
    from tests.stages.conftest import Workshop

WIDGET = "example.com/v1"
HAS = '{{{{ .Capabilities.APIVersions.Has "{}" | quote }}}}'


def asking(workshop: Workshop, name: str, api: str = WIDGET) -> Component:
    """A component whose chart writes down whether the API is there."""
    told = workshop.config_map(name, "there: " + HAS.format(api))
    return workshop.component(name, helm=workshop.chart(name, {"map.yaml": told}))


def was_told(workshop: Workshop, name: str) -> bool:
    return '"true"' in workshop.working[f"{name}/configmap_{name}_{name}.yaml"]


class TestAnnouncedApis:
    def test_a_chart_that_asks_for_anothers_crd_is_rendered_when_that_is_known(self, workshop: Workshop) -> None:
        bringing = workshop.component("crds", helm=workshop.chart("crds", {"crd.yaml": workshop.crd("Widget")}))
        plain = workshop.component("plain", helm=workshop.chart("plain", {"map.yaml": workshop.config_map("plain")}))
        other = asking(workshop, "other", "other.example.com/v1")
        workshop.forge(workshop.stack(asking(workshop, "web"), bringing, plain, other))
        assert was_told(workshop, "web")
        assert not was_told(workshop, "other")
        renders = {name: workshop.engine.renders_of(name) for name in ("web", "crds", "plain", "other")}
        assert renders == {"web": 1, "crds": 1, "plain": 1, "other": 1}

    def test_a_kind_is_announced_as_well_as_its_version(self, workshop: Workshop) -> None:
        bringing = workshop.component("crds", manifests=(workshop.input("crds.yaml", workshop.crd("Widget")),))
        workshop.forge(workshop.stack(bringing, asking(workshop, "web", f"{WIDGET}/Widget")))
        assert was_told(workshop, "web")
        assert workshop.engine.renders_of("web") == 1, "what lies in input/ is known before anything is rendered"

    def test_crds_folders_of_charts_and_urls_count_too(self, workshop: Workshop) -> None:
        chart = workshop.chart("crds", {"crds/widget.yaml": workshop.crd("Widget")})
        url = workshop.url("https://example.com/gadget.yaml", workshop.crd("Gadget", "gadgets.io"))
        components = (
            workshop.component("crds", helm=chart),
            workshop.component("gadget", manifests=(url,)),
            asking(workshop, "web"),
            asking(workshop, "shop", "gadgets.io/v1/Gadget"),
        )
        workshop.forge(workshop.stack(*components))
        assert was_told(workshop, "web")
        assert was_told(workshop, "shop")

    def test_the_targets_own_apis_are_announced(self, workshop: Workshop) -> None:
        component = asking(workshop, "web", "policy/v1/PodDisruptionBudget")
        workshop.forge(workshop.stack(component, target=Target(kubernetes=KubernetesVersion(1, 30))))
        assert was_told(workshop, "web")
        assert workshop.engine.requests[0].kubernetes == KubernetesVersion(1, 30)
        workshop.engine.requests.clear()

    def test_one_that_asks_for_anything_hears_of_everything(self, workshop: Workshop) -> None:
        told = workshop.config_map("web", "there: {{ .Capabilities.APIVersions.Has .Values.api | quote }}")
        web = workshop.component("web", helm=workshop.chart("web", {"map.yaml": told}), values={"api": WIDGET})
        bringing = workshop.component("crds", helm=workshop.chart("crds", {"crd.yaml": workshop.crd("Widget")}))
        workshop.forge(workshop.stack(web, bringing))
        assert was_told(workshop, "web")

    def test_it_goes_on_as_long_as_charts_bring_new_ones(self, workshop: Workshop) -> None:
        def link(name: str, needs: str, brings: str) -> Component:
            guard = '{{ if .Capabilities.APIVersions.Has "' + needs + '" }}'
            return workshop.component(
                name, helm=workshop.chart(name, {"crd.yaml": guard + workshop.crd(brings, f"{name}.io") + "{{ end }}"})
            )

        bringing = workshop.component("a", helm=workshop.chart("a", {"crd.yaml": workshop.crd("First", "a.io")}))
        components = (link("c", "b.io/v1", "Third"), link("b", "a.io/v1", "Second"), bringing)
        smelted = workshop.forge(workshop.stack(*components))
        assert smelted.objects == 3

    def test_a_chart_that_brings_a_crd_only_where_nobody_has_it_keeps_it(self, workshop: Workshop) -> None:
        guard = '{{ if not (.Capabilities.APIVersions.Has "example.com/v1") }}'
        chart = workshop.chart("web", {"crd.yaml": guard + workshop.crd("Widget") + "{{ end }}"})
        stack = workshop.stack(workshop.component("web", helm=chart))
        workshop.forge(stack)
        first = workshop.working
        assert any("Widget" in text for text in first.values())
        again = workshop.again()
        again.forge(stack)
        assert again.working == first

    def test_what_is_not_brought_any_more_is_not_announced_any_more(self, workshop: Workshop) -> None:
        crds = workshop.chart("crds", {"crd.yaml": "{{ if .Values.on }}" + workshop.crd("Widget") + "{{ end }}"})
        with_crds = workshop.component("crds", helm=crds, values={"on": True})
        web = asking(workshop, "web")
        workshop.forge(workshop.stack(with_crds, web))
        assert was_told(workshop, "web")
        workshop.forge(workshop.stack(workshop.component("crds", helm=crds, values={"on": False}), web))
        assert not was_told(workshop, "web")

    def test_a_crd_that_is_excluded_is_not_announced(self, workshop: Workshop) -> None:
        chart = workshop.chart("crds", {"crd.yaml": workshop.crd("Widget"), "map.yaml": workshop.config_map("x")})
        file = "customresourcedefinition.apiextensions.k8s.io_widgets.example.com.yaml"
        bringing = workshop.component("crds", helm=chart, exclude=(file,))
        stack = workshop.stack(bringing, asking(workshop, "web"))
        for workspace in (workshop, workshop):
            smelted = workspace.forge(stack)
            assert not was_told(workspace, "web")
            assert f"crds/{file}" not in workspace.working
            assert smelted.findings == ()


class TestErrors:
    def test_the_errors_of_all_components_come_together(self, workshop: Workshop) -> None:
        failing = workshop.chart("failing", {"map.yaml": '{{ fail "set the host" }}'})
        typed = workshop.chart(
            "typed",
            {"map.yaml": "a: b"},
            schema='{"properties": {"port": {"type": "integer"}}}',
            about="appVersion: 1\n",
        )
        broken = workshop.chart("broken", {"map.yaml": "a: [\n", "text.yaml": "only text", "none.yaml": "kind: X\n"})
        components = (
            workshop.component("failing", helm=failing),
            workshop.component("typed", helm=typed, values={"port": "x"}),
            workshop.component("broken", helm=broken),
            workshop.component("fine", helm=workshop.chart("fine", {"map.yaml": workshop.config_map("fine")})),
        )
        found = workshop.errors(lambda: workshop.forge(workshop.stack(*components)))
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
        assert workshop.files.files == {}

    def test_own_files_are_read_as_carefully(self, workshop: Workshop) -> None:
        component = workshop.component(
            "own",
            manifests=(
                workshop.input("one.yaml", workshop.config_map("one"), "a: [\n", "kind: Role\n"),
                "nowhere.yaml",
                workshop.input("folder/latin.yaml", "").removesuffix("/latin.yaml"),
            ),
        )
        workshop.files.files["input/folder/latin.yaml"] = b"a: \xe9"
        workshop.input("folder/README.md", "no manifest")
        found = workshop.errors(lambda: workshop.forge(workshop.stack(component)))
        assert [(type(each), each.where) for each in found] == [
            (ManifestError, "input/one.yaml:7"),
            (ManifestError, "input/one.yaml:9"),
            (ManifestError, "input/config.yaml:own"),
            (ManifestError, "input/folder/latin.yaml"),
        ]
        assert "there is no input/nowhere.yaml" in found[2].message
        assert "UTF-8" in found[3].message

    def test_a_source_that_was_not_mined_says_what_to_type(self, workshop: Workshop) -> None:
        url = workshop.url("https://example.com/a.yaml", workshop.config_map("a"))
        helm = HelmSource(chart="web", release="web", repository="https://charts.example.com", version="1.0.0")
        stack = workshop.stack(workshop.component("web", helm=helm), workshop.component("url", manifests=(url,)))
        found = workshop.errors(lambda: workshop.smelt(stack))
        assert [type(each) for each in found] == [LockError, LockError]
        assert "cluster-forge mine web" in str(found[0].fix)
        assert "https://example.com/a.yaml is not in cluster-forge.lock" in found[1].message

    def test_a_source_that_this_machine_lacks_says_what_to_type(self, workshop: Workshop) -> None:
        url = workshop.url("https://example.com/a.yaml", workshop.config_map("a"))
        stack = workshop.stack(asking(workshop, "web"), workshop.component("url", manifests=(url,)))
        workshop.mine(stack)
        elsewhere = workshop.again()
        elsewhere.store.entries.clear()
        elsewhere.files.files.clear()
        found = workshop.errors(lambda: elsewhere.smelt(stack))
        assert [type(each) for each in found] == [LockError, LockError]
        assert all("is not in the store" in each.message and "mine" in str(each.fix) for each in found)

    def test_what_nobody_pinned_is_an_error_and_no_bug(self, workshop: Workshop) -> None:
        url = "https://example.com/a.yaml"
        stack = workshop.stack(asking(workshop, "web"), workshop.component("url", manifests=(url,)))
        found = workshop.errors(lambda: render(stack, {}, Lock(), workshop.tools, workshop.heard))
        assert [type(each) for each in found] == [LockError, LockError]

    def test_a_document_that_is_nested_too_deep_is_an_error(self, workshop: Workshop) -> None:
        deep = workshop.config_map("deep") + "x: " + "[" * 1000 + "]" * 1000
        found = workshop.errors(
            lambda: workshop.forge(workshop.stack(workshop.component("a", manifests=(workshop.input("a.yaml", deep),))))
        )
        assert [type(each) for each in found] == [ManifestError]
        assert "nested deeper" in found[0].message


class TestOwnFiles:
    def test_folders_are_read_to_the_bottom_and_what_is_no_yaml_is_left(self, workshop: Workshop) -> None:
        workshop.input("own/a.yaml", workshop.config_map("a"), "# nothing\n", workshop.config_map("b"))
        workshop.input("own/deep/c.yml", workshop.config_map("c"))
        workshop.input(
            "own/d.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"x": "\\/"}}'
        )
        workshop.input("own/README.md", "a: [")
        workshop.input("own/.hidden.yaml", "a: [")
        smelted = workshop.forge(workshop.stack(workshop.component("own", manifests=("own/",))))
        assert sorted(each.id.name for part in smelted.parts for each in part.manifests if part.name == "own") == list(
            "abcd"
        )

    def test_a_list_gives_its_items(self, workshop: Workshop) -> None:
        items = "".join("- " + workshop.config_map(name).replace("\n", "\n  ").rstrip() + "\n" for name in "ab")
        workshop.input("list.yaml", "apiVersion: v1\nkind: List\nitems:\n" + items)
        workshop.forge(workshop.stack(workshop.component("own", manifests=("list.yaml",))))
        assert {path for path in workshop.working if path.startswith("own/")} == {
            "own/configmap_own_a.yaml",
            "own/configmap_own_b.yaml",
        }

    def test_a_folder_that_happens_to_be_called_sourced_belongs_to_its_component(self, workshop: Workshop) -> None:
        workshop.input("own/manifests/sourced/a.yaml", workshop.config_map("a"))
        smelted = workshop.forge(workshop.stack(workshop.component("own", manifests=("own/manifests",))))
        assert any(each.id.name == "a" for part in smelted.parts for each in part.manifests)

    def test_what_mine_wrote_is_not_read_as_the_users_own(self, workshop: Workshop) -> None:
        workshop.input("web/extra.yaml", workshop.config_map("extra"))
        chart = workshop.chart("web", {"map.yaml": workshop.config_map("web", "v: {{ .Values.v | quote }}")})
        for value in ("one", "two"):
            web = workshop.component("web", helm=chart, manifests=("web/",), values={"v": value})
            smelted = workshop.forge(workshop.stack(web))
            assert smelted.is_written
            assert f"v: {value}" in workshop.working["web/configmap_web_web.yaml"]
            assert "web/configmap_web_extra.yaml" in workshop.working


@pytest.mark.parametrize("place", ["own.yaml", "/own.yaml", "own.yaml/"])
def test_a_leading_slash_means_input(workshop: Workshop, place: str) -> None:
    workshop.input("own.yaml", workshop.config_map("a"))
    assert workshop.forge(workshop.stack(workshop.component("own", manifests=(place,)))).objects == 2
