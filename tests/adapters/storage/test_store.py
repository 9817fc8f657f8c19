from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StoreError

IS_ROOT = os.name == "posix" and os.geteuid() == 0


def entries(root: Path) -> list[Path]:
    return [path for path in (root / "sha256").rglob("*") if path.is_file()]


def drafts(root: Path) -> list[Path]:
    return list((root / "unfinished").iterdir())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000))
def test_get_returns_the_content_that_was_put(tmp_path: Path, content: bytes) -> None:
    store = FolderStore(tmp_path / "store")
    digest = store.put(content)
    assert digest == Digest.of(content)
    assert store.get(digest) == content
    assert (tmp_path / "store" / "sha256" / digest.hex[:2] / digest.hex).read_bytes() == content


def test_missing_entry_is_none(tmp_path: Path) -> None:
    assert FolderStore(tmp_path / "none").get(Digest.of(b"x")) is None


def test_corrupt_entry_is_removed_and_written_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(b"good")
    (entry,) = entries(tmp_path)
    entry.write_bytes(b"goo")
    assert store.get(digest) is None
    assert not entry.exists()
    entry.write_bytes(b"bad!")
    assert store.put(b"good") == digest
    assert store.get(digest) == b"good"


def test_entry_with_a_hole_of_a_terabyte_is_removed_and_not_read(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(b"good")
    (entry,) = entries(tmp_path)
    os.truncate(entry, 1 << 40)
    assert store.get(digest) is None
    assert not entry.exists()


def test_no_drafts_are_left(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for content in (b"a", b"b", b"a"):
        store.put(content)
    assert len(entries(tmp_path)) == 2
    assert not drafts(tmp_path)


def test_store_path_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    store = FolderStore(tmp_path / "store")
    assert store.get(Digest.of(b"x")) is None
    with pytest.raises(StoreError, match="cannot be written") as raised:
        store.put(b"x")
    assert raised.value.fix == "a file is where a directory is needed: move it away"


def test_unreadable_entry_is_reported(tmp_path: Path) -> None:
    digest = Digest.of(b"x")
    (tmp_path / "sha256" / digest.hex[:2] / digest.hex).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read"):
        FolderStore(tmp_path).get(digest)


@pytest.mark.skipif(IS_ROOT or os.name != "posix", reason="root may write anywhere")
def test_read_only_store_is_reported_and_still_read(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    digest = store.put(b"x")
    folders = [path for path in (tmp_path, *tmp_path.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert store.get(digest) == b"x"
        with pytest.raises(StoreError, match="cannot be written"):
            store.put(b"y")
    finally:
        for folder in folders:
            folder.chmod(stat.S_IRWXU)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_reported(tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk: the write fails in the same place."""
    program = f"""
import resource, signal
from pathlib import Path
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.foundation.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = FolderStore(Path({str(tmp_path)!r}))
try:
    store.put(b"x" * 5000)
except StoreError as error:
    print(error, "|", error.fix)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment()
    )
    assert "cannot be written" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.skipif(os.name != "posix", reason="needs locks that end with their process")
def test_only_drafts_of_dead_processes_are_removed(tmp_path: Path) -> None:
    """Time does not matter: the draft of the dead process is new, that of the living one is old."""
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    FolderStore(tmp_path).put(b"a")
    dead, living = tmp_path / "unfinished/1-dead", tmp_path / "unfinished/1-living"
    dead.write_bytes(b"half")
    with living.open("xb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        os.utime(living, (0, 0))
        FolderStore(tmp_path).put(b"b")
        assert drafts(tmp_path) == [living]
    FolderStore(tmp_path).put(b"c")
    assert not drafts(tmp_path)


def test_draft_removed_by_another_process_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, left = Path.replace, [2]

    def removed(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            self.unlink()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", removed)
    store = FolderStore(tmp_path)
    assert store.get(store.put(b"x")) == b"x"
    left[0] = 9
    with pytest.raises(StoreError, match="another process removes"):
        store.put(b"y")


def put_many(root: Path, start: int) -> None:
    store = FolderStore(root)
    for number in range(200):
        content = f"{(number + start) % 200}".encode() * 500
        assert store.get(store.put(content)) == content


def test_processes_share_one_store(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=put_many, args=(tmp_path, start)) for start in (0, 0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(entries(tmp_path)) == 200
    assert all(Digest.of(path.read_bytes()).hex == path.name for path in entries(tmp_path))


def test_killed_put_leaves_no_wrong_entry(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from cluster_forge.adapters.storage.store import FolderStore
store = FolderStore(Path({str(tmp_path)!r}))
print("started", flush=True)
for number in range(1_000_000):
    store.put(str(number).encode() * 20_000)
"""
    for moment in (0.01, 0.023, 0.05):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True, env=environment()
        ) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(moment)
            os.kill(process.pid, signal.SIGKILL)
    written = entries(tmp_path)
    assert written
    FolderStore(tmp_path).put(b"next")
    assert not drafts(tmp_path)
    assert all(Digest.of(path.read_bytes()).hex == path.name for path in written)


def environment() -> dict[str, str]:
    source = str(Path(__file__).parents[3] / "src")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
