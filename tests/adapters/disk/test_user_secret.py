"""The user's secret: kept from others, the same for all processes, and missing where it cannot be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster_forge.adapters.disk import user_secret
from cluster_forge.foundation.errors import WorkspaceError

SCRIPT = "import sys; from cluster_forge.adapters.disk import user_secret; sys.stdout.buffer.write(user_secret.load())"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state/cluster-forge/secret"


def test_secret_is_created_once_and_for_its_user_only(place: Path) -> None:
    secret = user_secret.load()
    assert len(secret) == 32
    assert user_secret.load() == user_secret.kept() == place.read_bytes() == secret
    assert [path.name for path in place.parent.iterdir()] == ["secret"]
    if os.name == "posix":
        assert place.stat().st_mode & 0o777 == 0o600
        assert place.parent.stat().st_mode & 0o077 == 0


def test_processes_that_start_together_have_the_same_secret(place: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE) for _ in range(6)]
    outputs = {process.communicate()[0] for process in processes}
    assert outputs == {place.read_bytes()}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33, b"x" * 32])
def test_secret_that_others_could_know_is_replaced(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    place.chmod(0o644 if len(content) == 32 else 0o600)
    secret = user_secret.load()
    assert secret != content
    assert user_secret.load() == secret


@pytest.mark.skipif(os.name != "posix", reason="only Unix has pipes in directories")
def test_link_or_pipe_is_refused(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir(parents=True)
    (tmp_path / "known").write_bytes(b"x" * 32)
    (tmp_path / "known").chmod(0o600)
    place.symlink_to(tmp_path / "known")
    with pytest.raises(WorkspaceError, match="a link where a file is needed"):
        user_secret.load()
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(WorkspaceError, match="neither a file nor a directory"):
        user_secret.load()


@pytest.mark.parametrize("state", ["/proc/none", "relative"])
def test_without_a_place_it_is_a_new_one_each_time(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", "/proc/none")
    assert user_secret.kept() is None
    assert user_secret.load() != user_secret.load()
    assert list(tmp_path.iterdir()) == []


def test_signature_is_for_one_purpose_and_its_contents() -> None:
    signature = user_secret.sign(b"secret", "name", b"a", b"bc")
    assert user_secret.is_signed(signature, b"secret", "name", b"a", b"bc")
    assert not user_secret.is_signed(signature, b"other", "name", b"a", b"bc")
    assert not user_secret.is_signed(signature, b"secret", "other", b"a", b"bc")
    assert not user_secret.is_signed(signature, b"secret", "name", b"ab", b"c")
    assert not user_secret.is_signed("ümlaut", b"secret", "name", b"a", b"bc")
