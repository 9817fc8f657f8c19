"""Full, read-only and mounted disks, and what may not be written: it works, or says why; nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import PROGRAM
from tests.cli.surroundings import MINED, changed, left_aside, posix, read_only, stack, with_mounts

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

VERBS = ("mine", "smelt", "cast", "forge")


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
            for free in 0 8 24 64 512; do
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
        assert "fix: free some space on the disk, or work in a copy of the workspace: -C DIR" in said.err
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
        assert "fix: free some space on the disk, or use another store: --store DIR" in said.err

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
            assert "fix: the file system is read-only: work in a copy of the workspace: -C DIR" in said.err
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

    def test_a_workspace_in_a_layer_of_an_image(self, forged: Workspace) -> None:
        """As `COPY . /w` and `RUN cluster-forge forge` in a container file: overlayfs renames no folder of that layer."""
        script = """
            mkdir layer merged
            mount -t tmpfs tmpfs layer
            mkdir layer/lower layer/upper layer/work
            cp -r input working stacks cluster-forge.lock layer/lower
            mount -t overlay overlay -o userxattr,lowerdir=layer/lower,upperdir=layer/upper,workdir=layer/work merged || exit 99
            "$@"
            test -z "$(find merged -name '*aside*')"
            cp -r merged out
        """
        said = with_mounts(changed(forged), script, "-C", "merged", "forge", "-q")
        if said.code == 99:
            pytest.skip("there is no overlayfs")
        assert said.code == 0, said.err
        forged.folder /= "out"
        assert all(b"replicas: 2" not in content for content in stack(forged).values())
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]

    def test_a_mounted_folder_that_would_have_to_be_renamed_is_told(self, forged: Workspace) -> None:
        before = stack(forged)
        said = with_mounts(changed(forged), 'mount --bind working working; "$@"', "smelt", "-q")
        assert said.code == 20
        assert f"{forged.folder}/working: working cannot be written: Device or resource busy" in said.err
        assert (
            "fix: a file system is mounted here: mount it one directory higher, or replace the mount by a link"
            in said.err
        )
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
        assert "fix: change the permissions, or work in a copy of the workspace: -C DIR" in said.stderr
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
