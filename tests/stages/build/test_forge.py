"""forge with the real adapters: the same bytes in any folder and with any number of workers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_forge import composition
from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.catalog import starter
from cluster_forge.foundation.errors import EditedError
from cluster_forge.service_options import NetworkOptions, StoreOptions
from cluster_forge.stack.component import NullPlace
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack, Target
from cluster_forge.stack.parse import parse_description
from cluster_forge.stages.build import input_fingerprint
from cluster_forge.stages.build.forge import ForgeRequest, ForgeResult, forge
from cluster_forge.stages.build.rendering.component_sources import ComponentSources

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

TIME = 1_700_000_000


def starter_in(folder: Path, *, jobs: int, time: int = TIME, store: str = "store") -> dict[str, bytes]:
    """The files of the forged starter, the executable ones marked."""
    folder.mkdir(exist_ok=True)
    settings = composition.Settings(
        workspace=folder,
        store=StoreOptions(store=str(folder.parent / store)),
        network=NetworkOptions(offline=True),
        jobs=jobs,
    )
    with composition.services(settings) as harness:
        harness.files.replace_trees({"input": starter.tree()})
        parsed = parse_description(InputFiles(harness.files.read, harness.files.list_files))
        request = ForgeRequest(stack=parsed.stack, lock=Lock(), time=time)
        result = forge(request, harness.toolbox, harness.sources, harness.repositories, _SilentReporter())
    assert result.cast is not None
    return {
        f"{'x' if os.access(path, os.X_OK) else '-'} {path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".cluster-forge" not in path.parts
    }


class _SilentReporter:
    """`ports.Reporter` that ignores every event."""

    def stage_started(self, stage: str, total: int) -> None: ...
    def item_started(self, stage: str, item: str) -> None: ...
    def item_finished(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None: ...
    def stage_finished(self, stage: str, summary: str) -> None: ...
    def finding_reported(self, finding: object) -> None: ...


class TestSameBytes:
    def test_two_folders_one_worker_and_eight(self, tmp_path: Path) -> None:
        one = starter_in(tmp_path / "one", jobs=1, store="cold")
        eight = starter_in(tmp_path / "eight here", jobs=8, store="other")
        assert one == eight
        assert "x stacks/starter/deploy.sh" in one
        assert [path for path in one if path.startswith("x ")] == ["x stacks/starter/deploy.sh"]

    def test_another_date_changes_the_image_and_what_names_the_commit(self, tmp_path: Path) -> None:
        first = starter_in(tmp_path / "first", jobs=2)
        second = starter_in(tmp_path / "second", jobs=2, time=TIME + 1)
        differing = {path.partition("/")[2].split("/")[1] for path in first if first[path] != second.get(path)}
        named = {"stack.json", "bootstrap", "deploy.sh"}  # the repository in the cluster, and its commit
        assert differing == {"image", "repo.git", ".written", *named}, ".written names the image's blobs"


def request_for(stack: Stack, harness: Harness, *, discard_edits: bool = False) -> ForgeRequest:
    return ForgeRequest(stack=stack, lock=harness.lock, time=TIME, discard_edits=discard_edits)


def forged(harness: Harness, request: ForgeRequest) -> ForgeResult:
    repositories = BareRepositories(harness.toolbox.workers, harness.toolbox.cache)
    return forge(request, harness.toolbox, harness.sources, repositories, harness.reporter)


def small(harness: Harness) -> Stack:
    component = harness.component("notes", manifests=(harness.input("notes/a.yaml", harness.config_map("one")),))
    stack: Stack = harness.stack(component, gitops=GitOps(engine=GitOpsEngine.NONE))
    return stack


class TestOrder:
    def test_edits_of_another_stack_are_refused_before_anything_is_fetched(self, harness: Harness) -> None:
        stack = small(harness)
        forged(harness, request_for(stack, harness))
        harness.files.files["working/notes/configmap_notes_one.yaml"] += b"# edited\n"
        shop = harness.component("shop", helm=harness.chart("shop", {"a.yaml": harness.config_map("a")}))
        more = replace(stack, name="other", components=(*stack.components, shop))
        with pytest.raises(EditedError):
            forged(harness, request_for(more, harness))
        assert harness.sources.asked == []
        assert forged(harness, request_for(more, harness, discard_edits=True)).cast

    def test_error_findings_leave_working_and_stack_unchanged(self, harness: Harness) -> None:
        forged(harness, request_for(small(harness), harness))
        before = dict(harness.files.files)
        harness.input("notes/b.yaml", harness.config_map("one", "other: value"))
        component = harness.component("notes", manifests=("notes/",))
        stack = harness.stack(component, gitops=GitOps(engine=GitOpsEngine.NONE))
        result = forged(harness, request_for(stack, harness))
        assert result.cast is None
        assert [finding.code for finding in result.smelted.findings] == ["duplicate-object"]
        kept = {path: content for path, content in harness.files.files.items() if not path.startswith("input/")}
        assert kept == {path: content for path, content in before.items() if not path.startswith("input/")}


class TestFingerprint:
    def test_it_depends_on_files_and_folders(self, harness: Harness) -> None:

        component = harness.component(
            "notes",
            manifests=(
                harness.input("notes/a.yaml", harness.config_map("one")),
                "more/",
                "https://example.com/x.yaml",
            ),
        )
        stack = harness.stack(component, target=Target())
        first = input_fingerprint.fingerprint(stack, {}, harness.lock, harness.toolbox)
        assert input_fingerprint.fingerprint(stack, {}, harness.lock, harness.toolbox) == first
        harness.input("more/b.yaml", harness.config_map("two"))
        second = input_fingerprint.fingerprint(stack, {}, harness.lock, harness.toolbox)
        harness.input("notes/a.yaml", harness.config_map("one", "c: d"))
        third = input_fingerprint.fingerprint(stack, {}, harness.lock, harness.toolbox)
        assert len({first, second, third}) == 3
        nulls = (NullPlace(keys=("a", "b"), where="input/other.yaml:12"),)
        elsewhere = harness.stack(
            replace(component, where="input/other.yaml:9", null_places=nulls, object_places=("input/other.yaml:13",)),
            target=Target(),
        )
        assert input_fingerprint.fingerprint(elsewhere, {}, harness.lock, harness.toolbox) == third
        renamed = harness.stack(replace(component, values={"a": [1, {"b": None}]}), target=Target())
        assert input_fingerprint.fingerprint(renamed, {}, harness.lock, harness.toolbox) != third

    def test_components_without_sources_do_not_matter(self, harness: Harness) -> None:

        stack = small(harness)
        name = stack.components[0].name
        assert input_fingerprint.fingerprint(
            stack, {name: ComponentSources()}, harness.lock, harness.toolbox
        ) == input_fingerprint.fingerprint(stack, {}, harness.lock, harness.toolbox)
