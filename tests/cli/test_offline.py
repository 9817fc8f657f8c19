"""``--offline``, and files that a run was not given: seen from outside, without a network and with a watched folder."""

from __future__ import annotations

import ctypes
import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.archives import archive
from tests.cli.conftest import CHART, PROGRAM, Workspace, config_map
from tests.servers import threaded

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_NETWORK = ["unshare", "--user", "--map-root-user", "--net"]
OPENED = 0x20
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")


def can_unshare() -> bool:
    return (
        bool(shutil.which("unshare"))
        and subprocess.run([*NO_NETWORK, "true"], check=False, capture_output=True).returncode == 0
    )


class Watch:
    """The files of a folder that any process opens."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK)
        assert libc.inotify_add_watch(self._descriptor, os.fsencode(folder), OPENED) >= 0

    def opened(self) -> set[str]:
        names: set[str] = set()
        try:
            events = os.read(self._descriptor, 1 << 20)
        except BlockingIOError:
            return names
        while events:
            length = struct.unpack_from("iIII", events)[3]
            names.add(events[16 : 16 + length].rstrip(b"\0").decode())
            events = events[16 + length :]
        return names

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder outside of the workspace that nothing names but what is hostile."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "secret.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: canary}\n")
    (folder / "secret.json").write_text('{"type": "object"}')
    (folder / "Chart.yaml").write_text(CHART["Chart.yaml"])
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture
def watch(foreign: Path) -> Iterator[Watch]:
    watch = Watch(foreign)
    yield watch
    watch.close()


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, threaded.running(server):
        yield f"http://127.0.0.1:{server.server_port}", asked


def run(workspace: Workspace, *arguments: str, wrapper: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(workspace.folder.parent / "cache"), "SOURCE_DATE_EPOCH": "0"}
    return subprocess.run(
        [*wrapper, PROGRAM, *arguments],
        cwd=workspace.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not can_unshare(), reason="this system gives no network namespace")
def test_stack_is_the_same_without_any_network(workspace: Workspace) -> None:
    """Charts from a folder, an archive and a mirror, with a packed dependency and schemas; manifests of both kinds."""
    mirror = workspace.mirror()
    identity = "apiVersion: v2\nname: packed\nversion: 1.0.0\n"
    packed = archive("packed", {"Chart.yaml": identity, "templates/packed.yaml": config_map("packed")})
    schema = '{"$schema": "https://json-schema.org/draft-07/schema#", "type": "object"}'
    (workspace.folder / "input/packed.tgz").write_bytes(packed)
    (workspace.folder / "input/charts/web/charts").mkdir()
    (workspace.folder / "input/charts/web/charts/packed-1.0.0.tgz").write_bytes(packed)
    workspace.write({"input/charts/web/values.schema.json": schema})
    workspace.replace(
        "input/config.yaml",
        "components:\n",
        "components:\n- {name: packed, namespace: packed, helm: {chart: packed.tgz}}\n",
    )
    digests = []
    for wrapper in (tuple(NO_NETWORK), ()):
        shutil.rmtree(workspace.folder.parent / "cache", ignore_errors=True)
        done = run(workspace, "forge", "--offline", "--mirror", mirror, "--format", "json", wrapper=wrapper)
        assert done.returncode == 0, done.stderr
        digests.append(json.loads(done.stdout)["cast"]["image"]["digest"])
    assert digests[0] == digests[1]
    for verb in ("smelt", "cast"):
        assert run(workspace, verb, wrapper=tuple(NO_NETWORK)).returncode == 0


def hostile(place: str) -> Mapping[str, Mapping[str, str]]:
    """Files of the workspace by the way that they try; ``place`` is a server or a folder."""
    path = place.removeprefix("file://")
    helm = "input/charts/web"
    return {
        "schema": {f"{helm}/values.schema.json": f'{{"$ref": "{place}/secret.json"}}'},
        "escaped schema": {f"{helm}/values.schema.json": json.dumps({"$ref": f"{place}/pipe"}).replace("/", "\\/")},
        "meta schema": {f"{helm}/values.schema.json": json.dumps({"$schema": f"{place}/secret.json"})},
        "schema of a subchart": {
            f"{helm}/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
            f"{helm}/charts/sub/values.schema.json": json.dumps({"$id": f"{place}/x", "$ref": "secret.json"}),
        },
        "template": {
            f"{helm}/templates/x.yaml": f'# {{{{ .Files.Get "{path}/secret.yaml" }}}}{{{{ .Files.Glob "{path}/*" }}}}'
        },
        "template's relative path": {
            f"{helm}/templates/x.yaml": '# {{ .Files.Get "../../../../foreign/secret.yaml" }}'
        },
        "host name": {
            f"{helm}/templates/x.yaml": '# {{ getHostByName "localhost" }}{{ lookup "v1" "Secret" "a" "b" }}'
        },
        "dependency": {
            f"{helm}/Chart.yaml": CHART["Chart.yaml"]
            + f"dependencies: [{{name: sub, version: 1.0.0, repository: '{place}'}}]\n"
        },
        "index": {
            "input/config.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\ngitops: {engine: none}\ncomponents:\n"
            f"- {{name: web, namespace: web, helm: {{repository: 'http://127.0.0.1:9/{path}', chart: web}}}}\n"
        },
        "image pulled from there": {
            f"{helm}/templates/x.yaml": f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{place}'}}]}}"
        },
    }


@LINUX
@pytest.mark.parametrize("way", hostile(""))
def test_nothing_is_opened_that_was_not_given(workspace: Workspace, foreign: Path, watch: Watch, way: str) -> None:
    workspace.write(hostile(foreign.as_uri())[way])
    done = run(workspace, "forge", "--offline")
    assert done.returncode in {0, 10, 13, 14, 17, 18, 23}, done.stderr
    assert not watch.opened()
    assert "canary" not in f"{done.stdout}{done.stderr}"


@LINUX
@pytest.mark.parametrize("link", ["templates/x.yaml", "values.schema.json", "values.yaml", "crds", "Chart.yaml"])
def test_links_out_of_the_workspace_are_not_opened(
    workspace: Workspace, foreign: Path, watch: Watch, link: str
) -> None:
    for target in ("secret.yaml", "pipe", "."):
        path = workspace.folder / "input/charts/web" / link
        path.unlink(missing_ok=True)
        path.symlink_to(foreign / target)
        assert run(workspace, "forge", "--offline").returncode in {15, 20}
    assert not watch.opened()


@pytest.mark.parametrize("way", hostile(""))
@pytest.mark.parametrize("offline", [True, False])
def test_no_server_is_asked_that_was_not_given(
    workspace: Workspace, listener: tuple[str, list[str]], way: str, offline: bool
) -> None:
    """What a chart names is not fetched, except for what it depends on, as `helm dependency build` would; with ``--offline``
    not even what the description names.
    """
    address, asked = listener
    workspace.write(hostile(address)[way])
    if offline:
        more = f"components:\n- {{name: far, namespace: far, helm: {{repository: '{address}', chart: far}}}}\n"
        workspace.replace(
            "input/config.yaml", "components:\n", f"{more}- {{name: one, manifests: ['{address}/one.yaml']}}\n"
        )
    done = run(workspace, "forge", *(["--offline"] if offline else []))
    assert done.returncode in {0, 13, 14, 17, 18, 23}, done.stderr
    assert asked == (["/index.yaml"] if way == "dependency" and not offline else [])
