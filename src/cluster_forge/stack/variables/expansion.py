"""Puts values into a tree: every text that refers to variables or has expressions."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack.named_values import Names, UnresolvedError, VariableValue
from cluster_forge.stack.variables import expressions, places, references
from cluster_forge.stack.variables.expressions import ExpressionError
from cluster_forge.stack.variables.places import Read
from cluster_forge.stack.variables.references import Expression, Reference, ReferenceSyntaxError
from cluster_forge.yaml.positioned import Positioned

LARGEST: Final = 8 << 20
"""Bytes that values may add to one description: more than a file may have."""
MOST_EXPRESSIONS: Final = 5000
"""In one description; each takes 0.1 ms, more where its values are large."""
MOST_READ: Final = 32 << 20
"""Bytes of all values that expressions use, each time one does: two seconds, if it is a list of small numbers."""
MOST_ERRORS: Final = 100
"""After which nothing more is expanded."""


class _Sizes:
    """How large values are as JSON, in bytes; each list and mapping is measured once, as long as this is kept."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, int]] = {}

    def of(self, value: Any) -> int:
        if isinstance(value, str):
            return len(value)
        if not isinstance(value, list | Mapping):
            return 1
        if id(value) not in self._known:
            members = value.values() if isinstance(value, Mapping) else value
            keys = sum(map(len, value)) if isinstance(value, Mapping) else 0
            self._known[id(value)] = (value, 2 + keys + sum(2 + self.of(member) for member in members))
        return self._known[id(value)][1]


@dataclass
class Expander:
    """Expands the parts of one description; what is wrong goes into ``errors``, and the part stays as it is."""

    read: Read
    errors: list[ForgeError]
    _added: int = field(default=0, init=False)
    _computed: int = field(default=0, init=False)
    _read_bytes: int = field(default=0, init=False)
    _sizes: _Sizes = field(default_factory=_Sizes, init=False, repr=False)

    def expanded(self, part: Positioned, names: Names) -> Positioned:
        """The part with all references in its texts replaced; the keys of mappings stay.

        A text that is nothing but one reference becomes the value, with its type; inside other text a value becomes text.
        """
        content = part.content
        if isinstance(content, str):
            refers = references.are_in(content) and len(self.errors) < MOST_ERRORS
            return self._text(part, content, names) if refers else part
        if isinstance(content, Mapping):
            members = {key: self.expanded(member, names) for key, member in content.items()}
            is_same = all(members[key] is member for key, member in content.items())
            return part if is_same else replace(part, content=MappingProxyType(members))
        if isinstance(content, tuple):
            items = tuple(self.expanded(item, names) for item in content)
            return part if all(map(operator.is_, items, content)) else replace(part, content=items)
        return part

    def _text(self, part: Positioned, text: str, names: Names) -> Positioned:
        before = len(self.errors)
        try:
            pieces = references.pieces(text)
        except ReferenceSyntaxError as error:
            fix = f"write `$${error.shown[1:]}` for text that stays as it is"
            self._wrong(part, error.shown, 0, str(error), fix)
            return part
        if len(pieces) == 1 and not isinstance(pieces[0], str):
            value = self._value(part, pieces[0], names)
            return part if value is None else self._placed(value, part)
        inserted = [piece if isinstance(piece, str) else self._inside(part, piece, names) for piece in pieces]
        return (
            part
            if len(self.errors) > before or None in inserted
            else replace(part, content="".join(map(str, inserted)))
        )

    def _placed(self, value: VariableValue, part: Positioned) -> Positioned:
        self._count(part, self._sizes.of(value.value))
        return replace(Positioned.of(value.value, part), text=value.text)

    def _inside(self, part: Positioned, piece: Reference | Expression, names: Names) -> str | None:
        value = self._value(part, piece, names)
        if value is None:
            return None
        inside = value.inside
        if inside is None:
            kind = "empty" if value.value is None else "a mapping" if isinstance(value.value, Mapping) else "a list"
            snippet, offset = _snippet(piece)
            fix = "make the reference all of the text, or refer to a text, a number or a boolean"
            self._wrong(part, snippet, offset, f"{snippet.strip()} is {kind}, which cannot be inside a text", fix)
            return None
        self._count(part, len(inside))
        return inside

    def _value(self, part: Positioned, piece: Reference | Expression, names: Names) -> VariableValue | None:
        """The value of a reference; None, and an error, if it has none."""
        snippet, offset = _snippet(piece)
        try:
            if isinstance(piece, Reference):
                return names.variable(piece.name)
            return VariableValue(value=self._computed_value(part, piece.source, names))
        except UnresolvedError as error:
            if str(error):
                self._wrong(part, snippet, offset, str(error), error.fix)
        except ExpressionError as error:
            self._wrong(part, snippet, error.offset or offset, f"`{_shortened(snippet)}`: {error}", error.fix)
        return None

    def _count(self, part: Positioned, added: int) -> None:
        """Count what a value adds.

        Raises:
            DescriptionError: if it is too much for one description.
        """
        self._added += added
        if self._added > LARGEST:
            raise DescriptionError(
                f"variables add more than {LARGEST >> 20} MiB to the description",
                where=part.where,
                fix="put large texts into files: `configMaps: [{name: …, files: […]}]`",
            )

    def _computed_value(self, part: Positioned, source: str, names: Names) -> Any:
        """The value of an expression.

        Raises:
            ExpressionError, UnresolvedError: if it has none.
            DescriptionError: if the expressions of the description are too many, or read too much.
        """
        values = {name: _named(source, name, names) for name in expressions.names_in(source)}
        self._computed += 1
        self._read_bytes += sum(map(self._sizes.of, values.values()))
        if self._computed > MOST_EXPRESSIONS or self._read_bytes > MOST_READ:
            raise DescriptionError(
                f"more than {MOST_EXPRESSIONS:,} expressions in one description, or {MOST_READ >> 20} MiB of values in them",
                where=part.where,
                fix="compute a value once, as a variable",
            )
        return expressions.value(source, values)

    def _wrong(self, part: Positioned, snippet: str, offset: int, message: str, fix: str) -> None:
        where = places.of(part, snippet, offset, self.read)
        self.errors.append(DescriptionError(message, where=where, fix=fix or None))


def escaped(value: Any) -> Any:
    """A plain value as texts that refer to nothing would be written: each ``${`` as ``$${``."""
    if isinstance(value, Mapping):
        return {key: escaped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return references.escaped(value) if isinstance(value, str) else value


def _named(source: str, name: str, names: Names) -> Any:
    """The value of a name that an expression uses.

    Raises:
        ExpressionError, UnresolvedError: if it has none.
    """
    try:
        return names.in_expression(source, name)
    except KeyError:
        raise expressions.unknown(source, name, names.known()) from None


def _snippet(piece: Reference | Expression) -> tuple[str, int]:
    """What the file has for a reference, and the offset of its first sign in that."""
    if isinstance(piece, Reference):
        return f"${{{piece.name}}}", 0
    return piece.source, len(piece.source) - len(piece.source.lstrip())


def _shortened(source: str) -> str:
    text = " ".join(source.split())
    return text if len(text) <= 80 else f"{text[:77]}…"
