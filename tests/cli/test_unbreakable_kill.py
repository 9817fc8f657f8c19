"""Commands that are killed, that fail, and that run at the same time: what was there is whole, and the next one works."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM, config_map

from cluster_forge.foundation.digest import Digest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

CHARTS = ("web", "site", "shop")
PATHS = ("cluster-forge.lock", "working", "stacks/demo", *(f"input/{name}/manifests/sourced" for name in CHARTS))
SEED = 4
MEMORY = Path("/dev/shm")

Content = dict[str, bytes] | bytes | None
Made = dict[int, dict[str, Content]]
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


@pytest.fixture
def both(workspace: Workspace) -> tuple[Workspace, Made]:
    """A forged workspace, and what each path holds for either description."""
    made = {}
    for number in (2, 1):
        describe(workspace, number)
        workspace.ok("forge")
        made[number] = {path: content(workspace, path) for path in PATHS}
    assert all(made[1][path] != made[2][path] for path in PATHS)
    return workspace, made


def started(workspace: Workspace, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [PROGRAM, *arguments], cwd=workspace.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


NURSERY = """
import os, sys
from cluster_forge.cli.app import run
import cluster_forge.stages.build.forge, filelock
folder = sys.argv[1]
run(["-C", folder, "config", "validate", "-q"])
for line in sys.stdin:
    child = os.fork()
    if not child:
        os._exit(run(["-C", folder, *line.split()]))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Starts the command line as processes of its own that need not import everything first: that takes half a second.

    They load Helm's library themselves, for that does not survive a fork.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *arguments: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(" ".join(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def exit_code(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


@pytest.fixture
def nursery(workspace: Workspace) -> Iterator[Nursery]:
    command = [sys.executable, "-c", NURSERY, str(workspace.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)


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
    for earlier in {"mine": (), "forge": (), "smelt": ("mine",), "cast": ("mine", "smelt")}[verb]:
        workspace.ok(earlier)


@pytest.mark.parametrize(("verb", "rounds"), [("smelt", 50), ("mine", 20), ("cast", 20), ("forge", 20)])
def test_a_killed_command_leaves_everything_old_or_new(
    both: tuple[Workspace, Made], nursery: Nursery, verb: str, rounds: int
) -> None:
    """Every second one is killed soon after it began to write, the others at any moment of its run."""
    workspace, made = both
    moments = random.Random(SEED)
    begun = 0.0
    for wanted in (2, 1):  # the first one waits until the nursery is ready
        prepare(workspace, verb, wanted)
        begun = time.monotonic()
        nursery.start(verb, "-q")
        assert nursery.exit_code() == 0
    duration = time.monotonic() - begun
    killed, left, states = 0, 0, set()
    for number in range(rounds):
        wanted = 2 - number % 2
        prepare(workspace, verb, wanted)
        before = {path: content(workspace, path) for path in PATHS}
        process = nursery.start(verb, "-q")
        begun = time.monotonic()
        if number % 2:
            time.sleep(moments.uniform(0, 1.1) * duration)
        else:
            while time.monotonic() - begun < 2 * duration and not is_writing(workspace):
                time.sleep(0.0002)
            time.sleep(moments.uniform(0, 0.004))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        killed += nursery.exit_code() == -signal.SIGKILL
        left += is_writing(workspace)
        for path in PATHS:
            found = content(workspace, path)
            assert found in (before[path], made[wanted][path]), (number, path)
            states.add((path, found == made[wanted][path]))
        workspace.ok(verb)
        assert not is_writing(workspace)
        if verb == "forge":
            assert {path: content(workspace, path) for path in PATHS} == made[wanted]
    assert killed > rounds // 3
    assert left, "none died while it wrote"
    assert len(states) > len(PATHS), "the moments were all early, or all late"


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
    both: tuple[Workspace, Made], verb: str, path: str, text: str
) -> None:
    workspace, made = both
    workspace.write({path: text})
    before = workspace.tree(".")
    said = workspace.run(verb, "--discard-edits" if verb != "mine" else "-q")
    assert 10 <= said.code < 30, said.err
    assert "error: " in said.err
    assert workspace.tree(".") == before
    for name in PATHS:
        assert name == path or content(workspace, name) == made[1][name]


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
    def test_the_second_says_who_is_at_work_and_a_dead_ones_lock_is_taken_over(self, workspace: Workspace) -> None:
        with stopped(workspace, "forge", "--jobs", "1") as process:
            said = workspace.run("smelt")
            assert said.code == 20
            assert f"in use by process {process.pid} (cluster-forge forge --jobs 1) on " in said.err
            assert " since 2" in said.err
            assert "fix: wait until that command is done, or stop it" in said.err
            assert workspace.ok("config", "validate").out
            process.kill()
            process.wait(10)
            workspace.ok("forge")
        assert not (workspace.folder / ".cluster-forge/lock.holder").exists()

    def test_the_second_waits_for_the_first(self, both: tuple[Workspace, Made]) -> None:
        workspace, made = both
        describe(workspace, 2)
        processes = [started(workspace, "forge", "-q") for _ in range(4)]
        codes = [process.wait(60) for process in processes]
        assert codes.count(20) + codes.count(0) == 4
        assert 0 in codes
        assert {path: content(workspace, path) for path in PATHS} == made[2]

    def test_a_workspace_that_is_removed_meanwhile_does_not_come_back(self, workspace: Workspace) -> None:
        arguments = ["-C", str(workspace.folder), "forge", "-q"]
        with subprocess.Popen([PROGRAM, *arguments], stderr=subprocess.PIPE) as process:
            assert wait_for(workspace, process, "lock.holder")
            process.send_signal(signal.SIGSTOP)
            shutil.rmtree(workspace.folder)
            process.send_signal(signal.SIGCONT)
            _, told = process.communicate(timeout=60)
        assert 10 <= process.returncode < 30, told
        assert told.startswith(b"error: ")
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
