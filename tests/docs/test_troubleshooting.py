"""The page about troubleshooting quotes real messages: each mistake is made in the starter stack."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "cluster-forge"


def masked(text: str) -> str:
    """The text without its line numbers: the starter stack may change."""
    return re.sub(r"\d+", "#", text)


PAGE = masked((Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))
EXTRA = "- name: extra\n  manifests: [extra/]\ndefine:"

MISTAKES = {
    "version not in quotes": ('kubernetes: "1.33"', "kubernetes: 1.33"),
    "key mistyped": ("\ngitops:", "\ngitop:"),
    "name mistyped": ("needs: [tenancy]", "needs: [tenanzy]"),
    "chart not there": ("./charts/metrics}", "./charts/metrix}"),
    "value refused": ("clusterName: starter ", "clusterNam: starter "),
    "tab": ("target:  ", "target:\n\tsize: small\n#"),
    "key twice": ("gitops:", "name: other\ngitops:"),
    "two components of one name": ("\ndefine:", "\n- {name: metrics, helm: {chart: ./charts/metrics}}\ndefine:"),
    "values file among the manifests": ("\ndefine:", f"\n{EXTRA}"),
}


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    subprocess.run([PROGRAM, "-C", folder, "init", "-q"], check=True)
    (folder / "input" / "extra").mkdir()
    (folder / "input" / "extra" / "values.yaml").write_text("replicas: 2\n")
    return folder


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_message_is_the_one_that_the_page_shows(mistake: str, starter: Path, tmp_path: Path) -> None:
    shutil.copytree(starter / "input", tmp_path / "input")
    description = tmp_path / "input" / "config.yaml"
    before, after = MISTAKES[mistake]
    text = description.read_text()
    assert before in text
    description.write_text(text.replace(before, after, 1))
    done = subprocess.run(
        [PROGRAM, "-C", tmp_path, "forge", "--offline", "-q", "--no-color"],
        check=False,
        capture_output=True,
        text=True,
        env={"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": "", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode
    missing = [line for line in done.stderr.splitlines() if masked(line.strip()) not in PAGE]
    assert not missing, f"docs/troubleshooting.md does not show {missing}"
