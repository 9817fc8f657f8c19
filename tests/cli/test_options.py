"""What the verbs have in common: options, their defaults from files and from the environment, names, and usage errors."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace


def components(workspace: Workspace, *arguments: str) -> set[str]:
    answer = workspace.ok("smelt", "--format", "json", "-q", *arguments).json
    return {part["name"] for part in answer["components"]}


class TestNames:
    def test_a_component_and_a_collection(self, workspace: Workspace) -> None:
        assert components(workspace) == {"web", "extras", "spare", "namespaces"}
        assert components(workspace, "extras") == {"extras", "namespaces"}
        assert components(workspace, "both") == {"web", "extras", "namespaces"}
        assert components(workspace, "spare", "web") == {"spare", "web", "namespaces"}

    def test_select_reads_them_from_a_list(self, workspace: Workspace) -> None:
        workspace.write({"input/some.yaml": "- extras\n- name: spare\n", "beside.yaml": "- web\n"})
        assert components(workspace, "--select", "some.yaml") == {"spare", "extras", "namespaces"}
        arguments = ("--select", "some.yaml", "--select", "beside.yaml", "--skip", "spare")
        assert components(workspace, *arguments) == {"web", "extras", "namespaces"}

    def test_skip_leaves_out_a_component_or_a_collection(self, workspace: Workspace) -> None:
        assert components(workspace, "--skip", "web") == {"extras", "spare", "namespaces"}
        assert components(workspace, "--skip", "both") == {"spare", "namespaces"}
        assert components(workspace, "few", "--skip", "spare") == {"extras", "namespaces"}

    def test_environment(self, workspace: Workspace) -> None:
        answer = workspace.ok("config", "show", "--environment", "production", "--format", "json").json
        assert answer["description"]["target"] == {"size": "large"}
        workspace.ok("forge", "--environment", "production")
        assert '"size": "large"' in workspace.read("stacks/demo.production/stack.json")
        assert workspace.run("cast").code == 22
        workspace.ok("cast", "--environment", "production")

    def test_one_that_is_only_defined_is_not_in_the_stack(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "- spare\n", "")
        result = workspace.run("smelt", "spare")
        assert result.code == 10
        assert "spare is not in the stack\n  fix: add spare to `components`" in result.err

    def test_all_unknown_names_are_reported_at_once_with_the_nearest(self, workspace: Workspace) -> None:
        workspace.write({"input/some.yaml": "- extras\n- name: spair\n"})
        arguments = ("wep", "--skip", "extra", "--select", "some.yaml", "--environment", "prodution")
        result = workspace.run("forge", *arguments)
        assert result.code == 11
        assert result.out == ""
        for line in (
            "unknown component or collection 'wep', did you mean 'web'?",
            "unknown component or collection 'extra', did you mean 'extras'?",
            "input/some.yaml:2: unknown component or collection 'spair', did you mean 'spare'?",
            "unknown environment 'prodution', did you mean 'production'?",
        ):
            assert line in result.err
        assert result.err.endswith("4 errors\n")

    def test_no_such_list(self, workspace: Workspace) -> None:
        result = workspace.run("forge", "--select", "none.yaml")
        assert result.code == 10
        assert "file none.yaml does not exist in input/ or in the workspace" in result.err


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("frge",), "unknown verb 'frge', did you mean 'forge'?"),
            (("template",), "there is no verb 'template': run `cluster-forge smelt`, and read working/"),
            (("apply", "--all"), "there is no verb 'apply': run `cluster-forge deploy`, or `sh stacks/NAME/deploy.sh`"),
            (("search", "x"), "there is no verb 'search': run `cluster-forge catalog search WORD`"),
            (("undo",), "there is no verb 'undo': run `cluster-forge rollback`"),
            (("plan",), "there is no verb 'plan': run `cluster-forge cast --diff` before a cast"),
            (("Deploy",), "unknown verb 'Deploy', did you mean 'deploy'?"),
            (("add", "grafana"), "there is no verb 'add': write `- NAME` below `components`"),
            (("version",), "there is no verb 'version': run `cluster-forge --version`"),
            (("help", "lint"), "there is no verb 'lint': run `cluster-forge check`"),
            (("help", "frge"), "unknown verb 'frge', did you mean 'forge'?"),
            (("help", "forge", "show"), "`forge show` is not a verb"),
            (("config", "shwo"), "unknown verb 'shwo', did you mean 'show'?"),
            (("forge", "--ofline"), "No such option '--ofline'. Did you mean '--offline'?"),
            (("forge", "--jobs", "0"), "0 is not in the range 1<=x<=64"),
            (("cast", "--mirror", "x"), "No such option '--mirror'"),
            (("forge", "--format", "xml"), "'xml' is not one of 'text', 'json'"),
        ],
    )
    def test_gives_2_and_says_what_was_meant(
        self, workspace: Workspace, arguments: tuple[str, ...], message: str
    ) -> None:
        result = workspace.run(*arguments)
        assert result.code == 2
        assert message in result.err
        assert result.out == ""

    def test_no_such_workspace(self, workspace: Workspace) -> None:
        for verb in (("forge",), ("config", "show")):
            result = workspace.run("-C", "/nonexistent/folder", *verb)
            assert result.code == 20
            assert "/nonexistent/folder: there is no such folder" in result.err

    def test_all_errors_of_a_description_are_reported_together(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "namespace: web", "namspace: web")
        workspace.replace("input/config.yaml", "manifests: [extras/]", "manifests: [extra/]")
        result = workspace.run("config", "validate")
        assert result.code == 10
        assert "input/config.yaml:7: " in result.err
        assert "did you mean 'namespace'?" in result.err
        assert result.err.count("error: ") >= 1

    @pytest.mark.parametrize(
        ("path", "text", "code"),
        [
            ("input/extras/one.yaml", "a: 1\n", 18),
            ("input/charts/web/templates/web.yaml", '{{ fail "not today" }}\n', 17),
            ("cluster-forge.lock", "version: 99\ncomponents: {}\n", 12),
            ("input/config.yaml", "a: [\n", 10),
        ],
    )
    def test_each_type_of_error_has_its_exit_code(self, workspace: Workspace, path: str, text: str, code: int) -> None:
        workspace.write({path: text})
        result = workspace.run("forge", "-q", "--format", "json")
        assert result.code == code
        assert path.rpartition("/")[2] in result.err
        (error,) = json.loads(result.out)["errors"]
        assert error["code"] == code
        assert f"{error['where']}: {error['message']}" in result.err
        assert error["fix"] in result.err

    def test_without_json_an_error_leaves_stdout_empty(self, workspace: Workspace) -> None:
        workspace.write({"input/config.yaml": "a: [\n"})
        assert workspace.run("forge").out == ""

    def test_a_code_that_no_finding_has(self, workspace: Workspace) -> None:
        result = workspace.run("smelt", "--allow", "duplicat-object")
        assert result.code == 2
        assert "did you mean 'duplicate-object'?" in result.err

    def test_a_cycle(self, workspace: Workspace) -> None:
        workspace.replace(
            "input/config.yaml", "  namespace: extras\n  manifests: [e", "  needs: [web]\n  manifests: [e"
        )
        result = workspace.run("forge")
        assert result.code == 19
        assert "extras" in result.err


class TestEnvironmentVariables:
    def test_each_option_has_one(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_MIRROR", workspace.mirror())
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_OFFLINE", "1")
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_FORMAT", "json")
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_QUIET", "true")
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_SKIP", "extras web")
        monkeypatch.setenv("CLUSTER_FORGE_SMELT_FORMAT", "nonsense")
        result = workspace.ok("forge")
        assert {part["name"] for part in result.json["components"]} == {"shop", "spare", "widgets", "namespaces"}
        assert result.err == ""

    def test_the_command_line_wins_and_then_the_environment(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace.write({"options/ci.yaml": "skip: web\nformat: json\nquiet: true\n"})
        assert components(workspace, "--options", "ci") == {"extras", "spare", "namespaces"}
        monkeypatch.setenv("CLUSTER_FORGE_SMELT_OPTIONS", "ci")
        assert components(workspace) == {"extras", "spare", "namespaces"}
        monkeypatch.setenv("CLUSTER_FORGE_SMELT_SKIP", "extras")
        assert components(workspace) == {"web", "spare", "namespaces"}
        assert components(workspace, "--skip", "spare") == {"web", "extras", "namespaces"}

    def test_a_wrong_value_names_the_variable(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLUSTER_FORGE_FORGE_JOBS", "many")
        result = workspace.run("forge")
        assert result.code == 2
        assert "The value comes from the environment variable CLUSTER_FORGE_FORGE_JOBS." in result.err

    def test_the_workspace(self, workspace: Workspace) -> None:
        result = workspace.program("config", "validate", CLUSTER_FORGE_WORKSPACE="..")
        assert result.code == 10

    @pytest.mark.parametrize("text", ["now", "-1", "1.5", "99999999999"])
    def test_a_source_date_that_is_none(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
        result = workspace.run("forge")
        assert result.code == 10
        assert f"SOURCE_DATE_EPOCH is {text!r}, not seconds since 1970" in result.err


class TestOptionsFile:
    def complaint(self, workspace: Workspace, text: str, *verb: str) -> str:
        """The errors of an options file; fails if there are none."""
        workspace.write({"options/mine.yaml": text})
        result = workspace.run(*(verb or ("forge",)), "--options", "mine")
        assert result.code == 10
        return result.err

    def test_flat_and_by_verb(self, workspace: Workspace) -> None:
        text = (
            "quiet: true\nskip: [web]\nstale: true\nsmelt: {--format: json, skip: extras}\ncast: {stale: true}\nmine:\n"
        )
        workspace.write({"options/ci.yaml": text, "input/elsewhere.yaml": text})
        for name in ("ci", "options/ci.yaml", "input/elsewhere.yaml", str(workspace.folder / "options" / "ci.yaml")):
            answer = workspace.ok("smelt", "--options", name).json
            assert {part["name"] for part in answer["components"]} == {"web", "spare", "namespaces"}

    def test_for_a_verb_of_config(self, workspace: Workspace) -> None:
        for text in ("origins: true\n", "config: {origins: true}\n", "config: {show: {origins: true}}\n"):
            workspace.write({"options/ci.yaml": text})
            assert "# input/config.yaml:3" in workspace.ok("config", "show", "--options", "ci").out
            workspace.ok("config", "validate", "--options", "ci")

    def test_an_unknown_option_names_the_nearest(self, workspace: Workspace) -> None:
        result = self.complaint(workspace, "jobs: 2\nofline: true\nforge: {discard-edit: true, stale: true}\n")
        assert "options/mine.yaml:2: unknown verb or option 'ofline', did you mean 'offline'?" in result
        assert "options/mine.yaml:3: `forge` has no option 'discard-edit', did you mean 'discard-edits'?" in result
        assert "options/mine.yaml:3: `forge` has no option 'stale'" in result
        assert result.endswith("3 errors\n")

    def test_a_wrong_value_is_reported_with_its_line(self, workspace: Workspace) -> None:
        result = self.complaint(workspace, "jobs: many\nquiet: maybe\nformat: [json]\nskip: {a: 1}\nforge: 3\n")
        assert "options/mine.yaml:1: jobs: 'many' is not a valid integer range" in result
        assert "options/mine.yaml:2: quiet: 'maybe' is not a valid boolean" in result
        assert "options/mine.yaml:3: format: takes one value" in result
        assert "options/mine.yaml:4: skip: takes a list of values" in result
        assert "options/mine.yaml:5: the options of `forge` must be a mapping" in result

    def test_not_a_mapping(self, workspace: Workspace) -> None:
        assert "options/mine.yaml:1: an options file must be a mapping" in self.complaint(workspace, "- jobs\n")

    def test_an_option_without_a_value_keeps_its_default(self, workspace: Workspace) -> None:
        workspace.write({"options/ci.yaml": "jobs:\nskip:\nenvironment:\nquiet:\n"})
        assert components(workspace, "--options", "ci") == {"web", "extras", "spare", "namespaces"}

    def test_no_such_file(self, workspace: Workspace) -> None:
        result = workspace.run("forge", "--options", "none")
        assert result.code == 10
        assert "there is no options file 'none': looked for none, " in result.err
        assert "write options/<NAME>.yaml" in result.err


class TestColors:
    def test_errors_have_colors_on_a_terminal_only_and_can_be_turned_off(self, workspace: Workspace) -> None:
        assert "\x1b[" in on_a_terminal(workspace, "forge", "nope")
        assert "\x1b[" not in on_a_terminal(workspace, "forge", "nope", "--no-color")
        assert "\x1b[" not in on_a_terminal(workspace, "forge", "nope", NO_COLOR="1")
        assert "\x1b[" not in workspace.program("forge", "nope").err

    def test_output_of_stages_has_colors_too(self, workspace: Workspace) -> None:
        assert "\x1b[" in on_a_terminal(workspace, "smelt")
        assert "\x1b[" not in on_a_terminal(workspace, "smelt", "--no-color")
        assert "\x1b[" not in on_a_terminal(workspace, "smelt", NO_COLOR="1")


def on_a_terminal(workspace: Workspace, *arguments: str, **environment: str) -> str:
    """What the program writes to stderr when that is a terminal."""
    from tests.cli.conftest import PROGRAM  # noqa: PLC0415 - not installed

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=workspace.folder,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(ours)
    process.wait(timeout=60)
    return b"".join(pieces).decode()


def test_jobs_change_nothing(workspace: Workspace) -> None:
    workspace.ok("forge", "--jobs", "1")
    before = json.loads(workspace.read("stacks/demo/stack.json"))
    workspace.ok("forge", "--jobs", "8")
    assert json.loads(workspace.read("stacks/demo/stack.json")) == before


def test_a_file_of_thousands_of_unknown_options(workspace: Workspace) -> None:
    workspace.write({"options/many.yaml": "".join(f"unknown{n}: 1\n" for n in range(20_000))})
    result = workspace.run("smelt", "--options", "many")
    assert result.code == 10
    assert "101 errors" in result.err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("quiet: -3031", "quiet"),
        ("quiet: 1.5", "quiet"),
        ("format: true", "format"),
        ('select: "a\\0b"', "a NUL character"),
    ],
)
def test_an_option_of_another_type(workspace: Workspace, line: str, problem: str) -> None:
    workspace.write({"options/odd.yaml": f"{line}\n"})
    result = workspace.run("smelt", "--options", "odd")
    assert result.code == 10
    assert "options/odd.yaml:1" in result.err
    assert problem in result.err


def test_a_number_is_taken_as_it_was_written(workspace: Workspace) -> None:
    workspace.write({"options/names.yaml": "skip: 1.10\n"})
    assert "'1.10'" in workspace.run("smelt", "--options", "names").err


@pytest.mark.parametrize(
    ("kubeconfig", "is_refused"), [("config", True), ("../outside", False), ("/elsewhere/config", False)]
)
def test_a_kubeconfig_does_not_come_with_a_workspace(
    workspace: Workspace, kubeconfig: str, *, is_refused: bool
) -> None:
    """It names programs that are run (ADR 0016)."""
    path = f"{workspace.folder}/{kubeconfig}" if not kubeconfig.startswith("/") else kubeconfig
    workspace.write({"options/theirs.yaml": f"kubeconfig: {path}\n"})
    result = workspace.run("history", "--options", "theirs")
    assert ("is in the workspace, and a kubeconfig names programs that are run" in result.err) is is_refused
    assert ("theirs.yaml:1" in result.err) is is_refused


def test_a_workspace_does_not_agree_to_its_own_functions(workspace: Workspace, tmp_path: Path) -> None:
    """An options file of the workspace is part of it (ADR 0056); one elsewhere is the user's."""
    line = f"allow-exec: sha256:{'0' * 64}\n"
    workspace.write({"options/theirs.yaml": line})
    result = workspace.run("smelt", "--options", "theirs")
    assert result.code == 10
    assert "a file of the workspace cannot agree to run its functions" in result.err
    (tmp_path / "mine.yaml").write_text(line)
    assert "cannot agree" not in workspace.run("smelt", "--options", str(tmp_path / "mine.yaml")).err
