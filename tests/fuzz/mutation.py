"""Small random changes of bytes: the fast, seeded half of the fuzzing, for texts and archives."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

NASTY: tuple[bytes, ...] = (
    *(b"\0", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xc2\x85", b"\xe2\x80\xa8", b"\r\n", b"\r", b"\t", b"\x1b", b"\x7f"),
    *(b"\xed\xa0\x80", b'"\\ud800"', b'"\\uD83D\\uDE00"', b'"\\x00"', b"\xf0\x9f\x92\xa5", b"\xcc\x81", b"\xc3"),
    *(
        b"&a ",
        b"*a",
        b"<<: *a",
        b"<<: ",
        b"? ",
        b": ",
        b"- ",
        b"| ",
        b">\n",
        b"|+\n",
        b"!!binary ",
        b"!!set ",
        b"!!int ",
    ),
    *(
        b"!!python/object:os.system ",
        b"!!float ",
        b"!!null ",
        b"!<x> ",
        b"%YAML 1.2\n---\n",
        b"---\n",
        b"...\n",
        b"--- ",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"[[",
        b"{{",
        b"}}",
        b"'",
        b'"',
        b"#",
        b",",
        b"%",
        b"@",
        b"`",
        b"~",
        b"=",
        b"\\",
        b"\n\n",
    ),
    *(b"null", b"true", b"y", b"no", b".nan", b".inf", b"-.INF", b"1e999", b"-0", b"0o17", b"0x", b"1_000", b"1:30"),
    *(b"9007199254740993", b"18446744073709551616", b"-9223372036854775809", b"0.1e-400", b"2001-01-01", b"1" * 400),
    *(b"../", b"/etc/passwd", b"//", b"C:\\", b"file:///dev/zero", b"oci://", b"https://[", b"https://u:p@h:99999/"),
)
"""Bytes that have broken parsers before."""

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutated(choose: random.Random, seeds: Sequence[bytes], *, longest: int = 1 << 18) -> bytes:
    """One of the seeds with a few changes (sometimes none); at most ``longest`` bytes."""
    data = choose.choice(seeds)
    for _ in range(choose.choice((0, 1, 1, 1, 2, 3, 5, 8))):
        data = choose.choice(_MUTATIONS)(choose, data, seeds)
    return data[:longest]


def _place(choose: random.Random, data: bytes) -> int:
    return choose.randrange(len(data) + 1)


def _span(choose: random.Random, data: bytes) -> tuple[int, int]:
    start = _place(choose, data)
    return start, min(len(data), start + choose.choice((1, 1, 2, 4, 8, 30, 200)))


def _insert(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    place = _place(choose, data)
    return data[:place] + choose.choice(NASTY) + data[place:]


def _replace(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(choose, data)
    return data[:start] + choose.choice(NASTY) + data[end:]


def _flip(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    place = choose.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << choose.randrange(8))]) + data[place + 1 :]


def _delete(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(choose, data)
    return data[:start] + data[end:]


def _repeat(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(choose, data)
    return data[:end] + data[start:end] * choose.choice((1, 2, 3, 40, 300)) + data[end:]


def _cut(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: _place(choose, data)]


def _splice(choose: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = choose.choice(seeds)
    return data[: _place(choose, data)] + other[_place(choose, other) :]


def _lines(choose: random.Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """A line swapped, duplicated, removed, indented, dedented, or inserted from another seed."""
    lines = data.split(b"\n")
    place, other = choose.randrange(len(lines)), choose.randrange(len(lines))
    kind = choose.randrange(6)
    if kind == 0:
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 1:
        lines.insert(other, lines[place])
    elif kind == 2:
        del lines[place]
    elif kind == 3:
        lines[place] = b"  " + lines[place]
    elif kind == 4:
        lines[place] = lines[place].removeprefix(b"  ")
    else:
        lines.insert(place, choose.choice(choose.choice(seeds).split(b"\n")))
    return b"\n".join(lines)


def _value(choose: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The value after a colon, replaced."""
    lines = data.split(b"\n")
    place = choose.randrange(len(lines))
    key, colon, _value = lines[place].partition(b": ")
    if colon:
        lines[place] = key + colon + choose.choice(NASTY)
    return b"\n".join(lines)


_MUTATIONS: tuple[Mutation, ...] = (
    *(_insert, _replace, _flip, _delete, _repeat, _cut, _splice),
    *(_lines, _lines, _lines, _value, _value, _value),
)
