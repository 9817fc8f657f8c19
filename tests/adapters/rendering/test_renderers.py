"""Rendering in this process, in worker processes and from the cache: one contract for all."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.processes import becomes_true, children, is_alive, needs_proc

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.rendering.short_texts import ShortTextsRenderer
from cluster_forge.adapters.rendering.worker_pool import JobLimits, WorkerPoolRenderer
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.yaml.fast import FastYaml, is_readable
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ArchiveError, ForgeError, ManifestError, RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.rendering import RenderedBatch, Renderer, RenderJob, RenderRequest
from cluster_forge.stack.model import KubernetesVersion

COMMAND = [sys.executable, "-P", "-c", "from cluster_forge.composition import serve; serve()", "auto"]
ENVIRONMENT = {**os.environ, "GOGC": "800", "GOMEMLIMIT": "128MiB", "PYTHONUTF8": "1"}
PROJECT = Path(__file__).resolve().parents[3]
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


def in_process() -> InProcessRenderer:
    return InProcessRenderer(HelmSdk(), FastYaml(GoYaml(PurePythonYaml())))


def chart(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path, text in {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", **files}.items():
            entry = tarfile.TarInfo(f"web/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def chart_job(files: Mapping[str, str], **changes: Any) -> RenderJob:
    arguments: dict[str, Any] = {
        "chart": chart(files),
        "values": {},
        "release": "shop",
        "namespace": "store",
        "kubernetes": KubernetesVersion(1, 33),
        "api_versions": ("example.com/v1",),
        **changes,
    }
    return RenderJob(component=NAME, where="input/config.yaml:3", chart=RenderRequest(**arguments))


def text_job(*texts: str | bytes) -> RenderJob:
    contents = [text.encode() if isinstance(text, str) else text for text in texts]
    return RenderJob(
        component=NAME, where="here", texts=[(f"file{n}.yaml", content) for n, content in enumerate(contents)]
    )


def template_job(text: str) -> RenderJob:
    return chart_job({"templates/a.yaml": text})


def manifests(renderer: Renderer, job: RenderJob) -> tuple[Manifest, ...]:
    return batch.unpack(renderer.render(job).content, NAME)


def failures(renderer: Renderer, job: RenderJob) -> list[ForgeError]:
    try:
        renderer.render(job)
    except (ForgeError, ExceptionGroup) as error:
        return [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
    pytest.fail("no error was raised")


GOOD = {
    "chart": template_job(CONFIG_MAP + "---\n" + HOOK + "---\n" + POD),
    "values": chart_job(
        {"templates/a.yaml": CONFIG_MAP.replace("VALUE", '{{ .Values.v | quote }}')}, values={"v": "y", "n": None}
    ),
    "capabilities": template_job('{{ if .Capabilities.APIVersions.Has "example.com/v1" }}' + CONFIG_MAP + "{{ end }}"),
    "crds": chart_job({"crds/a.yaml": CRD, "templates/none.yaml": ""}),
    "nothing": chart_job({"templates/none.yaml": "# only a comment\n"}),
    "texts": text_job(CONFIG_MAP + "---\n" + CRD, "[]\n".replace("[]", "{}"), POD),
    "a list": text_job('{"apiVersion": "v1", "kind": "SecretList", "items": [{"metadata": {"name": "s"}}]}'),
    "umlauts": text_job(CONFIG_MAP.replace("VALUE", "'Zürich 日本 😀 \u2028'")),
    "no texts": text_job(),
}  # fmt: skip
BAD = {
    "a failing template": template_job('{{ fail "set the host" }}'),
    "not a chart": RenderJob(component=NAME, where="here", chart=RenderRequest(
        chart=b"nonsense", values={}, release="r", namespace="n", kubernetes=KubernetesVersion(1, 33), api_versions=()
    )),
    "a values schema": chart_job(
        {"values.schema.json": '{"properties": {"port": {"type": "integer"}}}'}, values={"port": "x"}
    ),
    "documents": template_job("a: [\n---\nonly text\n---\nkind: X\n"),
    "not UTF-8": text_job(b"a: \xff"),
    "too deep": text_job(CONFIG_MAP + "x: " + "[" * 600 + "]" * 600),
}  # fmt: skip


@pytest.fixture(scope="module")
def processes() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, HelmSdk(), JobLimits(), ENVIRONMENT)
    yield renderer
    renderer.close()


@pytest.fixture(params=["cached", "processes", "cached processes", "short texts and processes"])
def renderer(request: pytest.FixtureRequest, tmp_path: Path) -> Renderer:
    if request.param == "cached":
        return CachingRenderer(in_process(), FolderCache(tmp_path))
    processes: Renderer = request.getfixturevalue("processes")
    if request.param == "short texts and processes":
        return ShortTextsRenderer(processes, FastYaml(GoYaml(PurePythonYaml())), is_readable)
    return processes if request.param == "processes" else CachingRenderer(processes, FolderCache(tmp_path))


def shown(error: ForgeError) -> tuple[type[ForgeError], str, str | None, str | None]:
    return type(error), str(error), error.where, error.fix


class TestContract:
    @pytest.mark.parametrize("name", GOOD)
    def test_all_render_the_same(self, renderer: Renderer, name: str) -> None:
        expected = in_process().render(GOOD[name])
        for _ in range(2):
            assert renderer.render(GOOD[name]).content == expected.content
        assert manifests(renderer, GOOD[name]) == batch.unpack(expected.content, NAME)

    @pytest.mark.parametrize("name", BAD)
    def test_all_fail_in_the_same_way(self, renderer: Renderer, name: str) -> None:
        expected = failures(in_process(), BAD[name])
        assert all(isinstance(error, RenderError | ManifestError | ArchiveError) for error in expected)
        assert all("component web" in error.message or error.where == "file0.yaml" for error in expected)
        for _ in range(2):
            assert [*map(shown, failures(renderer, BAD[name]))] == [*map(shown, expected)]
        assert manifests(renderer, GOOD["chart"])

    def test_required_apis_are_the_same(self, renderer: Renderer) -> None:
        asking = chart({"templates/a.yaml": '{{ .Capabilities.APIVersions.Has "policy/v1" }}'})
        unclear = chart({"templates/a.yaml": "{{ .Capabilities.APIVersions.Has .Values.a }}"})
        for _ in range(2):
            assert renderer.required_apis(asking) == in_process().required_apis(asking) == frozenset({"policy/v1"})
            assert renderer.required_apis(unclear) is in_process().required_apis(unclear) is None
        with pytest.raises(ArchiveError):
            renderer.required_apis(b"nonsense")

    def test_a_released_renderer_renders_again(self, renderer: Renderer) -> None:
        expected = manifests(renderer, GOOD["chart"])
        for _ in range(2):
            renderer.release()
        assert manifests(renderer, GOOD["chart"]) == expected
        assert manifests(renderer, GOOD["texts"])

    def test_version_is_that_of_the_engine(self, renderer: Renderer) -> None:
        assert renderer.version == HelmSdk().version

    def test_threads_share_a_renderer(self, renderer: Renderer) -> None:
        names = [*GOOD] * 3
        expected = [in_process().render(GOOD[name]).content for name in names]
        with ThreadPoolExecutor(3) as pool:
            assert [batch.content for batch in pool.map(lambda name: renderer.render(GOOD[name]), names)] == expected


def test_facts_are_known_without_the_tree() -> None:
    facts = {manifest.id.name: manifest.facts for manifest in manifests(in_process(), GOOD["chart"])}
    assert (facts["hook"].hook, facts["hook"].weight) == ("pre-install", 3)
    assert facts["p"].images == ("example.com/p:1",)
    (crd,) = manifests(in_process(), GOOD["crds"])
    assert crd.facts.defines
    assert crd.facts.defines.api_versions == ("example.com/v1", "example.com/v1/Widget")


ALIASES = "a: &a [x, x]\nb: [" + "*a, " * 1_000_000 + "x]\n"
LONG = "until 10000"
ENDLESS = {
    "a loop in a loop": template_job(
        f"{{{{ range {LONG} }}}}{{{{ range {LONG} }}}}{{{{ range {LONG} }}}}{{{{ end }}}}{{{{ end }}}}{{{{ end }}}}"
    ),
    "a branching recursion": template_job(
        '{{ define "x" }}{{ if lt (len .) 40 }}{{ include "x" (append . 1) }}{{ include "x" (append . 1) }}{{ end }}'
        '{{ end }}{{ include "x" (list) }}'
    ),
}
GREEDY = {
    "until": template_job("{{ range until 1000000000 }}a{{ end }}"),
    "repeat": template_job('a: {{ repeat 1000000000 "a" }}'),
    "a long text": template_job('a: {{ repeat 60000000 "a" }}'),
    "repeat in repeat": template_job('a: {{ repeat 100000 (repeat 100000 "abcdefghij") }}'),
    "values": chart_job({"values.yaml": "v: " + "a" * 1_000_000, "templates/a.yaml": "a: {{ repeat 2000 .Values.v }}"}),
}


@pytest.fixture(scope="module")
def with_little_time() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, HelmSdk(), JobLimits(seconds=3, memory=4096), ENVIRONMENT)
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def with_little_memory() -> Iterator[WorkerPoolRenderer]:
    renderer = WorkerPoolRenderer(COMMAND, HelmSdk(), JobLimits(seconds=60, memory=512), ENVIRONMENT)
    yield renderer
    renderer.close()


class TestLimits:
    @pytest.mark.parametrize("name", ENDLESS)
    def test_slow_chart_is_stopped(self, with_little_time: WorkerPoolRenderer, name: str) -> None:
        begin = time.monotonic()
        (error,) = failures(with_little_time, ENDLESS[name])
        assert time.monotonic() - begin < 15
        assert isinstance(error, RenderError)
        assert "component web: rendering the chart took longer than 3 s and was stopped" in error.message
        assert error.where == "input/config.yaml:3"
        assert "--render-seconds" in str(error.fix)
        assert manifests(with_little_time, GOOD["texts"])

    @pytest.mark.parametrize("name", GREEDY)
    def test_greedy_chart_is_stopped(self, with_little_memory: WorkerPoolRenderer, name: str) -> None:
        (error,) = failures(with_little_memory, GREEDY[name])
        assert isinstance(error, RenderError)
        assert "component web: rendering the chart needed more than 512 MiB of memory and was stopped" in error.message
        assert error.where == "input/config.yaml:3"
        assert "--render-memory" in str(error.fix)
        assert manifests(with_little_memory, GOOD["chart"])

    @pytest.mark.parametrize("memory", [1024, 1536, 2048])
    def test_greedy_text_is_reported_wherever_the_memory_ends(self, memory: int) -> None:
        """In Go, in the C of the bridge, or in the reader of JSON: each says it in its own words."""
        renderer = WorkerPoolRenderer(COMMAND, HelmSdk(), JobLimits(seconds=60, memory=memory), ENVIRONMENT)
        try:
            (error,) = failures(renderer, template_job('a: {{ repeat 100000000 "a" }}'))
        finally:
            renderer.close()
        assert f"needed more than {memory} MiB of memory and was stopped" in error.message

    @pytest.mark.parametrize(
        "last_words",
        [
            "runtime/cgo: pthread_create failed: Resource temporarily unavailable",
            "runtime: failed to create new OS thread (have 5 already; errno=11)",
            "RuntimeError: can't start new thread",
            "fatal error: runtime: out of memory",
        ],
    )
    def test_every_way_to_die_of_memory_is_called_so(self, last_words: str) -> None:
        """Which one it is depends on where the limit is met."""
        dying = [sys.executable, "-c", f"import sys; sys.stdin.buffer.read(1); sys.exit({last_words!r})"]
        renderer = WorkerPoolRenderer(dying, HelmSdk(), JobLimits(memory=512), ENVIRONMENT)
        (error,) = failures(renderer, GOOD["chart"])
        renderer.close()
        assert "rendering the chart needed more than 512 MiB of memory" in error.message

    def test_endless_recursion_is_an_error_of_helm(self, with_little_memory: WorkerPoolRenderer) -> None:
        job = template_job('{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}')
        (error,) = failures(with_little_memory, job)
        assert isinstance(error, RenderError)
        assert "component web: " in error.message
        assert manifests(with_little_memory, GOOD["chart"])

    @pytest.mark.parametrize("what", ["chart", "text"])
    def test_million_aliases_are_survived(self, with_little_memory: WorkerPoolRenderer, what: str) -> None:
        bomb = (
            chart_job({"values.yaml": ALIASES, "templates/a.yaml": CONFIG_MAP})
            if what == "chart"
            else text_job(ALIASES)
        )
        for error in failures(with_little_memory, bomb):
            assert isinstance(error, RenderError | ManifestError | ArchiveError)
            assert "component web: " in error.message
        assert manifests(with_little_memory, GOOD["chart"])

    def test_texts_are_limited_like_charts(self, with_little_memory: WorkerPoolRenderer) -> None:
        many = CONFIG_MAP + "x:\n" + "- {a: b, c: d, e: [1, 2, 3]}\n" * 1_500_000
        (error,) = failures(with_little_memory, text_job(many))
        assert "component web: rendering the manifests needed more than 512 MiB of memory" in error.message
        assert manifests(with_little_memory, GOOD["texts"])


@needs_proc
class TestWorkers:
    @pytest.fixture
    def pool(self) -> Iterator[WorkerPoolRenderer]:
        renderer = WorkerPoolRenderer(COMMAND, HelmSdk(), JobLimits(), ENVIRONMENT)
        yield renderer
        renderer.close()

    def test_one_worker_renders_jobs_in_sequence(self, pool: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        for job in GOOD.values():
            pool.render(job)
        assert len(set(children(os.getpid())) - before) == 1

    def test_worker_killed_during_a_job_is_reported(self, pool: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        pool.render(GOOD["texts"])
        (child,) = set(children(os.getpid())) - before
        with ThreadPoolExecutor(1) as threads:
            working = threads.submit(failures, pool, ENDLESS["a loop in a loop"])
            time.sleep(1)
            assert not working.done()
            os.kill(child, signal.SIGKILL)
            (error,) = working.result(timeout=10)
        assert isinstance(error, RenderError)
        assert "component web: rendering the chart crashed its process" in error.message
        assert manifests(pool, GOOD["chart"])

    def test_worker_killed_between_jobs_is_replaced(self, pool: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        pool.render(GOOD["texts"])
        (child,) = set(children(os.getpid())) - before
        os.kill(child, signal.SIGKILL)
        assert becomes_true(lambda: not is_alive(child), 3)
        assert manifests(pool, GOOD["chart"])

    def test_close_kills_every_worker(self, pool: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        pool.start(2)
        with ThreadPoolExecutor(1) as threads:
            working = threads.submit(failures, pool, ENDLESS["a loop in a loop"])
            time.sleep(1)
            assert len(set(children(os.getpid())) - before) == 2
            pool.close()
            assert isinstance(working.result(timeout=10)[0], RenderError)
        assert set(children(os.getpid())) <= before

    def test_a_released_pool_has_no_process_until_the_next_job(self, pool: WorkerPoolRenderer) -> None:
        before = set(children(os.getpid()))
        pool.render(GOOD["texts"])
        pool.release()
        assert set(children(os.getpid())) <= before
        pool.render(GOOD["texts"])
        assert len(set(children(os.getpid())) - before) == 1

    def test_no_worker_starts_after_close(self, pool: WorkerPoolRenderer) -> None:
        """A thread that was abandoned may be about to render when everything ends."""
        before = set(children(os.getpid()))
        pool.start(1)
        pool.close()
        with pytest.raises(RuntimeError, match="closed"):
            pool.render(GOOD["texts"])
        assert set(children(os.getpid())) <= before

    def test_printed_output_does_not_mix_with_answers(self) -> None:
        noisy = "import os; os.write(1, b'') ; from cluster_forge.adapters.rendering import worker\n"
        script = noisy + (
            "import sys\nfrom cluster_forge.composition.rendering import helm_engine, reader\n"
            "from cluster_forge.adapters.rendering.in_process import InProcessRenderer\n"
            "class Noisy(InProcessRenderer):\n"
            "    def render(self, job):\n        print('noise', flush=True); return super().render(job)\n"
            "worker.serve(Noisy(helm_engine('auto'), reader()), memory=int(sys.argv[1]))\n"
        )
        renderer = WorkerPoolRenderer([sys.executable, "-P", "-c", script], HelmSdk(), JobLimits(), ENVIRONMENT)
        try:
            assert manifests(renderer, GOOD["texts"]) == manifests(in_process(), GOOD["texts"])
        finally:
            renderer.close()

    def test_workers_end_with_a_killed_parent(self, tmp_path: Path) -> None:
        script = tmp_path / "parent.py"
        script.write_text(
            "import pathlib, sys, threading, time\n"
            f"sys.path[:0] = {[str(Path(__file__).parent), str(PROJECT)]!r}\n"
            "import test_renderers as t\n"
            "renderer = t.WorkerPoolRenderer(t.COMMAND, t.HelmSdk(), t.JobLimits(), t.ENVIRONMENT)\n"
            "renderer.render(t.GOOD['texts'])\n"
            "threading.Thread(target=renderer.render, args=(t.ENDLESS['a loop in a loop'],), daemon=True).start()\n"
            "renderer.start(1)\ntime.sleep(0.5)\n"
            "pathlib.Path(sys.argv[1]).touch()\ntime.sleep(60)\n"
        )
        ready = tmp_path / "ready"
        parent = subprocess.Popen([sys.executable, script, ready])
        try:
            assert becomes_true(ready.exists, 30)
            pids = children(parent.pid)
            assert len(pids) == 2
        finally:
            parent.kill()
            parent.wait()
        assert becomes_true(lambda: not any(map(is_alive, pids)), 3)


@pytest.mark.parametrize(
    ("template", "files", "values", "fix"),
    [
        ("{{ trunc 3 .Values.a.b }}", {}, {"a": {"b": None}}, "`a.b: null` in the values removes"),
        ("{{ .Values.a.b.c }}", {}, {"a": {"b": None}}, "`a.b: null` in the values removes"),
        ("{{ trunc 3 .Values.a.b }}", {}, {"a": {}}, "set the values"),
    ],
)
def test_a_value_that_is_null_is_named_with_the_line_to_write(
    template: str, files: dict[str, str], values: dict[str, Any], fix: str
) -> None:
    job = chart_job({"templates/a.yaml": template, **files}, values=values)
    (error,) = failures(in_process(), job)
    assert (error.fix or "").startswith(fix)


class Counted:
    """Counts the jobs that its renderer gets."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.jobs = 0

    def render(self, job: RenderJob) -> RenderedBatch:
        self.jobs += 1
        return self.renderer.render(job)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.renderer, name)


@pytest.mark.parametrize(
    ("job", "is_short"),
    [
        pytest.param(text_job(CONFIG_MAP + "---\n" + CRD, POD), True, id="short"),
        pytest.param(text_job(CONFIG_MAP, "a: *a\n"), False, id="an alias"),
        pytest.param(text_job(CONFIG_MAP.replace("VALUE", "&a [1]")), False, id="an anchor"),
        pytest.param(text_job(b"a: \xff"), False, id="not UTF-8"),
        pytest.param(text_job(CONFIG_MAP.replace("VALUE", "x" * 70_000)), False, id="long"),
        pytest.param(template_job(CONFIG_MAP), False, id="a chart"),
    ],
)
def test_only_short_texts_without_surprises_are_read_in_this_process(job: RenderJob, is_short: bool) -> None:
    counted = Counted(in_process())
    renderer = ShortTextsRenderer(counted, FastYaml(GoYaml(PurePythonYaml())), is_readable)
    outcomes: list[list[str]] = []
    for one in (renderer, in_process()):
        try:
            outcomes.append([manifest.document.text.decode() for manifest in manifests(one, job)])
        except (ForgeError, ExceptionGroup) as error:
            outcomes.append([str(leaf) for leaf in leaves(error)])
    assert outcomes[0] == outcomes[1]
    assert counted.jobs == (not is_short)


def test_an_error_in_a_file_is_at_its_line_there() -> None:
    """That of what a chart renders is counted in the result: its templates have other lines."""
    broken = CONFIG_MAP + "---\n\napiVersion: v1\nkind: [\nmetadata: {name: b}\n"
    (error,) = failures(in_process(), text_job(broken))
    assert (error.where, "line" in error.message) == ("file0.yaml:9", False)
    (error,) = failures(in_process(), template_job(broken))
    assert error.where == "web/templates/a.yaml:7"
    assert "line 4 of the document" in error.message or "line 3 of the document" in error.message
