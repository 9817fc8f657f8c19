"""Git packs (gitformat-pack, version 2) without deltas: see ADR 0010.

They are written here and not by dulwich, because their zlib streams must not depend on the interpreter's zlib
(`cluster_forge.oci.deflated` says why) and are compressed by several threads.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dulwich.objects import ShaFile
from dulwich.pack import write_pack_index_v2

from cluster_forge.oci import deflated

_BLOB: Final = 3
"""The type of a blob in a pack."""
_RECORD: Final = struct.Struct("<20sIQ")
"""Before each serialized entry: its id, the CRC-32 of its bytes, and their length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """An object in a pack: its id, header and zlib stream together, and the CRC-32 of those."""

    id: bytes
    packed: bytes
    crc: int

    @property
    def stream(self) -> bytes:
        """The zlib stream: the header's last byte is the first without the highest bit."""
        end = next(at for at, byte in enumerate(self.packed) if byte < 0x80)
        return self.packed[end + 1 :]


def blob_id(content: bytes) -> bytes:
    """The id of a blob with this content."""
    state = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    state.update(content)
    return state.digest()


def blob_entry(identity: bytes, content: bytes) -> PackEntry:
    """A blob with its id and content."""
    return _entry(identity, _BLOB, content)


def object_entry(item: ShaFile) -> PackEntry:
    """A tree or a commit."""
    return _entry(bytes.fromhex(item.id.decode()), item.type_num, item.as_raw_string())


def serialize(entries: Sequence[PackEntry]) -> bytes:
    """Entries as bytes, for the cache."""
    return b"".join(_RECORD.pack(entry.id, entry.crc, len(entry.packed)) + entry.packed for entry in entries)


def deserialize(content: bytes) -> list[PackEntry]:
    """The inverse of `serialize`."""
    entries, start = [], 0
    while start < len(content):
        identity, crc, length = _RECORD.unpack_from(content, start)
        start += _RECORD.size
        entries.append(PackEntry(id=identity, packed=content[start : start + length], crc=crc))
        start += length
    return entries


def write(entries: Sequence[PackEntry]) -> tuple[bytes, bytes]:
    """The pack of these entries and its index, both in version 2."""
    pieces = [b"PACK" + struct.pack(">II", 2, len(entries)), *(entry.packed for entry in entries)]
    offset = len(pieces[0])
    offsets: list[tuple[bytes, int, int | None]] = []
    for entry in entries:
        offsets.append((entry.id, offset, entry.crc))
        offset += len(entry.packed)
    body = b"".join(pieces)
    checksum = hashlib.sha1(body, usedforsecurity=False).digest()
    index = io.BytesIO()
    write_pack_index_v2(index, sorted(offsets), checksum)
    return body + checksum, index.getvalue()


def _entry(identity: bytes, kind: int, content: bytes) -> PackEntry:
    packed = header(kind, len(content)) + deflated.zlib_stream(content)
    return PackEntry(id=identity, packed=packed, crc=zlib.crc32(packed))


def header(kind: int, size: int) -> bytes:
    """Type and size of an entry: four bits of the size, then seven bits per byte, lowest first."""
    content = bytearray([kind << 4 | size & 0xF])
    size >>= 4
    while size:
        content[-1] |= 0x80
        content.append(size & 0x7F)
        size >>= 7
    return bytes(content)
