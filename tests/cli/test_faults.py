"""`mine` through a network that fails: everything is fetched, or there is one error for each thing that cannot be."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.archives import archive
from tests.cli.conftest import CHART, PROGRAM, Workspace, config_map
from tests.faults.certificates import authority
from tests.faults.proxy import proxying
from tests.faults.server import Fault, Faults, FaultServer, Site, serving

CHARTS = 24
MANIFESTS = 6
REPOSITORIES = 4


def repositories() -> dict[str, bytes]:
    """The files of some chart repositories, ``/0/index.yaml`` and so on, and some manifests."""
    files = {f"/maps/{number}.yaml": config_map(f"map-{number}").encode() for number in range(MANIFESTS)}
    entries: dict[int, dict[str, Any]] = {number: {} for number in range(REPOSITORIES)}
    for number in range(CHARTS):
        name, repository = f"web-{number}", number % REPOSITORIES
        parts = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.2.3\n", "pad": f"{number} " * 20_000}
        content = archive(name, {**CHART, **parts, "templates/web.yaml": config_map(name)})
        files[f"/{repository}/{name}.tgz"] = content
        digest = hashlib.sha256(content).hexdigest()
        entries[repository][name] = [{"name": name, "version": "1.2.3", "urls": [f"{name}.tgz"], "digest": digest}]
    for number, charts in entries.items():
        files[f"/{number}/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": charts}).encode()
    return files


def description(url: str) -> str:
    """A stack of all of it."""
    components: list[Mapping[str, Any]] = [
        {
            "name": f"web-{number}",
            "namespace": "web",
            "helm": {"repository": f"{url}/{number % REPOSITORIES}", "chart": f"web-{number}", "version": "^1"},
        }
        for number in range(CHARTS)
    ]
    components += [
        {"name": f"map-{number}", "namespace": "web", "manifests": [f"{url}/maps/{number}.yaml"]}
        for number in range(MANIFESTS)
    ]
    stack = {"apiVersion": "cluster-forge/v1", "kind": "Stack", "name": "demo", "gitops": {"engine": "none"}}
    return str(yaml.safe_dump({**stack, "components": components}))


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workspace:
    return Workspace(tmp_path / "workspace", capsys)


def mined(workspace: Workspace, server: FaultServer, store: str, *options: str) -> dict[str, bytes]:
    workspace.write({"input/config.yaml": description(server.url)})
    (workspace.folder / "cluster-forge.lock").unlink(missing_ok=True)
    workspace.ok("mine", "--store", str(workspace.folder.parent / store), *options)
    return workspace.tree(".")


def test_everything_is_mined_through_thirty_percent_failures(empty: Workspace) -> None:
    with serving(Site(files=repositories())) as server:
        quiet = mined(empty, server, "quiet")
        server.site.faults = Faults(seed=20, share=0.3)
        before, began = len(server.requests), time.monotonic()
        assert mined(empty, server, "faulty") == quiet
        assert time.monotonic() - began < 60
        assert sum(server.faults.values()) > 8
        fetched = [path for _, path, _ in server.requests[before:]]
        assert set(fetched) == set(server.site.files)
        assert len(fetched) == len(server.site.files) + sum(server.faults.values())
        again = len(server.requests)
        mined(empty, server, "faulty")
        assert {path for _, path, _ in server.requests[again:]} <= {
            path for path in server.site.files if path.endswith(".yaml")
        }


def test_what_cannot_be_fetched_is_one_error_each(empty: Workspace) -> None:
    files = repositories()
    wrong, bomb = files["/1/web-1.tgz"], gzip.compress(bytes(220 << 20), compresslevel=1)
    before, after = (hashlib.sha256(content).hexdigest().encode() for content in (files["/1/web-5.tgz"], bomb))
    files |= {"/1/web-5.tgz": bomb, "/1/index.yaml": files["/1/index.yaml"].replace(before, after)}
    site = Site(
        files={**files, "/1/web-1.tgz": wrong[:-1], "/2/index.yaml": b"<html>login</html>", "/maps/0.yaml": b"\xff"},
        redirects={"/0/web-0.tgz": "/0/web-0.tgz", "/3/web-3.tgz": "file:///etc/passwd"},
        faults=OnlyOne("/maps/1.yaml"),
    )
    with serving(site) as server:
        empty.write({"input/config.yaml": description(server.url)})
        result = empty.run("mine", "--retries", "2", "--store", str(empty.folder.parent / "store"), "--format", "json")
    errors = {error["message"].split(":")[0].removeprefix("component "): error for error in result.json["errors"]}
    broken = {f"web-{number}" for number in (0, 1, 3, 5, *range(2, CHARTS, REPOSITORIES))} | {"map-0", "map-1"}
    assert set(errors) == broken
    assert {error["type"] for name, error in errors.items() if name != "web-5"} == {"FetchError"}
    assert errors["web-5"]["type"] == "ArchiveError"
    for name, message in (
        ("web-0", "too many redirects"),
        ("web-1", "does not match the repository's index"),
        ("web-2", "is not a chart index but a web page"),
        ("web-3", "redirects to file:///etc/passwd, which is not followed"),
        ("map-0", "is not UTF-8 text"),
        ("map-1", "answered 429 Too Many Requests"),
    ):
        assert message in errors[name]["message"]
        assert errors[name]["fix"]
        assert errors[name]["where"].startswith("input/config.yaml:")
    assert sum(path == "/2/index.yaml" for _, path, _ in server.requests) == 1


class OnlyOne(Faults):
    """A storm of 429 for one path."""

    def __init__(self, path: str) -> None:
        super().__init__(kinds=[Fault.TOO_MANY])
        object.__setattr__(self, "_path", path)

    __slots__ = ("_path",)

    def of(self, path: str, attempt: int) -> Fault | None:
        return Fault.TOO_MANY if path == self._path else None  # type: ignore[attr-defined]


def test_a_company_network_needs_its_proxy_and_its_authority(
    empty: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "authority").mkdir()
    root = authority(tmp_path / "authority")
    certificate = root.certificate("charts", hosts="DNS:charts.test")
    site = Site(files=repositories())
    with serving(site, certificate=certificate) as server, proxying(login="me:secret") as proxy:
        empty.write({"input/config.yaml": description(f"https://charts.test:{server.server_port}")})
        options = ("--store", str(tmp_path / "store"), "--format", "json", "--retries", "0")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert "wants a login: 407" in empty.run("mine", *options).json["errors"][0]["message"]
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
        result = empty.run("mine", *options).json
        assert len(result["errors"]) == CHARTS + MANIFESTS
        assert "was issued by Tests Root, which is not trusted" in result["errors"][0]["message"]
        empty.ok("mine", *options, "--ca-file", str(root.file))
        assert "secret" not in str(result) + "".join(map(str, empty.logs()))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_kill_loses_nothing_that_was_fetched(empty: Workspace) -> None:
    with serving(Site(files=repositories(), latency=0.02)) as server:
        empty.write({"input/config.yaml": description(server.url)})
        store = empty.folder.parent / "store"
        command = [str(PROGRAM), "mine", "--store", str(store)]
        environment = {**os.environ, "PYTHONUTF8": "1"}
        with subprocess.Popen(
            command, cwd=empty.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while len(list((store / "sha256").rglob("*"))) < 12 and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        kept = {path.name for path in (store / "sha256").rglob("*") if path.is_file()}
        charts = {path for path, content in server.site.files.items() if hashlib.sha256(content).hexdigest() in kept}
        charts = {path for path in charts if path.endswith(".tgz")}
        assert charts
        before = len(server.requests)
        empty.ok("mine", "--store", str(store))
        assert not charts & {path for _, path, _ in server.requests[before:]}
