"""Certificates of an authority of the tests: made by the openssl program, which also makes expired ones."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """
[ca]
default_ca = tests
[tests]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
email_in_dn = no
unique_subject = no
[any]
commonName = supplied
"""


@dataclass(frozen=True)
class Authority:
    """Its folder has ``ca.pem`` (its certificate) and ``ca.key``."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def certificate(self, name: str, *, hosts: str = "IP:127.0.0.1", begins: str = "", ends: str = "") -> Path:
        """A key and its certificate in one file. ``hosts`` as openssl writes them, times as ``20200131000000Z``."""
        key, request, made = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
        _openssl(
            "req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)
        )  # fmt: skip
        extensions = self.folder / f"{name}.cnf"
        extensions.write_text(f"subjectAltName={hosts}\n")
        config = self.folder / "ca.cnf"
        config.write_text(_CONFIG.format(folder=self.folder))
        dates = [*(["-startdate", begins] if begins else []), *(["-enddate", ends] if ends else ["-days", "2"])]
        _openssl(
            "ca", "-batch", "-notext", "-config", str(config), "-cert", str(self.file),
            "-keyfile", str(self.folder / "ca.key"), "-in", str(request), "-extfile", str(extensions), *dates,
            "-out", str(made),
        )  # fmt: skip
        made.write_bytes(key.read_bytes() + made.read_bytes())
        return made

    def self_signed(self, name: str) -> Path:
        made = self.folder / f"{name}.pem"
        _openssl(
            "req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(self.folder / f"{name}.key"), "-out", str(made),
        )  # fmt: skip
        made.write_bytes((self.folder / f"{name}.key").read_bytes() + made.read_bytes())
        return made


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def authority(folder: Path, name: str = "Tests Root") -> Authority:
    """A new authority; the test is skipped without the openssl program."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl program")
    (folder / "index.txt").write_text("")
    _openssl(
        "req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}",
        "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"),
    )  # fmt: skip
    return Authority(folder)


def _openssl(*arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
