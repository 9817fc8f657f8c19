"""What this program and the process of a plug-in say to each other: JSON values, each with any number of byte strings.

JSON and not pickled values, since the other side runs code of others: what it sends is data, whatever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

import orjson

LONGEST: Final = 512 << 20
"""Bytes of a frame: what is longer is refused."""
_LENGTH_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A JSON value, and the byte strings that go with it."""

    value: Any
    contents: Sequence[bytes] = ()


def send(stream: IO[bytes], value: Any, contents: Sequence[bytes] = ()) -> None:
    """Write a frame.

    Raises:
        OSError: if the other process no longer reads.
        TypeError: if the value is not JSON.
    """
    head = orjson.dumps({"value": value, "lengths": [len(content) for content in contents]})
    for part in (len(head).to_bytes(_LENGTH_SIZE, "little"), head, *contents):
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> Frame:
    """The next frame.

    Raises:
        EOFError: at the end of the stream, also in the middle of a frame.
        ValueError: for anything else.
    """
    length = int.from_bytes(_exactly(stream, _LENGTH_SIZE), "little")
    if length > LONGEST:
        raise ValueError("longer than any frame")
    match orjson.loads(_exactly(stream, length)):
        case {"value": value, "lengths": [*lengths]} if _are_lengths(lengths):
            return Frame(value, tuple(_exactly(stream, size) for size in lengths))
    raise ValueError("not a frame")


def _are_lengths(lengths: Sequence[Any]) -> bool:
    return all(type(size) is int and size >= 0 for size in lengths) and sum(lengths) <= LONGEST


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content
