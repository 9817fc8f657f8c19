"""Closed, full and narrow streams, and any locale: what was to be made is made, without a traceback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM, config_map
from tests.cli.surroundings import changed, posix, shell, stack

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

LOCALES: Mapping[str, Mapping[str, str]] = {
    "LANG=C": {"LANG": "C"},
    "LC_ALL=C": {"LC_ALL": "C"},
    "not UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII output": {"PYTHONIOENCODING": "ascii"},
    "Latin-1 output": {"PYTHONIOENCODING": "latin-1:strict"},
}


class TestStreams:
    @pytest.mark.parametrize("locale", LOCALES)
    def test_any_locale(self, workspace: Workspace, locale: str) -> None:
        workspace.write({"input/extras/ü 🙂.yaml": config_map("two", "ü 🙂")})
        folder = workspace.folder.rename(workspace.folder.with_name("ü 🙂"))
        workspace.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
        for arguments in (["forge"], ["config", "show"]):
            done = subprocess.run(
                [PROGRAM, "-C", folder, *arguments],
                env={**environment, **LOCALES[locale]},
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        assert "ü 🙂" in workspace.read("working/extras/configmap_extras_two.yaml")
        workspace.write({"input/extras/ü 🙂.yaml": "kind: ["})
        done = subprocess.run(
            [PROGRAM, "-C", folder, "forge"],
            env={**environment, **LOCALES[locale]},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 18
        assert b"error: input/extras/" in done.stderr

    @posix
    @pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
    def test_closed_streams(self, forged: Workspace, closed: str) -> None:
        changed(forged)
        said = shell(forged, f'"$@" {closed}', "forge")
        assert said.code == 0, said.err
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]

    @posix
    @pytest.mark.parametrize("arguments", [["forge"], ["config", "show"], ["--help"], ["help", "errors"]])
    def test_nobody_reads_on(self, forged: Workspace, arguments: list[str]) -> None:
        """As in ``| head -1``, where head is gone at once: no traceback, and what was to be made is made."""
        said = shell(changed(forged), '{ "$@"; echo $? >&2; } | true', *arguments)
        assert said.err.endswith("0\n")
        assert "Traceback" not in said.err
        assert "a bug of" not in said.err
        if arguments == ["forge"]:
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
        before = stack(forged)
        said = shell(forged, '{ "$@" 2>&1 || echo $? >&2; } | true', *arguments)
        assert said.err == ""
        assert stack(forged) == before

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("arguments", [["forge"], ["forge", "--format", "json"], ["config", "show"], ["--help"]])
    def test_a_full_disk_behind_stdout(self, forged: Workspace, arguments: list[str]) -> None:
        said = shell(changed(forged), '"$@" >/dev/full', *arguments)
        assert said.code == 20
        assert "error: the output cannot be written: No space left on device" in said.err.splitlines()
        if arguments[0] == "forge":
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
