"""YAML written in every style that people and templates write it in, and in some that they should not: for differential tests.

It draws from a `random.Random`; Hypothesis gives one that it can shrink (``st.randoms``).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

WORDS = [
    *["y", "n", "Y", "N", "yes", "no", "on", "off", "Yes", "ON", "OFF", "true", "false", "True", "FALSE", "null", "Null", "NULL", "~", "=", "<<", "inf", "nan", "Infinity", ".inf", ".nan", ".Inf", "-.inf"],
    *["0755", "-0755", "007", "0", "00", "08", "010", "010.5", "00.5", "00.0", "-0", "0.0", "-0.0", "1.0", "1.10", "1.", ".1", ".5", "-.5", "+.5", "+1", "-1", "-123", "1.5", "0.5", "-1.5", "1.50"],
    *["0.10", "0.123456789", "0.1234567891", "1.0000000001", "12.123456789", "1_000", "1_000.5", "1_0.5", "1e3", "1E3", "1e-3", "12e03", "0e0", "0e1", "1e400"],
    *["0x1f", "0o17", "0b11", "0b1111111111111111", "0x", "0xZ", "0o17a", "1e", "1e+", "1d", "5e", "9e", "9E5", "e1", "E1", "1E", "1f", "0f", "a1", "0a", "0a1", "1a", "1A", "1e5a", "1e10a"],
    *["1:30", "190:20:30", "1:2:3", "1:2.5", "-1:30", "1:2", "0:5", "1::2", "::1", "fe80::1", "10.0.0.1/8", "10.0.0.1:80", "1.2.3", "0.1.2", "00.1", "0.0.0", "0.5.1"],
    *["1..2", "1.2e3", "1.2e", "1.e3", "1.5a", "1.5Gi", "1.5e3a", "1.5.e", "10Gi", "10m", "1Ti", "1K", "1k", "1kB", "30s", "1h", "1m30s", "64Mi", "10%", "50%%", "0%", "1%", "1/2", "0/5", "1-2", "1,000"],
    *["2001-01-01", "2001-01-01T00:00:00Z", "9007199254740993", "123456789012345678", "1234567890123456789", "12345678901234567890"],
    *["abcdef0123456789abcdef", "0123456789abcdef", "12345678901234e12", "1234567890abcdef12", "1%:", "1:", "a:", "x:y", "a:b", "a#b", "b#c", "1x", "-1x"],
    *["-", "--", "---", "...", "a", "b", "text", "abc", "-a", "--a", "-x:", "-a:b", "a.b", ".a", ".b:", "_a", "_1", "_", "__", ".", "..", "._", ".-", "-.", "-.a", "+a", "/x", "$x", "${x}", "(a)", "on/off", "y/n"],
    *["a,", "a]", "a}", "[a", "{a", "&a", "*a", "!a", "!!str", "@a", "`a", "%a", "?a", "?", ":a", ":", "#", "|a", ">a", "\\a", ";x", "^x", "é", "日本", "😀", "a'b", "http://a.b:80/c?", "{}", "[]"],
    *("a b", "a  b", "a # c", "a #c", "a: b", "1 # c", "y # c", "true # c", "0755 # c", "true x", "null x", "1 2", "1 #"),
    *("12 a", "a b: c", "- a", "a - b", "? a", "it's", 'say "x"', "{{ x }}", "", "a\tb", "no one", "2001-01-01 a", "a :b"),
    *("~ # c", "~ a", "{} # c", "{} a", "[] a", "1.5 # c", "- -", "a |", "x >", " ", "0755 ", ".inf ", "1: ", 'a"b'),
]  # fmt: skip
KEYS = [
    *("a", "b", "c", "name", "a.b/c", "a-b", "_x", "/x", ".x", "$x", "y", "n", "no", "true", "null", "on", "1", "1.5", "0755"),
    *("~", '"q"', "'q'", '"y"', "'no'", '"1"', "a b", "a:b", "a#b", "a: b", "=", "<<", '"a: b"', "'it''s'", '"a\\nb"', "é"),
    *("-a", "a,b", "a[0]", "a{", "?x", "&x", "*x", "!x", "@x", "%x", "|", ">", '""', "''", 'a"b', "a'b", "x" * 130, "x" * 1100),
    *("'" + "x" * 130 + "'", "yes", "Yes", "OFF", "y.z", "n/a", "nullx", "true-x", ".5", ".inf", ".nan", "1e3", "a(b)", "\\x"),
    *("$ref", "a/b:80", "a#", "a:"),
]  # fmt: skip
PROSE = [
    *(
        "text",
        "a: b",
        "- a",
        "- a: b",
        "# no comment",
        "key:",
        "  deeper",
        "---",
        "...",
        "{{ x }}",
        "it's",
        'say "x"',
        '"',
        "'",
    ),
    *(
        "[",
        "{",
        "|",
        ">",
        "a: |",
        "  - x: y",
        "\\",
        "%",
        "é",
        "y",
        "1",
        "a:",
        " ",
        "   ",
        "\t",
        "tab\tx",
        "%YAML",
        "!x",
        "&x",
    ),
    *("*x", "? x", ": x", "x #y", "-", "x: [", "#", "cluster-forge/end: 1"),
]
HEADS = ("|", "|", "|", "|-", "|+", ">", ">-", "|2", "|1", "|-2", "|2-", "|4", "| # c", "|  ", "|- ", "|0")
COMMENTS = (*[""] * 14, "# c\n", "  # c\n", "\n", " \n", "      # c: d\n", "#\n", "    \n")
ESCAPES = ("\\n", "\\t", "\\ ", "\\x41", "\\u263a", "\\/", "\\e", "\\0", "\\\n", "\\\n\n", " \\\n")
MOST = 4


def document(draw: Random) -> str:
    """One document, most of them well-formed."""
    text = _comment(draw)
    text += _mapping(draw, _one(draw, *[""] * 9, "  "), 0) if draw.random() < 0.93 else _sequence(draw, "", 0)
    if draw.random() < 0.12:
        text = text.rstrip("\n")
    if draw.random() < 0.1:
        text += _one(draw, "\n", "\n\n", "# c\n", "   \n", "# c", "  ", "...\n")
    if draw.random() < 0.1:
        at = draw.randrange(len(text) + 1)
        text = text[:at] + _one(draw, *" \n-:#\"'\t,\r", "", "  ", "\n\n") + text[at + draw.randrange(2) :]
    return text


def _one(draw: Random, *choices: str) -> str:
    return choices[draw.randrange(len(choices))]


def _comment(draw: Random) -> str:
    return _one(draw, *COMMENTS)


def _many(draw: Random) -> Sequence[int]:
    return range((1, 1, 2, 2, 3)[draw.randrange(5)])


def _mapping(draw: Random, indent: str, depth: int) -> str:
    text, used = "", set()
    for number in _many(draw):
        key = _one(draw, *KEYS[:9]) if draw.random() < 0.75 else _one(draw, *KEYS)
        if key in used and draw.random() < 0.9:
            key += str(number)
        used.add(key)
        text += indent + key + _one(draw, *[":"] * 12, " :") + _value(draw, indent, depth) + _comment(draw)
    return text.replace(indent, indent + " ", 1) if draw.random() < 0.04 else text


def _sequence(draw: Random, indent: str, depth: int) -> str:
    text = ""
    for _ in _many(draw):
        dash = "-" + _one(draw, " ", " ", " ", "  ", "   ")
        inner = indent + " " * len(dash)
        kind = draw.random()
        if depth < MOST and kind < 0.45:
            text += indent + dash + _mapping(draw, inner, depth + 1)[len(inner) :]
        elif depth < MOST and kind < 0.5:
            text += indent + dash + _sequence(draw, inner, depth + 1)[len(inner) :]
        else:
            text += indent + "-" + _value(draw, indent, MOST)
        text += _comment(draw)
    return text


def _value(draw: Random, indent: str, depth: int) -> str:
    """What stands behind a colon or a hyphen, with the blank before it and the line break behind it."""
    kind = draw.random()
    deeper = indent + _one(draw, "  ", "  ", "  ", " ", "    ", "   ")
    if depth < MOST and kind < 0.22:
        return _one(draw, "", "", "", " ", " # c", "  ") + "\n" + _comment(draw) + _mapping(draw, deeper, depth + 1)
    if depth < MOST and kind < 0.34:
        head = _one(draw, "", "", "", " ", " # c") + "\n" + _comment(draw)
        return head + _sequence(draw, _one(draw, indent, deeper), depth + 1)
    blank = _one(draw, *[" "] * 12, "  ", "   ", " \n" + deeper)
    if kind < 0.42:
        text = _quoted(draw, deeper, folds=True)
    elif kind < 0.55:
        text = _block(draw, indent + _one(draw, "  ", "  ", " ", ""))
    elif kind < 0.64:
        text = _flow(draw, 0)
    elif kind < 0.66:
        blank, text = "", _one(draw, "", " ", " # c")
    elif kind < 0.8:
        plain = _one(draw, "a", "abc", "text here", "v1", "1", "12", "0.5", "true", "x y")
        text = plain + _one(draw, "", "", "", " ", " # c")
    else:
        text = _plain(draw, deeper)
    return f"{blank}{text}\n"


def _plain(draw: Random, indent: str) -> str:
    text = _one(draw, *WORDS)
    for _ in range((0, 0, 0, 0, 0, 1, 1, 2)[draw.randrange(8)]):
        text += _one(draw, "\n", "\n\n", " \n", "\n \n", "\n# c\n", "\n   # c\n")
        text += indent + _one(draw, "", "", " ") + _one(draw, *WORDS, *PROSE)
    return text + _one(draw, "", "", "", "", " ", " # c", "   # c: d")


def _quoted(draw: Random, indent: str, *, folds: bool) -> str:
    words = [_one(draw, *PROSE, *WORDS) for _ in range(draw.randrange(1, 5))]
    breaks = ("\n", "\n\n", "\n \n", " \n") if folds else ()
    blanks = (" ", *(each + indent for each in breaks), *(("\n", f"\n{indent} ") if folds else ()))
    end = _one(draw, "", "", "", " ", " # c", "  ")
    if draw.random() < 0.5:
        return f"'{_joined(draw, [word.replace(chr(39), chr(39) * 2) for word in words], blanks)}'{end}"
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    escapes = tuple(each + indent if each.endswith("\n") else each for each in ESCAPES)
    return f'"{_joined(draw, escaped, (*blanks, *escapes))}"{end}'


def _joined(draw: Random, words: Sequence[str], blanks: Sequence[str]) -> str:
    text = words[0]
    for word in words[1:]:
        text += _one(draw, *blanks) + word
    return text


def _block(draw: Random, indent: str) -> str:
    text = _one(draw, *HEADS) + "\n"
    base = _one(draw, "", "", " ", "  ", "  ", "    ")
    for _ in range(draw.randrange(6)):
        if draw.random() < 0.2:
            text += _one(draw, "\n", " \n", "      \n", indent + "\n", indent + base + " \n")
        else:
            text += (
                indent + base + _one(draw, "", "", "", " ", "   ") + _one(draw, *PROSE) + _one(draw, "", "", " ") + "\n"
            )
    return text[:-1]


def _flow(draw: Random, depth: int) -> str:
    kind = draw.random()
    if depth < 4 and kind < 0.25:
        comma = _one(draw, ", ", ",", " , ", ",  ")
        items = comma.join(_flow(draw, depth + 1) for _ in range(draw.randrange(4)))
        return "[" + _one(draw, "", " ") + items + _one(draw, "", " ", ",") + "]"
    if depth < 4 and kind < 0.5:
        comma, colon = _one(draw, ", ", ", ", ",", " , "), _one(draw, *[": "] * 5, ":  ", ":", " : ")
        keys = (KEYS[:9], KEYS[:9], KEYS[:9], KEYS)[draw.randrange(4)]
        pairs = comma.join(f"{_one(draw, *keys)}{colon}{_flow(draw, depth + 1)}" for _ in range(draw.randrange(4)))
        return "{" + _one(draw, "", "", " ") + pairs + _one(draw, "", "", "", " ", ",") + "}"
    return _quoted(draw, "  ", folds=False) if kind < 0.6 else _one(draw, *WORDS)
