"""The cases: descriptions, and the commands that one round runs with each of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.bench import declared, many_pods, synthetic
from tools.bench.measure import run
from tools.bench.steps import Step

from cluster_forge.catalog.library import packaged

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).parent / "cluster-forge"
CATALOG = "platform"
SHARED = Path(os.environ.get("CLUSTER_FORGE_SHARED") or PROJECT.parent / "shared").resolve()
MIRROR = SHARED / "mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One description. ``source`` is copied to ``input/`` (``added`` comes after its text), or ``write`` writes it; without both,
    ``init`` does.

    ``source_options`` are for the verbs that fetch sources, ``options`` for all. ``change`` is a file in ``input/`` with a
    text and its replacement, so that one value of one component changes. ``verbs`` are those that work without a network.
    ``questions`` are verbs that write nothing, asked of what `smelt` wrote. ``edited`` is the number of objects that are edited
    by hand at the end, with a value changed below them. ``heavy``: in the first round only.
    """

    name: str
    change: tuple[str, str, str]
    source: Path | None = None
    added: str = ""
    write: Callable[[Path], None] | None = None
    source_options: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ("mine", "smelt", "cast")
    questions: tuple[str, ...] = ("check", "customize status")
    edited: int = 0
    heavy: bool = False

    @property
    def is_available(self) -> bool:
        return (self.source is None or self.source.is_dir()) and (not self.source_options or MIRROR.is_dir())


_MIRROR = ("--mirror", str(MIRROR))
_BROKEN = ("rabbitmq-airm-config", "keycloak", "kueue-onenode", "kyverno-onenode", "prometheus")
"""Errors in v1-input itself: two components without manifests, three with duplicates of other components' objects."""

_YOUNG = 3.5
"""Seconds in which a file is young."""
_REPEATED = 5
"""How often what takes less than a second is run in one round of the quick form; `--help` in every one."""

_CERT_MANAGER = ("config.yaml", "cpu: 10m", "cpu: 11m")


_PLATFORM = """\
apiVersion: cluster-forge/v1
kind: Stack
name: platform
target: {size: large, domain: example.com}
components:
- platform
- {name: reloader, values: {reloader: {logFormat: ""}}}
"""


def _write_platform(folder: Path) -> None:
    folder.mkdir()
    (folder / "config.yaml").write_text(_PLATFORM, encoding="utf-8")


def _synthetic(objects: int) -> Callable[[Path], None]:
    return lambda folder: synthetic.write(folder, objects)


CASES = (
    Case(name="starter", change=("config.yaml", "clusterName: starter ", "clusterName: changed ")),
    Case(name="prd", source=SHARED / "stacks/prd/input", change=_CERT_MANAGER, source_options=_MIRROR),
    Case(
        name="everything",
        source=SHARED / "stacks/everything/input",
        change=_CERT_MANAGER,
        source_options=_MIRROR,
        edited=50,
    ),
    Case(
        name=declared.CASE,
        source=SHARED / "stacks/everything/input",
        added=declared.CHANGES,
        change=("config.yaml", *declared.CHANGED),
        source_options=_MIRROR,
        verbs=("mine", "smelt"),
        questions=(),
    ),
    Case(name=CATALOG, write=_write_platform, change=("config.yaml", '""', "json"), source_options=_MIRROR),
    Case(
        name="v1-input",
        source=SHARED / "v1-input",
        change=("kaiwo/manifests/sourced/Deployment_kaiwo-scheduler.yaml", "replicas: 1", "replicas: 2"),
        options=tuple(f"--skip={name}" for name in _BROKEN),
        verbs=("smelt", "cast"),  # its charts are not in a mirror; their sourced trees are in its directories
    ),
    Case(name="10,000", write=_synthetic(10_000), change=("config.yaml", *synthetic.CHANGED)),
    Case(name="50,000", write=_synthetic(50_000), change=("config.yaml", *synthetic.CHANGED), heavy=True),
    Case(
        name="1,000 nodes",
        write=many_pods.write,
        change=("web.yaml", *many_pods.CHANGED),
        verbs=("smelt",),
        questions=("check fit",),
        heavy=True,
    ),
)


def run_case(case: Case, folder: Path, extra: Sequence[str]) -> Iterator[Step]:
    """The commands of one round, in new workspaces and with empty stores in ``folder``.

    ``cold``: the first run of a verb (`smelt` finds in the store what `mine` fetched). ``warm``: the same again, with
    nothing changed. ``changed``: with one value of one component changed; ``changed back``: with its former value, so that
    all renders are in the cache; ``edited``: with objects edited by hand.

    Raises:
        RuntimeError: if one of them fails.
    """
    bench = _Bench(case, folder / "one", extra)
    for verb in case.verbs:
        yield bench.step(verb, "cold")
        if verb == "smelt":
            bench.settle()
            for question in case.questions:
                yield bench.question(question, "warm")
        yield bench.step(verb, "warm")
    bench.change()
    for question in case.questions[:1]:  # of the others, nothing depends on the objects
        yield bench.question(question, "changed")
    yield bench.step("smelt", "changed")
    if case.edited:
        bench.change(back=True)
        yield bench.step("smelt", "changed back")
        bench.edit(case.edited)
        yield bench.question("customize status", "edited")
        bench.change()
        yield bench.step("smelt", "changed and edited")
    yield _Bench(case, folder / "two", extra).step("forge", "cold")


def run_quickly(case: Case, folder: Path, extra: Sequence[str]) -> Iterator[Step]:
    """A cold `forge`, and what is fast several times: `smelt` and `cast` with nothing changed.

    Raises:
        RuntimeError: if one of them fails.
    """
    bench = _Bench(case, folder, extra)
    yield bench.step("forge", "cold")
    bench.settle()
    for _ in range(_REPEATED):
        yield bench.step("smelt", "warm")
        yield bench.step("cast", "warm")


def starts(_folder: Path) -> Iterator[Step]:
    """`--help`, several times.

    Raises:
        RuntimeError: if one fails.
    """
    for _ in range(_REPEATED):
        yield Step(case="program", verb="--help", state="", run=run([PROGRAM, "--help"]))


def warm_up(folder: Path) -> Iterable[Step]:
    """No steps: the system reads the program and the mirror from the disk once, and Python compiles the program.

    Raises:
        RuntimeError: if forging the starter fails.
    """
    _Bench(CASES[0], folder, ()).step("forge", "cold")
    for file in MIRROR.rglob("*.*"):
        if file.is_file():
            file.read_bytes()
    return ()


def matrix(folder: Path, extra: Sequence[str]) -> Iterator[Step]:
    """`catalog test` of every component: every size, five versions of Kubernetes, and its other trials.

    Raises:
        RuntimeError: if a component fails.
    """
    (folder / "workspace").mkdir()
    common = ("--store", str(folder / "store"), "--quiet", "--offline", *_MIRROR)
    done = run([PROGRAM, "-C", folder / "workspace", "catalog", "test", *packaged().names, *common, *extra])
    yield Step(case=CATALOG, verb="catalog test", state="all", run=done)


class _Bench:
    """A workspace and a store of one case."""

    def __init__(self, case: Case, folder: Path, extra: Sequence[str]) -> None:
        self._case = case
        self._workspace = folder / "workspace"
        self._store = folder / "store"
        self._extra = extra
        self._workspace.mkdir(parents=True)
        if case.source:
            shutil.copytree(case.source, self._workspace / "input", copy_function=shutil.copyfile)
            if case.added:
                with (self._workspace / "input/config.yaml").open("a", encoding="utf-8") as description:
                    description.write(case.added)
        elif case.write:
            case.write(self._workspace / "input")
        else:
            run([PROGRAM, "-C", self._workspace, "init", "--yes", "--quiet"])

    def step(self, verb: str, state: str) -> Step:
        source_options = ("--offline", *self._case.source_options) if verb in ("mine", "forge") else ()
        common = ("--store", str(self._store), "--quiet", "--format", "json")
        try:
            done = run(
                [PROGRAM, "-C", self._workspace, verb, *common, *source_options, *self._case.options, *self._extra],
            )
        except RuntimeError as error:
            raise RuntimeError(f"{verb} ({state}): {error}") from error
        return Step(case=self._case.name, verb=verb, state=state, run=done, objects=json.loads(done.out)["objects"])

    def question(self, verb: str, state: str) -> Step:
        """A verb that writes nothing. `customize status` ends with 1 if there are edits.

        Raises:
            RuntimeError: if it fails.
        """
        common = ("--store", str(self._store), "--quiet")
        code = 1 if state == "edited" else 0
        done = run(
            [PROGRAM, "-C", self._workspace, *verb.split(), *common, *self._case.options, *self._extra], code=code
        )
        return Step(case=self._case.name, verb=verb, state=state, run=done)

    def edit(self, number: int) -> None:
        """Annotate objects of `working/` by hand.

        Raises:
            RuntimeError: if fewer objects have annotations.
        """
        annotated = "\n  annotations:\n"
        files = sorted(path for path in self._workspace.glob("working/*/*.yaml") if annotated in path.read_text())
        if len(files) < number:
            raise RuntimeError(
                f"{self._case.name}: {len(files)} objects with annotations, and {number} are to be edited"
            )
        for path in files[:number]:
            edited = path.read_text().replace(annotated, f"{annotated}    bench.example.com/edited: by-hand\n", 1)
            path.unlink()  # it may be a link to a file of the store
            path.write_text(edited, encoding="utf-8")

    def settle(self) -> None:
        """Wait until the files of `working/` are not young, and let `smelt` keep their digests (ADR 0027).

        Raises:
            RuntimeError: if it fails.
        """
        time.sleep(_YOUNG)
        self.step("smelt", "warm")

    def change(self, *, back: bool = False) -> None:
        """Change one value of one component, or change it back.

        Raises:
            RuntimeError: if the text to replace is missing.
        """
        name, before, after = self._case.change
        if back:
            before, after = after, before
        file = self._workspace / "input" / name
        text = file.read_text(encoding="utf-8")
        if before not in text:
            raise RuntimeError(f"{self._case.name}: {name} has no {before!r} to replace")
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
