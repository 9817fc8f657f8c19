"""TLS with an API server: which authorities the kubeconfig trusts, what it shows, and why that fails."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cluster_forge.adapters.http import certificates, shown_certificate, tls_failures
from cluster_forge.adapters.http.certificates import Certificate
from cluster_forge.adapters.kubernetes import pem
from cluster_forge.adapters.kubernetes.access import Access
from cluster_forge.foundation.errors import ClusterError, KubeconfigError
from cluster_forge.foundation.stopping import if_stopped

_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST, _OTHER_ADDRESS = 62, 64
"""X.509's verification results (OpenSSL, ``x509_vfy.h``)."""


def context(access: Access, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    """For connections to the API server. With ``certificate-authority`` only that one is trusted, as in kubectl.

    Raises:
        KubeconfigError: if a certificate or a key cannot be used.
    """
    cluster = access.cluster
    if cluster.is_insecure:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    elif cluster.authority:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with _explained(cluster.authority.where, "certificate authority"):
            tls.load_verify_locations(cadata=pem.content(cluster.authority).decode("ascii"))
    else:
        tls = ssl.create_default_context()
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as Go: authorities of many clusters would fail
    tls.set_alpn_protocols(["http/1.1"])
    if certificate:
        with _explained(access.user.where, "client certificate"), _files(*certificate) as (shown, key):
            tls.load_cert_chain(shown, key, password=_no_password)
    return tls


def failure(access: Access, proxy: str, cause: ssl.SSLError) -> ClusterError:
    """Why a connection failed, with the certificates of both sides."""
    server, where = access.cluster.server, access.where
    if not isinstance(cause, ssl.SSLCertVerificationError):
        reason = cause.reason or cause.strerror or "the server ended it"
        return ClusterError(
            f"{server}: {'the server does not speak TLS' if reason in tls_failures.NOT_TLS else f'TLS failed: {reason}'}",
            where=where,
            fix="check `server` in the kubeconfig: it must be the address of the API server",
        )
    message, fix = _verification(access, cause, shown_certificate.of(server, proxy))
    return ClusterError(f"{server}: {message}", where=where, fix=fix, is_lasting=True)


def _verification(access: Access, cause: ssl.SSLCertVerificationError, shown: Certificate | None) -> tuple[str, str]:
    host = access.cluster.server_name or str(urlsplit(access.cluster.server).hostname)
    now = datetime.now(UTC)
    if shown is None:
        return (
            f"its certificate is not trusted: {cause.verify_message}",
            "check `certificate-authority` in the kubeconfig",
        )
    match cause.verify_code:
        case code if code == _EXPIRED and shown.ends < now:
            return (
                f"its certificate, for {shown.for_hosts}, expired on {certificates.day(shown.ends)}",
                "renew the certificates of the control plane, or correct this machine's clock",
            )
        case code if code == _NOT_YET and shown.begins > now:
            return (
                f"its certificate, for {shown.for_hosts}, is not valid before {certificates.day(shown.begins)}",
                f"correct this machine's clock, which says {certificates.day(now)}",
            )
        case code if code in (_OTHER_HOST, _OTHER_ADDRESS):
            return (
                f"its certificate is for {shown.for_hosts}, not for {host}",
                "check `server` in the kubeconfig; behind a tunnel, name a host of the certificate: `tls-server-name`",
            )
    trusted = ", ".join(_trusted(access)) or "the authorities of this system"
    return (
        f"its certificate was issued by {shown.issuer} on {certificates.day(shown.begins)}, but the kubeconfig trusts {trusted}",
        "if the cluster was made again, get its kubeconfig again; if not, something else answers at this address",
    )


def _trusted(access: Access) -> Iterator[str]:
    authority = access.cluster.authority
    for certificate in pem.read(pem.content(authority)) if authority else ():
        yield f"{certificate.subject}, valid from {certificates.day(certificate.begins)}"


@contextmanager
def _files(*contents: bytes) -> Iterator[list[str]]:
    """Contents as files that only this user can read, for OpenSSL, which reads no key from memory; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cluster-forge-") as folder, if_stopped(partial(shutil.rmtree, folder)):
        paths = [Path(folder) / str(number) for number in range(len(contents))]  # in a folder of mode 0700
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        yield [str(path) for path in paths]


@contextmanager
def _explained(where: str, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = str(error) if type(error) is ValueError else "it is not in PEM format, or certificate and key differ"
        raise KubeconfigError(
            f"the {what} cannot be used: {reason}",
            where=where,
            fix="write the entry again with your cluster's own program",
        ) from None


def _no_password() -> str:
    """Instead of OpenSSL's question on the terminal."""
    raise ValueError("its key has a password")
