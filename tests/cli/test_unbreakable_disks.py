"""Full, read-only and mounted disks, and folders without permission: commands work, or say why they do not; nothing is lost."""

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
        result = with_mounts(forged, script, "-C", "disk", "forge", "-q")
        assert result.code == 0, result.err
        lines = result.out.splitlines()
        assert lines[0] == "0 20"
        assert lines[1:3] == ["working is old", "stacks is old"]
        assert lines[-1] == "512 0"
        assert all(line.split()[1] in ("0", "20", "is") for line in lines), result.out
        assert "No space left on device" in result.err
        assert "fix: free some space on the disk, or work in a copy of the workspace: -C DIR" in result.err
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
        result = with_mounts(workspace, script, "forge", "-q", "--store", "store")
        assert (result.code, result.out) == (16, "store/fill\n")
        assert "the store cannot be written: No space left on device" in result.err
        assert "fix: free some space on the disk, or use another store: --store DIR" in result.err

    def test_a_read_only_store_that_has_everything_will_do(self, forged: Workspace, tmp_path: Path) -> None:
        store = tmp_path / "cache"
        result = with_mounts(changed(forged), read_only(store) + '"$@"', "forge", "-q")
        assert result.code == 0, result.err
        forged.replace("input/charts/web/values.yaml", "1.29", "1.30")
        before = stack(forged)
        for verb in ("mine", "smelt", "forge"):
            result = with_mounts(forged, read_only(store) + '"$@"', verb, "-q")
            assert result.code == 16
            assert "the store cannot be written: Read-only file system" in result.err
            assert "--store DIR" in result.err
        assert stack(forged) == before

    def test_a_read_only_workspace_can_be_read(self, forged: Workspace) -> None:
        script = read_only(forged.folder) + f"cd '{forged.folder}'; " + '"$@"'
        assert with_mounts(forged, script, "config", "validate").code == 0
        before = forged.tree(".")
        for verb in VERBS:
            result = with_mounts(changed(forged) if verb == "mine" else forged, script, verb, "-q")
            assert result.code == 20
            assert "cannot be locked: Read-only file system" in result.err
            assert "fix: the file system is read-only: work in a copy of the workspace: -C DIR" in result.err
        forged.replace("input/config.yaml", "replicas: 3", "replicas: 2")
        assert forged.tree(".") == before

    def test_smelt_and_cast_do_not_write_to_input(self, forged: Workspace) -> None:
        changed(forged).ok("mine")
        for verb in ("smelt", "cast"):
            result = with_mounts(forged, read_only(forged.folder / "input") + '"$@"', verb, "-q")
            assert result.code == 0, result.err
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]
        forged.replace("input/config.yaml", "replicas: 3", "replicas: 4")
        result = with_mounts(forged, read_only(forged.folder / "input") + '"$@"', "forge", "-q")
        assert result.code == 20
        assert f"{MINED} cannot be written: Read-only file system" in result.err
        assert not left_aside(forged)

    @pytest.mark.parametrize("folder", ["input", "stacks"])
    @pytest.mark.parametrize(
        "mount",
        ["mount --bind {0} {0}", "cp -r {0} saved; mount -t tmpfs tmpfs {0}; cp -r saved/. {0}"],
        ids=["the same file system", "another one"],
    )
    def test_a_folder_may_be_mounted(self, forged: Workspace, folder: str, mount: str) -> None:
        script = f'{mount.format(folder)}; "$@"; rm -rf out; mkdir out; cp -r input stacks working out'
        result = with_mounts(changed(forged), script, "forge", "-q")
        assert result.code == 0, result.err
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
        result = with_mounts(changed(forged), script, "-C", "merged", "forge", "-q")
        if result.code == 99:
            pytest.skip("this system does not let users mount overlayfs")
        assert result.code == 0, result.err
        forged.folder /= "out"
        assert all(b"replicas: 2" not in content for content in stack(forged).values())
        assert b"replicas: 3" in stack(forged)["web/deployment.apps_web_web.yaml"]

    def test_a_mounted_folder_that_must_be_renamed_is_reported(self, forged: Workspace) -> None:
        before = stack(forged)
        result = with_mounts(changed(forged), 'mount --bind working working; "$@"', "smelt", "-q")
        assert result.code == 20
        assert f"{forged.folder}/working: working cannot be written: Device or resource busy" in result.err
        assert (
            "fix: a file system is mounted here: mount it one directory higher, or replace the mount by a link"
            in result.err
        )
        assert stack(forged) == before
        assert not left_aside(forged)


@posix
class TestPermissions:
    @pytest.mark.parametrize("place", [".", "working", "stacks", "input/web/manifests"])
    def test_a_folder_without_permission_is_reported(self, forged: Workspace, place: str) -> None:
        """As a user without root's privileges."""
        unprivileged = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        if unprivileged and not shutil.which("setpriv"):
            pytest.skip("setpriv is not installed: it drops root's privileges")
        before = changed(forged).tree(place)
        folders = [forged.folder / place, *(p for p in (forged.folder / place).rglob("*") if p.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        try:
            command = [*unprivileged, str(PROGRAM), "-C", str(forged.folder)]
            result = subprocess.run([*command, "forge", "-q"], capture_output=True, text=True, check=False)
            read = subprocess.run([*command, "config", "validate"], capture_output=True, text=True, check=False)
        finally:
            for folder in folders:
                folder.chmod(0o755)
        assert read.returncode == 0, read.stderr
        assert result.returncode == 20
        assert "Permission denied" in result.stderr
        assert "fix: change the permissions, or work in a copy of the workspace: -C DIR" in result.stderr
        assert forged.tree(place) == before

    def test_a_user_without_a_home(self, workspace: Workspace) -> None:
        """As in many containers: a user without an entry in /etc/passwd."""
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
            pytest.skip("this system does not let `unshare -U` change the user")
        result = run("forge")
        assert result.returncode == 16
        assert "there is no place for the store: this user has no home folder" in result.stderr
        assert "fix: name one: --store DIR, or XDG_CACHE_HOME" in result.stderr
        assert run("forge", "--store", "store").returncode == 0
