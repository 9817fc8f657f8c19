"""Strategies for YAML text: trees in many styles, and the scalars and lines that parsers get wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from tests.fuzz.mutation import NASTY

Tree = st.SearchStrategy[Any]


class Raw(str):
    """YAML text that is put into a document unchanged."""

    __slots__ = ()


WORDS = st.sampled_from(("web", "shop", "cert-manager", "a", "A_b", "x" * 64, "", " ", "ünï", "1.10", "true", "null"))
ODD = st.sampled_from([Raw(text.decode(errors="replace")) for text in NASTY])
SCALARS = st.one_of(
    WORDS,
    ODD,
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.sampled_from(("https://charts.example.com", "oci://r.example.com/c", "../up.yaml", "a.yaml", "9" * 5000)),
)
ANY: Tree = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | ODD, inner, max_size=3), max_leaves=8
)


def spoiled(tree: Tree) -> Tree:
    """Mostly ``tree``, sometimes something entirely different."""
    return st.one_of(tree, tree, tree, tree, ANY)


def mapping(required: Mapping[str, Tree], optional: Mapping[str, Tree] | None = None) -> Tree:
    """A mapping of these members, any of them spoiled or missing, and sometimes an unknown one."""
    members = {key: spoiled(tree) for key, tree in {**required, **(optional or {})}.items()}
    known = st.fixed_dictionaries(
        {key: members[key] for key in required}, optional={key: members[key] for key in optional or {}}
    )
    more = st.dictionaries(WORDS, ANY, max_size=1)
    lost = st.sampled_from([None] * 8 + [*members])
    return st.builds(lambda one, two, less: {k: v for k, v in {**two, **one}.items() if k != less}, known, more, lost)


def several(tree: Tree, *, most: int = 3) -> Tree:
    return st.lists(spoiled(tree), max_size=most)


def written(tree: Tree) -> st.SearchStrategy[bytes]:
    """The tree as YAML, in block or flow style, perhaps with a byte order mark, other line breaks, or a second document."""
    return st.builds(_text, tree, st.sampled_from(_STYLES), st.sampled_from(_FRAMES))


def _text(tree: Any, style: Callable[[Any], str], frame: Callable[[str], str | bytes]) -> bytes:
    text = frame(style(tree))
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def block(tree: Any) -> str:
    return "\n".join(_block(tree)) + "\n"


def flow(tree: Any) -> str:
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return _scalar(tree)


def anchored(tree: Any) -> str:
    """Block style whose first member is an anchor that the last one repeats."""
    lines = _block(tree)
    return "\n".join([f"{line} &a" if line.endswith(":") else line for line in lines] + ["again: *a", "<<: *a", ""])


def _block(tree: Any) -> Iterator[str] | list[str]:
    if isinstance(tree, Mapping) and tree:
        return [line for key, value in tree.items() for line in _member(f"{_key(key)}:", value)]
    if isinstance(tree, list) and tree:
        return [line for item in tree for line in _member("-", item)]
    return [flow(tree)]


def _member(head: str, value: Any) -> list[str]:
    if isinstance(value, Mapping | list) and value and not isinstance(value, Raw):
        return [head, *(f"  {line}" for line in _block(value))]
    return [f"{head} {flow(value)}"]


def _key(key: str) -> str:
    return str(key) if isinstance(key, Raw) or key.replace("-", "").isalnum() else json.dumps(key)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if value.replace("-", "").replace(".", "").isalnum() else json.dumps(value, ensure_ascii=False)
    return "null" if value is None else str(value).lower()


_STYLES = (block, block, block, flow, anchored)
_FRAMES: tuple[Callable[[str], str | bytes], ...] = (
    *(str, str, str, str, str),
    lambda text: "\ufeff" + text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: text.replace("\n", "\x85"),
    lambda text: f"---\n{text}---\n{text}",
    lambda text: f"%YAML 1.2\n---\n{text}...\n",
    lambda text: text.encode("utf-16", "surrogatepass"),
    lambda text: f"# comment\n{text}# end",
)


def hostile_yaml() -> Iterator[tuple[str, bytes]]:
    """Texts that are large, deep, or expand to large values; every reader of YAML gets them all."""
    yield from _bombs()
    yield from _deep()
    yield from _large()


def _bombs() -> Iterator[tuple[str, bytes]]:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    yield "billion-laughs", laughs.encode()
    yield "a-million-aliases", b"a: &a x\nb: [" + b"*a, " * 1_000_000 + b"x]\n"
    yield "a-million-aliases-in-lines", b"a: &a x\nb:\n" + b"- *a\n" * 1_000_000
    yield (
        "merged-laughs",
        (
            "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}], k{n}: *a{n - 1}}}\n" for n in range(1, 60))
        ).encode(),
    )
    yield "merge-of-many", b"x:\n  <<: [" + b", ".join(b"{k%d: 1}" % n for n in range(20_000)) + b"]\n"
    yield "an-alias-in-itself", b"a: &a [*a, {<<: *a}]\n"
    yield "a-hundred-thousand-anchors", b"".join(b"k%d: &a%d x\n" % (n, n) for n in range(100_000))
    yield (
        "nested-aliases",
        ("a: &a0 {k: v}\n" + "".join(f"b{n}: &a{n} {{k: *a{n - 1}}}\n" for n in range(1, 2000))).encode(),
    )


def _deep() -> Iterator[tuple[str, bytes]]:
    for depth in (99, 290, 900, 5_000, 100_000):
        yield f"flow-lists-{depth}-deep", b"a: " + b"[" * depth + b"]" * depth
        yield f"flow-mappings-{depth}-deep", b"{a: " * depth + b"1" + b"}" * depth
        yield f"block-lists-{depth}-deep", b"a:\n  " + b"- " * depth + b"x\n"
    for depth in (99, 290, 900, 5_000):
        yield f"block-mappings-{depth}-deep", b"".join(b" " * n + b"a:\n" for n in range(depth))
    yield "keys-100000-deep", b"? " * 100_000 + b"a\n"
    yield "open-lists", b"[" * 1_000_000


def _large() -> Iterator[tuple[str, bytes]]:
    yield "a-key-of-1-MB", b"k" * 1_000_000 + b": 1\n"
    yield "a-quoted-key-of-1-MB", b'"' + b"k" * 1_000_000 + b'": 1\n'
    yield "an-explicit-key-of-1-MB", b"? " + b"k" * 1_000_000 + b"\n: 1\n"
    yield "a-value-of-20-MB", b"a: " + b"v" * 20_000_000 + b"\n"
    yield "a-quoted-value-of-20-MB", b'a: "' + b"v w" * 6_666_666 + b'"\n'
    yield "a-block-of-20-MB", b"a: |\n" + b"  a line of text\n" * 1_200_000
    yield "lines-of-nothing", b"a: 1\n" + b"\n" * 10_000_000 + b"b: [\n"
    yield "blanks", b"a:" + b" " * 10_000_000 + b"[\n"
    yield "comments", b"# c\n" * 2_000_000 + b"a: ]\n"
    yield "a-number-of-1-MB", b"a: " + b"1" * 1_000_000 + b"\n"
    yield "a-fraction-of-1-MB", b"a: 0." + b"1" * 1_000_000 + b"e5\n"
    yield "a-hex-number-of-1-MB", b"a: 0x" + b"f" * 1_000_000 + b"\n"
    yield "underscores", b"a: 1" + b"_" * 1_000_000 + b"\n"
    yield "unknown-keys", b"".join(b"key%d: 1\n" % n for n in range(20_000))
    yield "one-key-often", b"a: 1\n" * 200_000
    yield "many-items", b"- a\n" * 200_000
    yield "many-documents", b"---\na: 1\n" * 20_000
    yield "many-hyphens", b"---\n" * 300_000
    yield "no-yaml-at-all", bytes(range(256)) * 4000


_ODD_TEXTS: tuple[str | bytes, ...] = (
    *(
        "",
        "\n",
        "null",
        "~",
        "1",
        "text",
        "[]",
        "{}",
        "- 1",
        "---",
        "...",
        "--- |\n",
        "# only\n",
        "\0",
        "%",
        "%YAML 9.9\n---\na: 1",
    ),
    *(
        '"\\ud800"',
        'a: "\\udfff\\ud800"',
        "a: \ufeffb",
        "\ufeff\ufeffa: 1",
        "a: \x85b\u2028c",
        "\ta: 1",
        "a:\n\t- b",
        "a\rb: 1\r",
    ),
    *(
        b"\xff\xfea\x00:\x00 \x001\x00",
        b"\xfe\xff\x00a",
        b"\xed\xa0\x80: 1",
        b"a: \xc3",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"a: \x01",
    ),
    *(
        "? a",
        "? [a]\n: b",
        "? {a: b}\n: c",
        "{[a]: b}",
        "{{ a }}: b",
        "? ? ? a",
        ": b",
        "{a, b}",
        "[a: b]",
        "[? a : b]",
    ),
    *(
        "!!python/object:os.system {a: b}",
        "!!python/object/apply:os.system [x]",
        "a: !!binary ===",
        "a: !!binary aGk=",
        "!!set {a, b}",
    ),
    *(
        "!!omap [a: 1]",
        "a: !!int x",
        "a: !!float .nan",
        "a: !!timestamp x",
        "!t!x a",
        "!<> a",
        "a: !!null 1",
        "!!str",
        "a: !!merge <<",
    ),
    *(
        ".nan: 1",
        "1e999: 1",
        "2001-01-01: 1",
        "null: 1",
        "~: 1",
        "true: 1\n'true': 2",
        "1: a\n'1': b",
        "1.5: a",
        "<<: 1",
        "<<: [1]",
    ),
    *(
        "a: .inf",
        "a: 1e999",
        "a: -1e-999",
        "a: 18446744073709551616",
        "a: -9223372036854775809",
        "a: 0b" + "1" * 80,
        "a: 0o9",
        "a: +",
        "a: -.",
    ),
    *(
        "*a",
        "&a",
        "&a *a",
        "a: &a\nb: *a",
        "a: *b",
        "*a : b",
        "&a a: *a",
        "a: &a &b c",
        "- &a\n- *a",
        "a: |9\n  b",
        "a: >-+\n b",
        "a: |\n\tb",
    ),
    *(
        "<<<<<<< a\nb: 1\n=======\n>>>>>>> c\n",
        "<<<<<<< \n>>>>>>> ",
        "a: 'b",
        'a: "b',
        "a: [b",
        "a: {b",
        "a: @b",
        "a: `b",
        "a: %b",
        "a: b: c",
        "a\nb",
    ),
)

ODD_YAML = tuple(text if isinstance(text, bytes) else text.encode() for text in _ODD_TEXTS)
"""Small texts that parsers have read wrongly, each for a different reason."""
