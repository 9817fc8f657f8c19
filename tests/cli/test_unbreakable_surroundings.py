"""Broken disks, odd places, odd files and odd streams: it works, or says what is wrong and where; nothing is lost."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM, Said, config_map

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

MINED = "input/web/manifests/sourced"
VERBS = ("mine", "smelt", "cast", "forge")
HUGE = 1 << 30

posix = pytest.mark.skipif(os.name != "posix", reason="this is Unix's")


def shell(workspace: Workspace, script: str, *arguments: str, **environment: str) -> Said:
    """A script in the workspace, for which ``"$@"`` is the program with the arguments."""
    done = subprocess.run(
        ["sh", "-ec", script, "sh", PROGRAM, *arguments],
        cwd=workspace.folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))


def with_mounts(workspace: Workspace, script: str, *arguments: str) -> Said:
    """The same where it may mount what it likes, and nobody else sees it."""
    may = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip("nobody may mount here")
    inner = ["unshare", "-rm", "sh", "-ec", script, "sh", str(PROGRAM), *arguments]
    done = subprocess.run(inner, cwd=workspace.folder, capture_output=True, text=True, timeout=120, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def read_only(folder: Path) -> str:
    return f"mount --bind '{folder}' '{folder}'; mount -o remount,bind,ro '{folder}'; "


def changed(workspace: Workspace) -> Workspace:
    workspace.replace("input/config.yaml", "replicas: 2", "replicas: 3")
    return workspace


def stack(workspace: Workspace) -> Mapping[str, bytes]:
    return workspace.tree("working") | workspace.tree("stacks") | workspace.tree(MINED)


def left_aside(workspace: Workspace) -> list[Path]:
    return [path for path in workspace.folder.rglob("*") if "aside" in path.name]


@pytest.fixture
def forged(workspace: Workspace) -> Workspace:
    workspace.ok("forge")
    return workspace


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' mounts")
class TestDisks:
    def test_a_full_disk_loses_nothing_and_once_there_is_room_it_works(self, forged: Workspace) -> None:
        """The workspace in a small file system with so many kilobytes free: none, some, enough."""
        (forged.folder / "disk").mkdir()
        script = """
            mount -t tmpfs -o size=1m tmpfs disk
            cp -r input working stacks cluster-forge.lock disk/
            cp -r disk kept
            sed -i 's/replicas: 2/replicas: 3/' disk/input/config.yaml
            for free in 0 4 8 12 16 24 32 48 64 96 512; do
                dd if=/dev/zero of=disk/fill bs=1k 2>/dev/null || true
                truncate -s -${free}k disk/fill
                code=0
                "$@" || code=$?
                test ! -e disk/.cluster-forge/lock.holder
                test -z "$(ls disk/.cluster-forge | grep aside)"
                echo "$free $code"
                if test $code != 0; then
                    for path in working stacks; do
                        diff -r disk/$path kept/$path >/dev/null && echo "$path is old" || echo "$path is new"
                    done
                fi
                rm disk/fill
            done
            rm -rf out; cp -r disk out
        """
        said = with_mounts(forged, script, "-C", "disk", "forge", "-q")
        assert said.code == 0, said.err
        lines = said.out.splitlines()
        assert lines[0] == "0 20"
        assert lines[1:3] == ["working is old", "stacks is old"]
        assert lines[-1] == "512 0"
        assert all(line.split()[1] in ("0", "20", "is") for line in lines), said.out
        assert "No space left on device" in said.err
        assert "fix: free some space on the disk and run the command again" in said.err
        forged.folder /= "out"
        assert b"replicas: 3" in stack(forged)["deployment.apps_web.yaml"]

    def test_a_full_store(self, workspace: Workspace) -> None:
        (workspace.folder / "store").mkdir()
        script = """
            mount -t tmpfs -o size=64k tmpfs store
            dd if=/dev/zero of=store/fill bs=1k 2>/dev/null || true
            code=0
            "$@" || code=$?
            find store -type f
            exit $code
        """
        said = with_mounts(workspace, script, "forge", "-q", "--store", "store")
        assert (said.code, said.out) == (16, "store/fill\n")
        assert "the store cannot be written: No space left on device" in said.err
        assert "fix: free some space on the disk, or take a store elsewhere: --store DIR" in said.err

    def test_a_read_only_store_that_has_everything_will_do(self, forged: Workspace, tmp_path: Path) -> None:
        store = tmp_path / "cache"
        said = with_mounts(changed(forged), read_only(store) + '"$@"', "forge", "-q")
        assert said.code == 0, said.err
        forged.replace("input/charts/web/values.yaml", "1.29", "1.30")
        before = stack(forged)
        for verb in ("mine", "smelt", "forge"):
            said = with_mounts(forged, read_only(store) + '"$@"', verb, "-q")
            assert said.code == 16
            assert "the store cannot be written: Read-only file system" in said.err
            assert "--store DIR" in said.err
        assert stack(forged) == before

    def test_a_read_only_workspace_can_be_read(self, forged: Workspace) -> None:
        script = read_only(forged.folder) + f"cd '{forged.folder}'; " + '"$@"'
        assert with_mounts(forged, script, "config", "validate").code == 0
        before = forged.tree(".")
        for verb in VERBS:
            said = with_mounts(changed(forged) if verb == "mine" else forged, script, verb, "-q")
            assert said.code == 20
            assert "cannot be locked: Read-only file system" in said.err
            assert "fix: the file system is read-only: work in a copy of the workspace (-C DIR)" in said.err
        forged.replace("input/config.yaml", "replicas: 3", "replicas: 2")
        assert forged.tree(".") == before

    def test_smelt_and_cast_do_not_write_to_input(self, forged: Workspace) -> None:
        changed(forged).ok("mine")
        for verb in ("smelt", "cast"):
            said = with_mounts(forged, read_only(forged.folder / "input") + '"$@"', verb, "-q")
            assert said.code == 0, said.err
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
        forged.replace("input/config.yaml", "replicas: 3", "replicas: 4")
        said = with_mounts(forged, read_only(forged.folder / "input") + '"$@"', "forge", "-q")
        assert said.code == 20
        assert f"{MINED} cannot be written: Read-only file system" in said.err
        assert not left_aside(forged)

    @pytest.mark.parametrize("folder", ["input", "stacks"])
    @pytest.mark.parametrize(
        "mount",
        ["mount --bind {0} {0}", "cp -r {0} saved; mount -t tmpfs tmpfs {0}; cp -r saved/. {0}"],
        ids=["the same file system", "another one"],
    )
    def test_a_folder_may_be_mounted(self, forged: Workspace, folder: str, mount: str) -> None:
        script = f'{mount.format(folder)}; "$@"; rm -rf out; mkdir out; cp -r input stacks working out'
        said = with_mounts(changed(forged), script, "forge", "-q")
        assert said.code == 0, said.err
        assert not left_aside(forged)
        forged.folder /= "out"
        assert b"replicas: 3" in stack(forged)["deployment.apps_web.yaml"]
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]

    def test_a_mounted_folder_that_would_have_to_be_renamed_is_told(self, forged: Workspace) -> None:
        before = stack(forged)
        said = with_mounts(changed(forged), 'mount --bind working working; "$@"', "smelt", "-q")
        assert said.code == 20
        assert f"{forged.folder}/working: working cannot be written: Device or resource busy" in said.err
        assert "fix: something is mounted there: mount it one folder higher, or put a link in its place" in said.err
        assert stack(forged) == before
        assert not left_aside(forged)


@posix
class TestPermissions:
    @pytest.mark.parametrize("place", [".", "working", "stacks", "input/web/manifests"])
    def test_what_may_not_be_written_is_told(self, forged: Workspace, place: str) -> None:
        """As somebody without root's powers."""
        powerless = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        if powerless and not shutil.which("setpriv"):
            pytest.skip("there is no setpriv to give up root's powers")
        before = changed(forged).tree(place)
        folders = [forged.folder / place, *(p for p in (forged.folder / place).rglob("*") if p.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        try:
            command = [*powerless, str(PROGRAM), "-C", str(forged.folder)]
            said = subprocess.run([*command, "forge", "-q"], capture_output=True, text=True, check=False)
            read = subprocess.run([*command, "config", "validate"], capture_output=True, text=True, check=False)
        finally:
            for folder in folders:
                folder.chmod(0o755)
        assert read.returncode == 0, read.stderr
        assert said.returncode == 20
        assert "Permission denied" in said.stderr
        assert "fix: give yourself the permission, or work in a copy of the workspace (-C DIR)" in said.stderr
        assert forged.tree(place) == before

    def test_a_user_without_a_home(self, workspace: Workspace) -> None:
        """As in many a container: a user whom nobody knows."""
        unknown = ["unshare", "-U", "--map-user", "54321", "--map-group", "54321", "--", str(PROGRAM)]
        environment = {"PATH": os.environ["PATH"]}

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*unknown, *arguments],
                cwd=workspace.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )

        if run("--version").returncode:
            pytest.skip("nobody may become another user here")
        said = run("forge")
        assert said.returncode == 16
        assert "there is no place for the store: this user has no home folder" in said.stderr
        assert "fix: name one: --store DIR, or XDG_CACHE_HOME" in said.stderr
        assert run("forge", "--store", "store").returncode == 0


class TestPlaces:
    @pytest.mark.parametrize("name", ["two words", "ümläüt 日本", '🙂 it\'s $HOME `x` "q"', "-q", "a\nb"])
    def test_a_strange_path(self, workspace: Workspace, name: str) -> None:
        workspace.folder = workspace.folder.rename(workspace.folder.with_name(name))
        workspace.write({"input/extras/ü 🙂.yaml": config_map("two")})
        said = workspace.program("forge", "-q")
        assert said.code == 0, said.err
        assert "extras/configmap_extras_two.yaml" in workspace.tree("working")

    @posix
    def test_the_workspace_and_its_folders_may_be_links(self, workspace: Workspace, tmp_path: Path) -> None:
        """To anywhere, also to where there is nothing yet: what is made is put there, and the link stays."""
        for folder in ("input", "working", "stacks"):
            place = tmp_path / "elsewhere" / folder
            place.parent.mkdir(exist_ok=True)
            if folder == "input":
                (workspace.folder / folder).rename(place)
            (workspace.folder / folder).symlink_to(place)
        (tmp_path / "link").symlink_to(workspace.folder)
        real, workspace.folder = workspace.folder, tmp_path / "link"
        for _ in range(2):
            workspace.ok("forge")
            assert all((real / folder).is_symlink() for folder in ("input", "working", "stacks"))
            assert (tmp_path / "elsewhere/stacks/demo/stack.json").is_file()
            assert (tmp_path / "elsewhere/working/.smelt.json").is_file()
            assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["input", "stacks", "working"]
            changed(workspace)
            workspace.replace("input/config.yaml", "replicas: 3", "replicas: 2")

    @posix
    def test_a_link_below_them_does_not_lead_out(self, forged: Workspace, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        (forged.folder / "stacks/demo").rename(elsewhere)
        (forged.folder / "stacks/demo").symlink_to(elsewhere)
        before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
        said = changed(forged).run("forge")
        assert said.code == 20
        assert "stacks/demo lies outside of the workspace" in said.err
        assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before

    @pytest.mark.parametrize("path", ["working", "stacks", "stacks/demo", MINED, "input/web", ".cluster-forge"])
    def test_a_file_where_a_folder_has_to_be_is_never_lost(self, forged: Workspace, path: str) -> None:
        shutil.rmtree(forged.folder / path)
        (forged.folder / path).write_text("mine")
        said = changed(forged).run("forge")
        assert said.code == 20
        assert str(forged.folder / path) in said.err
        assert "fix: " in said.err
        assert forged.read(path) == "mine"

    def test_a_folder_where_the_lock_has_to_be(self, workspace: Workspace) -> None:
        (workspace.folder / "cluster-forge.lock/x").mkdir(parents=True)
        said = workspace.run("forge")
        assert said.code == 20
        assert "cluster-forge.lock cannot be written: Is a directory" in said.err

    @posix
    def test_a_workspace_that_is_not_there_any_more(self, workspace: Workspace) -> None:
        said = shell(workspace, 'rm -r "$PWD"; "$@"', "smelt")
        assert said.code == 20
        assert "cannot be opened: No such file or directory" in said.err

    def test_the_longest_names(self, workspace: Workspace) -> None:
        name, file = "c" * 63, f"{'f' * 250}.yaml"
        workspace.write({f"input/{'d' * 255}/{file}": config_map("x" * 253)})
        component = f"- {{name: {name}, namespace: {'n' * 63}, manifests: [{'d' * 255}/]}}\n"
        workspace.replace("input/config.yaml", "- spare\n", f"- spare\n{component}")
        workspace.ok("forge")
        assert any(path.startswith(name) for path in workspace.tree("working"))

    @posix
    def test_a_path_that_is_too_long_is_told(self, workspace: Workspace) -> None:
        deep = workspace.folder
        while len(str(deep)) < 4010:
            deep = deep / ("d" * min(200, 4030 - len(str(deep))))
        shutil.copytree(workspace.folder / "input", workspace.folder / "copy")
        subprocess.run(["mkdir", "-p", deep], check=True)
        shutil.move(workspace.folder / "copy", deep / "input")
        said = workspace.program("-C", str(deep), "forge", "-q")
        assert said.code in (10, 20)
        assert "File name too long" in said.err
        assert "fix: " in said.err


def make_socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


class TestFiles:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(os.mkfifo, id="pipe", marks=posix),
            pytest.param(make_socket, id="socket", marks=posix),
        ],
    )
    @pytest.mark.parametrize("path", ["extras/x.yaml", "charts/web/x", "config.yaml", "values.yaml"])
    def test_a_pipe_never_makes_anybody_wait(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, make: Callable[[str], None], path: str
    ) -> None:
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [values.yaml]")
        (workspace.folder / "input/config.yaml").rename(workspace.folder / "input/good.yaml")
        if path != "config.yaml":
            (workspace.folder / "input/good.yaml").rename(workspace.folder / "input/config.yaml")
        monkeypatch.chdir(workspace.folder / "input" / Path(path).parent)  # a socket's path must be short
        make(Path(path).name)
        for verb in ("config", *VERBS[:2]):
            said = workspace.run(verb, *(["validate"] if verb == "config" else []))
            if verb != "config" or path not in ("extras/x.yaml", "charts/web/x"):
                assert said.code == 20, said.err
            if said.code:
                assert f"input/{path}: " in said.err
                assert "this is neither a file nor a folder" in said.err

    @posix
    @pytest.mark.parametrize("path", ["extras/huge.yaml", "charts/web/huge", "config.yaml", "huge.yaml"])
    def test_a_huge_file_is_not_read(self, workspace: Workspace, path: str) -> None:
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [huge.yaml]")
        workspace.write({"input/huge.yaml": "replicas: 2\n"})
        with (workspace.folder / "input" / path).open("ab") as file:
            file.truncate(HUGE)
        begun = time.monotonic()
        said = workspace.run("forge")
        assert time.monotonic() - begun < 5
        assert said.code == 20
        assert f"input/{path}: " in said.err
        assert "this file holds 1024 MiB, and at most 64 MiB are read" in said.err
        assert "fix: " in said.err

    def test_empty_and_hidden_files_are_no_trouble(self, workspace: Workspace) -> None:
        workspace.write(dict.fromkeys(("input/extras/empty.yaml", "input/empty.yaml", "input/extras/.hidden"), ""))
        workspace.replace("input/config.yaml", "values: {replicas: 2}", "valuesFiles: [empty.yaml]")
        workspace.ok("forge")

    @posix
    def test_a_name_that_is_no_text_is_told(self, workspace: Workspace) -> None:
        try:
            Path(os.fsdecode(os.fsencode(workspace.folder / "input/extras") + b"/\xff.yaml")).write_text("x")
        except OSError:
            pytest.skip("this file system has text names only")
        said = workspace.run("forge")
        assert said.code == 20
        assert f"{workspace.folder}/input/extras: the name of b'\\xff.yaml' is no text" in said.err

    @pytest.mark.parametrize("moment", [0, 4_102_444_800], ids=["1970", "2100"])
    def test_no_time_stamp_matters(self, forged: Workspace, tmp_path: Path, moment: int) -> None:
        before = stack(forged)
        for folder in (forged.folder, tmp_path / "cache"):
            for path in folder.rglob("*"):
                os.utime(path, (moment, moment))
        answer = forged.ok("forge", "--format", "json").json
        assert {part["name"]: part["reused"] for part in answer["components"]}["web"] is True
        assert stack(forged) == before
        changed(forged)
        os.utime(forged.folder / "input/config.yaml", (moment, moment))
        forged.ok("forge")
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]


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
        for arguments in (["forge"], ["config", "show"], ["smelt", "--format", "json"]):
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
        said = shell(changed(forged), '{ "$@" || echo $? >&2; } | true', *arguments)
        assert said.err.endswith("1\n") or arguments != ["forge"]
        assert "Traceback" not in said.err
        assert "a bug of" not in said.err
        if arguments == ["forge"]:
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
        before = stack(forged)
        said = shell(forged, '{ "$@" 2>&1 || echo $? >&2; } | true', *arguments)
        assert said.err in ("", "1\n")
        assert stack(forged) == before

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.parametrize("arguments", [["forge"], ["forge", "--format", "json"], ["config", "show"], ["--help"]])
    def test_a_full_disk_behind_stdout(self, forged: Workspace, arguments: list[str]) -> None:
        said = shell(changed(forged), '"$@" >/dev/full', *arguments)
        assert said.code == 1
        assert said.err.splitlines()[-1] == "error: the output cannot be written: No space left on device"
        if arguments[0] == "forge":
            assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
