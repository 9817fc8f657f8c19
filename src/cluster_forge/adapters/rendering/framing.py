"""How jobs and answers travel between processes: pickled, each after its length."""

from __future__ import annotations

import pickle
from typing import IO, Any

_LENGTH = 8


def send(stream: IO[bytes], value: object) -> None:
    """Write a value.

    Raises:
        OSError: if nobody reads any more.
    """
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(_LENGTH, "little"))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next value.

    Raises:
        EOFError: at the end of the stream, also where it is cut off in a value.
    """
    length = int.from_bytes(_exactly(stream, _LENGTH), "little")
    return pickle.loads(_exactly(stream, length))  # noqa: S301 - between this program and the processes that it starts


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content
