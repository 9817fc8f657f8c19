"""outdated: newer versions as a table and as JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Workspace, chart
from tests.servers.chart_repository import RepositoryServer
from tests.servers.pushing import Repository
from tests.servers.registry import Registry


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days, hours=1)).isoformat()


@pytest.fixture
def aged(sourced: Workspace, server: RepositoryServer) -> Workspace:
    """The lock has shop 1.1.0; newer ones are in range, for the target, and for a newer Kubernetes."""
    sourced.replace("input/config.yaml", "version: '>=1'", "version: 1.x")
    sourced.ok("mine")
    server.publish("shop", "1.2.0", b"", created=days_ago(90))
    server.publish("shop", "2.0.0", chart("shop", "2.0.0"), created=days_ago(40), kubeVersion=">=1.30.0-0")
    server.publish("shop", "3.0.0", b"", created=days_ago(2), kubeVersion=">=1.99.0-0")
    server.publish("shop", "3.1.0-rc.1", b"", created=days_ago(1))
    server.asked.clear()
    return sourced


def test_the_table(aged: Workspace, server: RepositoryServer) -> None:
    result = aged.ok("outdated")
    assert result.out.splitlines() == [
        "COMPONENT  LOCKED  IN RANGE  FOR 1.33  NEWEST  AGE",
        "shop       1.1.0   1.2.0     2.0.0     3.0.0   2d",
        "0 of 1 source current",
        "`mine --update NAME` takes the newest version in range; for another one change the description",
        "1 source without versions: `lock verify` finds whether they changed",
    ]
    assert server.asked == ["/index.yaml"], "no chart is fetched"


def test_json(aged: Workspace, server: RepositoryServer) -> None:
    document = aged.ok("outdated", "--format", "json").json
    (shop,) = document["sources"]
    assert {key: shop[key] for key in ("component", "asked", "locked", "inRange", "fitting", "newest", "outdated")} == {
        "component": "shop",
        "asked": "1.x",
        "locked": "1.1.0",
        "inRange": "1.2.0",
        "fitting": "2.0.0",
        "newest": "3.0.0",
        "outdated": True,
    }
    assert shop["address"] == f"{server.address} shop"
    assert shop["versions"]["3.0.0"]["kubeVersion"] == ">=1.99.0-0"
    assert sorted(shop["versions"]) == ["1.1.0", "1.2.0", "2.0.0", "3.0.0"]
    assert document["kubernetes"] == "v1.33.0"
    assert document["unversioned"] == [f"{server.address}/crds.yaml"]


def test_the_exit_code_is_an_option(aged: Workspace) -> None:
    assert aged.run("outdated", "--exit-code").code == 1
    aged.replace("input/config.yaml", "version: 1.x", "version: 2.0.0")
    aged.ok("mine")
    result = aged.run("outdated", "--exit-code")
    assert result.code == 0, "the newest version for the target is locked"
    assert re.search(r"^shop +2\.0\.0 +40d +2\.0\.0 +2\.0\.0 +3\.0\.0 +2d$", result.out, re.MULTILINE)


def test_a_repository_that_does_not_answer_hides_no_other_one(aged: Workspace, server: RepositoryServer) -> None:
    aged.replace(
        "input/config.yaml",
        "components:\n",
        "components:\n- {name: gone, namespace: gone, helm: {repository: 'http://127.0.0.1:9/x', chart: gone}}\n",
    )
    result = aged.run("outdated")
    assert result.code == 13
    assert re.search(r"input/config\.yaml:\d+: component gone: http://127\.0\.0\.1:9/x/index\.yaml: ", result.err)
    assert "shop       1.1.0" in result.out
    assert "0 of 2 sources current, 1 unknown" in result.out
    charts = {entry["component"]: entry for entry in aged.run("outdated", "--format", "json").json["sources"]}
    assert charts["shop"]["errors"] == []
    assert charts["gone"]["errors"][0]["code"] == 13


def test_what_is_current_is_listed_with_v(sourced: Workspace) -> None:
    sourced.ok("mine")
    assert sourced.ok("outdated").out.splitlines()[0] == "1 of 1 source current"
    assert "shop       1.1.0" in sourced.ok("outdated", "-v").out


def test_withdrawn_and_deprecated_versions_and_such_that_are_not_locked(
    sourced: Workspace, server: RepositoryServer
) -> None:
    assert "shop: not in the lock" in sourced.ok("outdated").out
    sourced.ok("mine")
    server._entries["shop"].clear()
    server.publish("shop", "1.0.5", b"", deprecated=True)
    out = sourced.ok("outdated").out
    assert "shop: 1.1.0 is no longer offered by its repository" in out
    assert "shop: its maintainers call the chart deprecated" in out


def test_offline_the_mirrors_are_asked(sourced: Workspace, server: RepositoryServer, tmp_path: Path) -> None:
    mirror = f"{tmp_path}/mirror"
    sourced.ok("mine")
    sourced.ok("mirror", "create", mirror)
    server.files.clear()
    assert "1 of 1 source current" in sourced.ok("outdated", "--offline", "--mirror", mirror).out
    assert sourced.run("outdated", "--offline").code == 14


def test_what_an_index_says_cannot_break_the_table(sourced: Workspace, server: RepositoryServer) -> None:
    sourced.ok("mine")
    server.publish("shop", "2.0.0-\x1b]0;x", b"", created="\x1b[2J")
    server.publish("shop", "9.0.0+" + "b" * 200, b"", created="0001-01-01T00:00:00Z", kubeVersion="no range")
    server.publish("shop", "8.0.0", b"", created="99999-01-01", kubeVersion="null")
    result = sourced.ok("outdated")
    assert "\x1b" not in result.out
    assert max(map(len, result.out.splitlines()[:2])) <= 80
    assert re.search(r"^shop +1\.1\.0 +1\.1\.0|9\.0\.0\+bbb… ", result.out, re.MULTILINE)


def test_charts_in_a_registry(workspace: Workspace, open_registry: Registry, tmp_path: Path) -> None:
    """Its tags are the versions; what they lack are dates and supported versions of Kubernetes."""
    repository = Repository(open_registry, "outdated/shop")
    first = repository.push_chart(chart("shop", "1.0.0"), "1.0.0")
    address = repository.address.removesuffix("/shop")
    workspace.replace(
        "input/config.yaml",
        "components:\n",
        "components:\n"
        f"- {{name: shop, namespace: shop, helm: {{repository: '{address}', chart: shop, version: 1.x}}}}\n"
        f"- {{name: pinned, namespace: pinned, helm: {{repository: '{address}', chart: shop, version: '{first.digest}'}}}}\n",
    )
    workspace.ok("mine")
    for version in ("1.1.0", "2.0.0_build"):
        repository.push_chart(chart("shop", version.replace("_", "+")), version)
    assert workspace.ok("outdated").out.splitlines()[:3] == [
        "COMPONENT  LOCKED  IN RANGE  FOR 1.33     NEWEST",
        "shop       1.0.0   1.1.0     2.0.0+build  2.0.0+build",
        "pinned     1.0.0             2.0.0+build  2.0.0+build",
    ]
    assert workspace.ok("lock", "verify").out == "2 of 2 sources as locked\n"
    mirror = str(tmp_path / "mirror")
    assert workspace.ok("mirror", "create", mirror).out.endswith("2 sources of the stack, 2 added\n")
    assert workspace.ok("mirror", "verify", mirror).code == 0
    assert workspace.run("mine", "--update", "pinned", "--within", "^1").code == 10
