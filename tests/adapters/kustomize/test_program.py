"""The kustomize program: it sees the files of the kustomization, and nothing else of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.kustomizations.program import programs

from cluster_forge.adapters.kustomize.caching import CachingKustomize
from cluster_forge.adapters.kustomize.program import KustomizeProgram
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.errors import DescriptionError, ForgeError, MissingProgramError, RenderError, StoreError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests.finding import Severity
from cluster_forge.ports.kustomize import BuiltKustomization, KustomizeRequest

PROGRAMS = programs()
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
Scripted = Callable[..., KustomizeProgram]


def request_for(files: Mapping[str, str], folder: str = "top") -> KustomizeRequest:
    tree = FileTree({path: text.encode() for path, text in files.items()})
    return KustomizeRequest(archive=tree_archives.packed(tree), folder=folder, name="input")


SIMPLE = request_for({"top/kustomization.yaml": "resources: [a.yaml]\n", "top/a.yaml": MAP, "top/secret.yaml": MAP})


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    """An engine whose program is a script; ``name`` is that of the program."""

    def engine(text: str, name: str = "kustomize", seconds: float = 10, memory: int = 2048) -> KustomizeProgram:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        program.chmod(0o755)
        return KustomizeProgram(seconds, memory, path=str(tmp_path))

    return engine


@pytest.fixture(params=PROGRAMS or [pytest.param("", marks=pytest.mark.skip(reason="kustomize is not installed"))])
def real(request: pytest.FixtureRequest) -> KustomizeProgram:
    return KustomizeProgram(path=str(Path(PROGRAMS[request.param][0]).parent))


def failure(engine: KustomizeProgram, request: KustomizeRequest) -> ForgeError:
    with pytest.raises(ForgeError) as caught:
        engine.build(request)
    return caught.value


def test_without_a_program_the_error_says_what_to_install(tmp_path: Path) -> None:
    engine = KustomizeProgram(path=str(tmp_path))
    for call in (lambda: engine.version, lambda: engine.build(SIMPLE)):
        with pytest.raises(MissingProgramError, match="neither is on PATH") as caught:
            call()
        assert "install kustomize 5 or kubectl" in str(caught.value.fix)


def test_the_version_names_the_program_and_each_of_its_versions(scripted: Scripted) -> None:
    kubectl = "echo 'Client Version: v1.34.1'; echo 'Kustomize Version: v5.7.1'"
    assert scripted(kubectl, "kubectl").version == "kubectl v1.34.1 v5.7.1"
    assert scripted("echo v5.8.0").version == "kustomize v5.8.0"
    assert scripted("echo '(devel)'").version == "kustomize (devel)"


def test_a_program_that_does_not_say_its_version_is_an_error(scripted: Scripted) -> None:
    with pytest.raises(MissingProgramError, match="does not say its version: no such library"):
        _ = scripted("echo 'no such library' >&2; exit 127").version


def test_the_program_finds_no_other_one_and_no_secret(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("KUSTOMIZE_PLUGIN_HOME", "/plugins")
    monkeypatch.setenv("NO_PROXY", "*")
    built = scripted("/usr/bin/env").build(SIMPLE).text.decode()
    environment = dict(line.split("=", 1) for line in built.splitlines())
    assert not {"TOKEN", "KUSTOMIZE_PLUGIN_HOME", "NO_PROXY", "XDG_CONFIG_HOME"} & environment.keys()
    assert environment["PATH"] == ""
    assert environment["HTTPS_PROXY"] == environment["http_proxy"] == "http://127.0.0.1:9"
    assert not Path(environment["HOME"]).exists()


def test_the_program_is_given_the_folder_and_no_flag(scripted: Scripted) -> None:
    arguments = scripted('echo "$@"').build(SIMPLE).text.decode().split()
    assert [arguments[0], Path(arguments[1]).name, len(arguments)] == ["build", "top", 2]


def test_the_program_sees_what_is_named_and_nothing_else(scripted: Scripted) -> None:
    seen = scripted('/usr/bin/find "$HOME" -type f').build(SIMPLE).text.decode().split()
    assert sorted(Path(path).name for path in seen) == ["a.yaml", "kustomization.yaml"]


def test_a_build_that_takes_too_long_is_stopped(scripted: Scripted, tmp_path: Path) -> None:
    engine = scripted(f"echo $$ > {tmp_path}/pid; exec /bin/sleep 60", seconds=0.5)
    assert "took longer than 0.5 s and was stopped" in failure(engine, SIMPLE).message
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux'")
def test_a_build_that_needs_too_much_memory_is_stopped(real: KustomizeProgram) -> None:
    large = {f"top/{number}": "x" * (4 << 20) for number in range(12)}
    files = ", ".join(f"'{number}'" for number in range(12))
    request = request_for({"top/kustomization.yaml": f"configMapGenerator: [{{name: a, files: [{files}]}}]\n", **large})
    engine = KustomizeProgram(60, 128, path=real.path)
    assert (
        failure(engine, request).message
        == "building the kustomization needed more than 128 MiB of memory and was stopped"
    )


@pytest.mark.parametrize(
    "text", ["resources: ['https://example.com/a.yaml']\n", "helmCharts: [{name: a}]\n", "resources: [../../../etc]\n"]
)
def test_what_must_not_be_fetched_or_read_is_refused_before_the_program_runs(scripted: Scripted, text: str) -> None:
    error = failure(scripted("exit 1"), request_for({"top/kustomization.yaml": text}))
    assert isinstance(error, DescriptionError)
    assert error.where == "input/top/kustomization.yaml:1"


def test_a_name_that_is_too_long_for_the_disk_is_an_error(scripted: Scripted) -> None:
    name = "a" * 300
    error = failure(
        scripted("exit 1"), request_for({"top/kustomization.yaml": f"resources: [{name}]\n", f"top/{name}": MAP})
    )
    assert isinstance(error, StoreError)
    assert "File name too long" in error.message


def test_a_key_that_kustomize_does_not_know_comes_with_its_line(real: KustomizeProgram) -> None:
    files = {
        "top/kustomization.yaml": "resources: [../base]\n",
        "base/kustomization.yaml": "namespace: a\nnamePrefx: b-\n",
    }
    error = failure(real, request_for(files))
    assert isinstance(error, RenderError)
    assert 'unknown field "namePrefx"' in error.message
    assert error.where == "input/base/kustomization.yaml:2"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": "a: ["}, "a.yaml"),
        ({"kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "a.yaml": MAP, "b.yaml": MAP}, "ConfigMap"),
        ({"kustomization.yaml": "patches: [{target: {kind: A}, patch: 'x'}]\n"}, "unable to parse SM or JSON patch"),
        ({"kustomization.yaml": ""}, "kustomization.yaml is empty"),
        (
            {"kustomization.yaml": "namespace: a\n", "kustomization.yml": "namespace: a\n"},
            "multiple kustomization files",
        ),
        ({"kustomization.yaml": "kind: Deployment\nnamespace: a\n"}, "kind should be Kustomization or Component"),
    ],
)
def test_the_message_is_that_of_kustomize(real: KustomizeProgram, files: dict[str, str], message: str) -> None:
    error = failure(real, request_for({f"top/{path}": text for path, text in files.items()}))
    assert isinstance(error, RenderError)
    assert message.lower() in error.message.lower()
    assert not re.search(r"cluster-forge-|^[Ee]rror:|/tmp/|run\.go", error.message)


def test_what_kustomize_warns_of_is_a_remark(real: KustomizeProgram) -> None:
    files = {"top/kustomization.yaml": "resources: [a.yaml]\ncommonLabels: {a: b}\n", "top/a.yaml": MAP}
    (remark,) = real.build(request_for(files)).remarks
    assert (remark.severity, remark.message) == (Severity.NOTICE, "'commonLabels' is deprecated")
    assert "Please use 'labels' instead" in remark.fix


def test_two_builds_give_the_same_bytes(real: KustomizeProgram) -> None:
    files = {"top/kustomization.yaml": "resources: [a.yaml]\nbuildMetadata: [originAnnotations]\n", "top/a.yaml": MAP}
    first, second = (real.build(request_for(files)) for _ in range(2))
    assert first == second


class CountingEngine:
    """A `ports.Kustomize` that counts its builds."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.builds = 0

    def build(self, request: KustomizeRequest) -> BuiltKustomization:
        self.builds += 1
        return BuiltKustomization(text=request.folder.encode() + b"\n\nb")


def test_a_kustomization_is_built_once_for_each_version(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path)
    engine = CountingEngine("kustomize v1")
    results = [CachingKustomize(engine, cache).build(SIMPLE) for _ in range(2)]
    assert results == [BuiltKustomization(text=b"top\n\nb")] * 2
    assert engine.builds == 1
    other = CountingEngine("kustomize v2")
    CachingKustomize(other, cache).build(SIMPLE)
    CachingKustomize(other, cache).build(request_for({"top/kustomization.yaml": "namespace: b\n"}))
    assert other.builds == 2
