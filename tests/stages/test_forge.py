"""All stages in one go, with the real adapters: the same bytes in any folder and with any number of workers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_forge import wiring
from cluster_forge.adapters.git_store import BareRepositories
from cluster_forge.catalog import starter
from cluster_forge.foundation.errors import EditedError
from cluster_forge.stack.lock import Lock
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack, Target
from cluster_forge.stack.parse import load
from cluster_forge.stages import inputs
from cluster_forge.stages.forge import Forged, ForgeRequest, forge
from cluster_forge.stages.means import Pins

if TYPE_CHECKING:
    from tests.stages.conftest import Workshop

TIME = 1_700_000_000


def starter_in(folder: Path, *, jobs: int, time: int = TIME, store: str = "store") -> dict[str, bytes]:
    """The starter, forged; everything in the workspace afterwards, and which files may be run."""
    folder.mkdir(exist_ok=True)
    settings = wiring.Settings(workspace=folder, store=str(folder.parent / store), offline=True, jobs=jobs)
    with wiring.workshop(settings) as workshop:
        workshop.files.replace_trees({"input": starter.tree()})
        loaded = load(workshop.files.read, list_files=workshop.files.list_files)
        request = ForgeRequest(stack=loaded.stack, lock=Lock(), time=time)
        made = forge(request, workshop.tools, workshop.sources, workshop.repositories(), _Deaf())
    assert made.cast is not None
    return {
        f"{'x' if os.access(path, os.X_OK) else '-'} {path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".cluster-forge" not in path.parts
    }


class _Deaf:
    """`ports.Reporter` for those who do not listen."""

    def started(self, stage: str, total: int) -> None: ...
    def began(self, stage: str, item: str) -> None: ...
    def advanced(self, stage: str, item: str, detail: str = "", **facts: str | float | bool) -> None: ...
    def finished(self, stage: str, summary: str) -> None: ...
    def noticed(self, finding: object) -> None: ...


class TestSameBytes:
    def test_two_folders_one_worker_and_eight(self, tmp_path: Path) -> None:
        one = starter_in(tmp_path / "one", jobs=1, store="cold")
        eight = starter_in(tmp_path / "eight here", jobs=8, store="other")
        assert one == eight
        assert "x stacks/starter/deploy.sh" in one
        assert [path for path in one if path.startswith("x ")] == ["x stacks/starter/deploy.sh"]

    def test_another_date_is_in_image_and_commit_only(self, tmp_path: Path) -> None:
        first = starter_in(tmp_path / "first", jobs=2)
        second = starter_in(tmp_path / "second", jobs=2, time=TIME + 1)
        differing = {path.partition("/")[2].split("/")[1] for path in first if first[path] != second.get(path)}
        assert differing == {"image", "repo.git", "stack.json"}


def request_for(stack: Stack, workshop: Workshop, *, discard_edits: bool = False) -> ForgeRequest:
    return ForgeRequest(stack=stack, lock=workshop.lock, time=TIME, discard_edits=discard_edits)


def forged(workshop: Workshop, request: ForgeRequest) -> Forged:
    repositories = BareRepositories(workshop.tools.workers, workshop.tools.cache)
    return forge(request, workshop.tools, workshop.sources, repositories, workshop.heard)


def small(workshop: Workshop) -> Stack:
    component = workshop.component("notes", manifests=(workshop.input("notes/a.yaml", workshop.config_map("one")),))
    stack: Stack = workshop.stack(component, gitops=GitOps(engine=GitOpsEngine.NONE))
    return stack


class TestOrderOfThings:
    def test_edits_are_refused_before_anything_is_fetched(self, workshop: Workshop) -> None:
        stack = small(workshop)
        forged(workshop, request_for(stack, workshop))
        workshop.files.files["working/notes/configmap_notes_one.yaml"] += b"# edited\n"
        shop = workshop.component("shop", helm=workshop.chart("shop", {"a.yaml": workshop.config_map("a")}))
        more = replace(stack, components=(*stack.components, shop))
        with pytest.raises(EditedError):
            forged(workshop, request_for(more, workshop))
        assert workshop.sources.asked == []
        assert forged(workshop, request_for(more, workshop, discard_edits=True)).cast

    def test_error_findings_keep_working_and_stack_as_they_were(self, workshop: Workshop) -> None:
        forged(workshop, request_for(small(workshop), workshop))
        before = dict(workshop.files.files)
        workshop.input("notes/b.yaml", workshop.config_map("one", "other: value"))
        component = workshop.component("notes", manifests=("notes/",))
        stack = workshop.stack(component, gitops=GitOps(engine=GitOpsEngine.NONE))
        made = forged(workshop, request_for(stack, workshop))
        assert made.cast is None
        assert [finding.code for finding in made.smelted.findings] == ["duplicate-object"]
        kept = {path: content for path, content in workshop.files.files.items() if not path.startswith("input/")}
        assert kept == {path: content for path, content in before.items() if not path.startswith("input/")}


class TestFingerprint:
    def test_files_and_folders_count(self, workshop: Workshop) -> None:

        component = workshop.component(
            "notes",
            manifests=(
                workshop.input("notes/a.yaml", workshop.config_map("one")),
                "more/",
                "https://example.com/x.yaml",
            ),
        )
        stack = workshop.stack(component, target=Target())
        first = inputs.fingerprint(stack, {}, workshop.lock, workshop.tools)
        assert inputs.fingerprint(stack, {}, workshop.lock, workshop.tools) == first
        workshop.input("more/b.yaml", workshop.config_map("two"))
        second = inputs.fingerprint(stack, {}, workshop.lock, workshop.tools)
        workshop.input("notes/a.yaml", workshop.config_map("one", "c: d"))
        third = inputs.fingerprint(stack, {}, workshop.lock, workshop.tools)
        assert len({first, second, third}) == 3
        elsewhere = workshop.stack(replace(component, where="input/other.yaml:9"), target=Target())
        assert inputs.fingerprint(elsewhere, {}, workshop.lock, workshop.tools) == third
        renamed = workshop.stack(replace(component, values={"a": [1, {"b": None}]}), target=Target())
        assert inputs.fingerprint(renamed, {}, workshop.lock, workshop.tools) != third

    def test_components_without_sources_need_no_pins(self, workshop: Workshop) -> None:

        stack = small(workshop)
        name = stack.components[0].name
        assert inputs.fingerprint(stack, {name: Pins()}, workshop.lock, workshop.tools) == inputs.fingerprint(
            stack, {}, workshop.lock, workshop.tools
        )
