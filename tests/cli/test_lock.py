"""lock show and lock verify."""

from __future__ import annotations

import re

from tests.archives import archive
from tests.cli.conftest import Workspace, chart, config_map
from tests.servers.chart_repository import RepositoryServer

from cluster_forge.cli.output import lock_text
from cluster_forge.foundation.digest import Digest
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stages.supply.locked_stack import UsedSource


def test_commits_and_digests_are_shown_by_their_first_digits() -> None:
    commit = Digest.of(b"").hex[:40]
    locked = [
        LockedSource(address="git+https://g.test/r.git//a", asked="v1", version=commit, digest=Digest.of(b"1")),
        LockedSource(address="r.test/tools:1", asked="amd64", version=str(Digest.of(b"")), digest=Digest.of(b"2")),
    ]
    used = [UsedSource(locked=each, users=("a",), fetch=lambda *_, each=each: each) for each in locked]
    assert [line.split("  ")[1].strip() for line in lock_text.lines(used)] == ["e3b0c44298fc", "sha256:e3b0c44298fc"]


def test_show_lists_what_is_fetched(sourced: Workspace, server: RepositoryServer) -> None:
    missing = sourced.run("lock", "show")
    assert missing.code == 12
    assert "run `cluster-forge mine shop`" in missing.err
    sourced.ok("mine")
    first, second = sourced.ok("lock", "show").out.splitlines()
    assert re.fullmatch(rf"crds  -      [0-9a-f]{{12}}  {server.address}/crds\.yaml", first)
    assert re.fullmatch(rf"shop  1\.1\.0  [0-9a-f]{{12}}  {server.address} shop \(>=1\)", second)
    (shop, crds) = sourced.ok("lock", "show", "--format", "json").json["sources"]
    assert (shop["components"], shop["asked"], shop["version"]) == (["shop"], ">=1", "1.1.0")
    assert crds["digest"] in sourced.read("cluster-forge.lock")
    assert "crds" not in sourced.ok("lock", "show", "shop").out


def test_verify_fetches_everything_again(sourced: Workspace, server: RepositoryServer) -> None:
    sourced.ok("mine")
    server.publish("shop", "1.2.0", chart("shop", "1.2.0"))
    before = sourced.tree(".")
    server.asked.clear()
    assert sourced.ok("lock", "verify").out == "2 of 2 sources as locked\n"
    assert sorted(server.asked) == ["/charts/shop-1.1.0.tgz", "/crds.yaml", "/index.yaml"]
    assert sourced.tree(".") == before


def test_verify_finds_all_differences(sourced: Workspace, server: RepositoryServer) -> None:
    sourced.ok("mine")
    stored = sourced.folder.parent / "cache/cluster-forge/sha256"
    before = {path for path in stored.rglob("*") if path.is_file()}
    server.files["/charts/shop-1.1.0.tgz"] = archive(
        "shop", {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.1.0\ndescription: changed\n"}
    )
    server.files["/crds.yaml"] = config_map("changed").encode()
    result = sourced.run("lock", "verify")
    assert result.code == 1
    assert result.out == "0 of 2 sources as locked, 2 different\n"
    for name in ("shop", "crds"):
        assert re.search(
            rf"config\.yaml:\d+: component {name}: .* has changed: the lock has sha256:\w+, the source has sha256:\w+",
            result.err,
        )
        assert f"cluster-forge mine --update {name}" in result.err
    assert [source["state"] for source in sourced.run("lock", "verify", "--format", "json").json["sources"]] == [
        "different",
        "different",
    ]
    assert {path for path in stored.rglob("*") if path.is_file()} == before, "what differs is not stored"
    assert sourced.run("lock", "verify", "crds").out == "0 of 1 source as locked, 1 different\n"


def test_what_cannot_be_fetched_is_unknown(sourced: Workspace, server: RepositoryServer) -> None:
    sourced.ok("mine")
    del server.files["/crds.yaml"]
    result = sourced.run("lock", "verify")
    assert (result.code, result.out) == (13, "1 of 2 sources as locked, 1 unknown\n")
    assert "404" in result.err
    server.files["/charts/shop-1.1.0.tgz"] = archive("shop", {"Chart.yaml": "name: shop\nversion: 1.1.0\n"})
    both = sourced.run("lock", "verify", "--format", "json")
    assert both.code == 1, "a difference is the answer, whatever else cannot be known"
    assert {source["components"][0]: source["state"] for source in both.json["sources"]} == {
        "shop": "different",
        "crds": "unknown",
    }


def test_verify_with_a_mirror_and_without_a_network(sourced: Workspace, server: RepositoryServer) -> None:
    mirror = str(sourced.folder.parent / "mirror")
    sourced.ok("mine")
    sourced.ok("mirror", "create", mirror)
    server.files.clear()
    assert sourced.ok("lock", "verify", "--offline", "--mirror", mirror).out == "2 of 2 sources as locked\n"
    assert sourced.run("lock", "verify", "--offline").code == 14


def test_an_update_is_shown_and_may_be_within_a_range(sourced: Workspace, server: RepositoryServer) -> None:
    sourced.ok("mine")
    for version in ("1.2.0", "1.10.0", "2.0.0"):
        server.publish("shop", version, chart("shop", version))
    result = sourced.ok("mine", "--update", "shop", "--within", "~1.2 || ^1.3.0, <1.9")
    assert result.out.splitlines()[0] == f"shop: {server.address} shop 1.1.0 → 1.2.0"
    locked = sourced.yaml("cluster-forge.lock")["components"]["shop"]["sources"]
    assert [(source["asked"], source["version"]) for source in locked] == [(">=1", "1.2.0")]
    assert "→" not in sourced.ok("mine").out, "the lock keeps the version"
    (move,) = sourced.ok("mine", "--update", "--format", "json").json["moved"]
    assert (move["component"], move["before"]["version"], move["after"]["version"]) == ("shop", "1.2.0", "2.0.0")
    assert sourced.ok("mine", "--update", "--format", "json").json["moved"] == []


def test_a_range_without_a_version_and_one_that_is_none(sourced: Workspace) -> None:
    sourced.ok("mine")
    before = sourced.read("cluster-forge.lock")
    for within, message in (("^7", "has no version '>=1, ^7' of shop"), ("x y z", "is not a version range")):
        result = sourced.run("mine", "--update", "shop", "--within", within)
        assert result.code == 10
        assert message in result.err
        assert "component shop: " in result.err
    unversioned = sourced.run("mine", "--update", "crds", "--within", "^7")
    assert unversioned.code == 10
    assert "nothing in crds has versions, so `--within ^7` has nothing to choose" in unversioned.err
    assert sourced.read("cluster-forge.lock") == before


def test_an_exact_version_moves_in_the_description_only(sourced: Workspace) -> None:
    sourced.replace("input/config.yaml", "version: '>=1'", "version: 1.0.0")
    result = sourced.run("mine", "--update", "shop", "--within", "^1")
    assert result.code == 10
    assert re.search(
        r"config\.yaml:\d+: component shop: the description asks for shop 1\.0\.0 exactly, so `--within \^1`",
        result.err,
    )
    assert "write `version: '^1'` for shop instead, then run `cluster-forge mine shop`" in result.err


def test_a_range_for_the_whole_stack_makes_no_sense(sourced: Workspace) -> None:
    for arguments in (("mine", "--within", "^1", "shop"), ("mine", "--update", "--within", "^1")):
        result = sourced.run(*arguments)
        assert result.code == 2
        assert "mine --update NAME --within RANGE" in result.err
