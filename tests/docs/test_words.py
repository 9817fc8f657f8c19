"""Plain words: none of the words that the glossary replaces comes back.

``docs/contributing/glossary.md`` has the same table for people. `python -m pytest tests/docs/test_words.py` prints every
hit as ``file:line: word: replacement``.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).resolve().parents[2]

PATHS: Final = (
    "src/**/*.py",
    "src/**/*.sh",
    "src/**/*.yaml",
    "src/**/*.tpl",
    "schemas/*.json",
    "tools/**/*.py",
    "tools/**/*.sh",
    "docs/**/*.md",
    "*.md",
    "Makefile",
    ".ci/run",
    "zensical.toml",
)
"""What is read as a whole: names, docstrings, comments, strings and prose."""

TESTS: Final = "tests/**/test_*.py"
"""Files of which only the names of the tests are read."""

SPACE: Final = r"[\s_#]+"
"""Between two words of a phrase: also a line break in a comment, and the underscore of a name."""

CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Banned:
    """A word or phrase in lower case as a regular expression (a space stands for ``SPACE``), and its replacement."""

    pattern: str
    instead: str

    def expression(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![a-z])(?:{self.pattern.replace(' ', SPACE)})(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A hit that stays: the file (a glob), a text in its line, how the word begins, and why."""

    path: str
    text: str
    reason: str
    word: str = ""


WORDS: Final = (
    Banned(pattern="told|tells|telling", instead="reported, printed, shown, logged; says"),
    Banned(pattern="anew", instead="again, from scratch, regenerate; ignore the cache"),
    Banned(pattern="once more", instead="again"),
    Banned(pattern="nobody|somebody|anybody", instead="the user, another process, unused, undefined; rephrase"),
    Banned(pattern="whoever|whom", instead="rephrase with the user, the caller, who"),
    Banned(pattern="he|him|his|himself", instead="they, or the user"),
    Banned(pattern=r"(?<!here[\s_#])(?:is|are|was|were) no(?! longer| more)", instead="is not an X; unknown X"),
    Banned(pattern="none of ours", instead="not an X"),
    Banned(pattern="of those that", instead="rephrase: of the Xs that, those that"),
    Banned(pattern="circles?", instead="cycle"),
    Banned(pattern="makers?", instead="maintainers (of software); renderer (of objects)"),
    Banned(
        pattern="(?:comes?|coming|came|brings?|bringing|brought|pulled) along",
        instead="added: required by X (capability)",
    ),
    Banned(pattern="leads? nowhere", instead="unresolved reference, no such Service"),
    Banned(pattern="twins?", instead="duplicates"),
    Banned(pattern="mined (?:trees?|folders?)", instead="sourced tree (input/<component>/manifests/sourced)"),
    Banned(pattern="reads? back", instead="reused; read again"),
    Banned(pattern="seed (?:format|schema|entry|list|shape)|first format", instead="legacy format"),
    Banned(pattern="breach(?:es)?|faults?", instead="finding; error"),
    Banned(
        pattern="what is another|is another(?= (?:than|since|in|on|there|somewhere))", instead="differences, changed"
    ),
    Banned(pattern="(?:came|comes|come) to(?! (?:rest|an end|mind))", instead="rendered, written, created, built"),
    Banned(pattern="heard|announced?|announces", instead="visible APIs"),
    Banned(pattern="laid|lies|lie", instead="is, stored"),
    Banned(pattern="(?:has|have) to", instead="must"),
    Banned(pattern="deeper than any(?:body|one)?", instead="nesting too deep (limit N)"),
    Banned(pattern=r"us\d+\.\d+", instead="say what the story is about (docs/guides may name it)"),
    Banned(
        pattern="(?:behavi|col|fav|hon|neighb|lab)our(?:s|ed|ing|able)?|catalogues?|centres?|grey|judgements?|licences?"
        "|(?:label|cancel|model|travel|signal)l(?:ed|ing)"
        "|(?:author|custom|final|general|initial|local|minim|normal|optim|organ|recogn|serial|summar|synchron|util)"
        "is(?:e|es|ed|ing|ation|ations)",
        instead="American spelling: behavior, labeled, normalize, …",
    ),
)

ALLOWED: Final = (
    Allowed(path="CONTRIBUTING.md", text="tests/faults", word="faults", reason="what the network of the tests injects"),
    Allowed(path="Makefile", text="--all-faults", word="faults", reason="an option of the tests"),
    Allowed(
        path="docs/adr/0036-the-test-cluster.md", text="--all-faults", word="faults", reason="an option of the tests"
    ),
    Allowed(path="docs/guides/*.md", text="US", word="us", reason="a guide names the story that it is about"),
    Allowed(path="docs/contributing/glossary.md", text="| ", reason="the table of the words and their replacements"),
    Allowed(
        path="src/cluster_forge/catalog/data/starter/input/charts/*",
        text="",
        reason="a chart that comes out byte for byte as before: its digest is in locks, its texts are in objects",
    ),
    Allowed(
        path="src/cluster_forge/catalog/data/starter/input/priority-classes/priority-classes.yaml",
        text="evicts nobody",
        reason="a text of an object that comes out byte for byte as before",
    ),
    Allowed(
        path="src/cluster_forge/stages/catalog/test.py",
        text='"told"',
        reason="a key of the JSON that `catalog test` prints",
    ),
    Allowed(
        path="src/cluster_forge/stages/catalog/test.py",
        text='"faults"',
        reason="a key of the JSON that `catalog test` prints",
    ),
    Allowed(
        path="docs/commands.md",
        text='"told"',
        word="told",
        reason="a key of the JSON that `catalog test` prints: users' programs read it",
    ),
    Allowed(
        path="docs/commands.md",
        text='"faults"',
        word="faults",
        reason="a key of the JSON that `catalog test` prints: users' programs read it",
    ),
)

ROWS: Final = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
GLOSSARY: Final = PROJECT / "docs" / "contributing" / "glossary.md"

NAMES: Final = {"each": 0, "found": 0, "made": 0, "said": 0}
"""Names of variables for which a noun exists, and how often `src` may bind each of them. Never raise these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    path: str
    line: int
    text: str
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r}: {self.instead}"

    def falls_under(self, allowed: Allowed) -> bool:
        is_there = fnmatch.fnmatch(self.path, allowed.path) and allowed.text in self.text
        return is_there and self.word.startswith(allowed.word)


EXPRESSIONS: Final = tuple((word.expression(), word.instead) for word in WORDS)


def files(*patterns: str) -> Iterator[tuple[str, str]]:
    """The path, relative to the project, and the text of every file."""
    for pattern in patterns:
        for path in sorted(PROJECT.glob(pattern)):
            yield path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")


def hits_in(path: str, text: str) -> Iterator[Hit]:
    lines, lowered = text.splitlines(), CAMEL.sub("_", text).lower()
    for expression, instead in EXPRESSIONS:
        for match in expression.finditer(lowered):
            line = lowered.count("\n", 0, match.start()) + 1
            yield Hit(path=path, line=line, text=lines[line - 1], word=" ".join(match[0].split()), instead=instead)


def names_of_tests(text: str) -> str:
    """The text without anything but the names of its tests, on the lines where they are."""
    found = (re.match(r"\s*def (test_\w+)", line) for line in text.splitlines())
    return "\n".join(match[1] if match else "" for match in found)


def bound_names(tree: ast.AST) -> Iterator[str]:
    """The variables, parameters and attributes that a module's code binds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.arg


@pytest.fixture(scope="module")
def hits() -> list[Hit]:
    texts = chain(files(*PATHS), ((path, names_of_tests(text)) for path, text in files(TESTS)))
    return [hit for path, text in texts for hit in hits_in(path, text)]


def test_the_words_are_plain(hits: list[Hit]) -> None:
    rest = [hit for hit in hits if not any(hit.falls_under(allowed) for allowed in ALLOWED)]
    if rest:
        lines = "\n".join(map(str, sorted(rest, key=lambda hit: (hit.path, hit.line))))
        pytest.fail(f"{lines}\n{len(rest)} words to replace: see docs/contributing/glossary.md", pytrace=False)


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda allowed: f"{allowed.path}: {allowed.text}")
def test_an_exception_that_matches_no_line_is_removed(allowed: Allowed, hits: list[Hit]) -> None:
    assert any(hit.falls_under(allowed) for hit in hits)


def test_variables_are_named_after_what_they_hold() -> None:
    bound = Counter(name for _, text in files("src/**/*.py") for name in bound_names(ast.parse(text)))
    assert {name: bound[name] for name, most in NAMES.items() if bound[name] > most} == {}


@pytest.mark.parametrize(
    "text",
    [
        "it told",
        "Told",
        "_told_once",
        "isTold",
        "TOLD",
        "is no chart",
        "test_that_is_no_chart",
        "SeedShape",
        "come\n    # along",
    ],
)
def test_a_word_is_found_in_prose_and_in_names(text: str) -> None:
    assert list(hits_in("page.md", text))


@pytest.mark.parametrize(
    "text", ["retold", "toldish", "_HEADER", "there is no chart", "is no longer", "default", "seed"]
)
def test_a_word_inside_another_one_is_left_alone(text: str) -> None:
    assert not list(hits_in("page.md", text))


def test_the_glossary_and_the_list_agree() -> None:
    _, _, table = GLOSSARY.read_text(encoding="utf-8").partition("## Words we do not use")
    words = [word.strip() for cell, _ in ROWS.findall(table)[1:] for word in cell.split(",")]
    missing = [
        expression.pattern
        for expression, _ in EXPRESSIONS
        if not any(expression.search(word.lower()) for word in words)
    ]
    assert not missing, "the glossary does not list them"
    assert [word for word in words if not list(hits_in("glossary.md", word))] == [], "the list does not know them"
