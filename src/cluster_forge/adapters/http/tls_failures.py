"""Why a TLS connection failed, with what the server's certificate says."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http import certificates, proxies, shown_certificate
from cluster_forge.adapters.http.certificates import Certificate

NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's reasons for a server that answers without TLS, which it takes for an unknown version of it."""
_NOT_YET, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _UNKNOWN_ISSUER, _UNVERIFIED_FIRST = 18, 19, 20, 21
_OTHER_HOST, _OTHER_ADDRESS = 62, 64
"""X.509's verification results (OpenSSL, ``x509_vfy.h``)."""
_OWN_AUTHORITY: Final = (
    "for a certificate of your organization, name the file of its authority: --ca-file FILE, or SSL_CERT_FILE"
)
_THEIRS: Final = "tell those who run the server, or use a mirror that has it: --mirror DIR"


def of(url: str, cause: BaseException | None, reason: str) -> tuple[str, str]:
    """Message and fix; ``reason`` is the library's own text."""
    if getattr(cause, "reason", None) in NOT_TLS:
        return "TLS failed: the server does not speak TLS", "check the port, or write http:// if that is meant"
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return f"TLS failed: {reason}", _THEIRS
    certificate = shown_certificate.of(url, proxies.proxy_for(url))
    if certificate is None:
        return f"TLS failed: {reason}", _OWN_AUTHORITY
    return _of_certificate(cause.verify_code, certificate, str(urlsplit(url).hostname), reason)


def _of_certificate(code: int, certificate: Certificate, host: str, reason: str) -> tuple[str, str]:
    now = datetime.now(UTC)
    match code:
        case _ if code == _EXPIRED and certificate.ends < now:
            return (
                f"the certificate of {certificate.for_hosts} expired on {certificates.day(certificate.ends)}",
                f"{_THEIRS}; if it is not later than that day, correct this machine's clock",
            )
        case _ if code == _NOT_YET and certificate.begins > now:
            return (
                f"the certificate of {certificate.for_hosts} is not valid before {certificates.day(certificate.begins)}",
                f"correct this machine's clock, which says {certificates.day(now)}; or {_THEIRS}",
            )
        case _ if code in (_OTHER_HOST, _OTHER_ADDRESS):
            return f"the certificate is for {certificate.for_hosts}, not for {host}", f"check the address, or {_THEIRS}"
        case _ if code == _SELF_SIGNED:
            return f"the certificate of {certificate.for_hosts} is self-signed", _OWN_AUTHORITY
        case _ if code in (_SELF_SIGNED_IN_CHAIN, _UNKNOWN_ISSUER, _UNVERIFIED_FIRST):
            return f"the certificate was issued by {certificate.issuer}, which is not trusted", _OWN_AUTHORITY
        case _:
            return f"TLS failed: {reason}", _OWN_AUTHORITY
