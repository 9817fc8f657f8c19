"""smelt once more: what did not change is not made again, and what did is noticed, never by a time stamp."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.adapters.cache import FolderCache
from cluster_forge.adapters.makers import CachedMaker
from cluster_forge.bundle import RECORD, Record
from cluster_forge.foundation.errors import EditedError, ManifestError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.stack.model import Component, Ignore, KubernetesVersion, Stack, Target
from cluster_forge.stages.changes import Changes
from cluster_forge.stages.smelt import Smelted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stages.conftest import Workshop


def chart_of(workshop: Workshop, name: str, **changes: Any) -> Component:
    """A component whose chart writes down its value ``v``."""
    text = workshop.config_map(name, "v: {{ .Values.v | quote }}")
    helm = workshop.chart(name, {"map.yaml": text}, values="v: one")
    component: Component = workshop.component(name, helm=helm, **changes)
    return component


@pytest.fixture
def stack(workshop: Workshop) -> Stack:
    """Two charts, and a file of one's own; mined and smelted."""
    own = workshop.component("own", manifests=(workshop.input("own/a.yaml", workshop.config_map("a")), "own/more.yaml"))
    workshop.input("own/more.yaml", workshop.config_map("more"))
    stack: Stack = workshop.stack(chart_of(workshop, "web"), chart_of(workshop, "shop"), own)
    workshop.mine(stack)
    workshop.smelt(stack)
    return stack


def again(workshop: Workshop, stack: Stack, **options: Any) -> Smelted:
    """Smelt once more, with nothing asked for and nothing written so far."""
    workshop.maker.orders.clear()
    workshop.engine.requests.clear()
    workshop.files.writes = 0
    return workshop.smelt(stack, **options)


class TestNothingChanged:
    def test_nothing_is_made_read_or_written(self, workshop: Workshop, stack: Stack) -> None:
        before = dict(workshop.files.files)
        smelted = again(workshop, stack)
        assert workshop.maker.orders == []
        assert workshop.engine.requests == []
        assert workshop.files.writes == 0
        assert workshop.files.files == before
        assert (smelted.parts, smelted.changes, bool(smelted.changes)) == ((), Changes(), False)
        assert smelted.is_written
        assert smelted.record == Record.from_json(before[RECORD])
        assert smelted.reused == {part.name for part in smelted.record.parts}
        assert {f"working/{path}": content for path, content in smelted.tree.files.items()} == {
            path: content for path, content in before.items() if path.startswith("working/") and path != RECORD
        }

    def test_it_is_told_as_ever(self, workshop: Workshop, stack: Stack) -> None:
        workshop.heard.events.clear()
        smelted = again(workshop, stack)
        assert workshop.heard.events[-1] == ("finished", "smelt", "7 objects of 4 components in working/")
        assert smelted.objects == 7

    def test_everything_anew_gives_the_same_bytes(self, workshop: Workshop, stack: Stack) -> None:
        before = dict(workshop.files.files)
        smelted = again(workshop, stack, is_anew=True)
        assert set(workshop.maker.ordered) == {"web", "shop", "own"}
        assert smelted.parts
        assert not smelted.changes
        assert workshop.files.files == before

    def test_forge_after_smelt_changes_nothing_either(self, workshop: Workshop, stack: Stack) -> None:
        before = dict(workshop.files.files)
        smelted = workshop.forge(stack)
        assert (smelted.parts, workshop.files.files) == ((), before)


class TestSomethingChanged:
    def test_a_value_makes_just_one_component_anew(self, workshop: Workshop, stack: Stack, tmp_path: Path) -> None:
        cached = CachedMaker(workshop.maker, FolderCache(tmp_path))
        workshop.tools = replace(workshop.tools, maker=cached)
        again(workshop, stack, is_anew=True)  # everything is kept from now on
        web, shop, own = stack.components
        changed = replace(stack, components=(replace(web, values={"v": "two"}), shop, own))
        smelted = again(workshop, changed)
        assert workshop.maker.ordered == ["web"]
        assert [request.release for request in workshop.engine.requests] == ["web"]
        assert smelted.reused == {"shop"}
        assert "v: two" in workshop.working["web/configmap_web_web.yaml"]
        assert smelted.changes.changed_components == ("web",)
        assert [(name, each.path) for name, each in smelted.changes.changed] == [("web", "web/configmap_web_web.yaml")]
        assert (smelted.changes.added, smelted.changes.removed, smelted.changes.is_first) == ((), (), False)

    def test_and_back_makes_nothing_anew(self, workshop: Workshop, stack: Stack, tmp_path: Path) -> None:
        workshop.tools = replace(workshop.tools, maker=CachedMaker(workshop.maker, FolderCache(tmp_path)))
        again(workshop, stack, is_anew=True)
        before = dict(workshop.files.files)
        web, *others = stack.components
        again(workshop, replace(stack, components=(replace(web, values={"v": "two"}), *others)))
        assert again(workshop, stack).is_written
        assert workshop.maker.orders == []
        assert workshop.files.files == before

    def test_a_component_more_and_one_less(self, workshop: Workshop, stack: Stack) -> None:
        web, _, own = stack.components
        new = workshop.component("new", manifests=(workshop.input("new.yaml", workshop.config_map("new")),))
        smelted = again(workshop, replace(stack, components=(web, own, new)))
        found = smelted.changes
        assert (found.added_components, found.removed_components) == (("new",), ("shop",))
        assert [each.path for _, each in found.added] == ["namespaces/namespace_new.yaml", "new/configmap_new_new.yaml"]
        assert [each.path for _, each in found.removed] == [
            "namespaces/namespace_shop.yaml",
            "shop/configmap_shop_shop.yaml",
        ]
        assert found.changed_components == ("namespaces",)

    def test_a_file_of_ones_own_is_noticed(self, workshop: Workshop, stack: Stack) -> None:
        for path in ("a.yaml", "more.yaml"):
            workshop.input(f"own/{path}", workshop.config_map(f"edited-{path[0]}"))
            smelted = again(workshop, stack)
            assert f"own/configmap_own_edited-{path[0]}.yaml" in workshop.working
            assert smelted.changes.changed_components == ("own",)
            del workshop.files.files[f"input/own/{path}"]
            with pytest.raises(ManifestError, match=f"there is no input/own/{path}"):
                again(workshop, stack)
            workshop.input(f"own/{path}", workshop.config_map(f"edited-{path[0]}"))

    @pytest.mark.parametrize("content", [None, b"", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edited}\n"])
    def test_an_edited_sourced_file_is_noticed(self, workshop: Workshop, stack: Stack, content: bytes | None) -> None:
        before = dict(workshop.files.files)
        path = "input/web/manifests/sourced/configmap_web.yaml"
        del workshop.files.files[path]
        if content is not None:
            workshop.files.files[path] = content
        smelted = again(workshop, stack)
        assert smelted.parts
        assert [request.release for request in workshop.engine.requests] == ["web"]
        assert workshop.working["web/configmap_web_web.yaml"].encode() == before["working/web/configmap_web_web.yaml"]

    def test_a_file_more_in_sourced_is_noticed(self, workshop: Workshop, stack: Stack) -> None:
        workshop.files.files["input/web/manifests/sourced/x.yaml"] = workshop.config_map("x").encode()
        smelted = again(workshop, stack)
        assert "web" in workshop.maker.ordered
        assert [request.release for request in workshop.engine.requests] == ["web"]
        assert not smelted.changes, "it is rendered anew, and comes to the same"
        assert "web/configmap_web_x.yaml" not in workshop.working

    def test_a_hand_edit_is_noticed(self, workshop: Workshop, stack: Stack) -> None:
        before = dict(workshop.files.files)
        workshop.files.files["working/web/configmap_web_web.yaml"] += b"# by hand\n"
        with pytest.raises(EditedError):
            again(workshop, stack)
        smelted = again(workshop, stack, discard_edits=True)
        assert smelted.parts
        assert workshop.files.files == before

    def test_a_damaged_record_makes_everything_anew_where_edits_are_given_up(
        self, workshop: Workshop, stack: Stack
    ) -> None:
        before = dict(workshop.files.files)
        workshop.files.files[RECORD] = b"{"
        assert again(workshop, stack, discard_edits=True).parts
        assert workshop.files.files == before

    @pytest.mark.parametrize(
        "change",
        [
            {"target": Target(kubernetes=KubernetesVersion(1, 34))},
            {"name": "other"},
            {"ignores": (Ignore(code="missing-crd", reason="why", where="input/config.yaml:9"),)},
        ],
        ids=["target", "name", "ignores"],
    )
    def test_the_description_is_noticed(self, workshop: Workshop, stack: Stack, change: dict[str, Any]) -> None:
        smelted = again(workshop, replace(stack, **change))
        assert smelted.parts
        assert smelted.record.inputs != workshop.fingerprint(stack)

    def test_another_engine_is_noticed(self, workshop: Workshop, stack: Stack) -> None:
        workshop.engine.version = "helm v9"
        assert again(workshop, stack).parts
        assert {request.release for request in workshop.engine.requests} == {"web", "shop"}


class TestJudgement:
    @pytest.fixture
    def clash(self, workshop: Workshop) -> Stack:
        stack: Stack = workshop.stack(
            *(
                workshop.component(
                    name,
                    manifests=(workshop.input(f"{name}.yaml", workshop.config_map("c", f"a: {name}", namespace="x")),),
                )
                for name in ("one", "two")
            )
        )
        return stack

    def test_what_was_allowed_is_judged_once_more(self, workshop: Workshop, clash: Stack) -> None:
        allow = frozenset({"duplicate-object"})
        first = workshop.smelt(clash, allow=allow)
        before = dict(workshop.files.files)
        assert (first.record.errors, first.record.warnings) == (0, 1)
        same = again(workshop, clash, allow=allow)
        assert workshop.maker.orders == []
        assert (same.findings, same.record, same.parts) == (first.findings, first.record, ())
        refused = again(workshop, clash)
        assert not refused.is_written
        assert [(each.code, each.severity) for each in refused.findings] == [("duplicate-object", Severity.ERROR)]
        assert refused.findings[0] == replace(first.findings[0], severity=Severity.ERROR)
        assert workshop.files.files == before
        assert again(workshop, clash, allow=allow).is_written

    def test_the_notices_of_this_run_count_and_not_those_of_the_last(self, workshop: Workshop, stack: Stack) -> None:
        notice = Finding(code="unused-source", severity=Severity.WARNING, message="look")
        assert again(workshop, stack, notices=(notice,)).findings == (notice,)
        found = again(workshop, stack)
        assert (found.findings, found.record.warnings) == ((), 0)


def test_a_chart_that_asks_for_a_custom_api_is_rendered_once(workshop: Workshop) -> None:
    def asking(name: str, api: str) -> Component:
        told = workshop.config_map(name, f'there: {{{{ .Capabilities.APIVersions.Has "{api}" | quote }}}}')
        found: Component = workshop.component(name, helm=workshop.chart(name, {"map.yaml": told}))
        return found

    crd = workshop.chart("crds", {"crd.yaml": workshop.crd("Widget")})
    stack = workshop.stack(
        asking("first", "example.com/v1"),
        workshop.component("crds", helm=crd),
        asking("last", "example.com/v1/Widget"),
        asking("other", "nobody.example.com/v1"),
        asking("plain", "apps/v1"),
    )
    workshop.forge(stack)
    assert sorted(request.release for request in workshop.engine.requests) == [
        "crds",
        "first",
        "last",
        "other",
        "plain",
    ]
    for name, there in (("first", "true"), ("last", "true"), ("other", "false"), ("plain", "true")):
        assert f'there: "{there}"' in workshop.working[f"{name}/configmap_{name}_{name}.yaml"]
