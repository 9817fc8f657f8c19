"""Files that are decrypted by the real programs, where these are installed; and what is said where they are not."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster_forge.adapters import secret_files
from cluster_forge.foundation.errors import CredentialError, MissingProgramError

TEXT = "shop/db:\n  password: hunter2-very-secret\n"
AGE = pytest.mark.skipif(not (shutil.which("age") and shutil.which("age-keygen")), reason="age is not installed")
SOPS = pytest.mark.skipif(
    not (shutil.which("sops") and shutil.which("age-keygen")), reason="sops and age-keygen are not installed"
)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment without the identities of whoever runs the tests."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "settings")}


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, str]:
    """A new identity and its recipient."""
    file = tmp_path / "identity"
    subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
    public = subprocess.run(["age-keygen", "-y", file], check=True, capture_output=True, text=True)
    return file, public.stdout.strip()


def encrypted(folder: Path, recipient: str, *options: str) -> str:
    file = folder / "values.age"
    subprocess.run(["age", *options, "-r", recipient, "-o", file], input=TEXT.encode(), check=True)
    return str(file)


@AGE
@pytest.mark.parametrize("options", [(), ("--armor",)])
@pytest.mark.parametrize("place", ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "settings"])
def test_an_age_file_is_decrypted_with_the_identity(
    tmp_path: Path, home: dict[str, str], identity: tuple[Path, str], place: str, options: tuple[str, ...]
) -> None:
    file, recipient = identity
    if place == "settings":
        (tmp_path / "settings/sops/age").mkdir(parents=True)
        (tmp_path / "settings/sops/age/keys.txt").write_text(file.read_text())
    else:
        home[place] = file.read_text() if place == "SOPS_AGE_KEY" else str(file)
    before = listed(tmp_path)
    source = encrypted(tmp_path, recipient, *options)
    assert secret_files.read(source, home) == TEXT
    assert listed(tmp_path) - before == {source}


def listed(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")}


@AGE
def test_an_identity_of_others_is_refused_without_showing_one(
    tmp_path: Path, home: dict[str, str], identity: tuple[Path, str]
) -> None:
    source = encrypted(tmp_path, identity[1])
    other = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True).stdout
    with pytest.raises(CredentialError, match="age cannot decrypt it") as caught:
        secret_files.read(source, {**home, "SOPS_AGE_KEY": other})
    assert "AGE-SECRET-KEY-1" not in str(caught.value)
    assert "filippo.io" not in str(caught.value)
    assert "sops" not in str(caught.value.fix)


@AGE
def test_without_an_identity_it_is_said_how_to_give_one(
    tmp_path: Path, home: dict[str, str], identity: tuple[Path, str]
) -> None:
    source = encrypted(tmp_path, identity[1])
    with pytest.raises(CredentialError) as caught:
        secret_files.read(source, home)
    assert caught.value.where == source
    assert "SOPS_AGE_KEY_FILE" in str(caught.value.fix)


@SOPS
@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.yaml", TEXT),
        ("a.json", '{"shop/db": {"password": "hunter2-very-secret"}}'),
        ("a.env", "shop/db/password=x\n"),
    ],
)
def test_a_sops_file_is_decrypted(
    tmp_path: Path, home: dict[str, str], identity: tuple[Path, str], name: str, plain: str
) -> None:
    file, recipient = identity
    source = tmp_path / name
    source.write_text(plain)
    subprocess.run(["sops", "--encrypt", "--in-place", "--age", recipient, source], check=True, env=home)
    assert "hunter2" not in source.read_text()
    moved = source.rename(tmp_path / "values")  # what it is does not depend on its name
    text = secret_files.read(str(moved), {**home, "SOPS_AGE_KEY_FILE": str(file)})
    assert "".join(text.split()) == "".join(plain.split())


@SOPS
def test_a_sops_file_that_was_changed_is_refused(
    tmp_path: Path, home: dict[str, str], identity: tuple[Path, str]
) -> None:
    file, recipient = identity
    source = tmp_path / "a.yaml"
    source.write_text(TEXT)
    subprocess.run(["sops", "--encrypt", "--in-place", "--age", recipient, source], check=True, env=home)
    source.write_text(source.read_text().replace("shop/db", "shop/dc"))
    with pytest.raises(CredentialError, match="sops cannot decrypt it"):
        secret_files.read(str(source), {**home, "SOPS_AGE_KEY_FILE": str(file)})


@pytest.mark.parametrize(
    ("content", "program"),
    [
        (b"age-encryption.org/v1\n-> X25519 abc\n", "age"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "age"),
        (b"a: ENC[x]\nsops:\n  mac: x\n", "sops"),
        (b'{"a": "ENC[x]",\n "sops": {}}', "sops"),
        (b"a=ENC[x]\nsops_mac=x\n", "sops"),
    ],
)
def test_a_program_that_is_missing_is_named(tmp_path: Path, content: bytes, program: str) -> None:
    (tmp_path / "values").write_bytes(content)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path), "SOPS_AGE_KEY": "x"}
    with pytest.raises(MissingProgramError, match=f"is encrypted for {program}, which is not on PATH"):
        secret_files.read(str(tmp_path / "values"), environment)


def test_a_plain_file_is_refused(tmp_path: Path, home: Mapping[str, str]) -> None:
    (tmp_path / "values").write_text(TEXT)
    with pytest.raises(CredentialError, match="is not encrypted") as caught:
        secret_files.read(str(tmp_path / "values"), home)
    assert "hunter2" not in f"{caught.value}{caught.value.fix}"


def test_plain_text_comes_on_stdin(monkeypatch: pytest.MonkeyPatch, home: Mapping[str, str]) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    assert secret_files.read("-", home) == TEXT


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, home: Mapping[str, str]) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"x" * (5 << 20))))
    with pytest.raises(CredentialError, match="more than 4 MiB"):
        secret_files.read("-", home)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, home: Mapping[str, str]) -> None:
    with pytest.raises(CredentialError, match="cannot be read: No such file"):
        secret_files.read(str(tmp_path / "gone"), home)
