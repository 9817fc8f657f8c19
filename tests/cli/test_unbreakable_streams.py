"""Closed, full and narrow streams, and any locale: the files are written, and no traceback is printed."""

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
        result = shell(forged, f'"$@" {closed}', "forge")
        assert result.code == 0, result.err
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]

    @posix
    @pytest.mark.parametrize("arguments", [["forge"], ["config", "show"], ["--help"], ["help", "errors"]])
    def test_a_closed_pipe(self, forged: Workspace, arguments: list[str]) -> None:
        """As in ``| head -1``, where head is gone at once: no traceback, and the files are written."""
        result = shell(changed(forged), '{ "$@"; echo $? >&2; } | true', *arguments)
        assert result.err.endswith("0\n")
        assert "Traceback" not in result.err
        assert "a bug of" not in result.err
        if arguments == ["forge"]:
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
        before = stack(forged)
        result = shell(forged, '{ "$@" 2>&1 || echo $? >&2; } | true', *arguments)
        assert result.err == ""
        assert stack(forged) == before

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("arguments", [["forge"], ["forge", "--format", "json"], ["config", "show"], ["--help"]])
    def test_a_full_disk_behind_stdout(self, forged: Workspace, arguments: list[str]) -> None:
        result = shell(changed(forged), '"$@" >/dev/full', *arguments)
        assert result.code == 20
        assert "error: the output cannot be written: No space left on device" in result.err.splitlines()
        if arguments[0] == "forge":
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
