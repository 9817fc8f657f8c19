"""config, convert and help; how a run ends that is interrupted, cut off or a bug; and that offline means offline."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from cluster_forge.catalog.library import packaged
from cluster_forge.cli.app import VERBS, cluster_forge
from cluster_forge.cli.help_page import HelpCommand, HelpGroup, words_of
from cluster_forge.composition import Services
from cluster_forge.foundation import build
from cluster_forge.foundation.errors import FAMILIES, types_of

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

PROGRAM = Path(sys.executable).parent / "cluster-forge"


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """The program, and every verb of it with its name as it is typed."""
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}".strip())
        else:
            yield f"{path} {name}".strip(), command
            words = words_of(command)
            yield from ((f"{name} {word}", below) for word, below in (words.commands.items() if words else ()))


def parse(words: Sequence[str]) -> None:
    """Parse a command line without running it; fails for what the verb does not accept."""
    command: click.Command = cluster_forge
    context = command.make_context("cluster-forge", list(words))
    while isinstance(command, click.Group):
        name, *rest = (*context._protected_args, *context.args)
        below = command.get_command(context, name)
        assert below is not None, name
        context = below.make_context(name, rest, parent=context)
        command = context.command


class TestConfig:
    def test_show_prints_the_effective_description_as_yaml(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "name: demo\n", "name: demo\nextends: [../base.yaml]\n")
        workspace.write({"base.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\ntarget: {kubernetes: '1.30'}\n"})
        shown = yaml.safe_load(workspace.ok("config", "show").out)
        answer = workspace.ok("config", "show", "--format", "json").json
        assert shown == answer["description"]
        assert shown["target"] == {"kubernetes": "1.30"}
        assert shown["components"][0]["values"] == {"replicas": 2}
        assert "origins" not in answer

    def test_origins_say_where_each_value_came_from(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "name: demo\n", "name: demo\nextends: [../base.yaml]\n")
        workspace.write({"base.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\ntarget: {kubernetes: '1.30'}\n"})
        result = workspace.ok("config", "show", "--origins").out
        assert re.search(r"^  kubernetes: \"1\.30\" +# base\.yaml:3$", result, re.MULTILINE)
        assert re.search(r"^    replicas: 2 +# input/config\.yaml:\d+$", result, re.MULTILINE)
        assert yaml.safe_load(result) == yaml.safe_load(workspace.ok("config", "show").out)
        assert result.splitlines()[-1].startswith("# precedence, lowest first: the chart; valuesFiles")
        origins = workspace.ok("config", "show", "--origins", "--format", "json").json["origins"]
        assert origins["target.kubernetes"] == "base.yaml:3"
        assert origins["components[0].values.replicas"].startswith("input/config.yaml:")

    def test_validate_writes_nothing(self, workspace: Workspace) -> None:
        before = workspace.tree(".")
        assert workspace.ok("config", "validate").out == "demo: 3 components, no errors\n"
        answer = workspace.ok("config", "validate", "--format", "json").json
        assert (answer["stack"], answer["components"], answer["errors"]) == ("demo", 3, 0)
        assert workspace.tree(".") == before

    def test_validate_counts_findings_that_are_errors(self, workspace: Workspace) -> None:
        workspace.replace("input/config.yaml", "components:\n", "vars: {db_password: s3cr3tw0rd}\ncomponents:\n")
        result = workspace.run("config", "validate")
        assert (result.code, result.out) == (1, "demo: 3 components, 1 error\n")
        assert "error[plaintext-secret]: input/config.yaml" in result.err
        assert "s3cr3tw0rd" not in result.err
        result = workspace.ok("config", "validate", "--allow", "plaintext-secret")
        assert result.out == "demo: 3 components, no errors\n"
        assert "warning[plaintext-secret]" in result.err


class TestConvert:
    def test_the_native_form_gives_the_same_working(self, legacy: Workspace) -> None:
        legacy.ok("smelt")
        before = legacy.tree("working")
        record = before.pop(".smelt.json")
        result = legacy.ok("convert", "-o", "input/config.yaml")
        assert result.out == "wrote input/config.yaml: 3 components\n"
        assert legacy.yaml("input/config.yaml")["kind"] == "Stack"
        legacy.ok("smelt")
        after = legacy.tree("working")
        assert b'"parts"' in record
        after.pop(".smelt.json")
        assert after == before
        assert "value: '2'" in before["web/configmap_web_a.yaml"].decode().replace('"', "'")

    def test_what_was_not_selected_is_defined_and_not_lost(self, legacy: Workspace) -> None:
        result = legacy.ok("convert", "--select", "chosen.yaml")
        native = yaml.safe_load(result.out)
        assert native["components"] == ["both"]
        assert [part["name"] for part in native["define"]] == ["web", "extras", "spare"]
        assert native["collections"] == {"both": ["web", "extras"]}

    def test_stdout_is_the_description_and_nothing_else(self, legacy: Workspace) -> None:
        result = legacy.ok("convert", "-q")
        legacy.ok("convert", "-o", "native/config.yaml", "-q")
        assert legacy.read("native/config.yaml") == result.out

    def test_json(self, legacy: Workspace) -> None:
        text = legacy.ok("convert").out
        assert legacy.ok("convert", "--format", "json").json["description"] == text
        answer = legacy.ok("convert", "--format", "json", "-o", "new.yaml").json
        assert (answer["output"], answer["description"]) == ("new.yaml", None)
        assert legacy.read("new.yaml") == text


class TestHelp:
    def test_errors_are_listed_with_their_exit_codes(self, workspace: Workspace) -> None:
        lines = workspace.ok("help", "errors").out.splitlines()
        codes = [int(match[1]) for line in lines if (match := re.match(r" {2,4}(\d+)", line))]
        kinds = [kind for family in FAMILIES for kind in types_of(family)]
        assert codes == [0, 1, 2, *(kind.exit_code for kind in kinds), 70, 129, 130, 143]
        for kind in kinds:
            assert any(kind.__name__ in line and kind.meaning[:20] in line for line in lines)

    @pytest.mark.parametrize("verb", VERBS)
    def test_of_a_verb_is_what_it_says_itself(self, workspace: Workspace, verb: str) -> None:
        result = workspace.ok("help", verb)
        assert result.out == workspace.ok(verb, "--help").out
        purpose, empty, usage, *_ = result.out.splitlines()
        assert (purpose, empty) == (VERBS[verb], "")
        assert usage.startswith(f"Usage: cluster-forge {verb}")

    def test_has_examples_that_the_verb_accepts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("shop.yaml").touch()
        for path, command in commands(cluster_forge):
            assert isinstance(command, HelpCommand | HelpGroup)
            assert command.page.examples, path
            for example in command.page.examples:
                assert len(example) <= 77, example
                for words in re.findall(r"cluster-forge ([^>#|)]*)", example):
                    assert path in words or isinstance(command, click.Group), example
                    parse(shlex.split(words.split(" > ")[0]))

    def test_has_a_paragraph_and_lists_options_in_the_same_order(self) -> None:
        headings = [
            *("Options", "Selection options", "Network options", "Store options", "Render options", "Cluster options"),
            *("Run options", "Output options"),
        ]
        for path, command in commands(cluster_forge):
            assert isinstance(command, HelpCommand | HelpGroup)
            assert command.page.paragraphs, path
            text = command.get_help(click.Context(command))
            shown = re.findall(r"^(.*[Oo]ptions):$", text, re.MULTILINE)
            assert shown == [heading for heading in headings if heading in shown], path

    def test_every_command_that_a_message_names_exists(self) -> None:
        verbs = dict(commands(cluster_forge))
        groups = {path for path, command in verbs.items() if isinstance(command, click.Group)}
        package = Path(build.__file__).parents[1]
        text = "\n".join(file.read_text() for suffix in ("py", "sh") for file in package.rglob(f"*.{suffix}"))
        in_ticks = set(re.findall(r"`cluster-forge ([a-z]+)", text))
        of_groups = {
            words for words in re.findall(r"cluster-forge ([a-z]+ [a-z]+)", text) if words.split()[0] in groups
        }
        assert len(in_ticks) > 15
        assert len(of_groups) > 10
        assert (in_ticks | of_groups) - verbs.keys() == set()

    def test_an_unknown_verb_of_a_group_is_a_usage_error_with_the_nearest(self, workspace: Workspace) -> None:
        result = workspace.run("catalog", "lists")
        assert result.code == 2
        assert "unknown verb 'lists', did you mean 'list'?" in result.err

    def test_examples_name_what_the_catalog_has(self) -> None:
        library = packaged()
        known = {*library.names, *library.collections}
        pages = [command.page for _, command in commands(cluster_forge) if isinstance(command, HelpCommand | HelpGroup)]
        examples = [example for page in pages for example in page.examples]
        named = re.findall(r"(?:--component|--collection|catalog show|--skip) ([a-z][a-z-]*)", "\n".join(examples))
        assert named
        assert set(named) <= known

    def test_of_a_verb_of_config(self, workspace: Workspace) -> None:
        assert workspace.ok("help", "config", "show").out == workspace.ok("config", "show", "--help").out

    def test_without_a_topic_lists_the_verbs(self, workspace: Workspace) -> None:
        result = workspace.ok("help").out
        assert result == workspace.ok("--help").out
        assert all(re.search(rf"^  {verb} ", result, re.MULTILINE) for verb in VERBS)

    def test_the_version(self, workspace: Workspace) -> None:
        """A bug report needs the build and the engine, too."""
        shown = workspace.ok("--version").out
        assert shown.startswith("cluster-forge, version ")
        assert f"(build {build.identity().rpartition('+')[2]})" in shown
        assert "Helm engine helm-python-sdk" in shown


class TestEnds:
    def test_a_bug_leaves_a_report(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def broken(_: object) -> object:
            raise ZeroDivisionError("the pot is empty")

        monkeypatch.setattr("cluster_forge.composition.services", broken)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        result = workspace.run("forge")
        assert result.code == 70
        assert result.out == ""
        assert result.err.startswith("a bug of cluster-forge (ZeroDivisionError: the pot is empty); the report is in ")
        report = Path(result.err.split()[-1]).read_text()
        assert "Traceback" in report
        assert "arguments: ['-C', " in report

    def test_a_bug_among_errors_is_a_bug(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def broken(_: object) -> Services:
            raise ExceptionGroup("two", [ValueError("really"), ExceptionGroup("inner", [KeyError("x")])])

        monkeypatch.setattr("cluster_forge.composition.services", broken)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        assert workspace.run("forge").code == 70

    def test_a_report_that_cannot_be_written_is_shown(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: object) -> Services:
            raise ZeroDivisionError("the pot is empty")

        monkeypatch.setattr("cluster_forge.composition.services", broken)
        monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
        result = workspace.run("forge")
        assert result.code == 70
        assert "Traceback" in result.err

    def test_interrupted_in_this_process(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_: object) -> Services:
            raise KeyboardInterrupt

        monkeypatch.setattr("cluster_forge.composition.services", interrupted)
        result = workspace.run("forge")
        assert result.code == 130
        assert result.err.strip() == "interrupted"

    def test_interrupted_leaves_what_was_there(self, workspace: Workspace) -> None:
        workspace.ok("forge")
        before = workspace.tree("working"), workspace.tree("stacks")
        # A chart that takes its time: each call of genCA makes an RSA key.
        slow = '{{ range until 25 }}# {{ genCA "x" 1 | toString | len }}\n{{ end }}\n'
        workspace.write({"input/charts/web/templates/slow.yaml": slow})
        process = subprocess.Popen(
            [PROGRAM, "-C", workspace.folder, "forge"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        while "mine" not in (line := process.stderr.readline()):  # what is in the workspace is rendered before
            assert line
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err.endswith("interrupted\n")
        assert (workspace.tree("working"), workspace.tree("stacks")) == before

    @pytest.mark.parametrize("arguments", [("forge",), ("config", "show"), ("help", "errors"), ("--help",)])
    def test_a_closed_stdout(self, workspace: Workspace, arguments: tuple[str, ...]) -> None:
        ours, theirs = os.pipe()
        os.close(ours)
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=workspace.folder, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False
        )
        os.close(theirs)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr
        assert "bug" not in done.stderr

    def test_a_pipe_to_head(self, workspace: Workspace) -> None:
        done = subprocess.run(
            f"'{PROGRAM}' config show --origins | head -1",
            shell=True,
            cwd=workspace.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("apiVersion: cluster-forge/v1")
        assert done.stderr == ""


class TestOffline:
    """`--offline` never opens a socket: a hook of the interpreter ends the process where one is opened."""

    HOOK = """\
import os, sys

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.__new__"):
        os.write(2, f"socket: {event} {arguments[1:]}\\n".encode())
        os._exit(99)

sys.addaudithook(hook)
"""

    def run(self, workspace: Workspace, *arguments: str) -> tuple[int, str]:
        workspace.write({"hook/sitecustomize.py": self.HOOK})
        result = workspace.program(*arguments, PYTHONPATH=str(workspace.folder / "hook"))
        return result.code, result.err

    def test_with_a_mirror_no_socket_is_opened(self, workspace: Workspace) -> None:
        mirror = workspace.mirror()
        code, err = self.run(workspace, "forge", "--offline", "--mirror", mirror)
        assert (code, "socket" in err) == (0, False), err
        # Now everything is in the store, and the mirror is not needed any more.
        code, err = self.run(workspace, "forge", "--offline")
        assert (code, "socket" in err) == (0, False), err

    def test_what_is_missing_is_an_error_and_no_socket(self, workspace: Workspace) -> None:
        workspace.mirror()
        code, err = self.run(workspace, "forge", "--offline")
        assert code == 14
        assert "socket" not in err
        for name in ("shop", "widgets"):
            assert f"component {name}: " in err
        assert err.endswith("2 errors\n")

    def test_smelt_takes_from_a_mirror_what_the_store_lost(self, workspace: Workspace) -> None:
        mirror = workspace.mirror()
        workspace.ok("mine", "--mirror", mirror, "--offline")
        shutil.rmtree(workspace.folder / "input/shop/manifests/sourced")
        lost = str(workspace.folder.parent / "other-store")
        assert workspace.run("smelt", "--store", lost).code == 12
        code, err = self.run(workspace, "smelt", "--store", lost, "--mirror", mirror)
        assert (code, "socket" in err) == (0, False), err
        workspace.replace("input/config.yaml", "'>=1'", "'>=3'")
        unlocked = workspace.run("smelt", "--store", lost, "--mirror", mirror)
        assert (unlocked.code, "cluster-forge mine" in unlocked.err) == (12, True), unlocked.err

    def test_smelt_and_cast_never_need_one(self, workspace: Workspace) -> None:
        workspace.ok("mine", "--mirror", workspace.mirror(), "--offline")
        for verb in ("smelt", "cast"):
            code, err = self.run(workspace, verb)
            assert (code, "socket" in err) == (0, False), err

    def test_the_hook_works(self, workspace: Workspace) -> None:
        workspace.mirror()
        code, err = self.run(workspace, "forge")
        assert code == 99
        assert "socket: socket." in err
