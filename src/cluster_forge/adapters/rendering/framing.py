"""Jobs and answers between processes: pickled values, each after its length in bytes."""

from __future__ import annotations

import pickle
from typing import IO, Any

_LENGTH_SIZE = 8


def send(stream: IO[bytes], value: object) -> None:
    """Write a value.

    Raises:
        OSError: if the other process no longer reads.
    """
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(_LENGTH_SIZE, "little"))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next value.

    Raises:
        EOFError: at the end of the stream, also in the middle of a value.
    """
    length = int.from_bytes(_exactly(stream, _LENGTH_SIZE), "little")
    return pickle.loads(_exactly(stream, length))  # noqa: S301 - from this program's own processes


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content
