"""What changed: printed by smelt, compared by `cast --diff`, watched by `forge --watch`; and what the store holds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import PROGRAM, config_map

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

PATIENCE = 60


class TestSmelt:
    def test_it_prints_what_was_added_changed_and_removed(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.write({"input/extras/new.yaml": config_map("new")})
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        workspace.replace("input/config.yaml", "\n- spare\n", "\n")
        result = workspace.ok("smelt")
        head = "since the last smelt: 2 components changed, 1 removed; 1 object added, 1 changed, 1 removed"
        assert head in result.out.splitlines()
        assert "  + extras: ConfigMap/extras/new" in result.out.splitlines()
        assert "  ~ web: Deployment.apps/web/web" in result.out.splitlines()
        answer = workspace.ok("smelt", "--format", "json").json
        assert answer["changes"]["objects"] == {"added": [], "changed": [], "removed": []}

    def test_nothing_changed(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        assert "nothing changed since the last smelt" in workspace.ok("smelt").out


class TestCastDiff:
    def test_it_shows_edits_and_casts_nothing(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        before = workspace.tree("stacks")
        assert workspace.ok("cast", "--diff").out == "no differences\n"
        workspace.replace("working/web/deployment.apps_web_web.yaml", "replicas: 2", "replicas: 7")
        result = workspace.run("cast", "--diff")
        assert result.code == 1
        assert {"-  replicas: 2", "+  replicas: 7"} <= set(result.out.splitlines())
        assert workspace.tree("stacks") == before

    def test_added_and_removed_files(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.write({"input/extras/new.yaml": config_map("new")})
        workspace.replace("input/config.yaml", "\n- spare\n", "\n")
        workspace.ok("smelt")
        answer = workspace.run("cast", "--diff", "--format", "json").json
        assert {difference["file"]: difference["change"] for difference in answer["differences"]} == {
            "extras/configmap_extras_new.yaml": "added",
            "spare/configmap_extras_spare.yaml": "removed",
        }

    def test_nothing_was_cast_or_it_is_damaged(self, workspace: Workspace) -> None:
        workspace.ok("smelt", "extras")
        assert workspace.run("cast", "--diff", "extras").code == 22
        workspace.ok("forge", "--discard-edits")
        (pack,) = (workspace.folder / "stacks/demo/repo.git/objects/pack").glob("*.pack")
        pack.write_bytes(pack.read_bytes()[:40])
        assert workspace.run("cast", "--diff").code == 24


class TestWatch:
    @pytest.mark.skipif(os.name != "posix", reason="it is ended by a signal")
    def test_it_smelts_with_every_change_and_survives_errors(self, workspace: Workspace, tmp_path: Path) -> None:
        out = tmp_path / "out"
        command = [str(PROGRAM), "-C", str(workspace.folder), "forge", "--watch"]
        with out.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
            try:
                wait(lambda: "watching" in out.read_text())
                workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
                wait(lambda: "  ~ web: Deployment.apps/web/web" in out.read_text())
                assert "replicas: 5" in workspace.read("working/web/deployment.apps_web_web.yaml")
                workspace.write({"input/extras/broken.yaml": "a: ["})
                wait(lambda: "input/extras/broken.yaml" in out.read_text())
                (workspace.folder / "input/extras/broken.yaml").unlink()
                workspace.write({"input/extras/new.yaml": config_map("new")})
                wait(lambda: "  + extras: ConfigMap/extras/new" in out.read_text())
                assert process.poll() is None
            finally:
                process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130

    @pytest.mark.skipif(os.name != "posix", reason="it is ended by a signal")
    def test_what_changes_while_the_first_run_goes_on_is_seen(self, workspace: Workspace, tmp_path: Path) -> None:
        slow = '{{ range until 12 }}# {{ genCA "x" 1 | toString | len }}\n{{ end }}\n'  # a key takes its time
        workspace.write({"input/charts/web/templates/slow.yaml": slow})
        out = tmp_path / "out"

        def read(entry: dict[str, Any]) -> bool:
            """Whether the log says that the folder to be changed was read."""
            return (entry["event"], entry.get("stage"), entry.get("item")) == ("advanced", "render", "extras")

        command = [str(PROGRAM), "-C", str(workspace.folder), "forge", "--watch"]
        with out.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
            try:
                wait(lambda: any(read(entry) for log in workspace.logs() for entry in log))
                workspace.write({"input/extras/new.yaml": config_map("new")})
                assert "watching" not in out.read_text()
                wait(lambda: "  + extras: ConfigMap/extras/new" in out.read_text())
            finally:
                process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130

    def test_one_json_document_has_no_end(self, workspace: Workspace) -> None:
        assert workspace.run("forge", "--watch", "--format", "json").code == 2


class TestSinceTheLastCast:
    """The end of `forge` and `cast`; "nothing" only if every file is as before."""

    def changes(self, workspace: Workspace, *arguments: str) -> dict[str, Any]:
        content: dict[str, Any] = workspace.ok(*arguments, "--format", "json").json["cast"]["changes"]
        return content

    def test_the_first_one_says_so_and_lists_nothing(self, workspace: Workspace) -> None:
        out = workspace.ok("forge").out.splitlines()
        assert "the first cast of this stack" in out
        assert any(line.startswith("next: ") for line in out[-2:])
        assert "since the last cast" not in "".join(out)

    def test_nothing_changed(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        for verb in ("forge", "cast"):
            assert "nothing changed since the last cast" in workspace.ok(verb).out.splitlines()
            changes = self.changes(workspace, verb)
            assert (changes["first"], changes["same"], changes["unknown"]) == (False, True, False)

    def test_components_objects_and_images_are_listed_also_after_a_smelt_between(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.write({"input/extras/new.yaml": config_map("new")})
        (workspace.folder / "input/extras/one.yaml").unlink()
        workspace.replace("input/config.yaml", "replicas: 2", "image: docker.io/library/nginx:1.30")
        workspace.replace("input/config.yaml", "- spare\n", "")
        workspace.ok("mine")
        workspace.ok("smelt")
        out = workspace.ok("forge").out
        assert "since the last cast: 2 components changed, 1 removed; " in out
        for line in (
            "  + extras: ConfigMap/extras/new",
            "  ~ web: Deployment.apps/web/web",
            "  - extras: ConfigMap/extras/one",
            "  + image docker.io/library/nginx:1.30",
            "  - image docker.io/library/nginx:1.29",
        ):
            assert line in out.splitlines()

    def test_json_has_the_same(self, workspace: Workspace) -> None:
        assert self.changes(workspace, "forge")["first"]
        workspace.replace("input/config.yaml", "replicas: 2", "image: docker.io/library/nginx:1.30")
        changes = self.changes(workspace, "forge")
        assert changes["components"] == {"added": [], "changed": ["web"], "removed": []}
        assert [entry["object"] for entry in changes["objects"]["changed"]] == ["Deployment.apps/web/web"]
        assert changes["images"] == {
            "added": ["docker.io/library/nginx:1.30"],
            "removed": ["docker.io/library/nginx:1.29"],
        }
        assert not changes["same"]

    def test_discarded_edits_that_were_cast_are_changes(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.replace("working/web/deployment.apps_web_web.yaml", "replicas: 2", "replicas: 77")
        workspace.ok("cast")
        out = workspace.ok("forge", "--discard-edits").out
        assert "since the last cast: 1 component changed; 1 object changed" in out
        assert "nothing changed" not in out

    def test_another_wave_changes_only_the_delivery(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        workspace.replace("input/config.yaml", "  namespace: web\n", "  namespace: web\n  wave: 7\n")
        assert "since the last smelt: no object changed, only how they are delivered" in workspace.ok("smelt").out
        out = workspace.ok("cast").out
        assert "since the last cast: no object changed, only how they are delivered" in out

    def test_changes_since_a_damaged_cast_are_unknown(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        (pack,) = (workspace.folder / "stacks/demo/repo.git").rglob("*.pack")
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:100])
        workspace.replace("input/config.yaml", "replicas: 2", "replicas: 5")
        assert "what changed since the last cast is not known" in workspace.ok("forge").out


class TestStore:
    def test_it_lists_and_removes_what_was_rendered(self, workspace: Workspace, tmp_path: Path) -> None:
        store = tmp_path / "store"
        workspace.ok("forge", "--store", str(store))
        kinds = {kind["kind"]: kind for kind in status(workspace, store)}
        assert kinds.keys() == {"sources", "objects", "apis", "packed", "described", "findings", "casts", "bases"}
        printed = workspace.ok("store", "status", "--store", str(store)).out
        assert all(re.search(rf"\b{kind}\b.*\(\w", printed) for kind in kinds)
        assert all(kind["entries"] > 0 and kind["bytes"] > 0 for kind in kinds.values())
        workspace.ok("store", "clean", "--store", str(store), "--older-than", "1d")
        assert {kind["kind"]: kind["entries"] for kind in status(workspace, store)} == {
            name: kind["entries"] for name, kind in kinds.items()
        }
        old = time.time() - 40 * 86400
        for path in store.rglob("*"):
            os.utime(path, (old, old))
        workspace.ok("store", "clean", "--store", str(store))
        left = {kind["kind"]: kind["entries"] for kind in status(workspace, store)}
        assert left == {**dict.fromkeys(kinds, 0), "sources": kinds["sources"]["entries"]}
        workspace.ok("store", "clean", "--store", str(store), "--older-than", "0s", "--sources")
        assert all(kind["entries"] == 0 for kind in status(workspace, store))
        workspace.ok("forge", "--store", str(store))

    def test_no_store_holds_nothing(self, workspace: Workspace, tmp_path: Path) -> None:
        (sources,) = status(workspace, tmp_path / "none")
        assert sources["entries"] == 0

    def test_an_age_that_is_none(self, workspace: Workspace) -> None:
        assert workspace.run("store", "clean", "--older-than", "soon").code == 2


def status(workspace: Workspace, store: Path) -> list[dict[str, Any]]:
    kinds: list[dict[str, Any]] = json.loads(
        workspace.ok("store", "status", "--store", str(store), "--format", "json").out
    )["kinds"]
    return kinds


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)
