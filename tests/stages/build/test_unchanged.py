"""A second smelt: it renders only what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.record import RECORD, Record
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import FindingPolicy, Ignore, KubernetesVersion, Stack, Target
from cluster_forge.stages.build.smelt import SmeltResult
from cluster_forge.stages.build.smelt_diff import Changes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stages.conftest import Harness


def chart_of(harness: Harness, name: str, **changes: Any) -> Component:
    """A component whose chart writes its value ``v``."""
    text = harness.config_map(name, "v: {{ .Values.v | quote }}")
    helm = harness.chart(name, {"map.yaml": text}, values="v: one")
    component: Component = harness.component(name, helm=helm, **changes)
    return component


@pytest.fixture
def stack(harness: Harness) -> Stack:
    """Two charts and an own file, mined and smelted."""
    own = harness.component("own", manifests=(harness.input("own/a.yaml", harness.config_map("a")), "own/more.yaml"))
    harness.input("own/more.yaml", harness.config_map("more"))
    stack: Stack = harness.stack(chart_of(harness, "web"), chart_of(harness, "shop"), own)
    harness.mine(stack)
    harness.smelt(stack)
    return stack


def again(harness: Harness, stack: Stack, **options: Any) -> SmeltResult:
    """Smelt again, with all counters at zero."""
    harness.renderer.jobs.clear()
    harness.engine.requests.clear()
    harness.files.writes = 0
    return harness.smelt(stack, **options)


class TestNothingChanged:
    def test_nothing_is_rendered_or_written(self, harness: Harness, stack: Stack) -> None:
        before = dict(harness.files.files)
        smelted = again(harness, stack)
        assert harness.renderer.jobs == []
        assert harness.engine.requests == []
        assert harness.files.writes == 0
        assert harness.files.files == before
        assert (smelted.is_current, smelted.changes, bool(smelted.changes)) == (True, Changes(), False)
        assert smelted.is_written
        assert smelted.record == Record.from_json(before[RECORD])
        assert smelted.reused == {part.name for part in smelted.record.parts}
        assert smelted.tree is None, "the files were not read"

    def test_the_result_is_reported_as_usual(self, harness: Harness, stack: Stack) -> None:
        harness.reporter.events.clear()
        smelted = again(harness, stack)
        assert harness.reporter.events[-1] == ("finished", "smelt", "7 objects of 4 components in working/")
        assert smelted.objects == 7

    def test_ignoring_the_cache_gives_the_same_bytes(self, harness: Harness, stack: Stack) -> None:
        before = dict(harness.files.files)
        smelted = again(harness, stack, ignore_cache=True)
        assert set(harness.renderer.rendered) == {"web", "shop", "own"}
        assert not smelted.is_current
        assert not smelted.changes
        assert harness.files.files == before

    def test_forge_after_smelt_changes_nothing(self, harness: Harness, stack: Stack) -> None:
        before = dict(harness.files.files)
        smelted = harness.forge(stack)
        assert (smelted.is_current, harness.files.files) == (True, before)


class TestSomethingChanged:
    def test_a_changed_value_renders_one_component(self, harness: Harness, stack: Stack, tmp_path: Path) -> None:
        cached = CachingRenderer(harness.renderer, FolderCache(tmp_path))
        harness.toolbox = replace(harness.toolbox, renderer=cached)
        again(harness, stack, ignore_cache=True)  # fills the cache
        web, shop, own = stack.components
        changed = replace(stack, components=(replace(web, values={"v": "two"}), shop, own))
        smelted = again(harness, changed)
        assert harness.renderer.rendered == ["web"]
        assert [request.release for request in harness.engine.requests] == ["web"]
        assert smelted.reused == {"shop"}
        assert "v: two" in harness.working["web/configmap_web_web.yaml"]
        assert smelted.changes.changed_components == ("web",)
        assert [(name, part_object.path) for name, part_object in smelted.changes.changed] == [
            ("web", "web/configmap_web_web.yaml")
        ]
        assert (smelted.changes.added, smelted.changes.removed, smelted.changes.is_first) == ((), (), False)

    def test_a_value_that_is_changed_back_renders_nothing(self, harness: Harness, stack: Stack, tmp_path: Path) -> None:
        harness.toolbox = replace(harness.toolbox, renderer=CachingRenderer(harness.renderer, FolderCache(tmp_path)))
        again(harness, stack, ignore_cache=True)
        before = dict(harness.files.files)
        web, *others = stack.components
        again(harness, replace(stack, components=(replace(web, values={"v": "two"}), *others)))
        assert again(harness, stack).is_written
        assert harness.renderer.jobs == []
        assert harness.files.files == before

    def test_added_and_removed_components_are_changes(self, harness: Harness, stack: Stack) -> None:
        web, _, own = stack.components
        new = harness.component("new", manifests=(harness.input("new.yaml", harness.config_map("new")),))
        smelted = again(harness, replace(stack, components=(web, own, new)))
        changes = smelted.changes
        assert (changes.added_components, changes.removed_components) == (("new",), ("shop",))
        assert [part_object.path for _, part_object in changes.added] == [
            "namespaces/namespace_new.yaml",
            "new/configmap_new_new.yaml",
        ]
        assert [part_object.path for _, part_object in changes.removed] == [
            "namespaces/namespace_shop.yaml",
            "shop/configmap_shop_shop.yaml",
        ]
        assert changes.changed_components == ("namespaces",)

    def test_a_changed_own_file_is_noticed(self, harness: Harness, stack: Stack) -> None:
        for path in ("a.yaml", "more.yaml"):
            harness.input(f"own/{path}", harness.config_map(f"edited-{path[0]}"))
            smelted = again(harness, stack)
            assert f"own/configmap_own_edited-{path[0]}.yaml" in harness.working
            assert smelted.changes.changed_components == ("own",)
            del harness.files.files[f"input/own/{path}"]
            with pytest.raises(ManifestError, match=f"there is no input/own/{path}"):
                again(harness, stack)
            harness.input(f"own/{path}", harness.config_map(f"edited-{path[0]}"))

    @pytest.mark.parametrize("content", [None, b"", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edited}\n"])
    def test_an_edited_sourced_file_is_noticed(self, harness: Harness, stack: Stack, content: bytes | None) -> None:
        before = dict(harness.files.files)
        path = "input/web/manifests/sourced/configmap_web.yaml"
        del harness.files.files[path]
        if content is not None:
            harness.files.files[path] = content
        smelted = again(harness, stack)
        assert not smelted.is_current
        assert [request.release for request in harness.engine.requests] == ["web"]
        assert harness.working["web/configmap_web_web.yaml"].encode() == before["working/web/configmap_web_web.yaml"]

    def test_an_added_sourced_file_is_noticed(self, harness: Harness, stack: Stack) -> None:
        harness.files.files["input/web/manifests/sourced/x.yaml"] = harness.config_map("x").encode()
        smelted = again(harness, stack)
        assert "web" in harness.renderer.rendered
        assert [request.release for request in harness.engine.requests] == ["web"]
        assert not smelted.changes, "it is rendered again, with the same result"
        assert "web/configmap_web_x.yaml" not in harness.working

    def test_a_hand_edit_is_kept(self, harness: Harness, stack: Stack) -> None:
        before = dict(harness.files.files)
        harness.files.files["working/web/configmap_web_web.yaml"] += b"# by hand\n"
        assert again(harness, stack).is_current
        assert harness.files.files != before
        smelted = again(harness, stack, discard_edits=True)
        assert not smelted.is_current
        assert harness.files.files == before

    def test_with_discard_edits_a_damaged_record_is_written_again(self, harness: Harness, stack: Stack) -> None:
        before = dict(harness.files.files)
        harness.files.files[RECORD] = b"{"
        assert not again(harness, stack, discard_edits=True).is_current
        assert harness.files.files == before

    @pytest.mark.parametrize(
        "change",
        [
            {"target": Target(kubernetes=KubernetesVersion(1, 34))},
            {"name": "other"},
            {
                "finding_policy": FindingPolicy(
                    ignores=(Ignore(code="missing-crd", reason="why", where="input/config.yaml:9"),)
                )
            },
        ],
        ids=["target", "name", "ignores"],
    )
    def test_a_changed_description_is_noticed(self, harness: Harness, stack: Stack, change: dict[str, Any]) -> None:
        smelted = again(harness, replace(stack, **change))
        assert not smelted.is_current
        assert smelted.record.inputs != harness.fingerprint(stack)

    def test_another_engine_is_noticed(self, harness: Harness, stack: Stack) -> None:
        harness.engine.version = "helm v9"
        assert not again(harness, stack).is_current
        assert {request.release for request in harness.engine.requests} == {"web", "shop"}


class TestFindingPolicy:
    @pytest.fixture
    def clash(self, harness: Harness) -> Stack:
        stack: Stack = harness.stack(
            *(
                harness.component(
                    name,
                    manifests=(harness.input(f"{name}.yaml", harness.config_map("c", f"a: {name}", namespace="x")),),
                )
                for name in ("one", "two")
            )
        )
        return stack

    def test_the_findings_of_the_last_smelt_are_judged_again(self, harness: Harness, clash: Stack) -> None:
        allow = frozenset({"duplicate-object"})
        first = harness.smelt(clash, allow=allow)
        before = dict(harness.files.files)
        assert (first.record.findings.error, first.record.findings.warning) == (0, 1)
        same = again(harness, clash, allow=allow)
        assert harness.renderer.jobs == []
        assert (same.findings, same.record, same.is_current) == (first.findings, first.record, True)
        refused = again(harness, clash)
        assert not refused.is_written
        assert [(finding.code, finding.severity) for finding in refused.findings] == [
            ("duplicate-object", Severity.ERROR)
        ]
        assert refused.findings[0] == replace(first.findings[0], severity=Severity.ERROR)
        assert harness.files.files == before
        assert again(harness, clash, allow=allow).is_written

    def test_the_notices_of_the_last_run_do_not_count(self, harness: Harness, stack: Stack) -> None:
        notice = Finding(code="unused-source", severity=Severity.WARNING, message="look")
        assert again(harness, stack, notices=(notice,)).findings == (notice,)
        smelted = again(harness, stack)
        assert (smelted.findings, smelted.record.findings.warning) == ((), 0)


def test_a_chart_that_requires_a_custom_api_is_rendered_once(harness: Harness) -> None:
    def asking(name: str, api: str) -> Component:
        template = harness.config_map(name, f'there: {{{{ .Capabilities.APIVersions.Has "{api}" | quote }}}}')
        component: Component = harness.component(name, helm=harness.chart(name, {"map.yaml": template}))
        return component

    crd = harness.chart("crds", {"crd.yaml": harness.crd("Widget")})
    stack = harness.stack(
        asking("first", "example.com/v1"),
        harness.component("crds", helm=crd),
        asking("last", "example.com/v1/Widget"),
        asking("other", "undefined.example.com/v1"),
        asking("plain", "apps/v1"),
    )
    harness.forge(stack)
    assert sorted(request.release for request in harness.engine.requests) == [
        "crds",
        "first",
        "last",
        "other",
        "plain",
    ]
    for name, there in (("first", "true"), ("last", "true"), ("other", "false"), ("plain", "true")):
        assert f'there: "{there}"' in harness.working[f"{name}/configmap_{name}_{name}.yaml"]
