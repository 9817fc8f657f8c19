"""The candidates for TAB, requested as the shells do, and the same in bash, zsh and fish themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM
from tests.cli.keyboard import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def asked(workspace: Workspace, line: str, **environment: str) -> list[str]:
    """The values that are offered; anything on stderr fails the test."""
    done = subprocess.run(
        [PROGRAM],
        cwd=workspace.folder,
        env={**os.environ, "COMP_WORDS": line, "_CLUSTER_FORGE_COMPLETE": "bash_complete", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == ""
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    assert all(len(row) == 3 for row in rows)
    return [value if kind == "plain" else f"<{kind}>" for kind, value, _ in rows]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", {"init", "smelt", "completion", "help"}),
        ("sm", {"smelt"}),
        ("--v", {"--version"}),
        ("-C ", {"<dir>"}),
        ("smelt ", {"web", "extras", "spare", "both", "few"}),
        ("smelt web e", {"extras"}),
        ("smelt web ", {"extras", "spare", "both", "few"}),
        ("mine --skip w", {"web"}),
        ("smelt --environment ", {"production"}),
        ("cast --environment=p", {"production"}),
        ("cast --allow hand", {"hand-edited"}),
        ("forge --format ", {"text", "json"}),
        ("forge --format=j", {"json"}),
        ("forge --helm-engine s", {"sdk"}),
        ("forge --disc", {"--discard-edits"}),
        ("forge --mirror ", {"<dir>"}),
        ("forge --options ", {"nightly", "<file>"}),
        ("push ", {"demo"}),
        ("diff demo ", {"demo"}),
        ("status ", {"demo"}),
        ("pull oci://registry.example.com/x -o ", {"<dir>"}),
        ("convert --select ", {"config.yaml", "spare.yaml", "<file>"}),
        ("convert -o ", {"<file>"}),
        ("config ", {"show", "validate"}),
        ("config show fe", {"few"}),
        ("init --component metr", {"metrics", "metrics-server"}),
        ("init --collection obs", {"observability", "observability-otel"}),
        ("init ", {"<dir>"}),
        ("help err", {"errors"}),
        ("completion ", {"bash", "zsh", "fish"}),
        ("nonsense ", set()),
        ("smelt 'we", {"web"}),
        ("smelt x", set()),
    ],
)
def test_what_is_offered(workspace: Workspace, line: str, offered: set[str]) -> None:
    workspace.write({"options/nightly.yaml": "quiet: true\n", "stacks/demo/stack.json": "{}"})
    candidates = asked(workspace, f"cluster-forge {line}")
    if line:
        assert sorted(candidates) == sorted(offered)
    else:
        assert offered <= set(candidates)


def test_objects_are_those_of_smelt_and_edits_those_that_differ(forged: Workspace) -> None:
    assert asked(forged, "cluster-forge customize save D") == []
    assert asked(forged, "cluster-forge explain Dep") == ["Deployment.apps/web/web"]
    assert {"order", "wave", "image"} < set(asked(forged, "cluster-forge explain "))
    forged.replace("working/web/deployment.apps_web_web.yaml", "replicas: 2", "replicas: 7")
    forged.write({"working/web/mine.yaml": "kind: x\n", "working/web/$(x).yaml": ""})
    (forged.folder / "working/extras/configmap_extras_one.yaml").unlink()
    edited = ["ConfigMap/extras/one", "Deployment.apps/web/web", "web/mine.yaml"]
    components = ["both", "extras", "few", "spare", "web"]
    for verb in ("status", "diff", "save", "drop"):
        assert sorted(asked(forged, f"cluster-forge customize {verb} ")) == sorted([*edited, *components])
    assert asked(forged, "cluster-forge customize save web/mine.yaml Deployment.apps/web/web w") == ["web"]
    forged.ok("customize", "save", "Deployment.apps/web/web")
    saved = "input/web/patches/deployment.apps_web_web.yaml"
    assert asked(forged, "cluster-forge customize drop --saved in") == [saved]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parts": 1, "files": {}}', '{"parts": [], "files": []}', "\x00"])
def test_a_damaged_record_offers_nothing_and_says_nothing(workspace: Workspace, text: str) -> None:
    workspace.write({"working/.smelt.json": text})
    for line in ("explain ", "customize save "):
        asked(workspace, f"cluster-forge {line}")


def test_the_workspace_is_the_one_on_the_line(workspace: Workspace, empty: Workspace) -> None:
    here = workspace.folder
    assert asked(empty, "cluster-forge smelt ") == []
    assert "web" in asked(empty, f"cluster-forge -C {here} smelt ")
    assert "web" in asked(empty, f"cluster-forge -C ~/{here.name} smelt ", HOME=str(here.parent))
    assert "web" in asked(empty, "cluster-forge -C $THERE smelt ", THERE=str(here))


@pytest.mark.parametrize("text", ["components: [a, b\n", "components:\n- {name: x\n", "\x00", "- 1\n", "{}"])
def test_a_broken_description_offers_nothing_and_says_nothing(workspace: Workspace, text: str) -> None:
    workspace.write({"input/config.yaml": text})
    assert asked(workspace, "cluster-forge smelt ") == []


def test_names_that_a_shell_would_run_are_not_offered(workspace: Workspace) -> None:
    for name in ("'$(touch x)'", '"a b"', "'x;y'", "'-q'"):
        workspace.replace(
            "input/config.yaml", "components:\n", f"components:\n- {{name: {name}, manifests: [extras/]}}\n"
        )
    assert sorted(asked(workspace, "cluster-forge smelt ")) == ["both", "extras", "few", "spare", "web"]


def test_names_are_read_without_what_takes_long_to_load(workspace: Workspace) -> None:
    result = workspace.program(
        COMP_WORDS="cluster-forge smelt ", _CLUSTER_FORGE_COMPLETE="zsh_complete", PYTHONPROFILEIMPORTTIME="1"
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.err.splitlines()}
    assert "web" in result.out
    assert "yaml" in loaded
    assert loaded.isdisjoint({"pydantic", "prompt_toolkit", "ruamel", "helm_python", "urllib3", "dulwich"})


def test_nothing_is_written(workspace: Workspace) -> None:
    before = workspace.tree(".")
    asked(workspace, "cluster-forge smelt ")
    assert workspace.tree(".") == before


def test_an_unknown_shell_gets_the_list_of_shells(workspace: Workspace) -> None:
    result = workspace.run("completion", "ksh")
    assert result.code == 2
    assert "'bash', 'zsh', 'fish'" in result.err


START = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
SET_UP = {
    "bash": 'PS1="> "; eval "$(cluster-forge completion bash)"',
    "zsh": 'PS1="> "; autoload -Uz compinit; compinit -u -D; eval "$(cluster-forge completion zsh)"',
    "fish": "function fish_prompt; echo '> '; end; cluster-forge completion fish | source",
}


@pytest.fixture(params=START)
def shell(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Iterator[Terminal]:
    """The shell in the workspace, with completion as the help says."""
    name = request.param
    program = shutil.which(name)
    if program is None:
        assert not (IN_CI and name == "bash"), "CI has to have bash"
        pytest.skip(f"{name} is not installed")
    home = tmp_path / "home"
    home.mkdir()
    environment = {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
    terminal = Terminal([program, *START[name]], folder=workspace.folder, environment=environment, size=(40, 120))
    terminal.keys(f"{SET_UP[name]}; clear; echo rea''dy\r")
    terminal.expect("^ready")
    yield terminal
    terminal.close()


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
class TestShells:
    def test_a_name(self, shell: Terminal) -> None:
        shell.keys("cluster-forge config validate ext\t")
        shell.expect("validate extras")
        shell.keys("\r")
        shell.expect("demo: 1 component, no errors")

    def test_verbs_and_options(self, shell: Terminal) -> None:
        shell.keys("cluster-forge conf\t")
        shell.expect("forge config")
        shell.keys("val\t")
        shell.expect("config validate")
        shell.keys("--form\t")
        shell.expect("validate --format")
        shell.keys("js\t")
        shell.expect("--format json")
        shell.keys("\r")
        shell.expect('"errors": 0')

    def test_a_value_after_an_equals_sign(self, shell: Terminal) -> None:
        shell.keys("cluster-forge config validate --environment=pro\t")
        shell.expect("--environment=production")
        shell.keys("--format=js\t")
        shell.expect("--environment=production +--format=json")
        shell.keys("\r")
        shell.expect('"errors": 0')

    def test_several_are_listed(self, shell: Terminal) -> None:
        shell.keys("cluster-forge smelt \t", "\t")
        screen = shell.expect(r"(?s)spare.*few|few.*spare|both.*web|web.*both")
        assert "extras" in screen

    def test_folders(self, shell: Terminal) -> None:
        shell.keys("cluster-forge -C inp\t")
        shell.expect("-C input/")

    def test_another_workspace(self, shell: Terminal, empty: Workspace, workspace: Workspace) -> None:
        shell.keys(f"cluster-forge -C ../{workspace.folder.name}/../{workspace.folder.name} config validate spa\t")
        shell.expect("validate spare")
        shell.keys("\r")
        shell.expect("demo: 1 component, no errors")

    def test_a_broken_description_leaves_the_line_alone(self, shell: Terminal, workspace: Workspace) -> None:
        workspace.write({"input/config.yaml": "components: [a\n"})
        shell.keys("cluster-forge smelt w\t", "x")
        screen = shell.expect("smelt wx")
        assert "rror" not in screen
        assert "Traceback" not in screen
