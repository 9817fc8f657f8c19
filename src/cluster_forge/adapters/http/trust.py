"""Which certificates of servers are believed, and which one of the user is shown to them."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Final

from cluster_forge.adapters.http.policy import HostSettings
from cluster_forge.foundation.errors import FetchError

_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What other programs call a file or folder with the authorities of an organization."""


def context(ca_file: str, settings: HostSettings) -> ssl.SSLContext:
    """How TLS is spoken with a host: the system's authorities (OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR instead, if they
    are set), those of the environment and those of two files of the user.

    Raises:
        FetchError: for each file that is not what it should be.
    """
    tls = ssl.create_default_context()
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as curl, git and Go: authorities of many organizations would fail
    named = [(variable, os.environ.get(variable, "")) for variable in _VARIABLES]
    for where, path in [*named, ("--ca-file", ca_file), (settings.where or "`caFile`", settings.ca_file)]:
        if path:
            _add_authorities(tls, path, where)
    if settings.cert_file:
        _add_certificate(tls, settings)
    if settings.is_insecure:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _add_authorities(tls: ssl.SSLContext, path: str, where: str) -> None:
    try:
        if Path(path).is_dir():
            tls.load_verify_locations(capath=path)
        else:
            tls.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise FetchError(
            f"the certificate authorities in {path} cannot be read: {_reason(error)}",
            where=where,
            fix="name a file with certificates in PEM format (-----BEGIN CERTIFICATE-----)",
        ) from error


def _add_certificate(tls: ssl.SSLContext, settings: HostSettings) -> None:
    try:
        tls.load_cert_chain(settings.cert_file, settings.key_file or None, password=_no_password)
    except (OSError, ValueError) as error:
        raise FetchError(
            f"the client certificate {settings.cert_file} cannot be used: {_reason(error)}",
            where=settings.where or "`certFile`",
            fix="name a certificate and its key in PEM format, without a password: `certFile` and `keyFile`",
        ) from error


def _no_password() -> str:
    """Instead of OpenSSL's question on the terminal."""
    raise ValueError("its key has a password")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"it is not in PEM format, or certificate and key differ ({error.reason or 'no certificate in it'})"
    return getattr(error, "strerror", None) or str(error)
