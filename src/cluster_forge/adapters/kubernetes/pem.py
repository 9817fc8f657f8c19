"""Certificates in PEM format: their content, and what they say, for messages."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from typing import Final

from cluster_forge.adapters.http import certificates
from cluster_forge.adapters.http.certificates import Certificate
from cluster_forge.adapters.kubernetes.access import Pem
from cluster_forge.foundation.errors import KubeconfigError

_LARGEST: Final = 4 << 20
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def content(source: Pem) -> bytes:
    """The bytes.

    Raises:
        KubeconfigError: if the file cannot be read.
    """
    if source.file is None:
        return source.content
    try:
        with source.file.open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError as error:
        raise KubeconfigError(
            f"the file cannot be read: {error.strerror}",
            where=source.where,
            fix="correct the name of the file, or write the entry again with your cluster's own program",
        ) from error


def read(encoded: bytes) -> Iterator[Certificate]:
    """Every certificate in it that can be read."""
    for block in _BLOCK.findall(encoded):
        try:
            certificate = certificates.read(ssl.PEM_cert_to_DER_cert(block.decode("ascii", "replace")))
        except ValueError:  # not base64
            continue
        if certificate:
            yield certificate


def first(encoded: bytes) -> Certificate | None:
    """The first certificate in it."""
    return next(read(encoded), None)
