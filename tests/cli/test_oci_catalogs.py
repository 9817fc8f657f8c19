"""Catalogs in artifacts of a real registry, as Flux and ORAS push them: mined, locked, mirrored, moved, and hostile ones."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from tests.cli import catalog_files
from tests.cli.conftest import Workspace
from tests.servers.pushing import HELM_CHART, HELM_CONFIG, IMAGE_CONFIG, LAYER, Blob, Repository
from tests.servers.registry import Registry
from tests.servers.sample_stack import chart

FLUX = ("application/vnd.cncf.flux.content.v1.tar+gzip", "application/vnd.cncf.flux.config.v1+json")
Describe = Callable[..., Workspace]
ORAS = (LAYER, "application/vnd.oci.empty.v1+json")
DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: demo
gitops: {engine: none}
catalogs:
- %s
components: [hello]
"""


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def packed(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def folder(files: Mapping[str, str]) -> bytes:
    return packed([member("./", kind=tarfile.DIRTYPE), *(member(name, text.encode()) for name, text in files.items())])


@pytest.fixture
def repository(open_registry: Registry) -> Repository:
    return Repository(open_registry, f"catalogs-{uuid.uuid4().hex}/platform")


@pytest.fixture
def component(repository: Repository) -> str:
    """A component's file; its chart is in the same registry."""
    charts = Repository(repository.registry, f"{repository.name}/shop")
    charts.push_chart(chart("shop", "1.0.0"), "1.0.0")
    return catalog_files.component(repository.address, "shop", "1.0.0")


def push(repository: Repository, tag: str, layer: bytes, kinds: tuple[str, str] = FLUX) -> str:
    return repository.push(
        tag, [Blob(content=layer, media_type=kinds[0])], Blob(content=b"{}", media_type=kinds[1])
    ).digest


@pytest.fixture
def described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Describe:
    """Makes a workspace whose catalogs have these addresses."""

    def workspace(*addresses: str) -> Workspace:
        return Workspace(tmp_path / "w", capsys).write({"input/config.yaml": DESCRIPTION % "\n- ".join(addresses)})

    return workspace


def test_a_catalog_in_a_registry_is_locked_and_part_of_the_description(
    repository: Repository,
    component: str,
    described: Describe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = push(repository, "v1", folder({"./shared/components/hello.yaml": component}), ORAS)
    workspace = described(f"{repository.address}:v1//shared")
    early = workspace.run("config", "validate")
    assert early.code == 10
    assert "input/config.yaml:6" in early.err
    assert "run `cluster-forge mine`, which fetches and locks it" in early.err
    workspace.ok("mine")
    (locked,) = workspace.yaml("cluster-forge.lock")["catalogs"]
    assert (locked["address"], locked["asked"], locked["version"]) == (f"{repository.address}//shared", "v1", digest)
    workspace.ok("lock", "verify")
    mirror = f"{workspace.folder}-mirror"
    workspace.ok("mirror", "create", mirror)
    workspace.ok("mirror", "verify", mirror)
    for verb in (("config", "validate"), ("catalog", "show", "hello"), ("smelt",), ("mine", "--offline"), ("cast",)):
        workspace.ok(*verb)
    monkeypatch.setenv("XDG_CACHE_HOME", f"{workspace.folder}-cache")
    texts = {name: workspace.read(name) for name in ("input/config.yaml", "cluster-forge.lock")}
    before = workspace.tree("stacks/demo")
    shutil.rmtree(workspace.folder)
    workspace.write(texts)
    assert workspace.run("forge", "--offline").code == 14
    workspace.ok("forge", "--offline", "--mirror", mirror)
    assert workspace.tree("stacks/demo") == before


def test_a_tag_that_moves_changes_nothing_until_it_is_updated(
    repository: Repository,
    component: str,
    described: Describe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = push(repository, "v1", folder({"components/hello.yaml": component}))
    workspace = described(f"{repository.address}:v1")
    workspace.ok("mine")
    lock = workspace.read("cluster-forge.lock")
    after = push(repository, "v1", folder({"components/hello.yaml": component.replace("Says", "Shouts")}))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "second"))
    workspace.ok("mine")
    assert workspace.read("cluster-forge.lock") == lock
    workspace.ok("mine", "--update")
    assert workspace.yaml("cluster-forge.lock")["catalogs"][0]["version"] == after
    (workspace.folder / "cluster-forge.lock").write_text(lock)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "third"))
    revisions = repository.registry.blobs / "docker/registry/v2/repositories" / repository.name / "_manifests/revisions"
    shutil.rmtree(revisions / before.replace(":", "/"))
    gone = workspace.run("mine")
    assert gone.code == 12, gone.err
    assert "input/config.yaml:6: catalog: " in gone.err
    assert before in gone.err
    assert after in gone.err


def test_a_digest_decides_and_of_two_catalogs_one_may_be_in_the_other(
    repository: Repository,
    component: str,
    described: Describe,
) -> None:
    digest = push(
        repository,
        "v1",
        folder(
            {
                "components/one.yaml": component.replace("name: hello", "name: one"),
                "more/components/hello.yaml": component,
            }
        ),
    )
    pinned = f"{repository.address}@{digest}"
    workspace = described(f"'{pinned}'", f"'{pinned}//more'")
    workspace.ok("mine")
    asked = {locked["asked"] for locked in workspace.yaml("cluster-forge.lock")["catalogs"]}
    assert asked == {digest}
    workspace.ok("catalog", "show", "one")


def test_what_the_description_says_about_hosts_holds_for_catalogs(
    repository: Repository, component: str, described: Describe
) -> None:
    push(repository, "v1", folder({"components/hello.yaml": component}))
    workspace = described(f"{repository.address}:v1")
    text = workspace.read("input/config.yaml")
    settings = f"registries:\n  '{repository.registry.host}': {{caFile: missing.pem}}\n"
    (workspace.folder / "input/config.yaml").write_text(text + settings)
    result = workspace.run("mine")
    assert "missing.pem" in result.err


UNSAFE = {
    "up": (member("../x.yaml", b"x"), "'../x.yaml' is not a path in it"),
    "absolute": (member("/x.yaml", b"x"), "is not a path in it"),
    "backslash": (member("a\\x.yaml", b"x"), "is not a path in it"),
    "escape": (member("a\x1b[31m.yaml", b"x"), "is not a path in it"),
    "link": (member("x.yaml", kind=tarfile.SYMTYPE, link="/etc/passwd"), "is neither a plain file nor a directory"),
    "hard": (member("x.yaml", kind=tarfile.LNKTYPE, link="components/a.yaml"), "is neither a plain file"),
    "device": (member("x.yaml", kind=tarfile.CHRTYPE), "is neither a plain file nor a directory"),
    "twice": (member("./components/a.yaml", b"x"), "it has 'components/a.yaml' twice"),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_members_are_refused(name: str, repository: Repository, described: Describe) -> None:
    bad, message = UNSAFE[name]
    push(repository, "v1", packed([member("components/a.yaml", b"x"), bad]))
    result = described(f"{repository.address}:v1").run("mine")
    assert result.code not in (0, 1)
    assert message in result.err
    assert "input/config.yaml:6: catalog: " in result.err
    assert "\x1b[31m" not in result.err


def huge() -> bytes:
    return gzip.compress(b"\0" * (65 << 20), compresslevel=1, mtime=0)


def many() -> bytes:
    return packed([member(f"{number}", kind=tarfile.DIRTYPE) for number in range(10_001)])


def cut() -> bytes:
    return packed([member("a", b"x" * 5000)])[:-20]


CONTENT: dict[str, tuple[str, str, Callable[[], bytes], str]] = {
    "bomb": (FLUX[0], FLUX[1], huge, "more than 64 MiB unpacked"),
    "many": (FLUX[0], FLUX[1], many, "more than 10,000 members"),
    "not-gzip": (FLUX[0], FLUX[1], lambda: b"no archive at all", "cannot be unpacked"),
    "cut": (FLUX[0], FLUX[1], cut, "cannot be unpacked"),
    "unknown": ("application/vnd.example+json", FLUX[1], lambda: b"{}", "(its layers: application/vnd.example+json)"),
    "zstd": ("application/vnd.oci.image.layer.v1.tar+zstd", FLUX[1], lambda: b"{}", "media type ends with tar+gzip"),
    "chart": (HELM_CHART, HELM_CONFIG, lambda: b"{}", "it is a Helm chart"),
    "image": (LAYER, IMAGE_CONFIG, lambda: b"{}", "it is a container image"),
}


@pytest.mark.parametrize("name", CONTENT)
def test_other_content_is_named(name: str, repository: Repository, described: Describe) -> None:
    layer_type, config_type, layer, message = CONTENT[name]
    push(repository, "v1", layer(), (layer_type, config_type))
    result = described(f"{repository.address}:v1").run("mine")
    assert result.code not in (0, 1)
    assert message in result.err
    assert "input/config.yaml:6: catalog: " in result.err


def test_an_index_a_missing_tag_and_a_missing_folder_are_named_at_once(
    repository: Repository, described: Describe
) -> None:
    push(repository, "v1", folder({"shared/components/a.yaml": "x"}))
    repository.push_index("index", [])
    places = [f"{repository.address}:{place}" for place in ("index", "v9", "v1//shred")]
    result = described(*places).run("mine")
    assert "input/config.yaml:6: catalog: " in result.err
    assert "it is an index" in result.err
    assert "input/config.yaml:7: catalog: " in result.err
    assert "input/config.yaml:8: catalog: " in result.err
    assert "has no folder 'shred'" in result.err
    assert "name one that it has behind `//`: shared" in result.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("oci://registry.example.com/team/repo", "it has neither a tag nor a digest"),
        ("oci://registry.example.com/Team/repo:v1", "it must be lower case"),
        ("oci://registry.example.com/team/repo:v1//../x", "'../x' is not a path in the repository"),
        ("oci://me:s3same@registry.example.com/team/repo:v1", "cluster-forge login registry.example.com"),
        ("oci://", "is not an image reference"),
    ],
)
def test_a_wrong_address_is_named(address: str, message: str, described: Describe) -> None:
    for verb in ("mine", "config"):
        result = described(address).run(verb, *(["validate"] if verb == "config" else []))
        assert result.code == 10
        assert "input/config.yaml:6" in result.err
        assert message in result.err or "must begin with oci://" in result.err
        assert "s3same" not in result.err
