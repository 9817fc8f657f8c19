"""Making objects: in this process, in others that can be ended, and from what was made before; one contract for all."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering import CachingRenderer, InProcessRenderer, Limits, WorkerPoolRenderer
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ArchiveError, ForgeError, ManifestError, RenderError, leaves
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.rendering import Renderer, RenderJob, RenderRequest
from cluster_forge.stack.model import KubernetesVersion

COMMAND = [sys.executable, "-P", "-c", "from cluster_forge.composition import serve; serve()", "auto"]
ENVIRONMENT = {**os.environ, "GOGC": "800", "GOMEMLIMIT": "768MiB", "PYTHONUTF8": "1"}
NAME = ComponentName("web")
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: VALUE}\n"
CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n"
    "spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets}\n"
    "  versions: [{name: v1, served: true, storage: true}]\n"
)
HOOK = CONFIG_MAP.replace(
    "{name: NAME}", "{name: hook, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: '3'}}"
)
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: p, image: 'example.com/p:1'}]}\n"


def direct() -> InProcessRenderer:
    return InProcessRenderer(HelmSdk(), FastYaml(GoYaml(PurePythonYaml())))


def chart(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", **files}.items():
            entry = tarfile.TarInfo(f"web/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def rendering(files: Mapping[str, str], **changes: Any) -> RenderJob:
    """An job for a chart."""
    given: dict[str, Any] = {
        "chart": chart(files),
        "values": {},
        "release": "shop",
        "namespace": "store",
        "kubernetes": KubernetesVersion(1, 33),
        "api_versions": ("example.com/v1",),
        **changes,
    }
    return RenderJob(component=NAME, where="input/config.yaml:3", chart=RenderRequest(**given))


def reading(*texts: str | bytes) -> RenderJob:
    """An job for texts."""
    contents = [text.encode() if isinstance(text, str) else text for text in texts]
    return RenderJob(component=NAME, where="here", texts=[(f"file{n}.yaml", each) for n, each in enumerate(contents)])


def templates(text: str) -> RenderJob:
    return rendering({"templates/a.yaml": text})


def made(renderer: Renderer, job: RenderJob) -> tuple[Manifest, ...]:
    return batch.unpack(renderer.render(job).content, NAME)


def failure(renderer: Renderer, job: RenderJob) -> list[ForgeError]:
    try:
        renderer.render(job)
    except (ForgeError, ExceptionGroup) as error:
        return [each for each in leaves(error) if isinstance(each, ForgeError)]
    pytest.fail("no error was raised")


GOOD = {
    "chart": templates(CONFIG_MAP + "---\n" + HOOK + "---\n" + POD),
    "values": rendering(
        {"templates/a.yaml": CONFIG_MAP.replace("VALUE", '{{ .Values.v | quote }}')}, values={"v": "y", "n": None}
    ),
    "capabilities": templates('{{ if .Capabilities.APIVersions.Has "example.com/v1" }}' + CONFIG_MAP + "{{ end }}"),
    "crds": rendering({"crds/a.yaml": CRD, "templates/none.yaml": ""}),
    "nothing": rendering({"templates/none.yaml": "# only a comment\n"}),
    "texts": reading(CONFIG_MAP + "---\n" + CRD, "[]\n".replace("[]", "{}"), POD),
    "a list": reading('{"apiVersion": "v1", "kind": "SecretList", "items": [{"metadata": {"name": "s"}}]}'),
    "umlauts": reading(CONFIG_MAP.replace("VALUE", "'Zürich 日本 😀 \u2028'")),
    "no texts": reading(),
}  # fmt: skip
BAD = {
    "a template that fails": templates('{{ fail "set the host" }}'),
    "no chart": RenderJob(component=NAME, where="here", chart=RenderRequest(
        chart=b"nonsense", values={}, release="r", namespace="n", kubernetes=KubernetesVersion(1, 33), api_versions=()
    )),
    "a values schema": rendering(
        {"values.schema.json": '{"properties": {"port": {"type": "integer"}}}'}, values={"port": "x"}
    ),
    "documents": templates("a: [\n---\nonly text\n---\nkind: X\n"),
    "no UTF-8": reading(b"a: \xff"),
    "too deep": reading(CONFIG_MAP + "x: " + "[" * 600 + "]" * 600),
}  # fmt: skip


@pytest.fixture(scope="module")
def processes() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, direct(), Limits(), ENVIRONMENT)
    yield renderer
    renderer.close()


@pytest.fixture(params=["cached", "processes", "cached processes"])
def renderer(request: pytest.FixtureRequest, tmp_path: Path) -> Renderer:
    if request.param == "cached":
        return CachingRenderer(direct(), FolderCache(tmp_path))
    processes: Renderer = request.getfixturevalue("processes")
    return processes if request.param == "processes" else CachingRenderer(processes, FolderCache(tmp_path))


class TestContract:
    @pytest.mark.parametrize("name", GOOD)
    def test_all_make_the_same(self, renderer: Renderer, name: str) -> None:
        expected = direct().render(GOOD[name])
        for _ in range(2):
            assert renderer.render(GOOD[name]).content == expected.content
        assert made(renderer, GOOD[name]) == batch.unpack(expected.content, NAME)

    @pytest.mark.parametrize("name", BAD)
    def test_all_fail_alike(self, renderer: Renderer, name: str) -> None:
        expected = failure(direct(), BAD[name])
        assert all(isinstance(each, RenderError | ManifestError | ArchiveError) for each in expected)
        assert all("component web" in each.message or each.where == "file0.yaml" for each in expected)
        for _ in range(2):
            assert [(type(each), str(each), each.where, each.fix) for each in failure(renderer, BAD[name])] == [
                (type(each), str(each), each.where, each.fix) for each in expected
            ]
        assert made(renderer, GOOD["chart"])

    def test_they_know_what_a_chart_asks_for(self, renderer: Renderer) -> None:
        asking = chart({"templates/a.yaml": '{{ .Capabilities.APIVersions.Has "policy/v1" }}'})
        unclear = chart({"templates/a.yaml": "{{ .Capabilities.APIVersions.Has .Values.a }}"})
        for _ in range(2):
            assert renderer.required_apis(asking) == direct().required_apis(asking) == frozenset({"policy/v1"})
            assert renderer.required_apis(unclear) is direct().required_apis(unclear) is None
        with pytest.raises(ArchiveError):
            renderer.required_apis(b"nonsense")

    def test_the_version_is_the_engines(self, renderer: Renderer) -> None:
        assert renderer.version == HelmSdk().version

    def test_several_threads_at_once(self, renderer: Renderer) -> None:
        names = [*GOOD] * 3
        expected = [direct().render(GOOD[name]).content for name in names]
        with ThreadPoolExecutor(3) as pool:
            assert [each.content for each in pool.map(lambda name: renderer.render(GOOD[name]), names)] == expected


def test_what_an_object_is_is_known_without_its_tree() -> None:
    found = made(direct(), GOOD["chart"])
    facts = {each.id.name: each.facts for each in found}
    assert (facts["hook"].hook, facts["hook"].weight) == ("pre-install", 3)
    assert facts["p"].images == ("example.com/p:1",)
    (crd,) = made(direct(), GOOD["crds"])
    assert crd.facts.defines
    assert crd.facts.defines.api_versions == ("example.com/v1", "example.com/v1/Widget")


ALIASES = "a: &a [x, x]\nb: [" + "*a, " * 1_000_000 + "x]\n"
LONG = "until 10000"
ENDLESS = {
    "a loop in a loop": templates(
        f"{{{{ range {LONG} }}}}{{{{ range {LONG} }}}}{{{{ range {LONG} }}}}{{{{ end }}}}{{{{ end }}}}{{{{ end }}}}"
    ),
    "a recursion that branches": templates(
        '{{ define "x" }}{{ if lt (len .) 40 }}{{ include "x" (append . 1) }}{{ include "x" (append . 1) }}{{ end }}'
        '{{ end }}{{ include "x" (list) }}'
    ),
}
GREEDY = {
    "until": templates("{{ range until 1000000000 }}a{{ end }}"),
    "repeat": templates('a: {{ repeat 1000000000 "a" }}'),
    "repeat in repeat": templates('a: {{ repeat 100000 (repeat 100000 "abcdefghij") }}'),
    "values": rendering({"values.yaml": "v: " + "a" * 1_000_000, "templates/a.yaml": "a: {{ repeat 2000 .Values.v }}"}),
}


@pytest.fixture(scope="module")
def hurried() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, direct(), Limits(seconds=3, memory=4096), ENVIRONMENT)
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def small() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, direct(), Limits(seconds=60, memory=512), ENVIRONMENT)
    yield renderer
    renderer.close()


class TestLimits:
    @pytest.mark.parametrize("name", ENDLESS)
    def test_time(self, hurried: WorkerPoolRenderer, name: str) -> None:
        begin = time.monotonic()
        (error,) = failure(hurried, ENDLESS[name])
        assert time.monotonic() - begin < 15
        assert isinstance(error, RenderError)
        assert "component web: the chart took longer than 3 s and was ended" in error.message
        assert error.where == "input/config.yaml:3"
        assert "--render-seconds" in str(error.fix)
        assert made(hurried, GOOD["texts"])

    @pytest.mark.parametrize("name", GREEDY)
    def test_memory(self, small: WorkerPoolRenderer, name: str) -> None:
        (error,) = failure(small, GREEDY[name])
        assert isinstance(error, RenderError)
        assert "component web: the chart wanted more than 512 MiB of memory and was ended" in error.message
        assert error.where == "input/config.yaml:3"
        assert "--render-memory" in str(error.fix)
        assert made(small, GOOD["chart"])

    def test_a_recursion_without_end_is_helms_error(self, small: WorkerPoolRenderer) -> None:
        job = templates('{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}')
        (error,) = failure(small, job)
        assert isinstance(error, RenderError)
        assert "component web: " in error.message
        assert made(small, GOOD["chart"])

    @pytest.mark.parametrize("what", ["chart", "text"])
    def test_a_million_aliases(self, small: WorkerPoolRenderer, what: str) -> None:
        bomb = (
            rendering({"values.yaml": ALIASES, "templates/a.yaml": CONFIG_MAP}) if what == "chart" else reading(ALIASES)
        )
        for error in failure(small, bomb):
            assert isinstance(error, RenderError | ManifestError | ArchiveError)
            assert "component web: " in error.message
        assert made(small, GOOD["chart"])

    def test_texts_are_limited_too(self, small: WorkerPoolRenderer) -> None:
        many = CONFIG_MAP + "x:\n" + "- {a: b, c: d, e: [1, 2, 3]}\n" * 1_500_000
        (error,) = failure(small, reading(many))
        assert "component web: its manifests wanted more than 512 MiB of memory" in error.message
        assert made(small, GOOD["texts"])


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def lives(pid: int) -> bool:
    """Whether a thread of it is left; the first one waits for the others as a zombie."""
    try:
        others = len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
        return others or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
class TestProcesses:
    @pytest.fixture
    def alone(self) -> Iterator[WorkerPoolRenderer]:
        renderer = WorkerPoolRenderer(COMMAND, direct(), Limits(), ENVIRONMENT)
        yield renderer
        renderer.close()

    def test_one_makes_one_order_after_the_other(self, alone: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        for job in GOOD.values():
            alone.render(job)
        assert len(set(children(os.getpid())) - before) == 1

    def test_one_that_is_killed_while_it_works_is_told(self, alone: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        alone.render(GOOD["texts"])
        (child,) = set(children(os.getpid())) - before
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(failure, alone, ENDLESS["a loop in a loop"])
            time.sleep(1)
            assert not working.done()
            os.kill(child, signal.SIGKILL)
            (error,) = working.result(timeout=10)
        assert isinstance(error, RenderError)
        assert "component web: the chart made its process end" in error.message
        assert made(alone, GOOD["chart"])

    def test_one_that_died_between_two_orders_is_replaced(self, alone: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        alone.render(GOOD["texts"])
        (child,) = set(children(os.getpid())) - before
        os.kill(child, signal.SIGKILL)
        assert eventually(lambda: not lives(child), 3)
        assert made(alone, GOOD["chart"])

    def test_close_ends_all_of_them(self, alone: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        alone.start(2)
        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(failure, alone, ENDLESS["a loop in a loop"])
            time.sleep(1)
            assert len(set(children(os.getpid())) - before) == 2
            alone.close()
            assert isinstance(working.result(timeout=10)[0], RenderError)
        assert set(children(os.getpid())) <= before

    def test_what_a_library_prints_is_no_answer(self) -> None:
        noisy = "import os; os.write(1, b'') ; from cluster_forge.adapters.rendering import worker as child\n"
        script = noisy + (
            "import sys\nfrom cluster_forge.composition import _engine, _reader\n"
            "from cluster_forge.adapters.rendering import InProcessRenderer\n"
            "class Noisy(InProcessRenderer):\n"
            "    def render(self, job):\n        print('noise', flush=True); return super().render(job)\n"
            "child.serve(Noisy(_engine('auto'), _reader()), memory=int(sys.argv[1]))\n"
        )
        renderer = WorkerPoolRenderer([sys.executable, "-P", "-c", script], direct(), Limits(), ENVIRONMENT)
        try:
            assert made(renderer, GOOD["texts"]) == made(direct(), GOOD["texts"])
        finally:
            renderer.close()

    def test_they_end_with_a_parent_that_is_killed(self, tmp_path: Path) -> None:
        script = tmp_path / "parent.py"
        script.write_text(
            "import pathlib, sys, threading, time\n"
            f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "import test_rendering as t\n"
            "renderer = t.WorkerPoolRenderer(t.COMMAND, t.direct(), t.Limits(), t.ENVIRONMENT)\n"
            "renderer.render(t.GOOD['texts'])\n"
            "threading.Thread(target=renderer.render, args=(t.ENDLESS['a loop in a loop'],), daemon=True).start()\n"
            "renderer.start(1)\ntime.sleep(0.5)\n"
            "pathlib.Path(sys.argv[1]).touch()\ntime.sleep(60)\n"
        )
        ready = tmp_path / "ready"
        parent = subprocess.Popen([sys.executable, script, ready])
        try:
            assert eventually(ready.exists, 30)
            pids = children(parent.pid)
            assert len(pids) == 2
        finally:
            parent.kill()
            parent.wait()
        assert eventually(lambda: not any(map(lives, pids)), 3)
