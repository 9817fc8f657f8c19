"""Charts with dependencies, charts and manifests in Git: mined over a server, then built without it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.archives import archive
from tests.cli.catalog_files import component
from tests.cli.conftest import CHART, PROGRAM, Workspace, config_map
from tests.git_worktree import Worktree
from tests.servers import git_http

DEPENDENCY = CHART | {"Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.2.0\n"}
DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
components:
- name: web
  namespace: web
  helm: {repository: "%(git)s@v1//charts", chart: web}
- name: extras
  namespace: extras
  manifests: ["%(git)s@v1//deploy"]
"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[Worktree, str]]:
    """A repository with a chart that depends on one of an HTTP repository, and its address over HTTP."""
    charts = tmp_path / "charts"
    charts.mkdir()
    (charts / "db-1.2.0.tgz").write_bytes(archive("db", DEPENDENCY))
    entry = {"name": "db", "version": "1.2.0", "urls": ["db-1.2.0.tgz"]}
    (charts / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": {"db": [entry]}}))
    work = Worktree(tmp_path / "git/repo")
    with serving(charts) as place, git_http.serving(tmp_path / "git") as server:
        declared = f"dependencies:\n- {{name: db, version: ^1.0, repository: {place}}}\n"
        chart = CHART | {
            "Chart.yaml": CHART["Chart.yaml"] + declared,
            "templates/web.yaml": CHART["templates/web.yaml"],
        }
        work.commit(
            {**{f"charts/web/{path}": text for path, text in chart.items()}, "deploy/one.yaml": config_map("one")},
            tag="v1",
        )
        yield work, f"{server.address}/repo/.git"


def test_what_was_mined_is_built_without_the_servers(
    repository: tuple[Worktree, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    work, address = repository
    workspace = Workspace(tmp_path / "w", capsys).write({"input/config.yaml": DESCRIPTION % {"git": address}})
    store = ("--store", str(tmp_path / "store"))
    workspace.ok("mine", *store)
    locked = workspace.yaml("cluster-forge.lock")["components"]
    commit = work.git("rev-parse", "v1")
    assert [(source["asked"], source["version"]) for source in locked["web"]["sources"]] == [
        ("v1", commit),
        ("^1.0", "1.2.0"),
    ]
    assert locked["extras"]["sources"][0]["address"] == f"{address}//deploy"
    names = {path.rpartition("/")[2] for path in workspace.tree("input/web/manifests/sourced")}
    assert {"deployment.apps_web.yaml"} <= names
    work.git("update-ref", "-d", "refs/tags/v1")
    workspace.ok("smelt", *store)
    first = workspace.tree("working")
    workspace.ok("forge", "--offline", *store)
    assert workspace.tree("working") == first
    assert b"name: one" in b"".join(first.values())


def test_a_mirror_has_what_is_in_git_and_what_charts_depend_on(
    repository: tuple[Worktree, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    work, address = repository
    workspace = Workspace(tmp_path / "w", capsys).write({"input/config.yaml": DESCRIPTION % {"git": address}})
    store, mirror = ("--store", str(tmp_path / "store")), str(tmp_path / "mirror")
    workspace.ok("forge", *store)
    assert "3 of 3 sources as locked" in workspace.ok("lock", "verify", *store).err
    workspace.ok("mirror", "create", mirror, *store)
    workspace.ok("mirror", "verify", mirror)
    assert workspace.ok("outdated", *store, "--exit-code").out == "3 of 3 sources current\n"
    work.git("update-ref", "-d", "refs/tags/v1")
    texts = {name: workspace.read(name) for name in ("input/config.yaml", "cluster-forge.lock")}
    other = Workspace(tmp_path / "other", capsys).write(texts)
    other.ok("forge", "--offline", "--mirror", mirror, "--store", str(tmp_path / "empty"))
    assert other.tree("stacks/demo") == workspace.tree("stacks/demo")


def test_a_missing_ref_names_the_component_and_its_line(
    repository: tuple[Worktree, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, address = repository
    workspace = Workspace(tmp_path / "w", capsys).write(
        {"input/config.yaml": DESCRIPTION.replace("@v1", "@v2") % {"git": address}}
    )
    result = workspace.run("mine", "--store", str(tmp_path / "store"))
    assert result.code == 10
    assert "component web" in result.err
    assert "component extras" in result.err
    assert "input/config.yaml:6" in result.err
    assert "there is no branch or tag 'v2'" in result.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@v1//charts", "@--x//charts", "'--x' is not the name of a tag or branch"),
        ("chart: web", "chart: ../web", "'../web' is not a path in the repository"),
        ("@v1//deploy", "@v1//../x", "'../x' is not a path in the repository"),
        ("%(git)s@v1//deploy", "git+ext://x/y", "it is not an address like git+https://"),
    ],
)
def test_bad_addresses_are_found_without_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    text = DESCRIPTION.replace(old, new) % {"git": "git+https://git.example.com/repo"}
    result = Workspace(tmp_path / "w", capsys).write({"input/config.yaml": text}).run("config", "validate")
    assert result.code == 10
    assert said in result.err
    assert "input/config.yaml:" in result.err


def test_a_catalog_in_git_is_locked_and_part_of_the_description(
    repository: tuple[Worktree, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work, address = repository
    charts = next(line for line in (work.folder / "charts/web/Chart.yaml").read_text().split() if "http" in line)
    commit = work.commit({"shared/components/hello.yaml": component(charts.rstrip("}"), "db", "1.2.0")}, tag="v3")
    text = f"apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\ngitops: {{engine: none}}\ncatalogs: ['{address}@v3//shared']\ncomponents: [hello]\n"
    workspace = Workspace(tmp_path / "w", capsys).write({"input/config.yaml": text})
    early = workspace.run("config", "validate")
    assert early.code == 10
    assert "run `cluster-forge mine`, which fetches and locks it" in early.err
    assert "input/config.yaml:5" in early.err
    workspace.ok("mine")
    (locked,) = workspace.yaml("cluster-forge.lock")["catalogs"]
    assert (locked["address"], locked["asked"], locked["version"]) == (f"{address}//shared", "v3", commit)
    workspace.ok("mirror", "create", str(tmp_path / "mirror"))
    work.git("update-ref", "-d", "refs/tags/v3")
    for verb in (("config", "validate"), ("catalog", "show", "hello"), ("smelt",), ("mine", "--offline"), ("cast",)):
        workspace.ok(*verb)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    texts = {name: workspace.read(name) for name in ("input/config.yaml", "cluster-forge.lock")}
    other = Workspace(tmp_path / "other", capsys).write(texts)
    other.ok("forge", "--offline", "--mirror", str(tmp_path / "mirror"))
    assert other.tree("stacks/demo") == workspace.tree("stacks/demo")
    workspace.replace("input/config.yaml", "@v3", "@v4")
    missing = workspace.run("mine")
    assert "input/config.yaml:5" in missing.err
    assert "there is no branch or tag 'v4'" in missing.err
    workspace.replace("input/config.yaml", f"catalogs: ['{address}@v4//shared']\n", "")
    workspace.replace("input/config.yaml", "[hello]", "[reloader]")
    assert "catalogs" in workspace.yaml("cluster-forge.lock")
    workspace.run("mine", "--offline")
    assert "catalogs" not in workspace.yaml("cluster-forge.lock")


@pytest.mark.skipif(os.name != "posix", reason="processes are ended by signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_git_and_no_folder(workspace: Workspace, tmp_path: Path, number: int) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        git = f"git+http://me:canary-password@127.0.0.1:{server.getsockname()[1]}/repo.git"
        workspace.write({"input/config.yaml": DESCRIPTION % {"git": git}})
        environment = {**os.environ, "TMPDIR": str(temporary), "DOCKER_CONFIG": str(temporary / "none")}
        process = subprocess.Popen([PROGRAM, "mine"], cwd=workspace.folder, env=environment, stderr=subprocess.DEVNULL)
        asking, _ = server.accept()  # git waits for an answer that does not come
        for arguments in Path("/proc").glob(
            "[0-9]*/cmdline"
        ):  # as `ps` shows them to every user; there are none on macOS
            with contextlib.suppress(OSError):
                assert b"canary-password" not in arguments.read_bytes()
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        asking.settimeout(10)
        with asking:
            while asking.recv(1 << 16):
                pass  # the request; its end is that of git
    assert list(temporary.iterdir()) == []
