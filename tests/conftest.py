"""What every test may use: the corpus beside the project and golden trees; what runs, in which order, and what was left out."""

from __future__ import annotations

import difflib
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from tests import examples_tried, measuring, rotation, scheduling, shared_store
from tests.servers import registry
from xdist.remote import Producer

PROJECT = Path(__file__).resolve().parent.parent
GOLDEN = PROJECT / "tests" / "golden"
SHARED = Path(os.environ.get("CLUSTER_FORGE_SHARED") or PROJECT.parent / "shared").resolve()
HELM = shutil.which("helm") or shutil.which("helm", path=Path.home() / "go" / "bin")
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false", "no")
SHOWN_FILES, SHOWN_LINES = 5, 40

# A slow machine is not a bug; in CI the same commit always tries the same examples.
MOST_USUAL = max(examples_tried.USUAL, examples_tried.LEAST)
hypothesis.settings.register_profile("project", deadline=None, max_examples=MOST_USUAL)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=MOST_USUAL, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "project")

pytest_plugins = ("tests.servers.fixtures",)

TURN = pytest.StashKey[rotation.Turn]()
CompareGolden = Callable[[str, "Path | Mapping[str, bytes]"], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden instead of comparing with it")
    parser.addoption("--update-costs", action="store_true", help="write tests/costs.json from this run of all tests")
    parser.addoption("--e2e", action="store_true", help="also try stacks on a control plane, which Go builds at first")
    parser.addoption(
        "--all-faults", action="store_true", help="with --e2e: also what takes minutes, and 20 kills instead of 8"
    )
    parser.addoption(
        "--kubeconfig", metavar="FILE", help="with --e2e: use its current cluster, whose objects tests may remove"
    )
    parser.addoption(
        "--upgrades",
        action="store_true",
        help="with --e2e: try every upgrade of the mirror, not only two typical ones",
    )
    parser.addoption(
        "--catalog",
        choices=[*rotation.THIRDS, rotation.ALL],
        default=rotation.of_today(),
        help="the third of the catalog's components to try in full (default: by the day), or all",
    )


def pytest_configure(config: pytest.Config) -> None:
    # A run in the background of a shell ignores Ctrl-C, one under `nohup` a hang-up, and so would every program that a
    # test starts and stops in that way.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # The user's secret: one for all tests and runs, so that the shared store's cache is believed, and not the user's own.
    os.environ["XDG_STATE_HOME"] = str(PROJECT / "build" / "test-state")
    config.stash[TURN] = rotation.Turn(config.getoption("--catalog"))
    config.pluginmanager.register(CorpusRule(), "corpus-rule")
    if config.getoption("--update-costs"):
        config.pluginmanager.register(scheduling.CostMeter(), "cost-meter")
    if not is_worker(config):
        shared_store.prepare()


def is_worker(config: pytest.Config) -> bool:
    """Whether this is one of several processes that run tests for another one."""
    return hasattr(config, "workerinput")


def pytest_report_header(config: pytest.Config) -> str:
    return f"catalog: {config.stash[TURN]}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if is_worker(config):
        scheduling.order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> scheduling.ByCost | None:
    """For `--dist=loadfile`, which does nearly the same; with another choice, that."""
    return scheduling.ByCost(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not _is_asked_for(item):
        pytest.skip("needs a cluster: `make e2e` runs it")
    if item.get_closest_marker("corpus") and not _corpus_is_there():
        pytest.skip(f"no corpus: {SHARED} does not exist; set CLUSTER_FORGE_SHARED to its folder")
    if not _is_its_turn(item):
        pytest.skip("another third of the catalog is tried in full today: `make check-all` tries every component")
    if item.get_closest_marker("helm") and HELM is None:
        pytest.skip("the helm program is not installed: it is looked for on PATH and in ~/go/bin")
    if item.get_closest_marker("registry") and not registry.PROGRAM.is_possible:
        pytest.skip(f"starts a registry, and Go is not installed to build it: install {registry.PROGRAM.wanted_go}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage is measured only while tests run that count for it."""
    with nullcontext() if measuring.counts(item) else measuring.stopped():
        return (yield)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with ``mirror/``, ``stacks/`` and ``v1-input/``; a test that asks for it is a corpus test."""
    return SHARED


@pytest.fixture(scope="session")
def helm_program() -> str:
    """The path of the ``helm`` program; a test that asks for it counts as marked ``helm``."""
    assert HELM is not None
    return HELM


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> CompareGolden:
    """Compare a tree with ``tests/golden/<name>/``, or update that (``--update-golden``).

    A tree is a folder, or file contents by their relative paths.
    """
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, tree: Path | Mapping[str, bytes]) -> None:
        __tracebackhide__ = True
        actual = _read(tree) if isinstance(tree, Path) else dict(tree)
        if update:
            _write(GOLDEN / name, actual)
            return
        expected = _read(GOLDEN / name)
        if actual != expected:
            pytest.fail("\n".join(_differences(name, expected, actual)), pytrace=False)

    return compare


class CorpusRule:
    """In CI with the corpus beside the project, every corpus test runs whose programs are there, and at least one.

    Those that start a control plane are runs of their own.
    """

    def __init__(self) -> None:
        self.collected: set[str] = set()
        self.excused: set[str] = set()
        self.ran: set[str] = set()
        self.broken: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        for marker, fixture in (("corpus", "corpus"), ("helm", "helm_program"), ("registry", "registry_program")):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)
        if item.get_closest_marker("corpus"):
            self.collected.add(item.nodeid)
            if (
                not _is_asked_for(item)
                or not _is_its_turn(item)
                or (HELM is None and item.get_closest_marker("helm"))
                or (not registry.PROGRAM.is_possible and item.get_closest_marker("registry"))
                or any(map(_lacks_a_program, item.iter_markers("skipif")))
            ):
                self.excused.add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self.ran.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """One of several processes (``-n``) has run its share: which tests there are is known to these only."""
        collected, excused = getattr(node, "workeroutput", {}).get("corpus", ((), ()))
        self.collected.update(collected)
        self.excused.update(excused)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["corpus"] = [sorted(self.collected), sorted(self.excused)]
            return
        if not IN_CI or not _corpus_is_there() or session.config.option.collectonly:
            return
        missing = sorted(self.collected - self.excused - self.ran)
        if not self.collected:
            self.broken = [f"{SHARED} exists, but no test is marked `corpus`"]
        elif missing and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            self.broken = [f"{SHARED} exists, but this corpus test did not run: {test}" for test in missing]
        if self.broken and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.broken:
            terminalreporter.section("corpus tests that CI insists on", red=True)
            for line in self.broken:
                terminalreporter.line(line)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run, and why; each reason says what makes it run."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports if report.longrepr)
    if not reasons:
        return
    terminalreporter.section(f"{len(reports)} tests were skipped (PYTEST_ARGS=-rs lists them)")
    for reason, number in reasons.most_common():
        terminalreporter.line(f"{number:5d}  {reason}")


def _is_its_turn(item: pytest.Item) -> bool:
    """Whether a test that rotates is one of today's: its parameter ``name`` is a component of the catalog."""
    if item.get_closest_marker("rotates") is None:
        return True
    assert isinstance(item, pytest.Function)
    return item.config.stash[TURN].includes(str(item.callspec.params["name"]))


def _is_asked_for(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is None or bool(item.config.getoption("--e2e"))


def _lacks_a_program(mark: pytest.Mark) -> bool:
    """Whether a test is skipped because a program that it wants to compare with is not installed here."""
    return bool(mark.args and mark.args[0] is True and mark.kwargs.get("reason", "").endswith("is not installed"))


def _corpus_is_there() -> bool:
    return (SHARED / "mirror" / "index.yaml").is_file()


def _read(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _differences(name: str, expected: Mapping[str, bytes], actual: Mapping[str, bytes]) -> Iterable[str]:
    paths = sorted(path for path in expected.keys() | actual.keys() if expected.get(path) != actual.get(path))
    yield f"tests/golden/{name} differs in {len(paths)} files (`make golden` updates it):"
    for path in paths[:SHOWN_FILES]:
        before, after = (
            tree.get(path, b"").decode("utf-8", "backslashreplace").splitlines() for tree in (expected, actual)
        )
        lines = difflib.unified_diff(before, after, f"golden/{path}", f"now/{path}", lineterm="")
        yield from (line for _, line in zip(range(SHOWN_LINES), lines, strict=False))
    if len(paths) > SHOWN_FILES:
        yield f"… and {len(paths) - SHOWN_FILES} more: {', '.join(paths[SHOWN_FILES : 2 * SHOWN_FILES])}"
