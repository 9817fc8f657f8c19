"""What is done with kubectl to compare it with `deploy`: a program of that name answers in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.bench import kubectl_apply

KUBECTL = """\
#!/bin/sh
echo "$*" >> CALLS
case $1 in
get) echo '{"items": [{"kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"}, "spec": {"replicas": 2},
  "status": {"readyReplicas": READY}}]}' ;;
apply)
  if [ "$(grep -c 'objects$' CALLS)" = 1 ]; then echo 'failed calling webhook "a.example.com"' >&2; exit 1; fi
  echo applied; echo applied ;;
esac
"""


@pytest.fixture(autouse=True)
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program, which refuses ``objects`` once; the file with its calls."""
    return install(tmp_path, monkeypatch, ready=2)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, ready: int) -> Path:
    calls, program = folder / "calls", folder / "kubectl"
    program.write_text(KUBECTL.replace("CALLS", str(calls)).replace("READY", str(ready)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return calls


def test_each_step_is_applied_until_it_succeeds(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kubectl_apply.main("definitions", "objects", "webhooks") == 0
    assert capsys.readouterr().out == "6\n"
    verbs = [line.split()[0] for line in kubectl.read_text().splitlines()]
    assert verbs == ["apply", "wait", "apply", "apply", "wait", "apply", "get"]


def test_what_is_refused_to_the_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl_apply, "_PATIENCE", 0)
    with pytest.raises(SystemExit, match=r"kubectl apply of objects still fails after 0 s:\n.*a\.example\.com"):
        kubectl_apply.main("objects")


def test_a_workload_that_does_not_get_ready_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, ready=1)
    monkeypatch.setattr(kubectl_apply, "_PATIENCE", 0)
    with pytest.raises(SystemExit, match="not ready after 0 s: Deployment/shop/web"):
        kubectl_apply.main("definitions")
