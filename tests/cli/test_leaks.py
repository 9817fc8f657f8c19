"""Planted credentials are searched in everything that a run leaves behind, prints, or shows in the list of processes."""

from __future__ import annotations

import base64
import gzip
import http.server
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import pytest
import yaml
from tests.archives import archive
from tests.cli.conftest import CHART, PROGRAM, Workspace, config_map
from tests.servers import threaded

from cluster_forge.cli.output import error_text

if TYPE_CHECKING:
    from collections.abc import Sequence

LOGIN, SIGNATURE, PASSWORD = "canary-login", "canary-signature", "canary-password"
ADDRESS = (LOGIN, SIGNATURE)
EVERYWHERE = (*ADDRESS, PASSWORD)
_ZSTD = b"\x28\xb5\x2f\xfd"


class Handler(http.server.BaseHTTPRequestHandler):
    files: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        content = self.files.get(parts.path) if SIGNATURE in parts.query else None
        self.send_response(200 if content else 403)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A server that wants a signature in the query."""
    release = {"name": "shop", "version": "2.0.0", "urls": ["shop.tgz"]}
    Handler.files = {
        "/charts/index.yaml": yaml.safe_dump({"entries": {"shop": [release]}}).encode(),
        "/charts/shop.tgz": archive("shop", CHART | {"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 2.0.0\n"}),
        "/one.yaml": config_map("one").encode(),
    }
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, threaded.running(server):
        yield f"127.0.0.1:{server.server_port}"


@pytest.fixture
def planted(workspace: Workspace, address: str) -> Workspace:
    """A workspace with credentials in every place that may have them, and its own store and home."""
    more = f"""\
components:
- name: shop
  namespace: shop
  helm: {{repository: "http://me:{LOGIN}@{address}/charts?sig={SIGNATURE}", chart: shop}}
  values: {{adminPassword: {PASSWORD}}}
- name: one
  namespace: one
  manifests: ["http://{LOGIN}@{address}/one.yaml?token={SIGNATURE}"]
"""
    workspace.replace("input/config.yaml", "components:\n", more)
    return workspace


def surroundings(workspace: Workspace) -> dict[str, str]:
    home = workspace.folder.parent / "home"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {"XDG_CACHE_HOME": str(home), "HOME": str(home), "TMPDIR": str(home / "tmp"), "NO_PROXY": "127.0.0.1"}


def leaks(folder: Path, canaries: Sequence[str]) -> list[str]:
    """Every file below a folder, except the description, with a canary in its name or content, as it is or packed."""
    return sorted(
        f"{path}: {canary}"
        for path in folder.rglob("*")
        if path.is_file() and path.name != "config.yaml"
        for canary in canaries
        if has(canary, path)
    )


def has(canary: str, path: Path) -> bool:
    needles = [canary.encode(), *(base64.b64encode(b" " * shift + canary.encode())[4:-4] for shift in range(3))]
    return canary in path.name or any(needle in content for content in contents(path) for needle in needles)


def contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    position = content.find(_ZSTD)
    if position >= 0:
        zstandard = pytest.importorskip("zstandard")
        yield zstandard.ZstdDecompressor().decompressobj().decompress(content[position:])
    if path.suffix == ".pack":
        command = ["git", "-C", str(path.parents[2]), "cat-file", "--batch", "--batch-all-objects"]
        yield subprocess.run(command, capture_output=True, check=True).stdout


VERBS = [
    (("forge", "-v"), 0),
    (("forge", "--timings", "--format", "json"), 0),
    (("forge", "--no-cache", "--update"), None),
    (("mine", "--update", "-v"), 0),
    (("smelt", "--discard-edits", "-v"), 0),
    (("cast", "-v"), 0),
    (("cast", "--diff"), None),
    (("config", "validate"), 0),
    (("secrets", "list"), 0),
    (("mine", "--offline", "--store", "elsewhere"), 14),
    (("mine", "--mirror", f"https://me:{LOGIN}@a.example/x?sig={SIGNATURE}"), None),
    (("mine", "--mirror", f"me:{LOGIN}@a.example/x"), 13),
    (("convert", "--chart", f"https://me:{LOGIN}@a.example/x?sig={SIGNATURE}"), 2),
]


def test_credentials_are_in_nothing_that_a_run_writes_or_prints(planted: Workspace) -> None:
    environment = surroundings(planted)
    for arguments, code in VERBS:
        result = planted.program(*arguments, **environment)
        assert code is None or result.code == code, result.err
        printed = f"{result.out}{result.err}"
        assert not [canary for canary in EVERYWHERE if canary in printed], (arguments, printed)
    assert (planted.folder / "stacks/demo/stack.json").exists()
    assert leaks(planted.folder, EVERYWHERE) == []
    assert leaks(planted.folder.parent / "home", EVERYWHERE) == []
    assert list((planted.folder.parent / "home/cluster-forge/made").rglob("*"))


@pytest.mark.parametrize(
    "entry",
    [
        f'helm: {{chart: "https://me:{LOGIN}@a.example/shop.tgz?sig={SIGNATURE}"}}',
        f'helm: {{chart: "file:///shop?sig={SIGNATURE}"}}',
        f'manifests: ["http:me:{LOGIN}@a.example/x"]',
        f"manifests: ['HTTPS:\\\\me:{LOGIN}@a.example/x']",
    ],
)
def test_addresses_that_are_none_show_no_credentials(planted: Workspace, entry: str) -> None:
    planted.replace("input/config.yaml", "components:\n", f"components:\n- {{name: bad, namespace: bad, {entry}}}\n")
    for form in ("text", "json"):
        result = planted.program("forge", "--format", form, **surroundings(planted))
        assert result.code == 10
        assert not [canary for canary in EVERYWHERE if canary in f"{result.out}{result.err}"], result.err
    assert leaks(planted.folder, EVERYWHERE) == []


def test_an_address_in_the_environment_is_not_taken_apart(planted: Workspace) -> None:
    """At its colons, as a list of directories: a part of it would be the password."""
    settings = {"CLUSTER_FORGE_MINE_MIRROR": f"https://me:{LOGIN}@a.example/x?sig={SIGNATURE}"}
    result = planted.program("mine", **surroundings(planted), **settings)
    assert result.code == 13
    assert result.err.count("the mirror's index cannot be read") == 1
    assert not [canary for canary in EVERYWHERE if canary in result.err], result.err
    assert leaks(planted.folder, EVERYWHERE) == []


def test_errors_of_a_server_show_no_credentials(planted: Workspace) -> None:
    planted.replace("input/config.yaml", f"sig={SIGNATURE}", f"gis={PASSWORD}")
    planted.replace("input/config.yaml", f"token={SIGNATURE}", f"x={PASSWORD}#y={PASSWORD}")
    for form in ("text", "json"):
        result = planted.program("forge", "--format", form, **surroundings(planted))
        assert result.code == 13
        assert "answered 403" in result.err
        assert not [canary for canary in EVERYWHERE if canary in f"{result.out}{result.err}"]
    assert leaks(planted.folder, EVERYWHERE) == []
    assert leaks(planted.folder.parent / "home", EVERYWHERE) == []


def test_effective_description_is_shown_without_credentials(planted: Workspace, address: str) -> None:
    text = planted.program("config", "show", "--origins", **surroundings(planted)).out
    document = planted.program("config", "show", "--format", "json", **surroundings(planted)).json
    for shown in (text, json.dumps(document)):
        assert f"http://{address}/charts" in shown
        assert not [canary for canary in ADDRESS if canary in shown]
    assert yaml.safe_load(text) == document["description"]


def test_converted_description_keeps_its_credentials(planted: Workspace) -> None:
    """It is the user's own file, and useless without them."""
    text = planted.program("convert").out
    assert yaml.safe_load(text)["components"][0]["helm"]["repository"].endswith(f"sig={SIGNATURE}")
    assert planted.program("convert", "--format", "json").json["description"] == text


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_processes_of_a_run_show_no_credentials(planted: Workspace) -> None:
    """In the list of processes, with the environment that they were started with."""
    seen: set[str] = set()
    with subprocess.Popen(
        [PROGRAM, "forge", "--no-cache"],
        cwd=planted.folder,
        env={**os.environ, **surroundings(planted)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as program:
        while program.poll() is None:
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (process / name).read_bytes().decode(errors="replace")
                    except OSError:
                        continue
                    if str(planted.folder.parent / "home") in content or "cluster_forge" in content:
                        seen.add(content)
    assert program.returncode == 0
    assert any("composition" in content for content in seen), "no process that renders was seen"
    assert not [content for content in seen if any(canary in content for canary in EVERYWHERE)]


def test_bug_reports_hold_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    url = f"https://me:{LOGIN}@a.example/x?sig={SIGNATURE}"
    arguments = ["mine", "--mirror", url, f"--chart={url}", "--token", LOGIN, f"--api-token={LOGIN}"]
    try:
        try:
            raise ValueError(f"first {url}")
        except ValueError as error:
            raise RuntimeError(f"second {url}, {{'url': '{url}'}}") from error
    except RuntimeError as error:
        error.add_note(url)
        code = error_text.failure(error, arguments)
    assert code == error_text.BUG
    (report,) = tmp_path.iterdir()
    assert report.stat().st_mode & 0o077 == 0
    text = report.read_text()
    assert "--chart=https://a.example/x" in text
    assert "second https://a.example/x" in text
    assert leaks(tmp_path, EVERYWHERE) == []
    printed = capsys.readouterr()
    assert not [canary for canary in EVERYWHERE if canary in f"{printed.out}{printed.err}"]
