"""The keys and certificates of a control plane, by the ``openssl`` program."""

from __future__ import annotations

import subprocess
from pathlib import Path

LIFETIME_DAYS = 2
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


class Certificates:
    """Files of a folder: ``ca``, ``server`` for 127.0.0.1 and other ``addresses``, ``client`` that may do everything,
    ``front-proxy`` of the API server as it calls aggregated APIs; each ``.crt`` and ``.key``.

    ``server.key`` also signs the tokens of service accounts: they are trusted in the test only.
    """

    def __init__(self, folder: Path, addresses: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self.authority = self._signed("ca", "/CN=cluster-forge-e2e")
        self.server = self.for_server("server", *NAMES, addresses=("127.0.0.1", *addresses))
        self.client = self.for_client("client", "/O=system:masters/CN=cluster-forge-e2e")
        self.front_proxy = self.for_client("front-proxy", "/CN=front-proxy-client")

    def key(self, certificate: Path) -> Path:
        return certificate.with_suffix(".key")

    def for_server(self, file: str, *names: str, addresses: tuple[str, ...] = ()) -> Path:
        """The certificate of a server with these names."""
        subjects = [*(f"IP:{address}" for address in addresses), *(f"DNS:{name}" for name in names)]
        return self._signed(file, f"/CN={file[:60]}", f"subjectAltName={','.join(subjects)}")

    def for_client(self, file: str, subject: str) -> Path:
        """The certificate of a user (``CN``) and the user's groups (``O``)."""
        return self._signed(file, subject, "extendedKeyUsage=clientAuth")

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
