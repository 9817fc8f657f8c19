"""Bodies of responses: how long they are, and whether they were sent as they are."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_GZIP: Final = b"\x1f\x8b"
_NUMBER: Final = re.compile(r"[0-9]+")
_MOST_DIGITS: Final = 15


def length(headers: Mapping[str, str]) -> int | None:
    """``Content-Length``, if it is a number. One that no body can have is the largest number."""
    header = headers.get("Content-Length", "").strip()
    if not _NUMBER.fullmatch(header):
        return None
    return int(header) if len(header) <= _MOST_DIGITS else sys.maxsize


def refuse_transfer_encoded(url: str, headers: Mapping[str, str]) -> None:
    """Refuse a body that the HTTP library would not take apart.

    Raises:
        FetchError: with the name of the encoding.
    """
    transfer = headers.get("Transfer-Encoding", "").strip().lower()
    if transfer not in ("", "chunked", "identity"):
        raise _encoded(url, "Transfer-Encoding", transfer)


def refuse_encoded(url: str, encoding: str, beginning: bytes) -> None:
    """Refuse a body that the server encoded although only ``identity`` was accepted (RFC 9110, 8.4 and 12.5.3).

    Many servers call a ``.tgz`` file gzip-encoded (Apache's ``AddEncoding``): its bytes are the file, and pass.

    Raises:
        FetchError: with the name of the encoding.
    """
    names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
    if not names or (names in (["gzip"], ["x-gzip"]) and _is_gzip_file(url, beginning)):
        return
    raise _encoded(url, "Content-Encoding", ", ".join(names))


def _encoded(url: str, header: str, value: str) -> FetchError:
    return FetchError(
        f"{without_credentials(url)} came with `{header}: {value[:80]}`, which was not asked for",
        fix="the server, or a proxy before it, must send the file as it is; or use a mirror that has it: --mirror DIR",
    )


def _is_gzip_file(url: str, beginning: bytes) -> bool:
    """Whether an archive is compressed once, as it should be."""
    if not urlsplit(url).path.endswith((".tgz", ".gz")) or not beginning.startswith(_GZIP):
        return False
    try:
        return not zlib.decompressobj(wbits=31).decompress(beginning[:4096], len(_GZIP)).startswith(_GZIP)
    except zlib.error:
        return True  # damaged: that has a message of its own
