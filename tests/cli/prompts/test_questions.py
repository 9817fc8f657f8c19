"""The questions of init and smelt on a real terminal, and where no question is asked."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM
from tests.cli.forking import Forks
from tests.cli.keyboard import BACKSPACE, CTRL_A, CTRL_C, CTRL_D, CTRL_U, DOWN, END, ESCAPE, UP, Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

pytestmark = pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
QUESTION = "stop"
"""The end of the first line of the footer."""
COMPONENTS = "Which comp"

Run = Callable[..., Terminal]


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    running = Forks()
    yield running
    running.close()


@pytest.fixture
def on_terminal(forks: Forks) -> Iterator[Run]:
    """Start the command line in a workspace's folder, on a terminal."""
    opened: list[Terminal] = []

    def start(workspace: Workspace, *arguments: str, size: tuple[int, int] = (24, 80), **environment: str) -> Terminal:
        terminal = Terminal(
            [str(PROGRAM), *arguments], folder=workspace.folder, environment=environment, size=size, forks=forks
        )
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def starting(terminal: Terminal) -> Terminal:
    """Choose the starter, and Argo CD."""
    terminal.expect("Start with")
    terminal.keys("starter\r")
    terminal.expect("> argocd")
    terminal.keys("\r")
    return terminal


def parts(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.folder / "working").iterdir() if path.is_dir()} - {
        "argo-apps",
        "namespaces",
    }


@pytest.fixture
def mined(workspace: Workspace) -> Workspace:
    workspace.ok("mine")
    return workspace


class TestSmelt:
    def test_enter_alone_takes_everything(self, mined: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(mined, "smelt")
        drawn = terminal.expect(QUESTION)
        assert "Which components should be smelted?  3 of 3 components" in drawn
        assert "[x] both" in drawn
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        assert "without questions: cluster-forge smelt --yes\n" in output
        assert "next: cluster-forge cast\n" in output
        assert parts(mined) == {"web", "extras", "spare"}

    def test_removed_components_are_not_rendered_and_the_printed_command_does_the_same(
        self, mined: Workspace, on_terminal: Run
    ) -> None:
        terminal = on_terminal(mined, "smelt")
        terminal.expect(QUESTION)
        terminal.keys(END, " ")
        terminal.expect("2 of 3")
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        assert "without questions: cluster-forge smelt both\n" in output
        assert "next: cluster-forge cast both\n" in output
        assert parts(mined) == {"web", "extras"}
        before = mined.tree("working")
        assert mined.program("smelt", "both").code == 0
        assert mined.tree("working") == before
        assert mined.program("cast", "both").code == 0

    def test_a_search_narrows_the_list_and_choosing_brings_what_is_needed(
        self, mined: Workspace, on_terminal: Run
    ) -> None:
        terminal = on_terminal(mined, "smelt")
        terminal.expect(QUESTION)
        terminal.keys(CTRL_A)
        terminal.expect("0 of 3")
        terminal.keys("\r")
        terminal.expect("nothing chosen: space chooses")
        terminal.keys("w", "e", "b", "x")
        terminal.expect("no match")
        terminal.keys(BACKSPACE)
        assert "requires extras" in terminal.expect("requires extras")
        terminal.keys(" ")
        terminal.expect("because it is required: extras")
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        assert "cluster-forge smelt both\n" in output
        assert parts(mined) == {"web", "extras"}

    def test_the_pointer_goes_round_and_escape_ends_a_search(self, mined: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(mined, "smelt")
        terminal.expect(QUESTION)
        terminal.keys(UP, " ")
        terminal.expect("2 of 3")
        terminal.keys(DOWN, "s", "p", "a")
        terminal.expect("search: spa_")
        terminal.keys(CTRL_U, "z")
        terminal.expect("no match")
        terminal.keys(ESCAPE)
        terminal.expect("search: _")
        terminal.keys("\r")
        assert terminal.end()[0] == 0

    @pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
    @pytest.mark.parametrize("before", [(), ("s", "p"), (END, " "), (CTRL_A, "\r")])
    def test_it_can_be_broken_off_anywhere(
        self, mined: Workspace, on_terminal: Run, key: str, before: tuple[str, ...]
    ) -> None:
        files = mined.tree(".")
        terminal = on_terminal(mined, "smelt")
        terminal.expect(QUESTION)
        terminal.keys(*before, key)
        code, output = terminal.end()
        assert code == 130
        assert output.rstrip().endswith("interrupted")
        assert "Traceback" not in output
        assert mined.tree(".") == files

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_a_signal_leaves_a_sane_terminal(
        self, mined: Workspace, on_terminal: Run, number: signal.Signals, code: int
    ) -> None:
        terminal = on_terminal(mined, "smelt")
        terminal.expect(QUESTION)
        terminal.kill(number)
        ended, output = terminal.end()
        assert ended in (code, -number)
        assert "Traceback" not in output

    @pytest.mark.parametrize("arguments", [("web",), ("--yes",), ("-q",), ("--format", "json"), ("--skip", "spare")])
    def test_no_question_if_names_or_options_are_given(
        self, mined: Workspace, on_terminal: Run, arguments: tuple[str, ...]
    ) -> None:
        code, output = on_terminal(mined, "smelt", *arguments).end()
        assert code == 0
        assert "Which" not in output

    @pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}, {"CLUSTER_FORGE_SMELT_YES": "1"}])
    def test_surroundings_without_a_user(self, mined: Workspace, on_terminal: Run, environment: dict[str, str]) -> None:
        code, output = on_terminal(mined, "smelt", **environment).end()
        assert code == 0
        assert "Which" not in output

    def test_a_file_of_options_switches_the_question_off(self, mined: Workspace, on_terminal: Run) -> None:
        mined.write({"options/mine.yaml": 'smelt: {"yes": true}\n'})
        code, output = on_terminal(mined, "smelt", "--options", "mine").end()
        assert code == 0
        assert "Which" not in output

    @pytest.mark.parametrize("redirection", ["</dev/null", "2>err.txt", ">out.txt", "| cat", "<answers", "<&-"])
    def test_a_stream_that_is_not_a_terminal(self, mined: Workspace, on_terminal: Run, redirection: str) -> None:
        """What is piped in is never read as keys."""
        mined.write({"answers": " \x01\r"})
        terminal = Terminal(["sh", "-c", f"'{PROGRAM}' smelt {redirection}"], folder=mined.folder)
        try:
            code, output = terminal.end()
        finally:
            terminal.close()
        assert code == 0
        assert "Which" not in output
        assert parts(mined) == {"web", "extras", "spare"}

    def test_without_any_terminal(self, mined: Workspace) -> None:
        done = subprocess.run(
            [PROGRAM, "smelt"], cwd=mined.folder, input=" \r", capture_output=True, text=True, check=True, timeout=60
        )
        assert "Which" not in done.stdout + done.stderr

    def test_a_broken_description_is_an_error_without_a_question(self, mined: Workspace, on_terminal: Run) -> None:
        mined.write({"input/config.yaml": "components: [a, b\n"})
        code, output = on_terminal(mined, "smelt").end()
        assert code == 10
        assert "Which" not in output
        assert "error: input/config.yaml:" in output

    def test_an_unknown_environment_too(self, mined: Workspace, on_terminal: Run) -> None:
        code, output = on_terminal(mined, "smelt", "--environment", "productoin").end()
        assert code == 11
        assert "unknown environment 'productoin'" in output
        assert "Which" not in output

    @pytest.mark.parametrize(
        ("size", "rows"), [((24, 80), 16), ((50, 200), 43), ((24, 60), 16), ((10, 40), 3), ((9, 30), 3), ((6, 20), 2)]
    )
    def test_many_components_with_long_names_keep_the_layout(
        self, empty: Workspace, on_terminal: Run, size: tuple[int, int], rows: int
    ) -> None:
        """The footer takes the lines that its keys need; on a small screen the list keeps three, and details go first."""
        names = [f"component-number-{number}-{'x' * 30}" for number in range(58)]
        entries = "".join(f"- {{name: {name}, namespace: {'n' * 60}, manifests: [a.yaml]}}\n" for name in names)
        head = "apiVersion: cluster-forge/v1\nkind: Stack\nname: many\ngitops: {engine: none}\ncomponents:\n"
        empty.write(
            {
                "input/config.yaml": f"{head}{entries}",
                "input/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            }
        )
        terminal = on_terminal(empty, "smelt", size=size)
        terminal.expect("> .x. ")
        terminal.keys(END)
        drawn = terminal.expect("(?s)component-nu.*up/down: move")
        drawn = terminal.expect("> .x. component-number-57" if size[1] > 30 else "> .x. ")
        assert len(re.findall(r"\[x\]", drawn)) == rows
        terminal.keys(CTRL_C)
        assert terminal.end()[0] == 130


class TestInit:
    def test_enter_alone_writes_the_starter(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = starting(on_terminal(empty, "init"))
        assert "7 of 8 components" in terminal.expect(COMPONENTS)
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        assert "without questions: cluster-forge init --gitops argocd --yes" in output
        asked = empty.tree("input")
        assert empty.program("init", "--yes", "other").code == 0
        assert empty.tree("other/input") == asked

    def test_what_is_chosen_is_what_the_line_writes(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = starting(on_terminal(empty, "init"))
        terminal.expect(COMPONENTS)
        terminal.keys("p", "r", "i", "o", "r", "i", "t", "y", " ")
        terminal.expect("priority-classes stays: required by")
        terminal.keys(CTRL_U, CTRL_A, CTRL_A, "s", "a", "m", "p", "l", "e")
        terminal.expect("a web service as it should be")
        terminal.keys(CTRL_U, "s", "e", "r", "v", "e", "r", " ")
        terminal.expect("required: priority-classes")
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        words = output.replace("\n", "").partition(": cluster-forge ")[2].partition("wrote ")[0].split()
        assert words == [
            "init",
            "--component",
            "priority-classes",
            "--component",
            "metrics-server",
            "--gitops",
            "argocd",
        ]
        assert empty.program(*words, "other").code == 0
        assert empty.tree("other/input") == empty.tree("input")
        assert empty.program("forge", "--offline", "-q").code == 0
        assert parts(empty) == {"priority-classes", "metrics-server"}

    def test_broken_off_nothing_is_there(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = starting(on_terminal(empty, "init", "new"))
        terminal.expect(COMPONENTS)
        terminal.keys("a", CTRL_C)
        assert terminal.end()[0] == 130
        assert list(empty.folder.iterdir()) == []

    def test_choosing_from_the_catalog_adds_required_components(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(empty, "init", "shop")
        terminal.expect("> catalog")
        terminal.keys("\r")
        terminal.expect("> small")
        terminal.keys("medium\r")
        terminal.expect("> 1.33")
        terminal.keys("new\r")
        terminal.expect("no option begins with 'new'")
        terminal.keys(CTRL_U, "1.31\r")
        terminal.expect("> argocd")
        terminal.keys("none\r")
        terminal.expect(COMPONENTS)
        terminal.keys("velero", " ")
        drawn = terminal.expect("added, because it is required: seaweedfs")
        assert "3 of " in drawn
        terminal.keys(CTRL_U, "kube-prom", " ", CTRL_U, "raises", " ")
        terminal.expect("exclude each other")
        terminal.keys("\r")
        terminal.keys(" ")
        terminal.expect("5 of ")  # kube-prometheus-stack leaves its CRDs to a component of their own
        terminal.keys("\r")
        terminal.expect("Domain")
        terminal.keys("example.com\r")
        code, output = terminal.end()
        assert code == 0
        words = output.replace("\n", "").partition("questions: cluster-forge ")[2].partition("seaweedfs: ")[0].split()
        assert words[:6] == ["init", "shop", "--component", "velero", "--component", "kube-prometheus-stack"]
        written = empty.yaml("shop/input/config.yaml")
        assert written["target"] == {"kubernetes": "1.31", "size": "medium", "domain": "example.com"}
        assert written["gitops"] == {"engine": "none"}
        assert written["components"] == [
            "velero",
            "kube-prometheus-stack",
            "seaweedfs",
            "longhorn",
            "prometheus-operator-crds",
        ]
        words[1] = "other/shop"
        assert empty.program(*words).code == 0
        assert empty.tree("other/shop/input") == empty.tree("shop/input")

    def test_a_size_option_leads_to_the_catalog(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(empty, "init", "--size", "large", "--kubernetes", "1.33", "--gitops", "argocd")
        terminal.expect(COMPONENTS)
        terminal.keys("reloader", " ", "\r")
        terminal.expect("Domain")
        terminal.keys("\r")
        code, output = terminal.end()
        assert code == 0
        assert "--kubernetes 1.33 --gitops argocd --component reloader" in output.replace("\n", "")
        assert empty.yaml("input/config.yaml")["components"] == ["reloader", "argo-cd"]

    def test_a_prompt_can_be_broken_off(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(empty, "init")
        terminal.expect(QUESTION)
        terminal.keys(CTRL_C)
        assert terminal.end()[0] == 130
        assert list(empty.folder.iterdir()) == []

    def test_arrow_keys_answer_the_first_questions(self, empty: Workspace, on_terminal: Run) -> None:
        terminal = on_terminal(empty, "init")
        drawn = terminal.expect("> catalog  choose from")
        assert "up/down: move  enter: choose  type: find  ctrl-c: stop" in drawn
        terminal.keys(UP)
        terminal.expect("> starter")
        terminal.keys(UP, "\r")
        terminal.expect("> small")
        terminal.keys(DOWN, DOWN, "\r")
        assert "Start with: catalog\nSize: large\nKubernetes version:\n" in terminal.expect("> 1.33")
        terminal.keys(END, "\r")
        terminal.expect("> argocd")
        terminal.keys(DOWN, DOWN, "\r")
        assert "What deploys the stack: none" in terminal.expect(COMPONENTS)
        terminal.keys("reloader", " ", "\r")
        terminal.expect_prompt("Domain")
        terminal.keys("xample.com", "\x1b[D" * 10, "e\r")
        code, output = terminal.end()
        assert code == 0
        assert "^[" not in output
        written = empty.yaml("input/config.yaml")
        assert written["target"] == {"kubernetes": "1.25", "size": "large", "domain": "example.com"}

    def test_a_line_feed_is_enter(self, empty: Workspace, on_terminal: Run) -> None:
        """Terminals make one of Enter where nobody reads keys, as between two questions."""
        terminal = on_terminal(empty, "init")
        for pointed in ("> catalog", "> small", "> 1.33", "> argocd"):
            terminal.expect(pointed)
            terminal.keys("\n")
        terminal.expect(COMPONENTS)
        terminal.keys("reloader \n")
        terminal.expect_prompt("Domain")
        terminal.keys(CTRL_C)
        assert terminal.end()[0] == 130

    @pytest.mark.parametrize("size", [(24, 80), (20, 60), (9, 30), (6, 20)])
    def test_the_footer_names_the_keys_on_any_screen(
        self, empty: Workspace, on_terminal: Run, size: tuple[int, int]
    ) -> None:
        terminal = on_terminal(empty, "init", size=size)
        drawn = terminal.expect("> catalog")
        assert "up/down: move" in drawn
        assert ("ctrl-c: stop" in drawn) == (size[0] > 6)
        terminal.keys("s\r")
        terminal.expect("> argocd")
        terminal.keys("\r")
        terminal.expect(COMPONENTS)
        drawn = terminal.expect("up/down: move")
        for key in ("up/down: move", *(("space: choose", "enter: continue") if size[0] > 6 else ())):
            assert key in drawn
        for key in ("type: search", "esc: clear search", "ctrl-a: all/none", "ctrl-c: stop"):
            assert key in drawn or size[0] < 20
        terminal.keys(CTRL_D)
        assert terminal.end()[0] == 130

    @pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
    @pytest.mark.parametrize("before", [(), ("\r",), ("\r",) * 2, ("\r",) * 3, (*("\r",) * 4, "reloader", " ", "\r")])
    def test_each_question_can_be_broken_off(
        self, empty: Workspace, on_terminal: Run, key: str, before: tuple[str, ...]
    ) -> None:
        terminal = on_terminal(empty, "init")
        terminal.expect(QUESTION)
        terminal.keys(*before)
        if len(before) > 4:
            terminal.expect_prompt("Domain")
        else:
            terminal.expect(("> catalog", "> small", "> 1.33", "> argocd")[len(before)])
        terminal.keys(key)
        code, output = terminal.end()
        assert code == 130
        assert "Traceback" not in output
        assert list(empty.folder.iterdir()) == []

    def test_an_existing_input_is_reported_before_the_question(self, mined: Workspace, on_terminal: Run) -> None:
        code, output = on_terminal(mined, "init").end()
        assert code == 20
        assert "Which" not in output

    def test_names_bring_what_they_need_and_the_rest_stays_defined(self, empty: Workspace) -> None:
        output = empty.ok("init", "--component", "metrics-server", "--collection", "observability")
        chosen = ["priority-classes", "platform-rbac", "tenancy", "node-exporter", "metrics", "metrics-server"]
        assert f"in the stack: {', '.join(chosen)}\n" in output.out
        written = empty.yaml("input/config.yaml")
        assert [entry if isinstance(entry, str) else entry["name"] for entry in written["components"]] == chosen
        assert {entry["name"] for entry in written["define"]} == {"metrics-server", "network-policies", "sample-web"}
        assert empty.ok("config", "validate").out == "starter: 6 components, no errors\n"

    def test_unknown_names_are_reported_together(self, empty: Workspace) -> None:
        output = empty.run("init", "--component", "sampleweb", "--collection", "observabilty")
        assert output.code == 11
        assert "no component or collection 'sampleweb', did you mean 'sample-web'?" in output.err
        assert "no component or collection 'observabilty', did you mean 'observability'?" in output.err
        assert list(empty.folder.iterdir()) == []


def test_a_job_in_the_background_is_not_stopped_by_a_question(mined: Workspace, tmp_path: Path) -> None:
    script = f"set -m; '{PROGRAM}' smelt & wait $!; echo code=$?"
    terminal = Terminal(["bash", "-c", script], folder=mined.folder)
    try:
        assert "Which" not in terminal.expect("code=0")
    finally:
        terminal.close()
    assert (mined.folder / "working").is_dir()
