"""Commands that are killed, that fail, and that run at the same time: existing files stay whole, and the next command works."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import PROGRAM, config_map

from cluster_forge.foundation.digest import Digest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

CHARTS = ("web", "site", "shop")
PATHS = ("cluster-forge.lock", "working", "stacks/demo", *(f"input/{name}/manifests/sourced" for name in CHARTS))
EARLIER = {"mine": (), "forge": (), "smelt": ("mine",), "cast": ("mine", "smelt")}
"""The verbs that must have run before a verb."""
CHANGING = {
    "mine": ("cluster-forge.lock", *PATHS[3:]),
    "smelt": ("working",),
    "cast": ("stacks/demo",),
    "forge": PATHS,
}
"""The paths that a verb writes."""
SEED = 4
MOVING = ("exchange", "os.rename")
MEMORY = Path("/dev/shm")

Content = dict[str, bytes] | bytes | None
Contents = dict[int, dict[str, Content]]
"""What each path holds, for either description."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is Unix's")


def describe(workspace: Workspace, number: int) -> None:
    """One of two descriptions whose results differ in every tree."""
    lines = "".join(
        f"- {{name: {name}, namespace: {name}, helm: {{chart: ./charts/web}}, values: {{replicas: {number}}}}}\n"
        for name in CHARTS
    )
    head = "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\ngitops: {engine: none}\ncomponents:\n"
    extra = "- {name: extras, namespace: extras, manifests: [extras/]}\n"
    workspace.write(
        {"input/config.yaml": head + lines + extra, "input/extras/one.yaml": config_map("one", f"{number}")}
    )
    # The lock pins the chart, so that differs only where the chart does.
    workspace.write({"input/charts/web/values.yaml": f"replicas: 1\nimage: docker.io/library/nginx:1.{number}\n"})


def content(workspace: Workspace, path: str) -> Content:
    place = workspace.folder / path
    if place.is_dir():
        return workspace.tree(path)
    return place.read_bytes() if place.exists() else None


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: hundreds of flushes to a busy disk take minutes, and prove nothing here."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """What `both` prepared for the first test: a copy of it serves the others."""
    return {}


@pytest.fixture
def both(
    workspace: Workspace, tmp_path: Path, kept: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, Contents]:
    """A forged workspace with its store, and what each path holds for either description."""
    if kept:
        shutil.copytree(kept["folder"], tmp_path, symlinks=True, dirs_exist_ok=True)
        return workspace, kept["contents"]
    contents = {}
    for number in (2, 1):
        describe(workspace, number)
        workspace.ok("forge")
        contents[number] = {path: content(workspace, path) for path in PATHS}
    assert all(contents[1][path] != contents[2][path] for path in PATHS)
    folder = tmp_path_factory.mktemp("forged") / "copy"
    shutil.copytree(tmp_path, folder, symlinks=True)
    kept |= {"folder": folder, "contents": contents}
    return workspace, contents


def started(workspace: Workspace, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PROGRAM, *arguments], cwd=workspace.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


NURSERY = """
import json, os, signal, sys
from cluster_forge.cli.app import run
import cluster_forge.stages.build.forge, filelock

folder = sys.argv[1]
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link"}
EXCHANGES = ("renameat2", "renamex_np")  # looked up before each call
run(["-C", folder, "config", "validate", "-q"])

def work(place, arguments):
    kind, number, is_after = place
    steps = []

    def note(event, path):
        if not str(path).startswith(folder):
            return
        last = steps[-1:] if is_after else [event]
        if steps.count(kind) == number - (not is_after) and last == [kind]:
            os.kill(os.getpid(), signal.SIGKILL)
        steps.append(event)

    def hook(event, arguments):
        if event == "ctypes.dlsym" and arguments[1] in EXCHANGES:
            note("exchange", folder)
        elif event in CHANGES or event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            note(event, os.fsdecode(arguments[0]) if not isinstance(arguments[0], int) else "")

    sys.addaudithook(hook)
    code = run(["-C", folder, *arguments])
    with open(folder + ".steps", "w") as file:
        json.dump(steps, file)
    return code

for line in sys.stdin:
    place, arguments = json.loads(line)
    child = os.fork()
    if not child:
        os._exit(work(place, arguments))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Death:
    """The place in a run at which a command kills itself: before the step of a kind with that number, or before the next one."""

    kind: str
    number: int
    is_after: bool


class Nursery:
    """Starts the command line as processes of its own that need not import everything first: that takes half a second.

    They load Helm's library themselves, for that does not survive a fork. A step is a call that changes a file or folder
    of the workspace.
    """

    def __init__(self, process: subprocess.Popen[str], workspace: Workspace) -> None:
        self._process = process
        self._steps = workspace.folder.with_name(f"{workspace.folder.name}.steps")

    def start(self, *arguments: str, death: Death | None = None) -> int:
        """The process of a command, which dies at that place if there is one."""
        assert self._process.stdin
        assert self._process.stdout
        place = (death.kind, death.number, death.is_after) if death else ("", -1, False)
        self._process.stdin.write(json.dumps([place, arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def exit_code(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def steps(self) -> Sequence[str]:
        """The steps of the last command that was not killed, by their kind."""
        steps: list[str] = json.loads(self._steps.read_text())
        return steps


@pytest.fixture
def nursery(workspace: Workspace) -> Iterator[Nursery]:
    command = [sys.executable, "-c", NURSERY, str(workspace.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process, workspace)


def is_writing(workspace: Workspace) -> bool:
    return any((workspace.folder / ".cluster-forge").glob("aside-*"))


def wait_for(workspace: Workspace, process: subprocess.Popen[bytes], pattern: str) -> bool:
    """Until something is in such a file of the workspace's state; False if the process ended before."""
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):  # gone just now
            if any(path.stat().st_size for path in (workspace.folder / ".cluster-forge").glob(pattern)):
                return True
        time.sleep(0.0003)
    return False


def prepare(workspace: Workspace, verb: str, number: int) -> None:
    """Everything before ``verb`` is done for this description."""
    describe(workspace, number)
    for earlier in EARLIER[verb]:
        workspace.ok(earlier)


def deaths(steps: Sequence[str]) -> Iterator[Death]:
    """Around each step in which trees or files change places, and at some where files are written.

    They are counted by kind, for a run may have a step more or less than the one before.
    """
    numbers: Counter[str] = Counter()
    opened = steps.count("open")
    for step, following in itertools.zip_longest(steps, steps[1:]):
        numbers[step] += 1
        if step in MOVING:
            yield Death(step, numbers[step], is_after=False)
            if following not in MOVING:
                yield Death(step, numbers[step], is_after=True)
        elif step == "open" and numbers[step] in (1, opened // 3, 2 * opened // 3):
            yield Death(step, numbers[step], is_after=False)


@pytest.mark.parametrize("verb", ["smelt", "mine", "cast", "forge"])
def test_a_killed_command_leaves_everything_old_or_new(
    both: tuple[Workspace, Contents], nursery: Nursery, verb: str
) -> None:
    """It dies around each step that moves a tree or file, so every state that it can leave is seen."""
    workspace, contents = both
    for wanted in (2, 1):  # the first one waits until the nursery is ready
        prepare(workspace, verb, wanted)
        nursery.start(verb, "-q")
        assert nursery.exit_code() == 0
    left, states = 0, set()
    for number, death in enumerate(deaths(nursery.steps())):
        wanted = 2 - number % 2
        prepare(workspace, verb, wanted)
        before = {path: content(workspace, path) for path in PATHS}
        nursery.start(verb, "-q", death=death)
        assert nursery.exit_code() == -signal.SIGKILL
        left += is_writing(workspace)
        for path in PATHS:
            present = content(workspace, path)
            assert present in (before[path], contents[wanted][path]), (death, path)
            if path in CHANGING[verb]:
                states.add((path, present == contents[wanted][path]))
        workspace.ok(verb)
        assert not is_writing(workspace)
        if verb == "forge":
            assert {path: content(workspace, path) for path in PATHS} == contents[wanted]
    assert left, "none died while it wrote"
    assert states == {(path, is_new) for path in CHANGING[verb] for is_new in (False, True)}


def test_a_command_that_is_killed_at_any_time_leaves_everything_old_or_new(
    both: tuple[Workspace, Contents], nursery: Nursery
) -> None:
    """By another process, also in the midst of a step."""
    workspace, contents = both
    moments = random.Random(SEED)
    begun = 0.0
    for wanted in (2, 1):
        prepare(workspace, "forge", wanted)
        begun = time.monotonic()
        nursery.start("forge", "-q")
        assert nursery.exit_code() == 0
    duration = time.monotonic() - begun
    killed = 0
    for number in range(10):
        wanted = 2 - number % 2
        prepare(workspace, "forge", wanted)
        process = nursery.start("forge", "-q")
        time.sleep(moments.uniform(0, 1.1) * duration)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        killed += nursery.exit_code() == -signal.SIGKILL
        for path in PATHS:
            assert content(workspace, path) in (contents[1][path], contents[2][path]), (number, path)
        workspace.ok("forge")
        assert {path: content(workspace, path) for path in PATHS} == contents[wanted]
    assert killed > 2


@pytest.mark.parametrize("verb", ["mine", "smelt", "forge"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("input/charts/web/templates/web.yaml", "{{ fail `no` }}"),
        ("input/charts/web/Chart.yaml", "name: ["),
        ("input/config.yaml", "kind: ["),
        ("cluster-forge.lock", "components: ["),
    ],
)
def test_a_command_that_fails_leaves_everything_as_it_was(
    both: tuple[Workspace, Contents], verb: str, path: str, text: str
) -> None:
    workspace, contents = both
    workspace.write({path: text})
    before = workspace.tree(".")
    result = workspace.run(verb, "--discard-edits" if verb != "mine" else "-q")
    assert 10 <= result.code < 30, result.err
    assert "error: " in result.err
    assert workspace.tree(".") == before
    for name in PATHS:
        assert name == path or content(workspace, name) == contents[1][name]


@contextlib.contextmanager
def stopped(workspace: Workspace, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real command that holds the lock and does not go on."""
    with started(workspace, *arguments) as process:
        assert wait_for(workspace, process, "lock.holder")
        process.send_signal(signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()


class TestTwoAtOnce:
    def test_the_second_names_the_first_and_takes_over_the_lock_of_a_dead_one(self, workspace: Workspace) -> None:
        with stopped(workspace, "forge", "--jobs", "1") as process:
            result = workspace.run("smelt")
            assert result.code == 20
            assert f"in use by process {process.pid} (cluster-forge forge --jobs 1) on " in result.err
            assert " since 2" in result.err
            assert "fix: wait until that command is done, or stop it" in result.err
            assert workspace.ok("config", "validate").out
            process.kill()
            process.wait(10)
            workspace.ok("forge")
        assert not (workspace.folder / ".cluster-forge/lock.holder").exists()

    def test_the_second_waits_for_the_first(self, both: tuple[Workspace, Contents]) -> None:
        workspace, contents = both
        describe(workspace, 2)
        processes = [started(workspace, "forge", "-q") for _ in range(4)]
        codes = [process.wait(60) for process in processes]
        assert codes.count(20) + codes.count(0) == 4
        assert 0 in codes
        assert {path: content(workspace, path) for path in PATHS} == contents[2]

    def test_a_workspace_that_is_removed_meanwhile_does_not_come_back(self, workspace: Workspace) -> None:
        arguments = ["-C", str(workspace.folder), "forge", "-q"]
        with subprocess.Popen([PROGRAM, *arguments], stderr=subprocess.PIPE) as process:
            assert wait_for(workspace, process, "lock.holder")
            process.send_signal(signal.SIGSTOP)
            shutil.rmtree(workspace.folder)
            process.send_signal(signal.SIGCONT)
            _, errors = process.communicate(timeout=60)
        assert 10 <= process.returncode < 30, errors
        assert errors.startswith(b"error: ")
        assert not workspace.folder.exists()


def test_several_workspaces_share_a_store_at_once(workspace: Workspace, tmp_path: Path) -> None:
    folders = [tmp_path / f"copy{number}" for number in range(4)]
    for folder in folders:
        shutil.copytree(workspace.folder, folder)
    processes = [subprocess.Popen([PROGRAM, "-C", folder, "forge", "-q"]) for folder in folders]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    store = tmp_path / "cache/cluster-forge"
    entries = [path for path in (store / "sha256").rglob("*") if path.is_file()]
    assert entries
    assert all(Digest.of(path.read_bytes()).hex == path.name for path in entries)
    assert not list((store / "unfinished").iterdir())
    stacks = [(folder / "stacks/demo/stack.json").read_bytes() for folder in folders]
    assert len(set(stacks)) == 1
