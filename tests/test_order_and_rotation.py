"""Which tests run where, and which components of the catalog are tried in full."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests import rotation, scheduling
from tests.rotation import Turn, changed_paths, concerned
from tests.shared_store import SingleUseCache

from cluster_forge.catalog.library import packaged
from cluster_forge.foundation.digest import Digest

PROJECT = Path(__file__).resolve().parent.parent
ALL = set(packaged().names)


class TestUnits:
    def test_split_files_exist(self) -> None:
        assert [file for file in scheduling.PARTS if not (PROJECT / file).is_file()] == []

    def test_words_that_split_a_file_are_in_it(self) -> None:
        words = {(file, word) for file, parts in scheduling.PARTS.items() if isinstance(parts, tuple) for word in parts}
        assert {(file, word) for file, word in words if word not in (PROJECT / file).read_text()} == set()

    def test_tests_of_a_file_share_a_unit(self) -> None:
        assert scheduling.unit("tests/oci/test_layer.py::test_a[x]") == "tests/oci/test_layer.py"

    def test_tests_with_the_same_parameters_share_a_part(self) -> None:
        first, second = (f"tests/corpus/test_catalog.py::test_{name}[loki]" for name in "ab")
        assert scheduling.unit(first) == scheduling.unit(second)

    def test_a_file_is_split_by_words(self) -> None:
        file = "tests/corpus/test_everything.py"
        assert scheduling.unit(f"{file}::test_objects[prd]") == f"{file} prd"
        assert scheduling.unit(f"{file}::test_objects[everything]") == file

    def test_files_that_did_not_run_keep_their_costs(self) -> None:
        known = {"tests/e2e/test_cluster.py": 30, "tests/docs/test_docs.py": 49}
        measured = {"tests/e2e/test_cluster.py": 0.1, "tests/docs/test_docs.py": 51.0, "tests/oci/test_layer.py": 1.0}
        costs = scheduling.renewed(known, measured, {"tests/docs/test_docs.py", "tests/oci/test_layer.py"})
        assert json.loads(scheduling.written(costs.items())) == {
            "tests/docs/test_docs.py": 51,
            "tests/e2e/test_cluster.py": 30,
        }


class TestRotation:
    def test_three_days_try_every_component(self) -> None:
        thirds = [Turn(third).of_third for third in rotation.THIRDS]
        assert sorted(name for third in thirds for name in third) == sorted(ALL)

    def test_all_tries_every_component(self) -> None:
        assert {name for name in ALL if Turn(rotation.ALL).includes(name)} == ALL

    @pytest.mark.parametrize("path", ["src/cluster_forge/checks/production.py", "src/cluster_forge/catalog/wiring.py"])
    def test_changed_rules_concern_every_component(self, path: str) -> None:
        assert set(concerned({path}, packaged())) == ALL

    @pytest.mark.parametrize("path", ["README.md", "src/cluster_forge/oci/layer.py", f"{rotation.STARTER}config.yaml"])
    def test_other_files_concern_none(self, path: str) -> None:
        assert set(concerned({path}, packaged())) == set()

    def test_a_changed_component_concerns_those_that_use_it(self) -> None:
        changed = set(concerned({f"{rotation.COMPONENTS}cert-manager.yaml"}, packaged()))
        assert changed > {"cert-manager", "kueue"}
        assert changed < ALL

    def test_changes_are_those_since_the_branch_began(self, tmp_path: Path) -> None:
        def git(*arguments: str) -> None:
            identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
            subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

        def commit(name: str) -> None:
            (tmp_path / name).write_text(name)
            git("add", ".")
            git("commit", "-m", name)

        assert changed_paths(tmp_path) is None
        git("init", "-b", "main")
        commit("one")
        assert changed_paths(tmp_path) is None
        commit("two")
        assert changed_paths(tmp_path) == {"two"}
        git("update-ref", "refs/remotes/origin/main", "HEAD~1")
        commit("three")
        (tmp_path / "new").write_text("")
        (tmp_path / "one").write_text("edited")
        assert changed_paths(tmp_path) == {"one", "two", "three", "new"}


def test_a_single_use_cache_gives_an_entry_once() -> None:
    class Memory(dict[str, bytes]):
        def get(self, kind: str, key: Digest) -> bytes | None:  # type: ignore[override]
            return super().get(f"{kind} {key}")

        def put(self, kind: str, key: Digest, content: bytes) -> None:
            self[f"{kind} {key}"] = content

    key = Digest.of(b"")
    memory = Memory()
    memory.put("objects", key, b"kept")
    cache = SingleUseCache(memory)
    assert [cache.get("objects", key), cache.get("objects", key)] == [b"kept", None]
