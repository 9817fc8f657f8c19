"""The keys and certificates of a control plane, by the ``openssl`` program."""

from __future__ import annotations

import subprocess
from pathlib import Path

LIFETIME_DAYS = 2
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Certificates:
    """Files of a folder: ``ca``, ``server`` for 127.0.0.1, ``client`` that may do everything, each ``.crt`` and ``.key``.

    ``server.key`` also signs the tokens of service accounts: they are trusted in the test only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = self._signed("ca", "/CN=cluster-forge-e2e")
        self.server = self._signed("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.client = self._signed("client", "/O=system:masters/CN=cluster-forge-e2e", "extendedKeyUsage=clientAuth")

    def key(self, certificate: Path) -> Path:
        return certificate.with_suffix(".key")

    def _signed(self, name: str, subject: str, extension: str = "") -> Path:
        certificate = self._folder / f"{name}.crt"
        command: list[str | Path] = ["openssl", "req", "-x509", *KEY, "-days", str(LIFETIME_DAYS), "-subj", subject]
        if extension:
            authority = self._folder / "ca.crt"
            command += ["-CA", authority, "-CAkey", self.key(authority), "-addext", extension]
            command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", self.key(certificate), "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        return certificate
