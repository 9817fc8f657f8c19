"""`login` and `logout` write where Docker writes, and nothing else changes."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from cluster_forge.adapters.credentials.auth_file_keeper import AuthFileKeeper
from cluster_forge.adapters.credentials.lookup import UserCredentials
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.foundation.errors import CredentialError

KEEPING_HELPER = """\
#!/bin/sh
here=$(dirname "$0")
case "$1" in
  store) cat > "$here/kept" ;;
  erase) rm "$here/kept" ;;
  get) read server; test -f "$here/kept" || { echo 'credentials not found in native keychain'; exit 1; }; cat "$here/kept" ;;
esac
"""


@pytest.fixture
def files(tmp_path: Path) -> UserFiles:
    (tmp_path / "bin").mkdir()
    return UserFiles({"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}, tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / ".docker" / "config.json"


def write(config: Path, content: object) -> None:
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps(content), encoding="utf-8")


def test_a_new_file_is_for_its_user_alone(files: UserFiles, config: Path) -> None:
    assert AuthFileKeeper(files).keep("registry.example:5000", "jürgen", "pä:ss") == "~/.docker/config.json"
    login = {"auth": base64.b64encode("jürgen:pä:ss".encode()).decode()}
    assert json.loads(config.read_text()) == {"auths": {"registry.example:5000": login}}
    if sys.platform != "win32":
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    found = UserCredentials(files).of("https://registry.example:5000/v2/")
    assert found
    assert (found.user, found.secret) == ("jürgen", "pä:ss")


def test_everything_else_stays_as_it_was(files: UserFiles, config: Path) -> None:
    content = {"zebra": [1], "auths": {"b.example": {"auth": "Yjpi"}, "a.example": {}}, "HttpHeaders": {"é": "é"}}
    write(config, content)
    config.chmod(0o644)
    keeper = AuthFileKeeper(files)
    keeper.keep("c.example", "c", "c")
    kept = json.loads(config.read_text())
    assert list(kept) == list(content)
    assert kept["auths"].pop("c.example") == {"auth": "Yzpj"}
    assert kept == content
    assert stat.S_IMODE(config.stat().st_mode) == 0o600 or sys.platform == "win32"
    assert keeper.forget("c.example") == "~/.docker/config.json"
    assert json.loads(config.read_text()) == content
    assert not [path for path in config.parent.iterdir() if path != config]  # no draft is left


def test_another_spelling_is_replaced(files: UserFiles, config: Path) -> None:
    write(config, {"auths": {"https://a.example/v1/": {"auth": "b2xkOm9sZA=="}, "a.example/team": {"auth": "dDp0"}}})
    keeper = AuthFileKeeper(files)
    keeper.keep("a.example", "new", "new")
    assert json.loads(config.read_text())["auths"] == {
        "a.example/team": {"auth": "dDp0"},
        "a.example": {"auth": "bmV3Om5ldw=="},
    }
    keeper.forget("a.example:443")
    assert json.loads(config.read_text())["auths"] == {"a.example/team": {"auth": "dDp0"}}


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_dockers_name(files: UserFiles, config: Path, host: str) -> None:
    AuthFileKeeper(files).keep(host, "me", "pw")
    assert list(json.loads(config.read_text())["auths"]) == ["https://index.docker.io/v1/"]


def test_a_link_stays_a_link(files: UserFiles, config: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    config.parent.mkdir()
    config.symlink_to(real)
    AuthFileKeeper(files).keep("a.example", "a", "a")
    assert config.is_symlink()
    assert "a.example" in real.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="the program of this test is a script of a shell")
@pytest.mark.parametrize("content", [{"credsStore": "own"}, {"credHelpers": {"a.example": "own"}}])
def test_a_helper_keeps_it_instead_of_the_file(
    files: UserFiles, config: Path, tmp_path: Path, content: dict[str, object]
) -> None:
    program = tmp_path / "bin" / "docker-credential-own"
    program.write_text(KEEPING_HELPER)
    program.chmod(0o755)
    write(config, content)
    keeper = AuthFileKeeper(files)
    assert keeper.keep("a.example", "me", "s3crét: ") == "the credential helper docker-credential-own"
    assert json.loads(config.read_text()) == {**content, "auths": {"a.example": {}}}  # as Docker does
    found = UserCredentials(files).of("https://a.example/")
    assert found
    assert (found.user, found.secret) == ("me", "s3crét: ")
    assert keeper.forget("a.example") == "the credential helper docker-credential-own"
    assert keeper.forget("a.example") == ""
    assert json.loads(config.read_text()) == {**content, "auths": {}}


def test_a_damaged_file_is_not_replaced(files: UserFiles, config: Path) -> None:
    config.parent.mkdir()
    config.write_text("{damaged")
    with pytest.raises(CredentialError, match="damaged"):
        AuthFileKeeper(files).keep("a.example", "a", "a")
    assert config.read_text() == "{damaged"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="every folder can be written")
def test_a_folder_that_cannot_be_written_is_an_error(files: UserFiles, config: Path) -> None:
    config.parent.mkdir(mode=0o500)
    with pytest.raises(CredentialError, match="cannot be written"):
        AuthFileKeeper(files).keep("a.example", "a", "a")


def test_without_a_home_there_is_no_place() -> None:
    with pytest.raises(CredentialError, match="no place for the login"):
        AuthFileKeeper(UserFiles({}, None)).keep("a.example", "a", "a")
